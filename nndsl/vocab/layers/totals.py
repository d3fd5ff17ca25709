"""row_sum: all numbers of an example added up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nndsl.ir.graph import Value
from nndsl.ops.reduction import Reduce, Reshape
from nndsl.vocab.kinds import Layer, LayerContext
from nndsl.vocab.registry import register


def _make(context: LayerContext, operands: Sequence[Value], arguments: Mapping[str, Any]) -> Value:
    (value,) = operands
    axes = tuple(range(1, value.type.rank))
    total = context.build.add(Reduce("sum", axes), value, name="row_sum")
    return context.build.add(Reshape((value.type.shape[0], 1)), total, name="row_sum")


register(
    Layer(
        "row_sum",
        {},
        "The sum of all numbers of an example: `(a - b)^2 -> row_sum` is the squared distance of "
        "two tensors.",
        "Hadsell, Chopra & LeCun 2006, Dimensionality reduction by learning an invariant mapping",
        _make,
    ),
    example="dense(4) -> row_sum",
)
