"""dense: every unit sees every number of its input, of a sequence at each place alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nndsl.ir.graph import ShapeError, Value
from nndsl.ir.types import BATCH, Dimension, ElementType, format_shape
from nndsl.ops.compose import add_sum
from nndsl.ops.matmul import MatMul
from nndsl.params import Array, Flag, Int, OneOf, Ref
from nndsl.vocab.kinds import Layer, LayerContext
from nndsl.vocab.layers.sequences import is_sequence
from nndsl.vocab.registry import register

TRANSPOSED = (1, 0)


def _make(context: LayerContext, operands: Sequence[Value], arguments: Mapping[str, Any]) -> Value:
    """W1 x1 + W2 x2 + ... + b, one weight matrix for each operand."""
    units: Dimension = arguments["units"]
    inputs = [input_size(operand, units, "dense") for operand in operands]
    given = _weights_by_operand(arguments["weights"], inputs, units)
    fan_in = sum(size for size in inputs if isinstance(size, int)) or 1
    terms = []
    for index, (operand, size) in enumerate(zip(operands, inputs, strict=True)):
        weight = context.parameter(
            "weight" if len(operands) == 1 else f"weight[{index + 1}]",
            (size, units),
            initializer=arguments["init"],
            values=given[index],
            fan_in=fan_in,
            fan_out=units if isinstance(units, int) else 1,
            axes=TRANSPOSED,
        )
        terms.append(context.build.add(MatMul(), operand, weight))
    bias = arguments["bias"]
    if bias is not False:
        terms.append(
            context.parameter("bias", (units,), values=0.0 if bias is True else bias, decays=False)
        )
    return add_sum(context.build, terms)


def input_size(operand: Value, units: Dimension, word: str) -> Dimension:
    """How many numbers an example has, or NN202 where it is no plain list of numbers."""
    type = operand.type
    if type.element is ElementType.INDEX:
        raise ShapeError(
            f"`{word}` takes numbers, not class numbers",
            "NN202",
            "`embed(64)` before it; a column of classes: `onehot` in the data section",
        )
    if (type.rank != 2 or type.shape[0] != BATCH) and not is_sequence(type.shape):
        shape = format_shape(type.shape)
        raise ShapeError(
            f"`{word}` takes a list of numbers for each example, not {shape}",
            "NN202",
            f"flatten -> {word}({units})",
        )
    return type.shape[-1]


def _weights_by_operand(
    weights: np.ndarray | float | None, inputs: Sequence[Dimension], units: Dimension
) -> list[np.ndarray | float | None]:
    """Given weights, [outputs, inputs] or one number, cut into one matrix for each operand."""
    if len(inputs) == 1 or not isinstance(weights, np.ndarray):
        return [weights] * len(inputs)
    sizes = [size for size in inputs if isinstance(size, int)]
    if len(sizes) < len(inputs):
        return [None] * len(inputs)
    if weights.shape != (units, sum(sizes)):
        found = "x".join(map(str, weights.shape))
        raise ShapeError(
            f"`weights` is {found}; {units} units on {sum(sizes)} inputs need {units}x{sum(sizes)}",
            "NN201",
        )
    return list(np.split(weights, np.cumsum(sizes)[:-1], axis=1))


register(
    Layer(
        "dense",
        {
            "units": Int(doc="how many outputs", ge=1, is_size=True),
            "bias": OneOf(
                True,
                "false: none; a number: where all start; a list: where each starts",
                (Flag(), Array()),
            ),
            "init": Ref(
                None,
                "start of the weights; left out: chosen by the activation after it",
                "initializer",
            ),
            "weights": Array(None, "start of the weights: a row for each unit, or one number"),
        },
        "Every unit sums all inputs, each times a weight, and adds a bias. Several inputs have a "
        "weight matrix each and are added.",
        "Rosenblatt 1958, The perceptron",
        _make,
        (1, None),
    ),
    example="dense(16) -> relu",
)
