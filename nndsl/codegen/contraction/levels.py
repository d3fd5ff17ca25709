"""The loops outside the tiles: places of the grid, and rounds of sums kept in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import prod

from nndsl.codegen.assembly import SCALARS, Shape, Value, integer
from nndsl.codegen.contraction.frame import Frame, operand_element
from nndsl.codegen.contraction.problem import Form, Problem, number
from nndsl.codegen.program import Axis
from nndsl.records import dataclass

ROWS_OF_A_COPY = 256
"""So many rows pay for copying a panel again for each place of the grid, which keeps what one row
of the batch needs in the cache."""


@dataclass(frozen=True)
class Level:
    """Axes walked together, row-major; `shared`: those of the grid, a call's share of them."""

    axes: tuple[Axis, ...]
    shared: bool = False

    @property
    def moves_right(self) -> bool:
        """Whether the right matrix moves."""
        return any(axis.b for axis in self.axes)


def levels(problem: Problem) -> list[Level]:
    """The loops outside the tiles, outermost first."""
    grid = [Level(problem.grid, shared=True)] if problem.grid else []
    apart = [Level((axis,)) for axis in problem.rounds]
    if apart and not problem.rounds[-1].c:  # all tiles do one row of the batch after another
        return [*apart, *grid]
    if problem.form is Form.PACKED and _rows_of_a_copy(problem) < ROWS_OF_A_COPY:
        return sorted([*grid, *apart], key=lambda level: not level.moves_right)
    return [*grid, *apart]


def _rows_of_a_copy(problem: Problem) -> int:
    """How many rows use a panel copied for one place of the grid."""
    still = (number(axis.count) or 1 for axis in problem.rounds if not axis.b)
    return (problem.rows or 1) * prod(still)


def divided(problem: Problem) -> tuple[list[Level], list[Level]]:
    """The levels around the panels, and those around the rows of one.

    All that can use a panel's copy do; and a panel of a matrix larger than the cache.
    """
    found = levels(problem)
    place = len(found)
    if problem.form is Form.PACKED or problem.large_right:
        place = max((i + 1 for i, level in enumerate(found) if level.moves_right), default=0)
    return found[:place], found[place:]


def walk(frame: Frame, along: Sequence[Level], inside: Callable[[Frame], None]) -> None:
    """`inside` at every place along the levels, with the pointers that belong there."""
    if not along:
        inside(frame)
        return
    level, *others = along
    low, high = frame.share if level.shared else (integer(0), frame.count(level.axes[0]))

    def body(index: Value, _: list[Value]) -> list[Value]:
        walk(_moved(frame, level, index), others, inside)
        return []

    frame.writer.loop(low, high, 1, (), body)


def _moved(frame: Frame, level: Level, index: Value) -> Frame:
    """The frame at a place of a level."""
    places = _places(frame, level, index)
    axes = list(zip(places, level.axes, strict=True))
    offset = [(place, axis.c) for place, axis in axes]
    return replace(
        frame,
        left=frame.address(frame.left, *((place, axis.a) for place, axis in axes)),
        right=frame.address(frame.right, *((place, axis.b) for place, axis in axes)),
        outputs=tuple(frame.address(output, *offset) for output in frame.outputs),
        operands=_operands(frame, places) if level.shared else frame.operands,
    )


def _places(frame: Frame, level: Level, index: Value) -> list[Value]:
    """The index along each axis; only the first count may be unknown."""
    places = []
    for axis in reversed(level.axes[1:]):
        count = axis.count.factor
        if count == 1:
            places.append(integer(0))
            continue
        places.append(frame.writer.define("i64", f"urem i64 {index.name}, {count}"))
        index = frame.writer.define("i64", f"udiv i64 {index.name}, {count}")
    return [index, *reversed(places)]


def _operands(frame: Frame, places: Sequence[Value]) -> tuple[Value, ...]:
    """The epilogue's operands at a place of the grid."""
    moved = []
    for operand, pointer in zip(frame.problem.contraction.operands, frame.operands, strict=True):
        scalar = SCALARS[operand_element(operand, frame.problem.element)]
        for place, stride in zip(places, operand.grid or [0] * len(places), strict=True):
            offset = frame.writer.multiply(place, integer(stride))
            pointer = frame.writer.offset(pointer, scalar, offset)
        moved.append(pointer)
    return tuple(moved)


def clear(frame: Frame) -> None:
    """Zeros in the output, so many numbers from each place of the grid on."""
    count = frame.problem.contraction.clear
    writer, lanes = frame.writer, frame.target.lanes_of(frame.problem.element)

    def stored(base: Value, index: Value, shape: Shape) -> list[Value]:
        writer.store(shape.constant(0), shape, writer.offset(base, shape.scalar, index))
        return []

    def place(here: Frame) -> None:
        (base,), full, single = here.outputs, Shape(here.scalar, lanes), Shape(here.scalar)
        most = count // lanes * lanes
        writer.loop(integer(0), integer(most), lanes, (), lambda i, _: stored(base, i, full))
        writer.loop(integer(most), integer(count), 1, (), lambda i, _: stored(base, i, single))

    walk(frame, [level for level in levels(frame.problem) if level.shared], place)
