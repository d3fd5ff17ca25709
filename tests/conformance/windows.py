"""Convolutions and pooling: windows over signals, images and, for pooling, volumes.

Arrays of the cases are [N, C, places...], our images [N, H, W, C]. Signals are images of one line;
of volumes the last two axes are images, and the first one is gone over by windows of its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nndsl.ir.graph import Value
from nndsl.ops.convolution import Convolution, ConvolutionInputGradient
from nndsl.ops.map import operand
from nndsl.ops.padding import Crop, Pad
from nndsl.ops.pooling import MaxPool, SumPool
from nndsl.ops.reduction import Reduce
from nndsl.scalar.functions import absolute
from tests.conformance.case import Case, Drawing, Make

Edge = tuple[int, int]


@dataclass(frozen=True)
class Axis:
    """Windows along one axis, with the numbers asked for around it and the `more` they need."""

    size: int
    window: int
    stride: int
    dilation: int
    edge: Edge
    more: int

    @property
    def count(self) -> int:
        reach = self.dilation * (self.window - 1) + 1
        return (self.size + sum(self.edge) + self.more - reach) // self.stride + 1

    def inside(self, with_edge: bool) -> np.ndarray:
        """How many numbers of each window are counted by a mean."""
        low, high = (-self.edge[0], self.size + self.edge[1]) if with_edge else (0, self.size)
        starts = np.arange(self.count) * self.stride - self.edge[0]
        places = starts[:, None] + np.arange(self.window) * self.dilation
        return ((places >= low) & (places < high)).sum(axis=1)


NONE = Axis(1, 1, 1, 1, (0, 0), 0)


def axes_of(case: Case, sizes: Sequence[int], windows: Sequence[int]) -> list[Axis]:
    """The windows of a case: strides, dilations, edges by number or by name, rounding up."""
    rank = len(sizes)
    strides = case.attribute("strides", [1] * rank)
    dilations = case.attribute("dilations", [1] * rank)
    pads = case.attribute("pads", [0] * 2 * rank)
    found = []
    for i, (size, window) in enumerate(zip(sizes, windows, strict=True)):
        stride, reach = strides[i], dilations[i] * (window - 1) + 1
        edge, more = (pads[i], pads[i + rank]), 0
        same = case.attribute("auto_pad", "NOTSET")
        if same.startswith("SAME"):
            total = max((math.ceil(size / stride) - 1) * stride + reach - size, 0)
            edge = (total // 2, total - total // 2)
            edge = edge if same == "SAME_UPPER" else edge[::-1]
        if case.attribute("ceil_mode", 0):
            count = math.ceil((size + sum(edge) - reach) / stride) + 1
            count -= (count - 1) * stride >= size + edge[0]  # it must begin before the end
            more = max(0, (count - 1) * stride + reach - size - sum(edge))
        found.append(Axis(size, window, stride, dilations[i], edge, more))
    return found


def images_of(drawing: Drawing, value: Value) -> Value:
    """[N, C, places...] as [N times all axes but the last two, H, W, C]."""
    shape = value.type.shape
    rank = len(shape) - 2
    turned = drawing.transpose(value, (0, *range(2, rank + 2), 1))
    height, width = shape[-2:] if rank > 1 else (1, shape[-1])
    rows = math.prod(shape[:1] + shape[2:-2])
    return drawing.reshape(turned, (rows, height, width, shape[1]))


def padded(drawing: Drawing, value: Value, down: Axis, across: Axis, number: float) -> Value:
    edges = down.edge, across.edge
    before = (0, edges[0][0], edges[1][0], 0)
    behind = (0, edges[0][1] + down.more, edges[1][1] + across.more, 0)
    return drawing.build.add(Pad(before, behind, number), value)


def pooled(drawing: Drawing, value: Value, axes: Sequence[Axis], kind: str) -> list[Value]:
    """[N, C, places...] by windows; of a maximum in two axes its place in the window too."""
    shape = value.type.shape
    number = -math.inf if kind == "max" else 0.0
    *depth, down, across = [NONE, *axes] if len(axes) == 1 else axes

    def over(images: Value, down: Axis, across: Axis) -> list[Value]:
        options = [(down.window, across.window), (down.stride, across.stride)]
        operation = (MaxPool if kind == "max" else SumPool)(
            *options, (down.dilation, across.dilation)
        )
        whole = padded(drawing, images, down, across, number)
        return list(drawing.build.add_all(operation, whole))

    found = over(images_of(drawing, value), down, across)
    counts = [a.count for a in axes]
    if depth:
        lines = (shape[0], depth[0].size, down.count * across.count, shape[1])
        found = over(drawing.reshape(found[0], lines), depth[0], NONE)
    last = (0, len(shape) - 1, *range(1, len(shape) - 1))
    flat = [drawing.reshape(v, (shape[0], *counts, shape[1])) for v in found]
    return [drawing.transpose(v, last) for v in flat]


def max_pool(case: Case, drawing: Drawing) -> tuple[Value, ...]:
    x = case.inputs[0]
    axes = axes_of(case, x.shape[2:], case.attributes["kernel_shape"])
    found = pooled(drawing, drawing.array(x), axes, "max")
    return tuple(found[: len(case.outputs)])


def places(case: Case, index: np.ndarray) -> np.ndarray:
    """Places within windows as places in the whole array, row-major."""
    shape = case.inputs[0].shape
    axes = axes_of(case, shape[2:], case.attributes["kernel_shape"])
    grid = np.indices(index.shape)
    inner = np.unravel_index(index.astype(int), [a.window for a in axes])
    along = [grid[2 + i] * a.stride - a.edge[0] + inner[i] * a.dilation for i, a in enumerate(axes)]
    return np.ravel_multi_index((grid[0], grid[1], *along), shape)


def average_pool(case: Case, drawing: Drawing) -> tuple[Value, ...]:
    x = case.inputs[0]
    axes = axes_of(case, x.shape[2:], case.attributes["kernel_shape"])
    (total,) = pooled(drawing, drawing.array(x), axes, "sum")
    counts = np.ones(())
    for axis in axes:
        counts = counts[..., None] * axis.inside(bool(case.attribute("count_include_pad", 0)))
    return (drawing.map(operand(0) / operand(1), total, drawing.array(counts)),)


def lp_pool(case: Case, drawing: Drawing) -> tuple[Value, ...]:
    x = case.inputs[0]
    p = float(case.attribute("p", 2))
    powers = drawing.map(absolute(operand(0)) ** p, drawing.array(x))
    axes = axes_of(case, x.shape[2:], case.attributes["kernel_shape"])
    (total,) = pooled(drawing, powers, axes, "sum")
    return (drawing.map(operand(0) ** (1 / p), total),)


def global_pool(kind: str) -> Make:
    def make(case: Case, drawing: Drawing) -> tuple[Value, ...]:
        x = case.inputs[0]
        axes = tuple(range(2, x.ndim))
        found = drawing.build.add(Reduce(kind, axes, True), drawing.array(x))
        count = math.prod(x.shape[2:]) if kind == "sum" else 1
        return (drawing.map(operand(0) / float(count), found),)

    return make


def local_response(case: Case, drawing: Drawing) -> tuple[Value, ...]:
    """Neighbouring channels are windows over a line of channels."""
    x = drawing.array(case.inputs[0])
    size = case.attributes["size"]
    n, channels, *inner = x.type.shape
    squares = drawing.map(operand(0) * operand(0), x)
    lines = drawing.reshape(squares, (n, channels, math.prod(inner), 1))
    axis = Axis(channels, size, 1, 1, ((size - 1) // 2, size // 2), 0)
    whole = padded(drawing, lines, axis, NONE, 0.0)
    sums = drawing.build.add(SumPool((size, 1), (1, 1)), whole)
    alpha, beta, bias = (float(case.attributes[name]) for name in ("alpha", "beta", "bias"))
    formula = operand(0) * (bias + alpha / size * operand(1)) ** -beta
    return (drawing.map(formula, x, drawing.reshape(sums, x.type.shape)),)


def convolution(case: Case, drawing: Drawing) -> tuple[Value, ...]:
    x, w, *bias = case.inputs
    down, across = axes_of(case, x.shape[2:], w.shape[2:])
    operation = Convolution(
        (down.stride, across.stride), (down.dilation, across.dilation), case.attribute("group", 1)
    )
    images = padded(drawing, images_of(drawing, drawing.array(x)), down, across, 0.0)
    y = drawing.build.add(operation, images, drawing.transpose(drawing.array(w), (2, 3, 1, 0)))
    if bias:
        y = drawing.map(operand(0) + operand(1), y, drawing.array(bias[0]))
    return (drawing.transpose(y, (0, 3, 1, 2)),)


def transposed_convolution(case: Case, drawing: Drawing) -> tuple[Value, ...]:
    """The input gradient of a convolution; of a volume, one for each slice of the weights."""
    x, w = case.inputs[:2]
    rank = x.ndim - 2
    if rank == 3:
        return (_volume(case, drawing, x, w),)
    if rank == 1:
        w = w[:, :, None]
    sizes = x.shape[2:] if rank == 2 else (1, *x.shape[2:])
    axes = axes_of(case, sizes, w.shape[2:])
    more = case.attribute("output_padding", (0, 0))
    size = tuple(
        (a.size - 1) * a.stride + a.dilation * (a.window - 1) + 1 + extra
        for a, extra in zip(axes, more, strict=True)
    )
    operation = ConvolutionInputGradient(
        size,
        tuple(a.stride for a in axes),
        tuple(a.dilation for a in axes),
        case.attribute("group", 1),
    )
    weights = drawing.transpose(drawing.array(w), (2, 3, 1, 0))
    y = drawing.build.add(operation, images_of(drawing, drawing.array(x)), weights)
    edges = [a.edge for a in axes]
    crop = Crop((0, edges[0][0], edges[1][0], 0), (0, edges[0][1], edges[1][1], 0))
    return (drawing.transpose(drawing.build.add(crop, y), (0, 3, 1, 2)),)


def _volume(case: Case, drawing: Drawing, x: np.ndarray, w: np.ndarray) -> Value:
    """Every slice of the weights moves what it makes one place further down; no options."""
    assert not case.attributes
    images = images_of(drawing, drawing.array(x))
    depth, (height, width) = (
        w.shape[2],
        (a + b - 1 for a, b in zip(x.shape[3:], w.shape[3:], strict=True)),
    )
    total = None
    for place in range(depth):
        weights = drawing.array(w[:, :, place].transpose(2, 3, 1, 0))
        y = drawing.build.add(ConvolutionInputGradient((height, width)), images, weights)
        y = drawing.reshape(y, (x.shape[0], x.shape[2], height, width, w.shape[1]))
        edges = (0, place, 0, 0, 0), (0, depth - 1 - place, 0, 0, 0)
        y = drawing.build.add(Pad(*edges), y)
        total = y if total is None else drawing.map(operand(0) + operand(1), total, y)
    return drawing.transpose(total, (0, 4, 1, 2, 3))


FORMS: dict[str, Make] = {
    "Conv": convolution,
    "ConvTranspose": transposed_convolution,
    "MaxPool": max_pool,
    "AveragePool": average_pool,
    "LpPool": lp_pool,
    "GlobalAveragePool": global_pool("sum"),
    "GlobalMaxPool": global_pool("max"),
    "LRN": local_response,
}
