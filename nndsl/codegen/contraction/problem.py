"""A contraction brought into the one form that tiles are written for.

A tile has a *broadcast side*, whose numbers are read one at a time and spread over a register, and
a *vector side*, read a register at a time. Which of A and B is which follows from the strides: the
problem is the contraction itself, or its transpose C^T = B^T A^T.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from functools import cached_property

from nndsl.codegen.program import Contraction, Element, Size
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
    """C[r, c] = sum over o, k of left[o, r, k] * right[o, k, c]; strides in elements.

    `rows` and `columns` are counts, None where known only at run time; `swapped` tells that rows
    are the contraction's columns. `shared_columns`: the call's extent is the columns.
    """

    contraction: Contraction
    form: Form
    swapped: bool
    rows: int | None
    columns: int | None
    depth: int | None
    left_row: int
    left_depth: int
    left_outer: int
    right_depth: int
    right_column: int
    right_outer: int
    out_row: int
    out_column: int
    shared_columns: bool
    right_panel: int = 0
    out_panel: int = 0

    @property
    def element(self) -> Element:
        """The type of A, B and the outputs."""
        return self.contraction.element

    @property
    def outer(self) -> int:
        """Rounds of the outer reduction."""
        return self.contraction.outer

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
        return plain
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


def _may_pack(problem: Problem, target: Target) -> bool:
    """Whether copying a panel pays: enough rows use it, and its parts fit the stack."""
    if problem.depth is None or problem.columns is None or problem.columns < 4:
        return False
    if problem.shared_columns:
        return False
    panel = problem.outer * problem.depth * 4 * target.lanes_of(problem.element)
    few_rows = problem.rows is not None and problem.rows < PACKING_ROWS
    return (panel <= SCRATCH_ELEMENTS or problem.outer == 1) and not few_rows


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
        left_outer=c.a_outer,
        right_depth=c.b_depth,
        right_column=c.b_column,
        right_outer=c.b_outer,
        out_row=c.c_row,
        out_column=c.c_column,
        shared_columns=c.split_columns,
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
        left_outer=c.b_outer,
        right_depth=c.a_depth,
        right_column=c.a_row,
        right_outer=c.a_outer,
        out_row=c.c_column,
        out_column=c.c_row,
        shared_columns=not c.split_columns,
    )


def _with_form(problem: Problem, form: Form) -> Problem:
    from dataclasses import replace

    return replace(problem, form=form)


def resolve(size: Size, sizes: Mapping[str, int]) -> int:
    """The value of a size, given the run-time sizes by symbol."""
    return size.factor * (1 if size.symbol == "one" else sizes[size.symbol])


def flops(contraction: Contraction, sizes: Mapping[str, int]) -> int:
    """Floating-point operations of the whole extent, a multiply-add counted as two."""
    rows, depth = resolve(contraction.rows, sizes), resolve(contraction.depth, sizes)
    return 2 * rows * contraction.columns * depth * contraction.outer


def extents(contraction: Contraction, sizes: Mapping[str, int]) -> tuple[int, ...]:
    """Bytes touched from the start of each pointer slot, in the order of the slots.

    For the check of every call's buffers: A, B, the operands, the outputs.
    """
    c = contraction
    rows, depth = resolve(c.rows, sizes), resolve(c.depth, sizes)
    a = _reach((c.a_row, rows), (c.a_depth, depth), (c.a_outer, c.outer))
    b = _reach((c.b_depth, depth), (c.b_column, c.columns), (c.b_outer, c.outer))
    out = _reach((c.c_row, rows), (c.c_column, c.columns))
    b = depth * c.columns if c.b_panel else b
    out = rows * c.columns if c.c_panel else out
    width = c.element.bytes
    operands = []
    for operand in c.operands:
        reach = {
            "columns": _reach((1, c.columns)),
            "tile": out if c.c_panel else _reach((operand.row_stride, rows), (1, c.columns)),
            "rows": _reach((operand.row_stride, rows)),
            "scalar": 1,
        }[operand.kind]
        element = Element.FLOAT64 if operand.kind == "scalar" else operand.element or c.element
        operands.append(reach * element.bytes)
    outputs = max(1, len(c.epilogue))
    return (a * width, b * width, *operands, *(out * width for _ in range(outputs)))


def _reach(*dimensions: tuple[int, int]) -> int:
    """Elements from the first to behind the last touched; none where a count is 0."""
    if any(count == 0 for _, count in dimensions):
        return 0
    return 1 + sum(stride * (count - 1) for stride, count in dimensions)
