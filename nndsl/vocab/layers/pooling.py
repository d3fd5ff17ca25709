"""Pooling: windows of an image or signal summed up in one number, channel by channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nndsl.ir.graph import Builder, ShapeError, Value
from nndsl.ir.types import BATCH, ElementType, format_shape
from nndsl.ops.compose import add_map, add_mean
from nndsl.ops.map import operand
from nndsl.ops.pooling import MaxPool, SumPool
from nndsl.ops.reduction import Reduce, Reshape
from nndsl.ops.source import constant_of
from nndsl.ops.windows import Windows
from nndsl.params import Flag, Parameter, Sizes
from nndsl.scalar.functions import maximum, sqrt, where
from nndsl.vocab.kinds import Layer, LayerContext
from nndsl.vocab.layers.images import DILATION, PAD, Edge, Image, image_of, windows_of
from nndsl.vocab.layers.sequences import is_sequence
from nndsl.vocab.registry import register

LOWEST = float("-inf")


def _maxpool(
    context: LayerContext, operands: Sequence[Value], arguments: Mapping[str, Any]
) -> Value:
    """Where several numbers of a window are greatest, the first gets the whole gradient."""
    image = image_of(context.build, operands[0], "maxpool")
    windows, edges, _ = _laid(image, arguments)
    operation = MaxPool(windows.size, windows.stride, windows.dilation)
    y = context.build.add_all(operation, image.padded(edges, LOWEST), name="maxpool")[0]
    return image.back(y)


def _avgpool(
    context: LayerContext, operands: Sequence[Value], arguments: Mapping[str, Any]
) -> Value:
    image = image_of(context.build, operands[0], "avgpool")
    windows, edges, written = _laid(image, arguments)
    total = _summed(image, windows, edges, image.value)
    inside = written if arguments["count_pad"] else ((0, 0), (0, 0))
    rows, columns = (_counts(image, windows, edges, inside, axis) for axis in (0, 1))
    if len({*rows, *columns}) <= 2 and len(set(rows)) == len(set(columns)) == 1:
        y = add_map(context.build, operand(0) / float(rows[0] * columns[0]), total, name="avgpool")
    else:
        down = context.build.add(constant_of(np.reshape(rows, (-1, 1, 1))), name="counts")
        across = context.build.add(constant_of(np.reshape(columns, (-1, 1))), name="counts")
        formula = operand(0) / (operand(1) * operand(2))
        y = add_map(context.build, formula, total, down, across, name="avgpool")
    return image.back(y)


def _l2pool(
    context: LayerContext, operands: Sequence[Value], arguments: Mapping[str, Any]
) -> Value:
    """Where all numbers of a window are 0, the gradient is 0."""
    image = image_of(context.build, operands[0], "l2pool")
    windows, edges, _ = _laid(image, arguments)
    squares = add_map(context.build, operand(0) * operand(0), image.value, name="squares")
    total = _summed(image, windows, edges, squares)
    safe = where(operand(0) > 0, operand(0), 1.0)
    root = where(operand(0) > 0, sqrt(safe), 0.0)
    return image.back(add_map(context.build, root, total, name="l2pool"))


def _summed(image: Image, windows: Windows, edges: tuple[Edge, Edge], value: Value) -> Value:
    padded = Image(image.build, value, image.dimensions, image.word).padded(edges)
    return image.build.add(SumPool(windows.size, windows.stride), padded, name="sums")


def _laid(
    image: Image, arguments: Mapping[str, Any]
) -> tuple[Windows, tuple[Edge, Edge], tuple[Edge, Edge]]:
    """The windows, the edges that they need, and the edges that were asked for."""
    windows = windows_of(image, arguments)
    asked = image.edges(arguments["pad"], windows)
    edges = list(asked)
    for axis in (0, 1):
        if max(asked[axis]) >= windows.reach(axis) > 1:
            raise ShapeError(
                f"`pad` of `{image.word}` is {max(asked[axis])}: windows of {windows.reach(axis)} "
                "would hold nothing but padding"
            )
        if arguments["ceil"]:
            edges[axis] = _completed(windows, axis, image.size[axis], asked[axis])
        if windows.count(axis, image.size[axis] + sum(edges[axis])) < 1:
            shape = "x".join(map(str, image.size[-image.dimensions :]))
            raise ShapeError(
                f"a window of {windows.reach(axis)} does not fit into {shape}",
                help="a smaller window; or pool less before",
            )
    return windows, (edges[0], edges[1]), asked


def _completed(windows: Windows, axis: int, size: int, edge: Edge) -> Edge:
    """The edge with as much more behind that a window begun is a window whole.

    A window that would begin behind the image and its first edge is left out, as in PyTorch.
    """
    before, behind = edge
    stride, reach = windows.stride[axis], windows.reach(axis)
    count = -((size + before + behind - reach) // -stride) + 1
    if (count - 1) * stride >= size + before:
        count -= 1
    return before, max(behind, (count - 1) * stride + reach - size - before)


def _counts(
    image: Image,
    windows: Windows,
    edges: tuple[Edge, Edge],
    inside: tuple[Edge, Edge],
    axis: int,
) -> list[int]:
    """How many numbers of every window along an axis lie in the image and its edges `inside`."""
    size, start = image.size[axis], edges[axis][0]
    low, high = -inside[axis][0], size + inside[axis][1]
    count = windows.count(axis, size + sum(edges[axis]))
    firsts = [number * windows.stride[axis] - start for number in range(count)]
    return [min(first + windows.size[axis], high) - max(first, low) for first in firsts]


def _global(context: LayerContext, operands: Sequence[Value], word: str) -> Value:
    """One number for each channel."""
    (x,) = operands
    is_image = x.type.element is ElementType.REAL and x.type.shape[:1] == (BATCH,)
    if not is_image or x.type.rank < 3:
        raise ShapeError(
            f"`{word}` takes an image (channels x height x width), a signal (channels x "
            f"length) or a sequence (places x features), not {format_shape(x.type.shape)}",
            "NN202",
        )
    axes = (1,) if is_sequence(x.type.shape) else tuple(range(2, x.type.rank))
    mask = context.mask(x) if axes == (1,) else None
    if mask is not None:
        return _over_places(context.build, x, mask, word)
    if word == "global_max_pool":
        return context.build.add(Reduce("max", axes), x, name=word)
    return add_mean(context.build, x, axes)


def _over_places(build: Builder, x: Value, mask: Value, word: str) -> Value:
    """The same over the places before each sequence's end."""
    column = build.add(Reshape((*mask.type.shape, 1)), mask, name="mask")
    if word == "global_max_pool":
        seen = add_map(build, where(operand(1) > 0, operand(0), -1e30), x, column, name="seen")
        return build.add(Reduce("max", (1,)), seen, name=word)
    kept = add_map(build, operand(0) * operand(1), x, column, name="seen")
    total, count = (build.add(Reduce("sum", (1,)), v, name="total") for v in (kept, column))
    return add_map(build, operand(0) / maximum(operand(1), 1.0), total, count, name=word)


WINDOWS: dict[str, Parameter] = {
    "size": Sizes(doc="height and width of a window, or both in one", ge=1),
    "stride": Sizes(None, "from one window to the next; left out: the size", ge=1),
    "pad": PAD,
    "ceil": Flag(False, "whether a window that is not filled at the end counts too"),
}

register(
    Layer(
        "maxpool",
        {**WINDOWS, "dilation": DILATION},
        "The greatest number of every window of a channel. Padding never wins.",
        "Ranzato et al. 2007, Unsupervised learning of invariant feature hierarchies",
        _maxpool,
        transparent=True,
    ),
    example="reshape(1x2x2) -> maxpool(2)",
)
register(
    Layer(
        "avgpool",
        {**WINDOWS, "count_pad": Flag(True, "whether zeros of the padding count in the mean")},
        "The mean of every window of a channel.",
        "LeCun et al. 1989, Backpropagation applied to handwritten zip code recognition",
        _avgpool,
        transparent=True,
    ),
    example="reshape(1x2x2) -> avgpool(2)",
)
register(
    Layer(
        "l2pool",
        WINDOWS,
        "The root of the sum of squares of every window of a channel.",
        "Sermanet, Chintala & LeCun 2012, arXiv:1204.3968",
        _l2pool,
        transparent=True,
    ),
    example="reshape(1x2x2) -> l2pool(2)",
)
register(
    Layer(
        "global_avg_pool",
        {},
        "The mean of every channel (of a sequence, of every feature over all places): one number "
        "for each.",
        "Lin, Chen & Yan 2013, arXiv:1312.4400",
        lambda context, operands, arguments: _global(context, operands, "global_avg_pool"),
        transparent=True,
    ),
    example="reshape(2x1x2) -> global_avg_pool",
)
register(
    Layer(
        "global_max_pool",
        {},
        "The greatest number of every channel. Where several are greatest they share the gradient.",
        "Oquab et al. 2015, Is object localization for free?",
        lambda context, operands, arguments: _global(context, operands, "global_max_pool"),
        transparent=True,
    ),
    example="reshape(2x1x2) -> global_max_pool",
)
