"""Pooling: the greatest number or the sum of every window, channel by channel; with gradients.

Images are [N, H, W, C]. Windows lie wholly within the image (`nndsl.ops.padding.Pad` comes first:
with -infinity before a maximum) and may overlap.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nndsl.ir.graph import Builder, Node, ShapeError, Value
from nndsl.ir.types import ElementType, TensorType, format_shape
from nndsl.ops.base import Clock, Fusion, Op
from nndsl.ops.shapes import known, require_operands
from nndsl.ops.windows import Pair, Windows, image_size, pool_maximum, pool_sum, taps_of, windows_of
from nndsl.records import dataclass

IMAGE = TensorType(("N", 5, 6, 2))
SIZES: tuple[tuple[Pair, Pair, Pair], ...] = (
    ((2, 2), (2, 2), (1, 1)),
    ((3, 2), (1, 2), (1, 1)),
    ((2, 3), (2, 1), (2, 1)),
    ((1, 3), (1, 3), (1, 1)),
)
"""Sizes, strides and dilations for samples: apart, overlapping, dilated, of one dimension."""


class _Windowed(Op):
    """What ops on windows have in common."""

    fusion = Fusion.GATHER

    size: Pair
    stride: Pair
    dilation: Pair

    @property
    def windows(self) -> Windows:
        """The windows."""
        return Windows(self.size, self.stride, self.dilation)

    def _options(self) -> tuple[Pair, Pair, Pair]:
        return self.size, self.stride, self.dilation


@dataclass(frozen=True)
class _Pooling(_Windowed):
    """Base of what makes one number of every window and channel."""

    size: Pair
    stride: Pair
    dilation: Pair = (1, 1)

    def _pooled(self, x: TensorType) -> TensorType:
        counts = self.windows.over(image_size(x, "pooling"), "a window")
        return TensorType((x.shape[0], *counts, x.shape[3]))

    @classmethod
    def samples(cls) -> Sequence[tuple[Op, Sequence[TensorType]]]:
        """Windows apart, overlapping, dilated, of one dimension."""
        return tuple((cls(*sizes), [IMAGE]) for sizes in SIZES)


@dataclass(frozen=True)
class _Unpooling(_Windowed):
    """Base of what brings numbers of windows back to an image of height and width `image`."""

    image: Pair
    size: Pair
    stride: Pair
    dilation: Pair = (1, 1)

    def _unpooled(self, dy: TensorType) -> TensorType:
        counts = image_size(dy, "the gradient of pooling")
        self.windows.require(self.image, counts, "a window")
        return TensorType((dy.shape[0], *self.image, dy.shape[3]))


def _require_index(values: TensorType, index: TensorType) -> None:
    image_size(index, "the places of a maximum", ElementType.INDEX)
    if index.shape != values.shape:
        raise ShapeError(
            f"{format_shape(values.shape)} and places {format_shape(index.shape)} differ", "NN203"
        )


@dataclass(frozen=True)
class MaxPool(_Pooling):
    """The first greatest number of every window, and its place in the window (row-major).

    A number that is not one wins, as in PyTorch. The whole gradient goes to the place.
    """

    name = "max_pool"

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        """Numbers, and places as INDEX."""
        require_operands(inputs, 1, "pooling")
        result = self._pooled(inputs[0])
        return (result, TensorType(result.shape, ElementType.INDEX))

    def meaning(self, inputs: Sequence[np.ndarray], clock: Clock) -> tuple[np.ndarray, ...]:
        """NumPy's argmax of all windows."""
        return pool_maximum(inputs[0], *self._options())

    def backward(self, build: Builder, node: Node, upstream: Value) -> Sequence[Value | None]:
        """The upstream gradient at the place of each maximum, added up where windows overlap."""
        image = image_size(node.inputs[0].type, "pooling")
        back = MaxPoolGradient(image, *self._options())
        return (build.add(back, upstream, node.outputs[1], name="gradient"),)

    def flops(self, inputs: Sequence[TensorType]) -> int:
        """One comparison for each number of a window."""
        return self.size[0] * self.size[1] * known(self._pooled(inputs[0]).shape)


@dataclass(frozen=True)
class MaxPoolGradient(_Unpooling):
    """dy [N, Ho, Wo, C] and places: each number added at its place in an image of zeros."""

    name = "max_pool_gradient"

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        """Windows over `image` must be as many as dy has rows and columns."""
        require_operands(inputs, 2, "the gradient of pooling")
        _require_index(*inputs)
        return (self._unpooled(inputs[0]),)

    def meaning(self, inputs: Sequence[np.ndarray], clock: Clock) -> tuple[np.ndarray, ...]:
        """For each place of the window the numbers that belong there."""
        dy, index = inputs
        dx = np.zeros((len(dy), *self.image, dy.shape[3]), dy.dtype)
        for number, (i, j) in enumerate(np.ndindex(*self.size)):
            rows, columns = i * self.dilation[0], j * self.dilation[1]
            place = taps_of(dx, rows, columns, dy.shape[1:3], self.stride)
            place += np.where(index == number, dy, dy.dtype.type(0))
        return (dx,)

    def backward(self, build: Builder, node: Node, upstream: Value) -> Sequence[Value | None]:
        """The number at each place; places have none."""
        pick = PoolPick(*self._options())
        return build.add(pick, upstream, node.inputs[1], name="gradient"), None

    def flops(self, inputs: Sequence[TensorType]) -> int:
        """One addition for each window."""
        return known(inputs[0].shape)

    @classmethod
    def samples(cls) -> Sequence[tuple[Op, Sequence[TensorType]]]:
        """Those of the maximum."""
        return tuple(
            (cls(image_size(IMAGE, "a sample"), *sizes), MaxPool(*sizes).infer([IMAGE]))
            for sizes in SIZES
        )


@dataclass(frozen=True)
class PoolPick(_Pooling):
    """The number of x [N, H, W, C] at a given place of every window: [N, Ho, Wo, C]."""

    name = "pool_pick"

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        """A place for every window and channel."""
        require_operands(inputs, 2, "picking from windows")
        result = self._pooled(inputs[0])
        _require_index(result, inputs[1])
        return (result,)

    def meaning(self, inputs: Sequence[np.ndarray], clock: Clock) -> tuple[np.ndarray, ...]:
        """take_along_axis of all windows."""
        x, index = inputs
        views = windows_of(x, *self._options())
        flat = views.reshape(*views.shape[:4], -1)
        return (np.take_along_axis(flat, index[..., None].astype(np.int64), axis=-1)[..., 0],)

    def backward(self, build: Builder, node: Node, upstream: Value) -> Sequence[Value | None]:
        """As for a maximum."""
        image = image_size(node.inputs[0].type, "picking from windows")
        back = MaxPoolGradient(image, *self._options())
        return build.add(back, upstream, node.inputs[1], name="gradient"), None

    @classmethod
    def samples(cls) -> Sequence[tuple[Op, Sequence[TensorType]]]:
        """Those of the maximum."""
        return tuple((cls(*sizes), [IMAGE, MaxPool(*sizes).infer([IMAGE])[1]]) for sizes in SIZES)


@dataclass(frozen=True)
class SumPool(_Pooling):
    """The sum of every window; a mean is this divided by a count."""

    name = "sum_pool"

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        """One number for every window and channel."""
        require_operands(inputs, 1, "pooling")
        return (self._pooled(inputs[0]),)

    def meaning(self, inputs: Sequence[np.ndarray], clock: Clock) -> tuple[np.ndarray, ...]:
        """Sums are taken in float64, then rounded once."""
        return (pool_sum(inputs[0], *self._options()),)

    def backward(self, build: Builder, node: Node, upstream: Value) -> Sequence[Value | None]:
        """The upstream gradient at every number of the window."""
        image = image_size(node.inputs[0].type, "pooling")
        back = SumPoolGradient(image, *self._options())
        return (build.add(back, upstream, name="gradient"),)

    def flops(self, inputs: Sequence[TensorType]) -> int:
        """One addition for each number of a window."""
        return self.size[0] * self.size[1] * known(self._pooled(inputs[0]).shape)


@dataclass(frozen=True)
class SumPoolGradient(_Unpooling):
    """dy [N, Ho, Wo, C]: each number added to all of its window, in an image of zeros."""

    name = "sum_pool_gradient"

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        """Windows over `image` must be as many as dy has rows and columns."""
        require_operands(inputs, 1, "the gradient of pooling")
        return (self._unpooled(inputs[0]),)

    def meaning(self, inputs: Sequence[np.ndarray], clock: Clock) -> tuple[np.ndarray, ...]:
        """For each place of the window all numbers, added where they belong."""
        (dy,) = inputs
        dx = np.zeros((len(dy), *self.image, dy.shape[3]), dy.dtype)
        for i, j in np.ndindex(*self.size):
            rows, columns = i * self.dilation[0], j * self.dilation[1]
            place = taps_of(dx, rows, columns, dy.shape[1:3], self.stride)
            place += dy
        return (dx,)

    def backward(self, build: Builder, node: Node, upstream: Value) -> Sequence[Value | None]:
        """The sums of the windows."""
        return (build.add(SumPool(*self._options()), upstream, name="gradient"),)

    def flops(self, inputs: Sequence[TensorType]) -> int:
        """One addition for each number of a window."""
        return self.size[0] * self.size[1] * known(inputs[0].shape)

    @classmethod
    def samples(cls) -> Sequence[tuple[Op, Sequence[TensorType]]]:
        """Those of the sum."""
        return tuple(
            (cls(image_size(IMAGE, "a sample"), *sizes), SumPool(*sizes).infer([IMAGE]))
            for sizes in SIZES
        )
