"""A contraction brought into the one form that tiles are written for.

A tile has a *broadcast side*, whose numbers are read one at a time and spread over a register, and
a *vector side*, read a register at a time. Which of A and B is which follows from the strides: the
problem is the contraction itself, or its transpose C^T = B^T A^T.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from functools import cached_property
from math import prod

from nndsl.codegen.program import Axis, Contraction, Element, Size
from nndsl.codegen.target import Target
from nndsl.records import dataclass
from nndsl.scalar.expansion import expand
from nndsl.scalar.expression import Expression, variable
from nndsl.scalar.inspection import postorder


class Form(Enum):
    """How a tile reads the two matrices."""

    BROADCAST = "broadcast"  # vectors along the columns
    PACKED = "packed"  # the same, from a copy of a panel of the right matrix
    DOT = "dot"  # vectors along the depth, added up at the end
    SUM = "sum"  # vectors along the columns, which are only added


@dataclass(frozen=True)
class Problem:
    """C[r, c] = sum over k of left[r, k] * right[k, c]; strides in elements.

    `rows` and `columns` are counts, None where known only at run time; `swapped` tells that rows
    are the contraction's columns. `shared_columns`: the call's extent is the columns. Of the axes,
    `a` is the stride of the left matrix and `b` that of the right one.
    """

    contraction: Contraction
    form: Form
    swapped: bool
    rows: int | None
    columns: int | None
    depth: int | None
    left_row: int
    left_depth: int
    right_depth: int
    right_column: int
    out_row: int
    out_column: int
    shared_columns: bool
    reduced: tuple[Axis, ...] = ()
    grid: tuple[Axis, ...] = ()
    right_panel: int = 0
    out_panel: int = 0

    @property
    def element(self) -> Element:
        """The type of A, B and the outputs."""
        return self.contraction.element

    @cached_property
    def rounds(self) -> tuple[Axis, ...]:
        """The first reduced axes: those walked outside the tiles, with sums kept in the output.

        They are the axes along which C moves. Or else the batch, if each of its rows has steps
        enough, and the lines of large images: so what one round needs is in the cache until all
        tiles have used it.
        """
        moving = sum(1 for axis in self.reduced if axis.c)
        if moving or not self.reduced or self.contraction.epilogue:
            return self.reduced[:moving]
        if number(self.reduced[0].count) is not None or self._steps(1) < STEPS_OF_A_ROUND:
            return ()
        rounds = 1
        while self._may_go_on(rounds):
            rounds += 1
        return self.reduced[:rounds]

    def _steps(self, rounds: int) -> int:
        """Steps of the sum in a round; 0 where they are known at run time only."""
        counts = (number(axis.count) or 0 for axis in self.reduced[rounds:])
        return (self.depth or 0) * prod(counts)

    def _may_go_on(self, rounds: int) -> bool:
        """Whether one more axis pays: a round does not fit the cache, but the results do."""
        if self._steps(rounds + 1) < STEPS_OF_A_ROUND or not self.reduced[rounds:]:
            return False
        axis = self.reduced[rounds]
        touched = axis.count.factor * (axis.a + axis.b)
        results = prod(axis.count.factor for axis in self.grid) * (self.rows or 0)
        most = CACHE_BYTES // self.element.bytes
        return touched > most and 4 * results * (self.columns or 0) <= most * 2

    @property
    def inner(self) -> tuple[Axis, ...]:
        """The reduced axes that are summed up in registers."""
        return self.reduced[len(self.rounds) :]

    @property
    def accumulates(self) -> bool:
        """Whether the sums start from what the output holds."""
        return self.contraction.accumulate or bool(self.rounds)

    @property
    def shared_rows(self) -> bool:
        """Whether the call's extent is the rows."""
        return not self.shared_columns and not self.grid

    @property
    def right_numbers(self) -> int:
        """Numbers of the right matrix to a column, in one round; 0 for a run-time depth."""
        return (self.depth or 0) * prod(number(axis.count) or 0 for axis in self.inner)

    @cached_property
    def expressions(self) -> tuple[Expression, ...]:
        """What is stored, one an output, in machine primitives."""
        epilogue = self.contraction.epilogue or (variable("sum"),)
        return tuple(expand(expression, self.element.value) for expression in epilogue)

    @cached_property
    def epilogue_length(self) -> int:
        """Operations of the epilogue for one register."""
        return sum(1 for e in postorder(self.expressions) if e.arguments)

    @property
    def plan_width(self) -> int:
        """Columns that a tile must work on together because they stand in one panel; 0: any."""
        return self.out_panel or (self.right_panel if self.right_column == 1 else 0)

    @property
    def right_start(self) -> int:
        """Numbers of the right matrix before those of a column that begins a panel, per column."""
        return (self.depth or 0) if self.plan_width and self.right_panel else self.right_column

    @property
    def out_start(self) -> int:
        """The same in the outputs."""
        return (self.rows or 0) if self.out_panel else self.out_column

    @property
    def large_right(self) -> bool:
        """Whether the right matrix does not fit the cache; no for a run-time size."""
        columns = self.columns or 0
        return self.right_numbers * columns * self.element.bytes > CACHE_BYTES

    @property
    def far_outputs(self) -> bool:
        """Whether the results do not fit the cache, so that they are asked for in advance."""
        return (
            self.rows is not None
            and self.out_column == 1
            and self.rows * (self.columns or 0) * self.element.bytes > CACHE_BYTES
        )

    @property
    def far_left(self) -> bool:
        """Whether each step of the depth reads the left matrix a page further on."""
        return self.left_row == 1 and self.left_depth * self.element.bytes >= PAGE_BYTES

    @property
    def far_right(self) -> bool:
        """Whether the right matrix does not fit the cache, and each of its rows is a page away."""
        if self.depth is None or self.form is not Form.BROADCAST or self.right_column != 1:
            return False
        row_bytes = self.right_depth * self.element.bytes
        return row_bytes >= PAGE_BYTES and row_bytes * self.depth > CACHE_BYTES

    @property
    def unit_columns(self) -> bool:
        """Whether the right matrix is read a register at a time."""
        return self.right_column == 1 or self.form is Form.PACKED


CACHE_BYTES = 1 << 19
"""What is larger does not stay in a core's own cache beside the rest."""

PAGE_BYTES = 4096
"""Processors fetch ahead by themselves only within a page."""

SCRATCH_ELEMENTS = 1024 * 32
"""The most that is copied to the stack: 128 KiB of float32, a quarter of a small thread stack."""

STEPS_OF_A_ROUND = 32
"""Steps of the sum that are worth reading and writing it for."""

FULLER = 1.1
"""How much fuller registers must be to pay for results that are stored column by column."""

PACKING_ROWS = 12
"""From this many rows on, copying a panel costs less than adding up registers."""


def number(size: Size) -> int | None:
    """The size as a number; None where it is known only at run time."""
    return size.factor if size.symbol == "one" else None


def normalise(contraction: Contraction, target: Target) -> Problem:
    """Chooses the form and the sides."""
    plain = _direct(contraction)
    if contraction.ones:
        return _with_form(plain, Form.SUM)
    if contraction.b_panel or contraction.c_panel:
        return plain if plain.right_column == 1 else _with_form(plain, Form.PACKED)
    swapped = _transposed(contraction)
    unit_rows = contraction.c_row == 1 or contraction.columns == 1
    if plain.right_column == 1 and plain.out_column == 1 and plain.columns != 1:
        return swapped if _fills_better(swapped, plain, target) else plain
    if swapped.right_column == 1 and unit_rows and swapped.columns != 1:
        return swapped
    along_depth = contraction.a_depth == 1 and contraction.b_depth == 1
    if contraction.columns == 1 and along_depth:
        return _with_form(swapped, Form.DOT)
    if plain.right_column == 1:
        return plain
    if _may_pack(plain, target):
        return _with_form(plain, Form.PACKED)
    if along_depth:
        return _with_form(plain, Form.DOT)
    return swapped if swapped.right_column == 1 else plain


def _fills_better(swapped: Problem, plain: Problem, target: Target) -> bool:
    """Whether registers are filled better along the rows, in sums over all steps of sequences.

    Their results are then stored one by one, for which only long sums pay.
    """
    contraction = plain.contraction
    simple = not (contraction.grid or contraction.reduced or contraction.epilogue)
    is_long = contraction.depth.symbol != "one" and contraction.depth.factor >= STEPS_OF_A_ROUND
    if not (simple and is_long and swapped.right_column == 1):
        return False
    if swapped.columns is None or plain.columns is None:
        return False
    lanes = target.lanes_of(contraction.element)
    filled = [n / (-(-n // lanes) * lanes) for n in (plain.columns, swapped.columns)]
    return filled[1] > FULLER * filled[0]


def _may_pack(problem: Problem, target: Target) -> bool:
    """Whether copying a panel pays: enough rows use it, and its parts fit the stack."""
    if problem.depth is None or problem.columns is None or problem.columns < 4:
        return False
    if problem.shared_columns or any(number(axis.count) is None for axis in problem.inner):
        return False
    panel = problem.right_numbers * 4 * target.lanes_of(problem.element)
    few_rows = problem.rows is not None and _uses(problem, problem.rows) < PACKING_ROWS
    return (panel <= SCRATCH_ELEMENTS or not problem.inner) and not few_rows


def _uses(problem: Problem, rows: int) -> int:
    """How many rows a copied panel serves, a run-time count taken for many."""
    still = [axis for axis in (*problem.grid, *problem.rounds) if not axis.b]
    counts = (number(axis.count) for axis in still)
    return rows * prod(PACKING_ROWS if count is None else count for count in counts)


def _direct(contraction: Contraction) -> Problem:
    c = contraction
    return Problem(
        contraction=c,
        form=Form.BROADCAST,
        swapped=False,
        rows=number(c.rows),
        columns=c.columns,
        depth=number(c.depth),
        left_row=c.a_row,
        left_depth=c.a_depth,
        right_depth=c.b_depth,
        right_column=c.b_column,
        out_row=c.c_row,
        out_column=c.c_column,
        shared_columns=c.split_columns and not c.grid,
        reduced=c.reduced,
        grid=c.grid,
        right_panel=c.b_panel,
        out_panel=c.c_panel,
    )


def _transposed(contraction: Contraction) -> Problem:
    c = contraction
    return Problem(
        contraction=c,
        form=Form.BROADCAST,
        swapped=True,
        rows=c.columns,
        columns=number(c.rows),
        depth=number(c.depth),
        left_row=c.b_column,
        left_depth=c.b_depth,
        right_depth=c.a_depth,
        right_column=c.a_row,
        out_row=c.c_column,
        out_column=c.c_row,
        shared_columns=not c.split_columns and not c.grid,
        reduced=_exchanged(c.reduced),
        grid=_exchanged(c.grid),
    )


def _exchanged(axes: Sequence[Axis]) -> tuple[Axis, ...]:
    return tuple(Axis(axis.count, axis.b, axis.a, axis.c) for axis in axes)


def _with_form(problem: Problem, form: Form) -> Problem:
    from dataclasses import replace

    return replace(problem, form=form)


def resolve(size: Size, sizes: Mapping[str, int]) -> int:
    """The value of a size, given the run-time sizes by symbol."""
    return size.factor * (1 if size.symbol == "one" else sizes[size.symbol])


def flops(contraction: Contraction, sizes: Mapping[str, int]) -> int:
    """Floating-point operations of the whole extent, a multiply-add counted as two."""
    axes = (*contraction.reduced, *contraction.grid)
    counts = (contraction.rows, contraction.depth, *(axis.count for axis in axes))
    return 2 * contraction.columns * prod(resolve(count, sizes) for count in counts)


def extents(contraction: Contraction, sizes: Mapping[str, int]) -> tuple[int, ...]:
    """Bytes touched from the start of each pointer slot, in the order of the slots.

    For the check of every call's buffers: A, B, the operands, the outputs.
    """
    c = contraction
    rows, depth = resolve(c.rows, sizes), resolve(c.depth, sizes)
    axes = (*c.reduced, *c.grid)
    counts = [resolve(axis.count, sizes) for axis in axes]
    grid = counts[len(c.reduced) :]
    a = _reach((c.a_row, rows), (c.a_depth, depth), *_along([x.a for x in axes], counts))
    b = _reach((c.b_depth, depth), (c.b_column, c.columns), *_along([x.b for x in axes], counts))
    moves = [x.c for x in axes]
    out = _reach((c.c_row, rows), (c.c_column, c.columns), *_along(moves, counts))
    cleared = _reach((1, c.clear), *_along(moves[len(c.reduced) :], grid))
    b = depth * c.columns if c.b_panel else b
    out = rows * c.columns if c.c_panel else max(out, cleared)
    width = c.element.bytes
    operands = []
    for operand in c.operands:
        also = _along(operand.grid, grid)
        reach = {
            "columns": _reach((1, c.columns), *also),
            "tile": out if c.c_panel else _reach((operand.row_stride, rows), (1, c.columns), *also),
            "rows": _reach((operand.row_stride, rows), *also),
            "scalar": 1,
        }[operand.kind]
        element = Element.FLOAT64 if operand.kind == "scalar" else operand.element or c.element
        operands.append(reach * element.bytes)
    outputs = max(1, len(c.epilogue))
    return (a * width, b * width, *operands, *(out * width for _ in range(outputs)))


def _along(strides: Sequence[int], counts: Sequence[int]) -> list[tuple[int, int]]:
    """Strides with counts; of no strides, none."""
    return list(zip(strides, counts, strict=True)) if strides else []


def _reach(*dimensions: tuple[int, int]) -> int:
    """Elements from the first to behind the last touched; none where a count is 0."""
    if any(count == 0 for _, count in dimensions):
        return 0
    return 1 + sum(stride * (count - 1) for stride, count in dimensions)
