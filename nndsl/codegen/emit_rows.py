"""Calls for ops on rows of classes, and for standardising."""

from __future__ import annotations

from nndsl.codegen import glue_moments, glue_rows, glue_standardize
from nndsl.codegen.context import OWN_ALIGN, Context, batched, draft, row_loop
from nndsl.codegen.draft import Draft, Share, Slot
from nndsl.codegen.loops import alternate, size_of
from nndsl.codegen.program import Kernel, Size, Split
from nndsl.codegen.sums import MANY_PLACES
from nndsl.ir.graph import Node, Value
from nndsl.ir.types import BATCH
from nndsl.ops.base import Op, operation_of
from nndsl.ops.classes import OneHot, Pick, SoftmaxCrossEntropy
from nndsl.ops.rows import LogSoftmax, Softmax
from nndsl.ops.standardize import Standardize


def emit_softmax(context: Context, node: Node, operation: Op) -> list[Draft]:
    """Softmax and its logarithm."""
    assert isinstance(operation, (Softmax, LogSoftmax))
    element = context.element(node.inputs[0].type.element)
    make = glue_rows.softmax_kernel
    if isinstance(operation, LogSoftmax):
        make = glue_rows.log_softmax_kernel
    kernel = make(element, _narrow(node.inputs[0]))
    return [_over_rows(context, node, operation, kernel, node.inputs[0])]


def emit_cross_entropy(context: Context, node: Node, operation: Op) -> list[Draft]:
    """Loss and derivative."""
    assert isinstance(operation, SoftmaxCrossEntropy)
    kernel = glue_rows.cross_entropy_kernel(
        operation.smooth, context.precision, _narrow(node.inputs[0])
    )
    return [_over_rows(context, node, operation, kernel, node.inputs[0])]


def emit_pick(context: Context, node: Node, operation: Op) -> list[Draft]:
    """One number of each row."""
    assert isinstance(operation, Pick)
    element = context.element(node.inputs[0].type.element)
    kernel = glue_rows.pick_kernel(element, _narrow(node.inputs[0]))
    return [_over_rows(context, node, operation, kernel, node.inputs[0])]


def emit_one_hot(context: Context, node: Node, operation: Op) -> list[Draft]:
    """Rows of the unit matrix."""
    assert isinstance(operation, OneHot)
    kernel = glue_rows.one_hot_kernel(context.precision, _narrow(node.outputs[0]))
    return [_over_rows(context, node, operation, kernel, node.outputs[0])]


def _narrow(rows: Value) -> int | None:
    """The width of narrow rows, which is written into their kernels."""
    width = rows.type.shape[-1]
    return width if isinstance(width, int) and width <= glue_rows.NARROW else None


def _over_rows(context: Context, node: Node, operation: Op, kernel: Kernel, rows: Value) -> Draft:
    """A call over all axes of `rows` but the last; operands, results, unit, width."""
    unit, extent, split = row_loop(rows)
    share = Share.PART
    pointers = (
        *(context.read(value, share) for value in node.inputs),
        *(context.write(value, share) for value in node.outputs),
    )
    slots: list[Slot] = [*pointers, unit]
    if _narrow(rows) is None:
        slots.append(size_of(rows.type.shape[-1:]))
    flops = operation.flops([v.type for v in node.inputs])
    return draft(node, kernel, slots, extent, split, 1, flops)


def emit_standardize(context: Context, node: Node, operation: Op) -> list[Draft]:
    """The form that suits the pattern of kept and standardised axes."""
    assert isinstance(operation, Standardize)
    (source,) = node.inputs
    runs = alternate(source.type.shape, operation.axes)
    pattern = tuple(taken for _, taken in runs)
    options = operation.epsilon, operation.center
    element = context.element(source.type.element)
    if pattern == (True, False):
        columns = size_of(runs[1][0])
        places = size_of(runs[0][0][1:])
        if batched(source) and places.symbol == "one" and places.factor >= MANY_PLACES:
            return _over_batch(context, node, operation, places, columns)
        kernel = glue_standardize.columns_kernel(*options, element)
        whole = context.read(source, Share.WHOLE), context.write(node.outputs[0], Share.WHOLE)
        means = (context.write(value, Share.PART) for value in node.outputs[1:])
        slots: list[Slot] = [*whole, *means, size_of(runs[0][0]), columns]
        return [_standardizing(node, kernel, slots, columns, Split.OWN, OWN_ALIGN)]
    by_rows = batched(source) and pattern[:1] == (False,)
    sizes = [size_of(axis) for axis, _ in runs]
    if pattern == (False, True):
        kernel, sizes = glue_standardize.rows_kernel(*options, element), sizes[1:]
    else:
        kernel = glue_standardize.axes_kernel(*options, pattern, element)
    kept = next((axis for axis, taken in runs if not taken), ())
    share = Share.PART if by_rows else Share.WHOLE
    pointers = (
        context.read(source, share),
        *(context.write(value, share) for value in node.outputs),
    )
    unit = size_of(kept[1:]).factor if by_rows else 1
    extent = Size(1, BATCH) if by_rows else size_of(kept)
    split = Split.ROWS if by_rows else Split.OWN if kept else Split.ONE
    return [_standardizing(node, kernel, [*pointers, unit, *sizes], extent, split, 1)]


def _over_batch(
    context: Context, node: Node, operation: Standardize, places: Size, columns: Size
) -> list[Draft]:
    """Channels of images: moments of each row of the batch, those of all, then the numbers."""
    (x,), (y, *means) = node.inputs, node.outputs
    element, center = context.element(x.type.element), operation.center
    whole = Share.WHOLE
    rows = Size(1, BATCH)
    moments: list[Slot] = [context.read(x), context.write(y), places, columns]
    joint: list[Slot] = [context.read(y, whole), *(context.write(v, Share.PART) for v in means)]
    scaled: list[Slot] = [context.read(x), *(context.read(v, whole) for v in means)]
    scaled += [context.write(y), places, columns]
    return [
        _standardizing(
            node, glue_moments.row_moments_kernel(center, element), moments, rows, Split.ROWS, 1
        ),
        _standardizing(
            node,
            glue_moments.joint_moments_kernel(center, element),
            [*joint, rows, places, columns],
            columns,
            Split.OWN,
            OWN_ALIGN,
        ),
        _standardizing(
            node,
            glue_moments.scaled_kernel(operation.epsilon, center, element),
            scaled,
            rows,
            Split.ROWS,
            1,
        ),
    ]


def _standardizing(
    node: Node, kernel: Kernel, slots: list[Slot], extent: Size, split: Split, align: int
) -> Draft:
    flops = operation_of(node).flops([v.type for v in node.inputs])
    return draft(node, kernel, slots, extent, split, align, flops)
