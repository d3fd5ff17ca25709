"""Which tiles of accumulators cover a contraction.

A tile holds `rows x vectors` accumulators in registers for the whole depth, and each step of the
depth reads `vectors` registers of the right matrix and `rows` single numbers of the left one. It
must fit the registers (a tile that spills runs at a quarter of the speed) and be large enough to
hide the latency of the multiply-add; among those that do, the cheapest for the extents is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from nndsl.codegen.contraction.problem import Form, Problem
from nndsl.codegen.target import Target
from nndsl.records import dataclass

LATENCY = {16: 9.0, 32: 4.0}
"""By the number of registers: cycles from a multiply-add to its result, in registers' worth of
multiply-adds. A tile with fewer accumulators waits. (A Zen 4 starts one of 512 bits a cycle and two
of 256; that 8 of these keep it busy holds only where nothing else ever waits.)"""

LOADS = {16: (1.0, 1.0), 32: (0.5, 1.0)}
"""By the number of registers: what it costs to read a single number and a register, in registers'
worth of multiply-adds. (A Zen 4 reads two single numbers a cycle, and registers as it multiplies
them.)"""

MOST_ACCUMULATORS = 20
"""More gain nothing, and LLVM's scheduler spills some (8 x 3 of 32 registers: half the speed)."""

CODE_COST = 0.004
EPILOGUE_LENGTH = 16
PANEL_COST = 0.03
"""What decides between tiles of equal speed: less code to compile (the epilogue is written for
every register; so many of its operations count like the sum), fewer passes over the rows."""

TYPICAL_ROWS = (16, 32, 128)
"""Batch sizes that a kernel for any number of rows is chosen for."""

SUMMED_VECTORS = 2
"""Registers of a panel that is only added up: two rows of chains fit the registers anywhere."""

TALLEST = 16
"""The most rows of a tile."""


@dataclass(frozen=True)
class Part:
    """One register of a panel: `lanes` from column `offset` on, of which `valid` are used.

    `valid` None: as many as the run-time width leaves.
    """

    offset: int
    lanes: int
    valid: int | None


@dataclass(frozen=True)
class Panel:
    """Columns worked on together; `count` panels follow one another, None: while they fit."""

    parts: tuple[Part, ...]
    count: int | None

    @property
    def width(self) -> int:
        """Columns it covers."""
        return sum(part.lanes if part.valid is None else part.valid for part in self.parts)

    @property
    def masked(self) -> bool:
        """Whether its width is known only at run time."""
        return any(part.valid is None for part in self.parts)


@dataclass(frozen=True)
class Plan:
    """The panels in order, and the heights of their tiles: each is used while it fits."""

    panels: tuple[Panel, ...]
    heights: tuple[int, ...]
    unroll: int


@cache
def choose(problem: Problem, target: Target) -> Plan:
    """The plan for a problem on a processor."""
    if problem.form is Form.DOT:
        return _dot_plan(problem, target)
    lanes = target.lanes_of(problem.element)
    if problem.form is Form.SUM:
        vectors = max(1, min(SUMMED_VECTORS, (problem.columns or 0) // lanes))
        return Plan(_panels(problem, lanes, vectors, target.has_masks), (1,), 1)
    if not problem.unit_columns:
        lanes = min(lanes, 4)
    best: tuple[float, int, tuple[Panel, ...]] | None = None
    fixed = problem.plan_width // lanes
    for vectors in (fixed,) if fixed else range(1, 5):
        panels = _panels(problem, lanes, vectors, target.has_masks)
        widest = max(len(panel.parts) for panel in panels)
        for height in range(1, TALLEST + 1):
            if not _fits(height, widest, target):
                break
            cost = _cost(problem, panels, height, lanes, target)
            if best is None or cost < best[0] - 1e-9:
                best = cost, height, panels
    assert best is not None  # one row of one vector always fits
    _, height, panels = best
    return Plan(panels, _heights(problem, height), _unroll(height, panels))


def _fits(height: int, vectors: int, target: Target) -> bool:
    """Accumulators, the right matrix's registers, the spread number (and a product)."""
    used = height * vectors + vectors + (1 if target.fma else 2)
    return used <= target.registers and height * vectors <= MOST_ACCUMULATORS


def _panels(problem: Problem, lanes: int, vectors: int, masks: bool) -> tuple[Panel, ...]:
    """Panels of up to `vectors` registers, and the rest."""
    full = _full(lanes, vectors)
    if problem.columns is None or problem.shared_columns:
        wide = (Panel(full, None),) if vectors > 1 else ()
        return *wide, Panel(_full(lanes, 1), None), Panel((Part(0, lanes, None),), None)
    count, rest = divmod(problem.columns, lanes * vectors)
    panels = [Panel(full, count)] if count else []
    if rest:
        parts = _rest(rest, lanes) if masks else _exact_rest(rest, lanes)
        panels.append(Panel(parts, 1))
    return tuple(panels)


def _full(lanes: int, vectors: int) -> tuple[Part, ...]:
    return tuple(Part(index * lanes, lanes, lanes) for index in range(vectors))


def _rest(columns: int, lanes: int) -> tuple[Part, ...]:
    """Full registers, then one with as few lanes as hold what is left."""
    count, rest = divmod(columns, lanes)
    parts = _full(lanes, count)
    if rest:
        narrow = min(lanes, 4)
        while narrow < rest:
            narrow *= 2
        parts = (*parts, Part(count * lanes, narrow, rest))
    return parts


def _exact_rest(columns: int, lanes: int) -> tuple[Part, ...]:
    """Full registers, then halves, quarters, ... so that no lane is left over."""
    parts: list[Part] = []
    offset = 0
    while columns:
        while lanes > columns:
            lanes //= 2
        parts.append(Part(offset, lanes, lanes))
        offset, columns = offset + lanes, columns - lanes
    return tuple(parts)


def _heights(problem: Problem, height: int) -> tuple[int, ...]:
    """The main tile, the exact rest where the rows are known, then smaller ones for any share."""
    if problem.rows is None:
        return height, *(size for size in (8, 4, 2, 1) if size < height)
    whole: tuple[int, ...]
    if problem.rows <= height:
        whole = (problem.rows,)
    else:
        rest = problem.rows % height
        whole = (height, rest) if rest else (height,)
    return (*whole, 1) if problem.shared_rows and whole[-1] != 1 else whole


def _cost(
    problem: Problem, panels: Sequence[Panel], height: int, lanes: int, target: Target
) -> float:
    """Cycles for a step of the depth and a row, over all columns, by a simple model."""
    samples = TYPICAL_ROWS if problem.rows is None else (problem.rows,)
    heights = _heights(problem, height)
    columns = problem.columns or 4 * lanes
    registers = sum(heights) * sum(len(panel.parts) for panel in panels)
    total = CODE_COST * registers * (1 + problem.epilogue_length / EPILOGUE_LENGTH)
    for panel in panels:
        count = panel.count if panel.count is not None else max(1, columns // panel.width)
        total += PANEL_COST * count
        for rows in samples:
            cycles = _panel_cost(panel, rows, heights, lanes, target)
            total += count * cycles / rows
    return total


def _panel_cost(
    panel: Panel, rows: int, heights: Sequence[int], lanes: int, target: Target
) -> float:
    """Cycles for a step of the depth over one panel: arithmetic, latency or loads; the loop."""
    narrow = lanes / 2 if lanes == 16 else lanes
    width = sum(max(part.lanes, narrow) / lanes for part in panel.parts)
    latency, (number, register) = LATENCY[target.registers], LOADS[target.registers]
    total = 0.0
    for height in heights:
        count, rows = divmod(rows, height)
        loads = height * number + width * register
        total += count * (max(height * width, latency, loads) + 0.25 + loads / 64)
    return total


def _unroll(height: int, panels: Sequence[Panel]) -> int:
    """Steps of the depth in one round of its loop."""
    accumulators = height * max(len(panel.parts) for panel in panels)
    return 2 if accumulators >= 8 else 4


def _dot_plan(problem: Problem, target: Target) -> Plan:
    """Groups of four columns, so that four sums end in one register."""
    groups = 2 if problem.rows == 1 and target.registers >= 16 else 1
    width = 4 * groups
    parts = tuple(Part(4 * index, 4, 4) for index in range(groups))
    if problem.columns is None or problem.shared_columns:
        single = Panel((Part(0, 4, 1),), None)
        panels: tuple[Panel, ...] = (Panel(parts, None), single)
    else:
        count, rest = divmod(problem.columns, width)
        panels = (Panel(parts, count),) if count else ()
        if rest:
            panels = (*panels, Panel(_rest(rest, 4), 1))
    height = 1
    while _dot_fits(height + 1, width, target) and height < 4:
        height += 1
    return Plan(panels, _heights(problem, height), 1)


def _dot_fits(height: int, columns: int, target: Target) -> bool:
    """Accumulators, a register of each row, one of a column (and a product)."""
    return height * columns + height + (1 if target.fma else 2) <= target.registers
