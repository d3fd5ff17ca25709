"""Short ways to add the commonest nodes, for words, lowering and passes."""

from __future__ import annotations

from collections.abc import Sequence

from nndsl.ir.graph import Builder, Value
from nndsl.ops.map import Map, operand
from nndsl.ops.reduction import Reduce
from nndsl.ops.shapes import known
from nndsl.ops.source import SizeOf
from nndsl.scalar.expression import Expression


def add_map(build: Builder, expression: Expression, *operands: Value, name: str = "map") -> Value:
    """A REAL Map of one expression over x0, x1, ..."""
    return build.add(Map((expression,)), *operands, name=name)


def add_sum(build: Builder, values: Sequence[Value], name: str = "sum") -> Value:
    """The sum of values, added from left to right."""
    if len(values) == 1:
        return values[0]
    total = operand(0)
    for index in range(1, len(values)):
        total = total + operand(index)
    return build.add(Map((total,), values[0].type.element), *values, name=name)


def add_mean(build: Builder, value: Value, axes: tuple[int, ...] | None = None) -> Value:
    """The mean over `axes` (None: all), of REAL values; sizes may be known only at run time."""
    axes = tuple(range(value.type.rank)) if axes is None else axes
    sizes = tuple(value.type.shape[a] for a in axes)
    total = build.add(Reduce("sum", axes), value, name="total")
    names = [size for size in sizes if isinstance(size, str)]
    divisor: Expression | float = float(known(sizes))
    for index in range(len(names)):
        divisor = operand(index + 1) * divisor if divisor != 1.0 else operand(index + 1)
    counts = [build.add(SizeOf(name), name="rows") for name in names]
    return add_map(build, operand(0) / divisor, total, *counts, name="mean")
