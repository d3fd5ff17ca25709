"""Convolution of images and its two gradients; each gradient is made of the other two ops.

Channels are last: x [N, H, W, C], weights [kh, kw, C / groups, O], result [N, Ho, Wo, O]. There is
no padding (`nndsl.ops.padding.Pad` does it). Output channel o belongs to group o // (O / groups).
The weights are not turned round: what is called convolution in neural networks is correlation.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nndsl.ir.graph import Builder, Node, ShapeError, Value
from nndsl.ir.types import ElementType, TensorType, format_shape
from nndsl.ops.base import Clock, Fusion, Op
from nndsl.ops.shapes import known, require_element, require_operands
from nndsl.ops.windows import (
    Pair,
    Windows,
    channels_of,
    convolve,
    image_size,
    spread_convolution,
    windows_of,
)
from nndsl.records import dataclass
from nndsl.scalar.piece import Level, Piece, closed

IMAGE = TensorType(("N", 5, 6, 4))


class _Convolving(Op):
    """What the three ops have in common."""

    fusion = Fusion.CONTRACTION

    stride: Pair
    dilation: Pair
    groups: int

    def windows(self, kernel: Pair) -> Windows:
        """The windows that a kernel of this height and width looks at."""
        return Windows(kernel, self.stride, self.dilation)

    @property
    def forward(self) -> Convolution:
        """The convolution with the same options."""
        return Convolution(self.stride, self.dilation, self.groups)

    def _kernel(self, weights: TensorType, what: str) -> Pair:
        """Height and width of weights [kh, kw, C / groups, O]; O must be a multiple of groups."""
        require_element(weights, ElementType.REAL, what)
        _require_groups(_numbers(weights, what)[3], self.groups, "outputs")
        return _height_and_width(weights, what)


def _numbers(weights: TensorType, what: str) -> list[int]:
    """The four sizes of weights, all of them known."""
    numbers = [d for d in weights.shape if isinstance(d, int)]
    if weights.rank != 4 or len(numbers) != 4:
        raise ShapeError(f"the weights of {what} have 4 known sizes, not {weights}")
    return numbers


def _height_and_width(weights: TensorType, what: str = "a convolution") -> Pair:
    height, width, _, _ = _numbers(weights, what)
    return height, width


def _require_groups(channels: int, groups: int, what: str) -> None:
    if groups < 1 or channels % groups:
        raise ShapeError(f"{channels} {what} cannot be cut into {groups} equal groups", "NN203")


@dataclass(frozen=True)
class Convolution(_Convolving):
    """Every output is a sum over a window of its group's channels, times the weights."""

    stride: Pair = (1, 1)
    dilation: Pair = (1, 1)
    groups: int = 1

    name = "convolution"

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        """Channels and window must fit; else NN201 with the sizes."""
        require_operands(inputs, 2, "a convolution")
        x, weights = inputs
        image = image_size(x, "a convolution")
        kernel = self._kernel(weights, "a convolution")
        taken = channels_of(TensorType(weights.shape[:3])) * self.groups
        if channels_of(x) != taken:
            raise ShapeError(f"the image has {x.shape[-1]} channels, but the weights take {taken}")
        counts = self.windows(kernel).over(image, "a window")
        return (TensorType((x.shape[0], *counts, weights.shape[3])),)

    def meaning(self, inputs: Sequence[np.ndarray], clock: Clock) -> tuple[np.ndarray, ...]:
        """NumPy's tensordot of all windows with the weights."""
        x, weights = inputs
        return (convolve(x, weights, self.stride, self.dilation, self.groups),)

    def backward(self, build: Builder, node: Node, upstream: Value) -> Sequence[Value | None]:
        """The two companion ops."""
        (x, weights), dy = node.inputs, upstream
        size = image_size(x.type, "a convolution")
        kernel = self._kernel(weights.type, "a convolution")
        back = ConvolutionInputGradient(size, self.stride, self.dilation, self.groups)
        learn = ConvolutionWeightGradient(kernel, self.stride, self.dilation, self.groups)
        return (
            build.add(back, dy, weights, name="gradient"),
            build.add(learn, x, dy, name="gradient"),
        )

    def latex(self, operands: Sequence[Piece], types: Sequence[TensorType]) -> Sequence[Piece]:
        """W * x."""
        x, weights = (closed(part, Level.FRACTION) for part in operands)
        return ((rf"{weights} \ast {x}", Level.PRODUCT),)

    def flops(self, inputs: Sequence[TensorType]) -> int:
        """Two for each product that is added."""
        kh, kw, channels, _ = _numbers(inputs[1], "a convolution")
        return 2 * kh * kw * channels * known(self.infer(inputs)[0].shape)

    @classmethod
    def samples(cls) -> Sequence[tuple[Op, Sequence[TensorType]]]:
        """Plain, pointwise, strided with a rest, dilated, in groups, each channel alone."""
        return (
            (cls(), [IMAGE, TensorType((3, 2, 4, 3))]),
            (cls(), [IMAGE, TensorType((1, 1, 4, 3))]),
            (cls((2, 3)), [IMAGE, TensorType((2, 3, 4, 2))]),
            (cls((1, 1), (2, 1)), [IMAGE, TensorType((2, 3, 4, 2))]),
            (cls((2, 1), (1, 2), 2), [IMAGE, TensorType((3, 2, 2, 6))]),
            (cls(groups=4), [IMAGE, TensorType((3, 3, 1, 4))]),
            (cls(), [TensorType(("N", 1, 6, 2)), TensorType((1, 3, 2, 3))]),
        )


@dataclass(frozen=True)
class ConvolutionInputGradient(_Convolving):
    """dy [N, Ho, Wo, O] and the weights to [N, height, width, C]: a transposed convolution."""

    size: Pair
    stride: Pair = (1, 1)
    dilation: Pair = (1, 1)
    groups: int = 1

    name = "convolution_input_gradient"

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        """Windows over `size` must be as many as dy has rows and columns."""
        require_operands(inputs, 2, "a transposed convolution")
        dy, weights = inputs
        counts = image_size(dy, "a transposed convolution")
        kernel = self._kernel(weights, "a transposed convolution")
        if channels_of(dy) != weights.shape[3]:
            raise ShapeError(
                f"the image has {dy.shape[-1]} channels, but the weights take {weights.shape[3]}"
            )
        self.windows(kernel).require(self.size, counts, "a window")
        channels = channels_of(TensorType(weights.shape[:3])) * self.groups
        return (TensorType((dy.shape[0], *self.size, channels)),)

    def meaning(self, inputs: Sequence[np.ndarray], clock: Clock) -> tuple[np.ndarray, ...]:
        """For each place of the window a product, added where the window lay."""
        dy, weights = inputs
        options = (self.size, self.stride, self.dilation, self.groups)
        return (spread_convolution(dy, weights, *options),)

    def backward(self, build: Builder, node: Node, upstream: Value) -> Sequence[Value | None]:
        """A convolution, and the gradient of weights with image and result exchanged."""
        (dy, weights), given = node.inputs, upstream
        kernel = self._kernel(weights.type, "a transposed convolution")
        learn = ConvolutionWeightGradient(kernel, self.stride, self.dilation, self.groups)
        return (
            build.add(self.forward, given, weights, name="gradient"),
            build.add(learn, given, dy, name="gradient"),
        )

    def latex(self, operands: Sequence[Piece], types: Sequence[TensorType]) -> Sequence[Piece]:
        """The adjoint of W * x."""
        x, weights = (closed(part, Level.FRACTION) for part in operands)
        return ((rf"{{{weights}}}^{{\top}} \ast {x}", Level.PRODUCT),)

    def flops(self, inputs: Sequence[TensorType]) -> int:
        """As many as the convolution has."""
        return self.forward.flops([*self.infer(inputs), inputs[1]])

    @classmethod
    def samples(cls) -> Sequence[tuple[Op, Sequence[TensorType]]]:
        """Those of the convolution, among them sizes that the windows do not fill."""
        return tuple(
            (cls(image_size(x, "a sample"), **forward.options()), [*forward.infer([x, w]), w])
            for forward, (x, w) in Convolution.samples()
        )


@dataclass(frozen=True)
class ConvolutionWeightGradient(_Convolving):
    """x [N, H, W, C] and dy [N, Ho, Wo, O] to the gradient [kh, kw, C / groups, O] of weights."""

    kernel: Pair
    stride: Pair = (1, 1)
    dilation: Pair = (1, 1)
    groups: int = 1

    name = "convolution_weight_gradient"

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        """Windows over x must be as many as dy has rows and columns."""
        require_operands(inputs, 2, "the gradient of a convolution")
        x, dy = inputs
        image, counts = (image_size(t, "the gradient of a convolution") for t in inputs)
        channels, outputs = channels_of(x), channels_of(dy)
        _require_groups(channels, self.groups, "channels")
        _require_groups(outputs, self.groups, "outputs")
        if x.shape[0] != dy.shape[0]:
            raise ShapeError(
                f"{format_shape(x.shape)} and {format_shape(dy.shape)} are of unlike batches"
            )
        self.windows(self.kernel).require(image, counts, "a window")
        return (TensorType((*self.kernel, channels // self.groups, outputs)),)

    def meaning(self, inputs: Sequence[np.ndarray], clock: Clock) -> tuple[np.ndarray, ...]:
        """NumPy's tensordot of all windows with dy, over rows, height and width."""
        x, dy = inputs
        views = windows_of(x, self.kernel, self.stride, self.dilation)
        parts = [
            np.tensordot(view, part, axes=([0, 1, 2], [0, 1, 2])).transpose(1, 2, 0, 3)
            for view, part in zip(
                np.split(views, self.groups, axis=3),
                np.split(dy, self.groups, axis=3),
                strict=True,
            )
        ]
        return (np.concatenate(parts, axis=3),)

    def backward(self, build: Builder, node: Node, upstream: Value) -> Sequence[Value | None]:
        """The gradient takes the place of the weights in the two other ops."""
        (x, dy), given = node.inputs, upstream
        size = image_size(x.type, "the gradient of a convolution")
        back = ConvolutionInputGradient(size, self.stride, self.dilation, self.groups)
        return (
            build.add(back, dy, given, name="gradient"),
            build.add(self.forward, x, given, name="gradient"),
        )

    def flops(self, inputs: Sequence[TensorType]) -> int:
        """As many as the convolution has."""
        return self.forward.flops([inputs[0], *self.infer(inputs)])

    @classmethod
    def samples(cls) -> Sequence[tuple[Op, Sequence[TensorType]]]:
        """Those of the convolution."""
        return tuple(
            (cls(_height_and_width(w), **forward.options()), [x, *forward.infer([x, w])])
            for forward, (x, w) in Convolution.samples()
        )
