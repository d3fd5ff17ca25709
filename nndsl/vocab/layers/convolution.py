"""conv, depthwise, conv_transpose: the same weights at every place of an image or signal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import gcd, prod
from typing import Any

import numpy as np

from nndsl.ir.graph import ShapeError, Value
from nndsl.ops.compose import add_map
from nndsl.ops.convolution import Convolution, ConvolutionInputGradient
from nndsl.ops.map import operand
from nndsl.ops.reduction import Reshape
from nndsl.ops.windows import Pair, Windows
from nndsl.params import Array, Flag, Int, OneOf, Parameter, Ref, Sizes
from nndsl.vocab.kinds import Layer, LayerContext
from nndsl.vocab.layers.images import DILATION, PAD, STRIDE, Edge, Image, image_of
from nndsl.vocab.registry import register

BIAS = OneOf(
    True, "false: none; a number: where all start; a list: where each starts", (Flag(), Array())
)
INIT = Ref(None, "start of the weights; left out: chosen by the activation after it", "initializer")
WEIGHTS = Array(None, "start of the weights: the numbers of each output, or one number for all")


def _conv(context: LayerContext, operands: Sequence[Value], arguments: Mapping[str, Any]) -> Value:
    image = image_of(context.build, operands[0], "conv")
    return _convolved(context, image, arguments, arguments["channels"], arguments["groups"])


def _depthwise(
    context: LayerContext, operands: Sequence[Value], arguments: Mapping[str, Any]
) -> Value:
    image = image_of(context.build, operands[0], "depthwise")
    outputs = image.channels * arguments["multiplier"]
    return _convolved(context, image, arguments, outputs, image.channels)


def _convolved(
    context: LayerContext,
    image: Image,
    arguments: Mapping[str, Any],
    outputs: int,
    groups: int,
) -> Value:
    """Padding, windows times weights, plus a bias for each output channel."""
    kernel, stride, dilation = (
        image.pair(arguments[name], name) for name in ("size", "stride", "dilation")
    )
    windows = Windows(kernel, stride, dilation)
    edges = image.edges(arguments["pad"], windows)
    _require_groups(image, outputs, groups)
    _require_room(image, windows, edges)
    inner = image.channels // groups
    weight = _weight(context, image, (*kernel, inner, outputs), arguments, fan_in=inner)
    operation = Convolution(stride, dilation, groups)
    y = context.build.add(operation, image.padded(edges), weight, name=image.word)
    if arguments["pad"] == "valid" and prod(kernel) > 1:
        size = "x".join(map(str, kernel[-image.dimensions :]))
        trimmed = windows.reach(1) - 1
        context.remark(f"no padding: a {size} kernel trims {trimmed}", "pad=same")
    return image.back(_with_bias(context, y, outputs, arguments["bias"]))


def _conv_transpose(
    context: LayerContext, operands: Sequence[Value], arguments: Mapping[str, Any]
) -> Value:
    """What a convolution does to gradients: every number spreads over a window of the result."""
    image = image_of(context.build, operands[0], "conv_transpose")
    outputs, groups = arguments["channels"], arguments["groups"]
    kernel, stride, dilation = (
        image.pair(arguments[name], name) for name in ("size", "stride", "dilation")
    )
    windows = Windows(kernel, stride, dilation)
    _require_groups(image, outputs, groups)
    size, edges = _spread_size(image, windows, arguments["pad"])
    inner = outputs // groups
    weight = _weight(context, image, (*kernel, inner, image.channels), arguments, fan_in=inner)
    operation = ConvolutionInputGradient(size, stride, dilation, groups)
    y = context.build.add(operation, image.value, weight, name="conv_transpose")
    y = image.cropped(y, edges)
    return image.back(_with_bias(context, y, outputs, arguments["bias"]))


def _spread_size(
    image: Image, windows: Windows, pad: str | int | Sequence[int]
) -> tuple[Pair, tuple[Edge, Edge]]:
    """Height and width over which windows spread, and what is cropped from them after."""
    size = [
        (count - 1) * windows.stride[axis] + windows.reach(axis)
        for axis, count in enumerate(image.size)
    ]
    if pad != "same":
        edges = image.edges(pad, windows)
    else:  # `stride` times the size: too much is cropped, too little is left zero at the end
        wanted = [count * step for count, step in zip(image.size, windows.stride, strict=True)]
        over = [max(0, size[axis] - wanted[axis]) for axis in (0, 1)]
        edges = (over[0] // 2, over[0] - over[0] // 2), (over[1] // 2, over[1] - over[1] // 2)
        size = [max(size[axis], wanted[axis]) for axis in (0, 1)]
    for axis in (0, 1):
        if size[axis] <= sum(edges[axis]):
            raise ShapeError(
                f"the padding crops {sum(edges[axis])} of {size[axis]} numbers: nothing is left"
            )
    return (size[0], size[1]), edges


def _require_groups(image: Image, outputs: int, groups: int) -> None:
    for count, what in ((image.channels, "channels of the input"), (outputs, "outputs")):
        if count % groups:
            raise ShapeError(
                f"`{image.word}` cannot cut {count} {what} into {groups} groups of equal size",
                "NN203",
                _common_groups(image.channels, outputs),
            )


def _common_groups(channels: int, outputs: int) -> str:
    most = gcd(channels, outputs)
    if most == 1:
        return f"groups=1: nothing else divides both {channels} and {outputs}"
    return f"a number of groups that divides {most}"


def _require_room(image: Image, windows: Windows, edges: tuple[Edge, Edge]) -> None:
    """NN201 where the kernel is larger than the padded image."""
    room = [image.size[axis] + sum(edges[axis]) for axis in (0, 1)]
    if any(windows.count(axis, room[axis]) < 1 for axis in (0, 1)):
        sizes = [
            "x".join(map(str, numbers[-image.dimensions :]))
            for numbers in ([windows.reach(0), windows.reach(1)], room)
        ]
        around = " with its padding" if any(map(any, edges)) else ""
        raise ShapeError(
            f"a kernel of {sizes[0]} does not fit into {sizes[1]}{around}",
            help="a smaller kernel, or `pad=same`",
        )


def _weight(
    context: LayerContext,
    image: Image,
    shape: tuple[int, int, int, int],
    arguments: Mapping[str, Any],
    fan_in: int,
) -> Value:
    """Weights [kh, kw, in / groups, out]; people see [out, in / groups, kh, kw], as in PyTorch."""
    taps = shape[0] * shape[1]
    own = shape if image.dimensions == 2 else shape[1:]
    axes = tuple(reversed(range(len(own)))) if image.dimensions == 1 else (3, 2, 0, 1)
    given = arguments["weights"]
    if isinstance(given, np.ndarray) and given.size == prod(own):
        given = given.reshape([own[axis] for axis in axes])
    weight = context.parameter(
        "weight",
        own,
        initializer=arguments["init"],
        values=given,
        fan_in=fan_in * taps,
        fan_out=shape[3] * taps,
        axes=axes,
    )
    return weight if own == shape else context.build.add(Reshape(shape), weight, name="weight")


def _with_bias(context: LayerContext, y: Value, outputs: int, bias: object) -> Value:
    if bias is False:
        return y
    start = 0.0 if bias is True else bias
    value = context.parameter("bias", (outputs,), values=start, decays=False)  # type: ignore[arg-type]
    return add_map(context.build, operand(0) + operand(1), y, value, name="bias")


SIZE = Sizes(doc="height and width of the kernel, or both in one", ge=1)
REST: dict[str, Parameter] = {"bias": BIAS, "init": INIT, "weights": WEIGHTS}

register(
    Layer(
        "conv",
        {
            "channels": Int(doc="how many channels come out", ge=1),
            "size": SIZE,
            "stride": STRIDE,
            "pad": PAD,
            "dilation": DILATION,
            "groups": Int(1, "channels are cut into as many groups that do not mix", ge=1),
            **REST,
        },
        "Every output is a sum over a small window of all channels, times weights that are the "
        "same at every place, plus a bias. Of an image (channels x height x width) or a signal "
        "(channels x length).",
        "LeCun et al. 1989, Backpropagation applied to handwritten zip code recognition",
        _conv,
    ),
    example="reshape(1x2x2) -> conv(8, 2, pad=same) -> relu",
)
register(
    Layer(
        "depthwise",
        {
            "size": SIZE,
            "stride": STRIDE,
            "pad": PAD,
            "dilation": DILATION,
            "multiplier": Int(1, "how many outputs each channel has", ge=1),
            **REST,
        },
        "A convolution of each channel alone; `conv(n, 1)` after it mixes the channels.",
        "Sifre 2014, Rigid-motion scattering for image classification",
        _depthwise,
    ),
    example="reshape(2x2x1) -> depthwise(1) -> conv(8, 1) -> relu",
)
register(
    Layer(
        "conv_transpose",
        {
            "channels": Int(doc="how many channels come out", ge=1),
            "size": SIZE,
            "stride": STRIDE,
            "pad": OneOf(
                "valid",
                "what is cropped from the edges of the result: as much as a convolution with this "
                "padding had added; `same`: so that the size becomes `stride` times the input's",
                PAD.options,
            ),
            "dilation": DILATION,
            "groups": Int(1, "channels are cut into as many groups that do not mix", ge=1),
            **REST,
        },
        "Every number spreads over a window of the result, times weights: with a stride, images "
        "grow. It is what a convolution does to gradients. Weights are in x out x height x width.",
        "Zeiler et al. 2010, Deconvolutional networks",
        _conv_transpose,
    ),
    example="reshape(1x2x2) -> conv_transpose(4, 2, stride=2) -> relu",
)
