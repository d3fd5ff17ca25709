"""Calls for windows that slide over images channel by channel, for padding and cropping."""

from __future__ import annotations

from collections.abc import Callable

from nndsl.codegen import glue_windows
from nndsl.codegen.context import Context, batched, draft
from nndsl.codegen.convolution import Geometry
from nndsl.codegen.draft import Draft, Share
from nndsl.codegen.loops import size_of
from nndsl.codegen.program import Element, Kernel, Split
from nndsl.ir.graph import Node, Value
from nndsl.ops.base import Op
from nndsl.ops.pooling import MaxPool, MaxPoolGradient, PoolPick, SumPool, SumPoolGradient

POOLING: dict[type[Op], Callable[[Geometry, Element], Kernel]] = {
    MaxPool: glue_windows.max_pool_kernel,
    MaxPoolGradient: glue_windows.max_pool_gradient_kernel,
    PoolPick: glue_windows.pick_kernel,
    SumPool: glue_windows.sum_pool_kernel,
    SumPoolGradient: glue_windows.sum_pool_gradient_kernel,
}
"""The kernel of each op; its arguments are operands, then results."""


def emit_pooling(context: Context, node: Node, operation: Op) -> list[Draft]:
    """One loop nest over the images."""
    assert isinstance(operation, (MaxPool, MaxPoolGradient, PoolPick, SumPool, SumPoolGradient))
    spread = isinstance(operation, (MaxPoolGradient, SumPoolGradient))
    image = node.outputs[0] if spread else node.inputs[0]
    height, width, channels = (d for d in image.type.shape[1:] if isinstance(d, int))
    geometry = Geometry(
        size=(height, width),
        channels=channels,
        outputs=channels,
        kernel=operation.size,
        stride=operation.stride,
        dilation=operation.dilation,
        groups=channels,
    )
    kernel = POOLING[type(operation)](geometry, context.element(image.type.element))
    flops = operation.flops([v.type for v in node.inputs])
    return [over_images(context, node, kernel, flops)]


def over_images(
    context: Context, node: Node, kernel: Kernel, flops: int, whole: tuple[Value, ...] = ()
) -> Draft:
    """A call whose extent is the first axis: operands, results; `whole`: read by all shares."""
    pointers = (
        *(context.read(v, Share.WHOLE if v in whole else Share.PART) for v in node.inputs),
        *(context.write(value, Share.PART) for value in node.outputs),
    )
    result = node.outputs[0]
    split = Split.ROWS if batched(result) else Split.OWN
    return draft(node, kernel, pointers, size_of(result.type.shape[:1]), split, 1, flops)
