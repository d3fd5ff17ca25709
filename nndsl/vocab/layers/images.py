"""What layers over images and signals have in common: their axes, windows and edges.

People see channels first: an image is channels x height x width, a signal channels x length.
Operations take channels last, [N, H, W, C], a signal as an image of height 1. Of two sizes the
first is the channels, unless it is a name: [T, 9] is a sequence of rows of features.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nndsl.ir.graph import Builder, ShapeError, Value
from nndsl.ir.types import BATCH, Dimension, ElementType, TensorType, format_shape
from nndsl.ops.movement import Transpose
from nndsl.ops.padding import Crop, Pad
from nndsl.ops.reduction import Reshape
from nndsl.ops.windows import Pair, Windows
from nndsl.params import Choice, OneOf, Sizes
from nndsl.records import dataclass
from nndsl.vocab.layers.sequences import is_sequence

Edge = tuple[int, int]
"""How many numbers stand before and behind along one axis."""

NO_EDGES: tuple[Edge, Edge] = ((0, 0), (0, 0))

PAD = OneOf(
    "valid",
    "numbers around the image before the windows are laid: `valid` none, `same` as many as keep "
    "the size (with stride 1), `full` all that a window can reach; a number for all sides, height "
    "and width, or top, bottom, left and right",
    (Choice(choices=("same", "valid", "full")), Sizes(ge=0, counts=(1, 2, 4))),
)
STRIDE = Sizes(1, "from one window to the next", ge=1)
DILATION = Sizes(1, "from one number of a window to the next", ge=1)


@dataclass(frozen=True)
class Image:
    """An image or signal with its axes turned: `value` [N, H, W, C]; `dimensions` 2 or 1."""

    build: Builder
    value: Value
    dimensions: int
    word: str

    @property
    def size(self) -> Pair:
        """Height and width."""
        height, width = self.value.type.shape[1:3]
        assert isinstance(height, int) and isinstance(width, int)  # image_of has seen to it
        return height, width

    @property
    def channels(self) -> int:
        """How many channels."""
        channels = self.value.type.shape[3]
        assert isinstance(channels, int)
        return channels

    def pair(self, sizes: int | Sequence[int], argument: str) -> Pair:
        """One number for all dimensions or one for each, as height and width."""
        sizes = several(sizes)
        if len(sizes) not in (1, self.dimensions):
            raise ShapeError(
                f"`{argument}` of `{self.word}` has {len(sizes)} numbers, a signal has one length",
                "NN202",
            )
        return (1 if self.dimensions == 1 else sizes[0], sizes[-1])

    def edges(self, pad: str | int | Sequence[int], windows: Windows) -> tuple[Edge, Edge]:
        """Numbers before and behind along height and width."""
        if isinstance(pad, str):
            down, across = (windows.reach(axis) - 1 for axis in (0, 1))
            if pad == "same":
                return _halves(down), _halves(across)
            return ((down, down), (across, across)) if pad == "full" else NO_EDGES
        pad = several(pad)
        if self.dimensions == 1:
            if len(pad) == 4:
                raise ShapeError(f"a signal has two ends, `pad` of `{self.word}` 4", "NN202")
            return (0, 0), (pad[0], pad[-1])
        if len(pad) == 4:
            return (pad[0], pad[1]), (pad[2], pad[3])
        return (pad[0], pad[0]), (pad[-1], pad[-1])

    def padded(self, edges: tuple[Edge, Edge], value: float = 0.0) -> Value:
        """The image with numbers around it."""
        if edges == NO_EDGES:
            return self.value
        (top, bottom), (left, right) = edges
        return self.build.add(
            Pad((0, top, left, 0), (0, bottom, right, 0), value), self.value, name="pad"
        )

    def cropped(self, value: Value, edges: tuple[Edge, Edge]) -> Value:
        """A result without the numbers at its edges."""
        if edges == NO_EDGES:
            return value
        (top, bottom), (left, right) = edges
        return self.build.add(Crop((0, top, left, 0), (0, bottom, right, 0)), value, name="crop")

    def back(self, value: Value) -> Value:
        """A result [N, H, W, C] as people see it."""
        return channels_first(self.build, value, self.dimensions)


def several(sizes: int | Sequence[int]) -> Sequence[int]:
    """One number as a list of it."""
    return (sizes,) if isinstance(sizes, int) else sizes


def _halves(total: int) -> Edge:
    """As even as possible, the rest behind, as PyTorch does."""
    return total // 2, total - total // 2


def image_of(build: Builder, x: Value, word: str) -> Image:
    """The operand of a layer as an image; NN202 where it is none, or its sizes are not known."""
    type = x.type
    shape = format_shape(type.shape)
    if type.element is not ElementType.REAL or type.shape[:1] != (BATCH,) or type.rank < 3:
        raise ShapeError(
            f"`{word}` takes an image (channels x height x width) or a signal (channels x "
            f"length), not {shape}",
            "NN202",
            _square(type),
        )
    if type.rank > 4:
        raise ShapeError(f"`{word}` takes images of two dimensions, not {shape}", "NN202")
    if any(isinstance(size, str) for size in type.shape[1:]):
        raise ShapeError(
            f"`{word}` needs sizes that are known, not {shape}",
            "NN202",
            f"a sequence is read by `gru` or `attention`, `{word}` reads signals, channels x length"
            if is_sequence(type.shape)
            else "numbers for height and width, such as `input image: 1x32x32`",
        )
    return Image(build, channels_last(build, x), type.rank - 2, word)


def _square(type: TensorType) -> str:
    """The remedy for a list of numbers that would fill a square image."""
    size = type.shape[-1] if type.rank == 2 else 0
    side = round(size**0.5) if isinstance(size, int) else 0
    return f"reshape(1x{side}x{side}) first" if side > 1 and side * side == size else ""


def channels_last(build: Builder, x: Value) -> Value:
    """An image [N, C, H, W] or signal [N, C, L] as [N, H, W, C]."""
    if x.type.rank == 4:
        return build.add(Transpose((0, 2, 3, 1)), x, name="turned")
    batch, channels, length = x.type.shape
    turned = build.add(Transpose((0, 2, 1)), x, name="turned")
    return build.add(Reshape((batch, 1, length, channels)), turned, name="turned")


def channels_first(build: Builder, value: Value, dimensions: int) -> Value:
    """What `channels_last` undoes."""
    if dimensions == 2:
        return build.add(Transpose((0, 3, 1, 2)), value, name="turned")
    batch, _, length, channels = value.type.shape
    flat = build.add(Reshape((batch, length, channels)), value, name="turned")
    return build.add(Transpose((0, 2, 1)), flat, name="turned")


def is_channels_first(shape: Sequence[Dimension]) -> bool:
    """Whether the axis after the batch is the channels, of an image or a signal."""
    return len(shape) == 4 or (len(shape) == 3 and isinstance(shape[1], int))


def feature_axis(x: Value) -> int:
    """The axis of the features: channels of images and signals, else the last."""
    return 1 if is_channels_first(x.type.shape) else x.type.rank - 1


def by_feature(build: Builder, x: Value, value: Value) -> Value:
    """A list of a number for each feature of x, shaped so that it goes with x."""
    trailing = x.type.rank - 1 - feature_axis(x)
    if trailing == 0 or value.type.shape == (1,):
        return value
    return build.add(Reshape((*value.type.shape, *[1] * trailing)), value, name=value.name)


def windows_of(image: Image, arguments: Mapping[str, Any]) -> Windows:
    """The windows that `size`, `stride` (left out: the size) and `dilation` describe."""
    size = image.pair(arguments["size"], "size")
    stride = image.pair(arguments["stride"] or arguments["size"], "stride")
    return Windows(size, stride, image.pair(arguments.get("dilation", 1), "dilation"))
