"""Calls for element-wise formulas and reductions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from nndsl.codegen import glue
from nndsl.codegen.context import OWN_ALIGN, Context, batched, draft
from nndsl.codegen.contraction import loop_nest
from nndsl.codegen.draft import Draft, Pointer, Share, Slot, contraction_kernel
from nndsl.codegen.glue_strided import RowOperand, rows_kernel
from nndsl.codegen.loops import Space, alternate, collapse, size_of
from nndsl.codegen.program import Axis, Contraction, Element, Kernel, Region, Size, Split
from nndsl.codegen.target import Target
from nndsl.ir.graph import Node, Value
from nndsl.ir.types import BATCH, Dimension
from nndsl.ops.base import Op
from nndsl.ops.map import Map
from nndsl.ops.reduction import Reduce

FEW = 4
"""Columns below which a register of them would hold too little."""

NARROW = 64
"""Columns up to which their sums are not worth the sharing among threads."""


def emit_map(context: Context, node: Node, operation: Op) -> list[Draft]:
    """One loop nest for all results."""
    assert isinstance(operation, Map)
    result = node.outputs[0].type
    if any(v in context.strides for v in (*node.inputs, *node.outputs)):
        return [_of_rows(context, node, operation)]
    space = collapse(result.shape, tuple(v.type.shape for v in node.inputs))
    element = context.element(result.element)
    arguments = _Arguments(context, space)
    operands = tuple(arguments.read(n, value) for n, value in enumerate(node.inputs))
    results = tuple(arguments.write(value) for value in node.outputs)
    computed = context.precision if element is Element.INT32 else element
    kernel = glue.map_kernel(operation.expressions, operands, results, space, computed)
    split, align = _split(space)
    pointers = arguments.pointers.values()
    sizes = arguments.sizes.values()
    slots: list[Slot] = [*pointers, *sizes, space.unit, *space.inner_sizes()]
    flops = operation.flops([v.type for v in node.inputs])
    return [draft(node, kernel, slots, space.extent, split, align, flops)]


def _of_rows(context: Context, node: Node, operation: Map) -> Draft:
    """A loop over rows that stand apart, and their columns."""
    result = node.outputs[0].type
    columns = result.shape[-1]
    assert isinstance(columns, int)
    pointers: list[Slot] = []
    operands: list[RowOperand] = []
    results: list[RowOperand] = []
    strides: list[Size] = []
    for number, value in enumerate((*node.inputs, *node.outputs)):
        kind = _kind(value.type.shape, result.shape)
        if value in context.sizes:
            pointers.append(context.sizes[value])
            operands.append(RowOperand("number", None))
            continue
        share = Share.PART if kind in ("tile", "rows") else Share.WHOLE
        writes = number >= len(node.inputs)
        pointer = (context.write if writes else context.read)(value, share)
        over = _place_of(pointer, pointers[: len(operands)]) if writes else None
        used = RowOperand(kind, context.element(value.type.element), over)
        (results if writes else operands).append(used)
        if over is not None:
            pointers[over] = pointer
            continue
        pointers.append(pointer)
        if used.has_rows:
            strides.append(Size(context.row(value, columns if kind == "tile" else 1)))
    element = context.element(result.element)
    computed = context.precision if element is Element.INT32 else element
    kernel = rows_kernel(operation.expressions, tuple(operands), tuple(results), computed)
    flops = operation.flops([v.type for v in node.inputs])
    slots = [*pointers, Size(columns), *strides]
    return draft(node, kernel, slots, Size(1, BATCH), Split.ROWS, 1, flops)


def _place_of(result: Pointer, operands: Sequence[Slot]) -> int | None:
    """The number of the operand that a result is written over."""
    for number, slot in enumerate(operands):
        if isinstance(slot, Pointer) and _place(slot) == _place(result):
            return number
    return None


def _place(pointer: Pointer) -> tuple[Region, int]:
    return pointer.buffer.region, pointer.start + pointer.inside * pointer.buffer.element.bytes


def _kind(shape: tuple[Dimension, ...], result: tuple[Dimension, ...]) -> str:
    """How a formula over rows [N, w] reads an operand."""
    if not shape:
        return "number"
    if shape == result:
        return "tile"
    return "rows" if shape == (result[0], 1) else "columns"


def _split(space: Space) -> tuple[Split, int]:
    if space.batched:
        return Split.ROWS, 1
    if not space.axes:
        return Split.ONE, 1
    return Split.OWN, OWN_ALIGN if len(space.axes) == 1 else 1


class _Arguments:
    """Pointers of a Map: one for each piece of memory, though it be operand and result."""

    def __init__(self, context: Context, space: Space) -> None:
        self.context = context
        self.space = space
        self.pointers: dict[str, Pointer] = {}
        self.sizes: dict[str, Size] = {}

    def read(self, number: int, value: Value) -> glue.MapOperand:
        """The argument for an operand: a pointer, or a run-time size itself."""
        if value in self.context.sizes:
            size = self.context.sizes[value]
            self.sizes[size.symbol] = size
            return glue.MapOperand(size.symbol, None)
        moves = self.space.moves[number]
        share = Share.PART if moves[:1] == (True,) else Share.WHOLE
        return self._argument(self.context.read(value, share), f"a{len(self.pointers)}")

    def write(self, value: Value) -> glue.MapOperand:
        """The argument for a result; an operand's, when it is written in its place."""
        return self._argument(self.context.write(value, Share.PART), f"b{len(self.pointers)}")

    def _argument(self, pointer: Pointer, name: str) -> glue.MapOperand:
        element = pointer.buffer.element
        for known, other in self.pointers.items():
            same = (other.buffer.region, other.start, other.buffer.element, other.buffer.name)
            mine = (pointer.buffer.region, pointer.start, element, pointer.buffer.name)
            if same[:3] == mine[:3] and (pointer.buffer.region.value != "data" or same == mine):
                if pointer.writes:
                    self.pointers[known] = pointer
                return glue.MapOperand(known, element)
        self.pointers[name] = pointer
        return glue.MapOperand(name, element)


def emit_reduce(context: Context, node: Node, operation: Op) -> list[Draft]:
    """The form that suits the pattern of kept and reduced axes."""
    assert isinstance(operation, Reduce)
    (source,), (result,) = node.inputs, node.outputs
    runs = alternate(source.type.shape, operation.axes)
    pattern = tuple(reduced for _, reduced in runs)
    element = context.element(source.type.element)
    flops = operation.flops([source.type])
    if False not in pattern:
        kernel = glue.total_kernel(operation.kind, element)
        whole = context.read(source, Share.WHOLE)
        result_slot = context.write(result, Share.WHOLE)
        total = (whole, result_slot, size_of(source.type.shape))
        return [draft(node, kernel, total, Size(1), Split.ONE, 1, flops)]
    if pattern == (True, False) and operation.kind == "sum" and element is not Element.INT32:
        columns = size_of(runs[1][0])
        if columns.symbol == "one" and columns.factor <= NARROW:
            return [_narrow_sum(context, node, columns.factor, size_of(runs[0][0]))]
        kernel = glue.column_sum_kernel(element)
        pointers = context.read(source, Share.WHOLE), context.write(result, Share.PART)
        slots = (*pointers, size_of(runs[0][0]), columns)
        return [draft(node, kernel, slots, columns, Split.OWN, OWN_ALIGN, flops)]
    if pattern == (False, True, False) and operation.kind == "sum" and batched(source):
        columns = size_of(runs[2][0])
        if runs[0][0] == (BATCH,) and columns.symbol == "one" and columns.factor >= FEW:
            return [_sums_of_rows(context, node, columns.factor, size_of(runs[1][0]))]
    return [_general(context, node, operation, runs, flops)]


def _sums_of_rows(context: Context, node: Node, columns: int, places: Size) -> Draft:
    """Sums over the places of each image."""
    grid = (Axis(Size(1, BATCH), b=places.factor * columns, c=columns),)
    contraction = _with_ones(context, node, columns, places, grid)
    return _sums(context, node, contraction, Share.PART, contraction.extent, Split.ROWS)


def _narrow_sum(context: Context, node: Node, columns: int, rows: Size) -> Draft:
    """Sums of few columns, by one thread."""
    contraction = _with_ones(context, node, columns, rows)
    return _sums(context, node, contraction, Share.WHOLE, Size(1), Split.ONE)


def _with_ones(
    context: Context, node: Node, columns: int, rows: Size, grid: tuple[Axis, ...] = ()
) -> Contraction:
    """Sums over rows: the product of a row of ones with them."""
    return Contraction(
        element=context.element(node.inputs[0].type.element),
        columns=columns,
        rows=Size(1),
        depth=rows,
        a_row=0,
        a_depth=0,
        b_depth=columns,
        b_column=1,
        c_row=columns,
        grid=grid,
        ones=True,
    )


def _sums(
    context: Context, node: Node, contraction: Contraction, share: Share, extent: Size, split: Split
) -> Draft:
    """The call of a product with ones, which are not read: their pointer is the source's."""
    (source,), (result,) = node.inputs, node.outputs
    kernel = _summing(contraction, context.target)
    read = context.read(source, share)
    slots: list[Slot] = [read, read, context.write(result, share), *contraction.sizes]
    return draft(node, kernel, slots, extent, split, 1, context.count(source))


@cache
def _summing(contraction: Contraction, target: Target) -> Kernel:
    return contraction_kernel(contraction, loop_nest(contraction, target))


def _general(
    context: Context,
    node: Node,
    operation: Reduce,
    runs: tuple[tuple[tuple[int | str, ...], bool], ...],
    flops: int,
) -> Draft:
    (source,), (result,) = node.inputs, node.outputs
    element = context.element(source.type.element)
    kernel = glue.reduce_kernel(operation.kind, [reduced for _, reduced in runs], element)
    first = next(sizes for sizes, reduced in runs if not reduced)
    by_rows = batched(source) and not runs[0][1]
    extent = Size(1, BATCH) if by_rows else size_of(first)
    unit = size_of(first[1:]).factor if by_rows else 1
    share = Share.PART if by_rows else Share.WHOLE
    sizes = tuple(size_of(axis) for axis, _ in runs)
    pointers = context.read(source, share), context.write(result, Share.PART)
    slots: list[Slot] = [*pointers, unit, *sizes]
    split = Split.ROWS if by_rows else Split.OWN
    return draft(node, kernel, slots, extent, split, 1, flops)
