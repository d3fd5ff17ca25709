"""Layers without weights that change the size of images: upsample, pad, crop, and reshape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from nndsl.ir.graph import ShapeError, Value
from nndsl.ir.types import format_shape
from nndsl.ops.reduction import Broadcast, Reshape
from nndsl.ops.windows import Windows
from nndsl.params import Real, Sizes
from nndsl.vocab.kinds import Layer, LayerContext
from nndsl.vocab.layers.images import image_of, several
from nndsl.vocab.registry import register

POINT = Windows((1, 1))


def _upsample(
    context: LayerContext, operands: Sequence[Value], arguments: Mapping[str, Any]
) -> Value:
    build = context.build
    image = image_of(build, operands[0], "upsample")
    down, across = image.pair(arguments["factor"], "factor")
    batch, height, width, channels = image.value.type.shape
    apart = build.add(Reshape((batch, height, 1, width, 1, channels)), image.value, name="apart")
    repeated = build.add(
        Broadcast((batch, height, down, width, across, channels)), apart, name="repeated"
    )
    size = image.size
    whole = Reshape((batch, size[0] * down, size[1] * across, channels))
    return image.back(build.add(whole, repeated, name="upsample"))


def _pad(context: LayerContext, operands: Sequence[Value], arguments: Mapping[str, Any]) -> Value:
    image = image_of(context.build, operands[0], "pad")
    edges = image.edges(arguments["sizes"], POINT)
    return image.back(image.padded(edges, arguments["value"]))


def _crop(context: LayerContext, operands: Sequence[Value], arguments: Mapping[str, Any]) -> Value:
    image = image_of(context.build, operands[0], "crop")
    edges = image.edges(arguments["sizes"], POINT)
    for size, edge in zip(image.size, edges, strict=True):
        if size <= sum(edge):
            raise ShapeError(f"`crop` takes {sum(edge)} of {size} numbers: nothing is left")
    return image.back(image.cropped(image.value, edges))


def _reshape(
    context: LayerContext, operands: Sequence[Value], arguments: Mapping[str, Any]
) -> Value:
    (x,) = operands
    shape = tuple(several(arguments["shape"]))
    known = [size for size in x.type.shape[1:] if isinstance(size, int)]
    if len(known) == x.type.rank - 1 and prod(known) != prod(shape):
        raise ShapeError(
            f"{format_shape(x.type.shape)} does not fill {format_shape(shape)}: "
            f"{prod(known)} and {prod(shape)} numbers"
        )
    return context.build.add(Reshape((x.type.shape[0], *shape)), x, name="reshape")


SIDES = "for all sides, height and width, or top, bottom, left and right"

register(
    Layer(
        "upsample",
        {"factor": Sizes(2, "how often each number is repeated, down and across", ge=1)},
        "Every number of an image or signal is repeated: images grow without weights.",
        "torch.nn.Upsample",
        _upsample,
        transparent=True,
    ),
    example="reshape(1x2x2) -> upsample(2)",
)
register(
    Layer(
        "pad",
        {
            "sizes": Sizes(doc=f"how many numbers {SIDES}", ge=0, counts=(1, 2, 4)),
            "value": Real(0.0, "the number that is put there"),
        },
        "Numbers around an image or signal.",
        "torch.nn.ConstantPad2d",
        _pad,
        transparent=True,
    ),
    example="reshape(1x2x2) -> pad(1)",
)
register(
    Layer(
        "crop",
        {"sizes": Sizes(doc=f"how many numbers {SIDES}", ge=0, counts=(1, 2, 4))},
        "An image or signal without its edges.",
        "Keras, Cropping2D",
        _crop,
        transparent=True,
    ),
    example="reshape(1x4x1) -> crop([1, 0])",
)
register(
    Layer(
        "reshape",
        {"shape": Sizes(doc="the sizes of one example, such as `1x28x28`", ge=1, counts=())},
        "The same numbers under another shape, the last axis running fastest.",
        "torch.reshape",
        _reshape,
        transparent=True,
    ),
    example="reshape(1x2x2) -> conv(8, 2)",
)
