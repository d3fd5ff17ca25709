"""The kernel around the tiles: slots, panels, rows, shares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from math import prod

from nndsl.codegen.assembly import SCALARS, Value, Writer, integer
from nndsl.codegen.contraction.broadcast import BroadcastTile
from nndsl.codegen.contraction.dot import DotTile
from nndsl.codegen.contraction.frame import Frame, Place, Stretch
from nndsl.codegen.contraction.levels import Level, clear, divided, levels, walk
from nndsl.codegen.contraction.packing import Packing
from nndsl.codegen.contraction.problem import (
    PAGE_BYTES,
    SCRATCH_ELEMENTS,
    Form,
    Problem,
    normalise,
    number,
)
from nndsl.codegen.contraction.sums import SumTile
from nndsl.codegen.contraction.tiles import Panel, Plan, choose
from nndsl.codegen.program import Contraction, Size
from nndsl.codegen.target import Target
from nndsl.codegen.transpose import module_text, slot_pointer, slot_size
from nndsl.codegen.vector import converted


def llvm_text(contraction: Contraction, name: str, target: Target, plan: Plan | None = None) -> str:
    """An LLVM module that defines `name` with the calling convention of all kernels.

    `plan` overrides the choice of tiles, for measurements. Outputs may share memory with "tile"
    operands of the same elements, and with nothing else.
    """
    problem = normalise(contraction, target)
    frame = _frame(problem, plan or choose(problem, target), target)
    around, inside = divided(problem)
    if contraction.clear or (problem.rounds and not contraction.accumulate):
        _clear(frame)
    walk(frame, around, partial(_panels, inside=inside))
    return module_text(frame.writer, name)


def align(contraction: Contraction, target: Target) -> int:
    """Shares of the extent that start at multiples of this use whole tiles.

    Any other split gives the same bits, slower.
    """
    problem = normalise(contraction, target)
    plan = choose(problem, target)
    if problem.grid:
        return 1
    return plan.panels[0].width if problem.shared_columns else plan.heights[0]


def _frame(problem: Problem, plan: Plan, target: Target) -> Frame:
    """Reads the slots: A, B, operands, outputs, rows, depth."""
    writer, contraction = Writer(), problem.contraction
    outputs = max(1, len(contraction.epilogue))
    count = 2 + len(contraction.operands) + outputs
    pointers = [slot_pointer(writer, slot) for slot in range(count)]
    a, b = pointers[:2]
    share = Value("i64", "%low"), Value("i64", "%high")
    sizes = iter(range(count, count + 2 * len(contraction.sizes), 2))
    rows, depth = (
        _size(writer, size, next(sizes)) for size in (contraction.rows, contraction.depth)
    )
    counts = {
        axis: _size(writer, axis.count, next(sizes))
        for axis in problem.reduced
        if number(axis.count) is None
    }
    columns = integer(contraction.columns)
    across = [columns, rows] if problem.swapped else [rows, columns]
    whole = [(integer(0), count) for count in across]
    if not problem.grid:
        whole[problem.shared_columns] = share
    frame = Frame(
        writer=writer,
        problem=problem,
        plan=plan,
        target=target,
        left=b if problem.swapped else a,
        right=a if problem.swapped else b,
        operands=tuple(pointers[2 : 2 + len(contraction.operands)]),
        outputs=tuple(pointers[2 + len(contraction.operands) :]),
        rows=whole[0],
        columns=whole[1],
        depth=depth,
        share=share,
        counts=counts,
        scratch=_scratch(writer, problem, plan),
    )
    _load_scalars(frame)
    return frame


def _size(writer: Writer, size: Size, slot: int) -> Value:
    """A size, read from its slots where it is not a number."""
    known = number(size)
    return slot_size(writer, slot) if known is None else integer(known)


def _scratch(writer: Writer, problem: Problem, plan: Plan) -> Value | None:
    """Stack memory for a panel, or for as much of its depth as fits."""
    if problem.form is not Form.PACKED:
        return None
    axes = prod(axis.count.factor for axis in problem.inner)
    elements = _lanes(plan) * _stretch(problem, plan) * axes
    scratch = writer.define("ptr", f"alloca [{elements} x {SCALARS[problem.element]}], align 64")
    _touch(writer, scratch, elements * problem.element.bytes)
    return scratch


def _lanes(plan: Plan) -> int:
    """Numbers of a step of the depth in the widest panel."""
    return max(sum(part.lanes for part in panel.parts) for panel in plan.panels)


def _stretch(problem: Problem, plan: Plan) -> int:
    """Steps of the depth copied at a time: all, or equal parts that fit the stack."""
    depth = problem.depth or 0
    most = SCRATCH_ELEMENTS // _lanes(plan)
    if problem.inner or depth <= most:
        return depth
    unit = max(problem.right_panel, 64)  # whole panels and registers
    parts = -(-depth // (most // unit * unit))
    return -(-depth // (parts * unit)) * unit


def _touch(writer: Writer, scratch: Value, size: int) -> None:
    """Touches the stack page by page downwards: some systems grow it only so (Windows)."""
    pages = (size - 1) // PAGE_BYTES

    def body(page: Value, _: list[Value]) -> list[Value]:
        back = writer.add(integer(size - PAGE_BYTES), writer.multiply(page, integer(-PAGE_BYTES)))
        writer.effect(f"store volatile i8 0, {writer.offset(scratch, 'i8', back)}")
        return []

    writer.loop(integer(0), integer(pages), 1, (), body)


def _load_scalars(frame: Frame) -> None:
    """Reads the operands that are one float64 number for all."""
    operands = frame.problem.contraction.operands
    for operand, pointer in zip(operands, frame.operands, strict=True):
        if operand.kind == "scalar":
            value = frame.writer.define("double", f"load double, {pointer}, align 8")
            frame.scalars[operand.name] = converted(frame.writer, value, 1, frame.scalar)


def _panels(frame: Frame, inside: Sequence[Level]) -> None:
    """All panels of the kernel's columns, one after another; `inside`: levels around the rows."""

    def whole(panel: Panel, place: Place) -> None:
        _panel(frame, panel, place, inside)

    _each_panel(frame, whole)


def _each_panel(frame: Frame, whole: Callable[[Panel, Place], None]) -> None:
    writer = frame.writer
    position, stop = frame.columns
    for panel in frame.plan.panels:
        if panel.masked:
            remaining = writer.define("i64", f"sub i64 {stop.name}, {position.name}")
            left = writer.compare("sgt", remaining, integer(0))
            place = Place(integer(0), position, panel.parts[0].lanes, remaining)
            writer.when(left, partial(whole, panel, place))
            return
        end = stop
        if panel.count is not None:
            end = writer.add(position, integer(panel.count * panel.width))

        def body(column: Value, _: list[Value], panel: Panel = panel) -> list[Value]:
            whole(panel, Place(integer(0), column, panel.width))
            return []

        position, _ = writer.loop(position, end, panel.width, (), body)


def _panel(frame: Frame, panel: Panel, place: Place, inside: Sequence[Level]) -> None:
    """One panel: as it lies, or copied, and then in stretches of the depth that fit the stack."""
    problem, writer = frame.problem, frame.writer
    if frame.scratch is None:
        stretch = Stretch(integer(0), problem.depth)
        walk(frame, inside, lambda here: _rows(here, panel, place, stretch))
        return
    length = _stretch(problem, frame.plan)
    last = max(0, (problem.depth or 0) - 1) // length * length if length else 0
    if last and not problem.accumulates:
        walk(frame, inside, lambda here: _zeros(here, panel, place))

    def body(start: Value, _: list[Value]) -> list[Value]:
        _copied(frame, panel, place, Stretch(start, length, first=False, last=False), inside)
        return []

    writer.loop(integer(0), integer(last), length, (), body)
    rest = Stretch(integer(last), (problem.depth or 0) - last, first=not last)
    _copied(frame, panel, place, rest, inside)


def _clear(frame: Frame) -> None:
    """Zeros in the results, which the rounds of the sum add to one after another."""
    if frame.problem.contraction.clear:
        clear(frame)
        return
    grid = [level for level in levels(frame.problem) if level.shared]
    walk(frame, grid, lambda here: _each_panel(here, partial(_zeros, here)))


def _zeros(frame: Frame, panel: Panel, place: Place) -> None:
    """Zeros in a panel's results."""

    def body(row: Value, _: list[Value]) -> list[Value]:
        zeros = [frame.shape(part).constant(0) for part in panel.parts]
        frame.keep([zeros], panel.parts, Place(row, place.column, place.width, place.remaining))
        return []

    frame.writer.loop(*frame.rows, 1, (), body)


def _copied(
    frame: Frame, panel: Panel, place: Place, stretch: Stretch, inside: Sequence[Level]
) -> None:
    """A stretch of a panel copied to the stack, and all rows times it."""
    assert frame.scratch is not None
    Packing(frame, panel, place.column, frame.scratch, stretch).write()
    stretch = replace(stretch, coming=_coming(frame, panel, place, stretch))
    walk(frame, inside, lambda here: _rows(here, panel, place, stretch))


def _coming(frame: Frame, panel: Panel, place: Place, stretch: Stretch) -> Value | None:
    """Where the numbers of the next stretch stand, or of the next panel's first one."""
    problem, writer = frame.problem, frame.writer
    if not problem.right_panel or not stretch.length:
        return None
    start, column = integer(0), writer.add(place.column, integer(panel.width))
    if not stretch.last:
        start, column = writer.add(stretch.start, integer(stretch.length)), place.column
    along = (start, problem.columns or 0), (column, problem.right_panel)
    return frame.address(frame.right, *along)


def _rows(frame: Frame, panel: Panel, place: Place, stretch: Stretch) -> None:
    """All rows of one panel: the tallest tiles while they fit, then lower ones."""
    row, stop = frame.rows
    for height in frame.plan.heights:

        def body(row: Value, _: list[Value], height: int = height) -> list[Value]:
            here = Place(row, place.column, place.width, place.remaining)
            if frame.problem.form is Form.SUM:
                SumTile(frame, panel, here).write()
            elif frame.problem.form is Form.DOT:
                DotTile(frame, panel, height, here).write()
            else:
                BroadcastTile(frame, panel, height, here, stretch).write()
            return []

        row, _ = frame.writer.loop(row, stop, height, (), body)
