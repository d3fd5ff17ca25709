"""distance: neurons whose inner potential is how far the input lies from their weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nndsl.ir.graph import ShapeError, Value
from nndsl.ir.types import BATCH
from nndsl.ops.compose import add_map
from nndsl.ops.map import operand
from nndsl.ops.reduction import Reduce, Reshape
from nndsl.params import Array, Flag, Int, Real, Ref
from nndsl.scalar.functions import sqrt, where
from nndsl.vocab.arguments import call
from nndsl.vocab.kinds import Layer, LayerContext
from nndsl.vocab.layers.dense import TRANSPOSED, input_size
from nndsl.vocab.layers.sequences import is_sequence
from nndsl.vocab.registry import register, words


def _make(context: LayerContext, operands: Sequence[Value], arguments: Mapping[str, Any]) -> Value:
    """|x - w| / b for each unit, from differences: a product would lose what is nearly equal."""
    (x,) = operands
    units, build = arguments["units"], context.build
    size = input_size(x, units, "distance")
    if is_sequence(x.type.shape):
        raise ShapeError("`distance` takes one list of numbers, not a sequence", "NN202")
    weight = context.parameter(
        "weight",
        (size, units),
        initializer=arguments["init"] or call(words("initializer")["normal"], std=1.0),
        values=arguments["weights"],
        fan_in=size if isinstance(size, int) else 1,
        fan_out=units if isinstance(units, int) else 1,
        axes=TRANSPOSED,
    )
    column = build.add(Reshape((BATCH, size, 1)), x)
    difference = operand(0) - operand(1)
    squares = add_map(build, difference * difference, column, weight, name="squares")
    total = build.add(Reduce("sum", (1,)), squares, name="total")
    # at the centre itself the slope is taken as 0, that of the Gaussian after it
    root = where(operand(0) > 0.0, sqrt(operand(0)), 0.0)
    if not arguments["learn_width"]:
        return add_map(build, root / float(arguments["width"]), total, name="distance")
    width = context.parameter(
        "width", (units,), values=np.float64(arguments["width"]), decays=False
    )
    return add_map(build, root / operand(1), total, width, name="distance")


register(
    Layer(
        "distance",
        {
            "units": Int(doc="how many centres", ge=1, is_size=True),
            "width": Real(1.0, "by what distances are divided; where the widths start", gt=0),
            "learn_width": Flag(True, "whether each unit learns its width"),
            "init": Ref(
                None,
                "start of the centres; left out: normal numbers, spread as standardised inputs are",
                "initializer",
            ),
            "weights": Array(None, "start of the centres: a row for each unit, or one number"),
        },
        "How far the input lies from the centre of each unit, |x - w|, divided by the unit's "
        "width: with `gaussian` after it a radial basis function.",
        "Broomhead & Lowe 1988, Multivariable functional interpolation and adaptive networks",
        _make,
    ),
    example="distance(8) -> gaussian",
)
