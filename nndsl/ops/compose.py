"""Short ways to add the commonest nodes, for words, lowering and passes."""

from __future__ import annotations

from collections.abc import Sequence

from nndsl.ir.graph import Builder, Value
from nndsl.ir.types import number_of
from nndsl.ops.map import Map, operand
from nndsl.ops.reduction import Reduce
from nndsl.ops.shapes import known
from nndsl.ops.source import SizeOf
from nndsl.scalar.expression import Expression, constant


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
    total = build.add(Reduce("sum", axes), value, name="total")
    count, sizes = count_of(build, value, axes, first=1)
    return add_map(build, operand(0) / count, total, *sizes, name="mean")


def count_of(
    build: Builder, value: Value, axes: tuple[int, ...], first: int
) -> tuple[Expression, list[Value]]:
    """How many numbers are taken together over `axes`, and the run-time sizes in that formula.

    The sizes are its operands from number `first` on.
    """
    taken = tuple(value.type.shape[a] for a in axes)
    names = [size for size in taken if isinstance(size, str) and number_of(size) is None]
    count = constant(float(known(taken)))
    for index in range(first, first + len(names)):
        count = operand(index) * count
    return count, [build.add(SizeOf(name), name="rows") for name in names]
