"""Calls for ops on rows of classes."""

from __future__ import annotations

from nndsl.codegen import glue_rows
from nndsl.codegen.context import Context, draft, row_loop
from nndsl.codegen.draft import Draft, Share, Slot
from nndsl.codegen.loops import size_of
from nndsl.codegen.program import Kernel
from nndsl.ir.graph import Node, Value
from nndsl.ops.base import Op
from nndsl.ops.classes import OneHot, Pick, SoftmaxCrossEntropy
from nndsl.ops.rows import LogSoftmax, Softmax


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
