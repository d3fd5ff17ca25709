"""Pad and Crop: numbers around a tensor, and a part of it. Each is the other's gradient."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nndsl.ir.graph import Builder, Node, ShapeError, Value
from nndsl.ir.types import TensorType
from nndsl.ops.base import Clock, Op
from nndsl.ops.reduction import Move
from nndsl.ops.shapes import Shape, format_full, require_operands
from nndsl.records import dataclass
from nndsl.scalar.piece import Piece

IMAGE = TensorType(("N", 3, 4, 2))


class _Edging(Move):
    """What both have in common: how many numbers stand before and behind along every axis."""

    before: tuple[int, ...]
    behind: tuple[int, ...]

    def latex(self, operands: Sequence[Piece], types: Sequence[TensorType]) -> Sequence[Piece]:
        """What stands at the edges is not shown."""
        return operands

    def _resized(self, type: TensorType, sign: int, what: str) -> TensorType:
        """The type with the counts added or taken away; sizes that change must be known."""
        counts = (*self.before, *self.behind)
        if len(self.before) != type.rank or len(self.behind) != type.rank or min(counts) < 0:
            raise ShapeError(f"{what} {format_full(type.shape)} needs counts for all axes")
        shape: Shape = ()
        for size, before, behind in zip(type.shape, self.before, self.behind, strict=True):
            if isinstance(size, str):
                if before or behind:
                    raise ShapeError(f"{what} along {size}: its size is not known here", "NN202")
            else:
                size += sign * (before + behind)
                if size < 1:
                    raise ShapeError(f"{what} {format_full(type.shape)} leaves nothing")
            shape = (*shape, size)
        return TensorType(shape, type.element)


@dataclass(frozen=True)
class Pad(_Edging):
    """The operand with numbers `value` around it: `before` and `behind` along each axis."""

    before: tuple[int, ...]
    behind: tuple[int, ...]
    value: float = 0.0

    name = "pad"

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        """A larger tensor."""
        require_operands(inputs, 1, "padding")
        return (self._resized(inputs[0], 1, "padding"),)

    def meaning(self, inputs: Sequence[np.ndarray], clock: Clock) -> tuple[np.ndarray, ...]:
        """NumPy's pad."""
        (x,) = inputs
        widths = list(zip(self.before, self.behind, strict=True))
        return (np.pad(x, widths, constant_values=x.dtype.type(self.value)),)

    def backward(self, build: Builder, node: Node, upstream: Value) -> Sequence[Value | None]:
        """The inner part of the upstream gradient."""
        return (build.add(Crop(self.before, self.behind), upstream, name="gradient"),)

    def after(self, earlier: Op, inputs: Sequence[TensorType]) -> Op | None:
        """Padding twice with one value is padding once."""
        if not isinstance(earlier, Pad) or earlier.value != self.value:
            return None
        return Pad(*_sums(self, earlier), self.value)

    def reordered(self, axes: tuple[int, ...]) -> tuple[Op, tuple[int, ...]] | None:
        """The counts with their axes."""
        return Pad(*_turned(self, axes), self.value), axes

    @classmethod
    def samples(cls) -> Sequence[tuple[Op, Sequence[TensorType]]]:
        """Around an image, on one side of a list, nothing at all."""
        return (
            (cls((0, 1, 2, 0), (0, 1, 1, 0)), [IMAGE]),
            (cls((0, 0), (0, 3), -1.5), [TensorType(("N", 2))]),
            (cls((1, 0), (0, 2), 2.5), [TensorType((2, 3))]),
            (cls((0, 0), (0, 0)), [TensorType(("N", 2))]),
        )


@dataclass(frozen=True)
class Crop(_Edging):
    """The operand without `before` numbers at the start and `behind` at the end of each axis."""

    before: tuple[int, ...]
    behind: tuple[int, ...]

    name = "crop"

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        """A smaller tensor, of which something must be left."""
        require_operands(inputs, 1, "cropping")
        return (self._resized(inputs[0], -1, "cropping"),)

    def meaning(self, inputs: Sequence[np.ndarray], clock: Clock) -> tuple[np.ndarray, ...]:
        """NumPy's slices, copied."""
        (x,) = inputs
        sizes = zip(self.before, self.behind, x.shape, strict=True)
        return (x[tuple(slice(a, size - b) for a, b, size in sizes)].copy(),)

    def backward(self, build: Builder, node: Node, upstream: Value) -> Sequence[Value | None]:
        """Zeros around the upstream gradient."""
        return (build.add(Pad(self.before, self.behind), upstream, name="gradient"),)

    def after(self, earlier: Op, inputs: Sequence[TensorType]) -> Op | None:
        """Cropping twice is cropping once; cropping what padding added is nothing."""
        if isinstance(earlier, Crop):
            return Crop(*_sums(self, earlier))
        edges = self.before, self.behind
        if not isinstance(earlier, Pad) or edges != (earlier.before, earlier.behind):
            return None
        none = (0,) * len(self.before)
        return Crop(none, none)

    def reordered(self, axes: tuple[int, ...]) -> tuple[Op, tuple[int, ...]] | None:
        """The counts with their axes."""
        return Crop(*_turned(self, axes)), axes

    @classmethod
    def samples(cls) -> Sequence[tuple[Op, Sequence[TensorType]]]:
        """An image, one side of a list, nothing at all."""
        return (
            (cls((0, 1, 1, 0), (0, 1, 2, 0)), [IMAGE]),
            (cls((0, 0), (0, 3)), [TensorType(("N", 4))]),
            (cls((1, 0), (0, 2)), [TensorType((3, 3))]),
            (cls((0, 0), (0, 0)), [TensorType(("N", 2))]),
        )


def _sums(one: _Edging, other: _Edging) -> tuple[tuple[int, ...], tuple[int, ...]]:
    before = tuple(a + b for a, b in zip(one.before, other.before, strict=True))
    return before, tuple(a + b for a, b in zip(one.behind, other.behind, strict=True))


def _turned(op: _Edging, axes: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Counts of the axes before they were put into the order `axes`."""
    places = [axes.index(a) for a in range(len(axes))]
    return tuple(op.before[a] for a in places), tuple(op.behind[a] for a in places)
