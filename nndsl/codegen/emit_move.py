"""Calls that move elements, and those without operands: copies, noise, sizes, fetching rows."""

from __future__ import annotations

from itertools import accumulate
from math import prod

from nndsl.codegen import glue, glue_random
from nndsl.codegen.context import OWN_ALIGN, Context, batched, draft
from nndsl.codegen.draft import Draft, Pointer, Share, Slot
from nndsl.codegen.loops import count, size_of
from nndsl.codegen.program import Buffer, Kernel, Size, Split
from nndsl.ir.graph import Node, Value
from nndsl.ir.types import BATCH, Dimension, ElementType
from nndsl.ops.base import Op
from nndsl.ops.movement import Concat, Slice, Transpose
from nndsl.ops.padding import Crop, Pad
from nndsl.ops.reduction import Broadcast
from nndsl.ops.source import Random, SizeOf
from nndsl.ops.split import Split as SplitOp
from nndsl.random import BEFORE_TRAINING

Shape = tuple[Dimension, ...]


def strides(shape: Shape) -> tuple[Size, ...]:
    """Elements from one index to the next along each axis, row-major."""
    return tuple(size_of(shape[axis + 1 :]) for axis in range(len(shape)))


def emit_broadcast(context: Context, node: Node, operation: Op) -> list[Draft]:
    """A copy that stands still along repeated axes."""
    assert isinstance(operation, Broadcast)
    source, result = node.inputs[0].type.shape, node.outputs[0].type.shape
    missing = len(result) - len(source)
    steps = [Size(0)] * missing
    for size, stride, full in zip(source, strides(source), result[missing:], strict=True):
        steps.append(Size(0) if size == 1 and full != 1 else stride)
    return [_copy(context, node, tuple(steps))]


def emit_transpose(context: Context, node: Node, operation: Op) -> list[Draft]:
    """Blocks in registers for a matrix of numbers, else a copy with exchanged strides."""
    assert isinstance(operation, Transpose)
    (source,), (result,) = node.inputs, node.outputs
    shape = source.type.shape
    numbers = [d for d in shape if isinstance(d, int)]
    if len(shape) == 2 == len(numbers) and source.type.element is ElementType.REAL:
        kernel = _transpose_kernel(context)
        pointers = context.read(source, Share.WHOLE), context.write(result, Share.WHOLE)
        rows, columns = numbers
        slots = (*pointers, Size(rows), Size(columns), Size(columns), Size(rows))
        return [draft(node, kernel, slots, Size(rows), Split.OWN, 16)]
    steps = strides(shape)
    return [_copy(context, node, tuple(steps[axis] for axis in operation.axes))]


def _transpose_kernel(context: Context) -> Kernel:
    text = (
        "for row, column of source:\n"
        "    destination[column, row] = source[row, column]    # squares turned in registers\n"
    )
    signature = ("pointer", "pointer", "size", "size", "size", "size")
    name = f"transpose_{context.precision.value}"
    return Kernel(name, "transpose", text, signature, context.precision)


def emit_slice(context: Context, node: Node, operation: Op) -> list[Draft]:
    """A copy that begins inside its source."""
    assert isinstance(operation, Slice)
    steps = strides(node.inputs[0].type.shape)
    skip = operation.start * _number(steps[operation.axis])
    return [_copy(context, node, steps, read_skip=skip)]


def emit_split(context: Context, node: Node, operation: Op) -> list[Draft]:
    """A copy for each part."""
    assert isinstance(operation, SplitOp)
    (source,) = node.inputs
    steps = strides(source.type.shape)
    drafts = []
    for start, part in zip(accumulate(operation.sizes, initial=0), node.outputs, strict=False):
        skip = start * _number(steps[operation.axis])
        pointers = _part(context, source, part.type.shape, skip, writes=False), context.write(part)
        drafts.append(_strided(context, node, pointers, part, steps, strides(part.type.shape)))
    return drafts


def emit_crop(context: Context, node: Node, operation: Op) -> list[Draft]:
    """A copy of the inner part."""
    assert isinstance(operation, Crop)
    return [_edged(context, node, operation)]


def emit_pad(context: Context, node: Node, operation: Op) -> list[Draft]:
    """A copy with numbers around it."""
    assert isinstance(operation, Pad)
    return [_edged(context, node, operation)]


def _edged(context: Context, node: Node, operation: Pad | Crop) -> Draft:
    (source,), (result,) = node.inputs, node.outputs
    before, behind = operation.before, operation.behind
    rows = bool(before) and not before[0] and not behind[0]  # else all of it is one row
    skip = 1 if rows else 0
    shape = tuple(_number(size_of((d,))) for d in source.type.shape[skip:]) or (1,)
    element = context.element(result.type.element)
    edges = before[skip:] or (0,), behind[skip:] or (0,)
    if isinstance(operation, Pad):
        kernel = glue.pad_kernel(shape, *edges, operation.value, element)
    else:
        kernel = glue.crop_kernel(shape, *edges, element)
    extent = size_of(result.type.shape[:1]) if rows else Size(1)
    split = Split.ROWS if batched(result) else Split.OWN if rows else Split.ONE
    return draft(node, kernel, (context.read(source), context.write(result)), extent, split)


def emit_concat(context: Context, node: Node, operation: Op) -> list[Draft]:
    """A copy for each operand."""
    assert isinstance(operation, Concat)
    (result,) = node.outputs
    steps = strides(result.type.shape)
    sizes = [v.type.shape[operation.axis] for v in node.inputs]
    starts = accumulate((d for d in sizes[:-1] if isinstance(d, int)), initial=0)
    drafts = []
    for value, start in zip(node.inputs, starts, strict=True):
        skip = start * _number(steps[operation.axis])
        pointers = context.read(value), _part(context, result, value.type.shape, skip, writes=True)
        drafts.append(_strided(context, node, pointers, value, strides(value.type.shape), steps))
    return drafts


def _copy(context: Context, node: Node, steps: tuple[Size, ...], read_skip: int = 0) -> Draft:
    (source,), (result,) = node.inputs, node.outputs
    reach = context.count(source) - read_skip
    share = Share.PART if batched(source) and batched(result) else Share.WHOLE
    read = Pointer(context.buffers[source], reach, False, share, read_skip)
    pointers = read, context.write(result)
    return _strided(context, node, pointers, result, steps, strides(result.type.shape))


def _strided(
    context: Context,
    node: Node,
    pointers: tuple[Pointer, Pointer],
    space: Value,
    read_steps: tuple[Size, ...],
    write_steps: tuple[Size, ...],
) -> Draft:
    """A copy over the axes of `space`."""
    shape = space.type.shape
    element = context.element(space.type.element)
    kernel = glue.copy_kernel(len(shape), element)
    sizes = tuple(size_of((d,)) for d in shape[1:])
    by_rows = batched(space)
    extent = Size(1, BATCH) if by_rows else size_of(shape[:1])
    split = Split.ROWS if by_rows else Split.OWN if shape else Split.ONE
    slots: list[Slot] = [*pointers, 1, *sizes, *read_steps, *write_steps]
    return draft(node, kernel, slots, extent, split)


def _part(context: Context, value: Value, shape: Shape, skip: int, *, writes: bool) -> Pointer:
    """A pointer to a part of `value` with the shape `shape`, `skip` elements from its start."""
    reach = context.count(value) - skip if count(shape, context.batch) else 0
    share = Share.PART if batched(value) else Share.WHOLE
    return Pointer(context.buffers[value], reach, writes, share, skip)


def _number(size: Size) -> int:
    if size.symbol != "one":
        raise ValueError(f"the size {size.symbol} is not known")
    return size.factor


def emit_random(context: Context, node: Node, operation: Op) -> list[Draft]:
    """Noise, new in each step or the same for a row."""
    assert isinstance(operation, Random)
    (result,) = node.outputs
    of_row = operation.by_row
    kernel = glue_random.random_kernel(operation.kind, context.precision, by_row=of_row)
    by_rows = batched(result)
    unit = size_of(operation.shape[1:]).factor if by_rows else 1
    extent = Size(1, BATCH) if by_rows else size_of(operation.shape)
    split = Split.ROWS if by_rows else Split.OWN
    step: Slot = BEFORE_TRAINING if of_row else Size(1, "step")
    first = (Size(1, "first_row"),) if of_row else ()
    pointer = context.write(result, Share.PART)
    slots = (pointer, Size(1, "seed"), step, operation.stream, unit, *first)
    flops = operation.flops([])
    return [draft(node, kernel, slots, extent, split, 1 if by_rows else OWN_ALIGN, flops)]


def emit_size(context: Context, node: Node, operation: Op) -> list[Draft]:
    """A run-time size as a number."""
    assert isinstance(operation, SizeOf)
    slots = (context.write(node.outputs[0], Share.WHOLE), Size(1, operation.dimension))
    return [draft(node, glue.size_kernel(), slots, Size(1), Split.ONE)]


def fetch(context: Context, index: Buffer, data: dict[Value, Buffer]) -> list[Draft]:
    """The order of rows, then the batch's rows of every input, copied out of the data."""
    if not data:
        return []
    run = tuple(Size(1, s) for s in ("first_row", "data_rows", "seed", "epoch", "shuffle"))
    order = Pointer(index, context.batch, True, Share.PART)
    rows = Size(1, BATCH)
    drafts = [
        Draft(glue_random.order_kernel(), (order, *run), rows, Split.ROWS, 1, "order of rows")
    ]
    for value, source in data.items():
        width = prod(d for d in value.type.shape[1:] if isinstance(d, int))
        kernel = glue_random.fetch_kernel(source.element, single=width == 1)
        where = Pointer(index, context.batch, False, Share.PART)
        pointers = Pointer(source, 0), where, context.write(value, Share.PART)
        slots = pointers if width == 1 else (*pointers, Size(width))
        drafts.append(Draft(kernel, slots, rows, Split.ROWS, 1, f"rows of {value.name}"))
    return drafts
