"""Calls for convolutions and their gradients: contractions, or loops over channels."""

from __future__ import annotations

from nndsl.codegen.context import Context, draft
from nndsl.codegen.convolution import Geometry, forward, input_gradient, weight_gradient
from nndsl.codegen.draft import Draft, Share
from nndsl.codegen.emit_matmul import contraction_call, with_formulas
from nndsl.codegen.emit_windows import over_images
from nndsl.codegen.glue_windows import (
    depthwise_gradient_kernel,
    depthwise_kernel,
    depthwise_weights_kernel,
)
from nndsl.codegen.loops import size_of
from nndsl.codegen.program import Kernel, Size, Split
from nndsl.ir.graph import Node, Value
from nndsl.ops.base import Op, operation_of
from nndsl.ops.convolution import (
    Convolution,
    ConvolutionInputGradient,
    ConvolutionWeightGradient,
)
from nndsl.ops.fused import FusedConvolution


def emit_convolution(context: Context, node: Node, operation: Op) -> list[Draft]:
    """One contraction, with or without formulas of its sums."""
    x, weights = node.inputs[:2]
    if isinstance(operation, FusedConvolution):
        plain = forward(_geometry(operation.product, x, weights), context.precision)
        return [contraction_call(context, node, with_formulas(context, node, operation, plain))]
    assert isinstance(operation, Convolution)
    geometry = _geometry(operation, x, weights)
    if geometry.is_depthwise:
        return [_depthwise(context, node, depthwise_kernel(geometry, context.precision))]
    return [contraction_call(context, node, forward(geometry, context.precision))]


def emit_input_gradient(context: Context, node: Node, operation: Op) -> list[Draft]:
    """One contraction that adds where windows overlap."""
    assert isinstance(operation, ConvolutionInputGradient)
    geometry = _geometry(operation.forward, node.outputs[0], node.inputs[1])
    if geometry.is_depthwise:
        return [_depthwise(context, node, depthwise_gradient_kernel(geometry, context.precision))]
    return [contraction_call(context, node, input_gradient(geometry, context.precision))]


def emit_weight_gradient(context: Context, node: Node, operation: Op) -> list[Draft]:
    """One contraction over the batch and all places."""
    assert isinstance(operation, ConvolutionWeightGradient)
    geometry = _geometry(operation.forward, node.inputs[0], node.outputs[0])
    if geometry.is_depthwise:
        return [_depthwise_weights(context, node, geometry)]
    return [contraction_call(context, node, weight_gradient(geometry, context.precision))]


def _depthwise(context: Context, node: Node, kernel: Kernel) -> Draft:
    """A loop over images and channels; the weights are read by all shares."""
    flops = operation_of(node).flops([v.type for v in node.inputs])
    return over_images(context, node, kernel, flops, whole=(node.inputs[1],))


def _depthwise_weights(context: Context, node: Node, geometry: Geometry) -> Draft:
    """A loop over places of the window, each a sum over the batch."""
    kernel = depthwise_weights_kernel(geometry, context.precision)
    pointers = (
        *(context.read(value, Share.WHOLE) for value in node.inputs),
        context.write(node.outputs[0], Share.PART),
    )
    taps = Size(geometry.kernel[0] * geometry.kernel[1])
    return draft(node, kernel, (*pointers, geometry.batch), taps, Split.OWN)


def _geometry(operation: Convolution, image: Value, weights: Value) -> Geometry:
    """The sizes of a convolution of the image with the weights."""
    numbers = [d for d in (*image.type.shape[1:], *weights.type.shape) if isinstance(d, int)]
    height, width, channels, rows, columns, _, outputs = numbers
    return Geometry(
        size=(height, width),
        channels=channels,
        outputs=outputs,
        kernel=(rows, columns),
        stride=operation.stride,
        dilation=operation.dilation,
        groups=operation.groups,
        batch=size_of(image.type.shape[:1]),
    )
