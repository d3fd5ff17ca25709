"""Activations with weights of their own: prelu, maxout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

from nndsl.ir.graph import ShapeError, Value
from nndsl.ir.types import ElementType
from nndsl.ops.compose import add_map
from nndsl.ops.map import operand
from nndsl.ops.matmul import MatMul
from nndsl.params import Flag, Int, Real, Ref
from nndsl.scalar.expression import Expression
from nndsl.scalar.functions import maximum, where
from nndsl.vocab.kinds import Layer, LayerContext
from nndsl.vocab.layers.dense import TRANSPOSED, input_size
from nndsl.vocab.layers.images import by_feature, feature_axis
from nndsl.vocab.registry import register


def _prelu(context: LayerContext, operands: Sequence[Value], arguments: Mapping[str, Any]) -> Value:
    (x,) = operands
    if x.type.element is ElementType.INDEX:
        raise ShapeError("`prelu` takes numbers, not class numbers", "NN202")
    shared = arguments["shared"] or x.type.rank < 2
    shape = (1,) if shared else (x.type.shape[feature_axis(x)],)
    slope = context.parameter("weight", shape, values=arguments["start"], decays=False)
    slope = by_feature(context.build, x, slope)
    formula = where(operand(0) <= 0, operand(1) * operand(0), operand(0))
    return add_map(context.build, formula, x, slope, name="prelu")


def _maxout(
    context: LayerContext, operands: Sequence[Value], arguments: Mapping[str, Any]
) -> Value:
    """The greatest of `pieces` affine functions, each with a weight matrix of its own.

    The comparison of all is done in the registers of the last matrix product.
    """
    (x,) = operands
    units, pieces = arguments["units"], arguments["pieces"]
    size = input_size(x, units, "maxout")
    fan_in = size if isinstance(size, int) else 1
    values: list[Value] = []
    terms: list[Expression] = []
    for piece in range(1, pieces + 1):
        weight = context.parameter(
            f"weight[{piece}]",
            (size, units),
            initializer=arguments["init"],
            fan_in=fan_in,
            fan_out=units if isinstance(units, int) else 1,
            axes=TRANSPOSED,
        )
        values.append(context.build.add(MatMul(), x, weight))
        term = operand(len(values) - 1)
        if arguments["bias"]:
            values.append(context.parameter(f"bias[{piece}]", (units,), values=0.0, decays=False))
            term = term + operand(len(values) - 1)
        terms.append(term)
    return add_map(context.build, reduce(maximum, terms), *values, name="maxout")


register(
    Layer(
        "prelu",
        {
            "start": Real(0.25, "where the slope starts"),
            "shared": Flag(True, "one slope for all features, or one for each"),
        },
        "x above 0, a learnt slope times x below.",
        "He et al. 2015, arXiv:1502.01852",
        _prelu,
        initializer="he_normal",
    ),
    example="dense(16) -> prelu",
)
register(
    Layer(
        "maxout",
        {
            "units": Int(doc="how many outputs", ge=1, is_size=True),
            "pieces": Int(2, "how many sums each output is the greatest of", ge=2, le=64),
            "bias": Flag(True, "whether biases are learnt"),
            "init": Ref(
                None,
                "start of the weights; left out: chosen by the activation after it",
                "initializer",
            ),
        },
        "Every unit has several weighted sums of all inputs and gives the greatest of them.",
        "Goodfellow et al. 2013, arXiv:1302.4389",
        _maxout,
    ),
    example="maxout(16) -> dense(8)",
)
