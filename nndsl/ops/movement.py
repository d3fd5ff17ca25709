"""Movement: ops that compute nothing. The gradient of each is a movement too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from nndsl.ir.graph import Builder, Node, ShapeError, Value
from nndsl.ir.types import BATCH, Dimension, TensorType, format_shape, resolved, shortened
from nndsl.ops.base import Clock, Fusion, Op
from nndsl.ops.reduction import Broadcast, Move
from nndsl.ops.shapes import actual, format_full, require_operands
from nndsl.ops.source import Constant
from nndsl.records import dataclass
from nndsl.scalar.piece import Level, Piece


@dataclass(frozen=True)
class Transpose(Move):
    """Axes in another order: result axis i is operand axis `axes[i]`."""

    axes: tuple[int, ...]

    name = "transpose"

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        """Every axis once."""
        require_operands(inputs, 1, "a transposition")
        (type,) = inputs
        if sorted(self.axes) != list(range(type.rank)):
            raise ShapeError(f"{format_full(type.shape)} cannot be transposed to {self.axes}")
        return (TensorType(tuple(type.shape[a] for a in self.axes), type.element),)

    def meaning(self, inputs: Sequence[np.ndarray], clock: Clock) -> tuple[np.ndarray, ...]:
        """NumPy's transpose, copied."""
        return (np.ascontiguousarray(inputs[0].transpose(self.axes)),)

    def backward(self, build: Builder, node: Node, upstream: Value) -> Sequence[Value | None]:
        """The inverse transposition."""
        inverse = tuple(self.axes.index(a) for a in range(len(self.axes)))
        return (build.add(Transpose(inverse), upstream, name="gradient"),)

    def is_identity(self, inputs: Sequence[TensorType]) -> bool:
        """Whether the axes keep their order."""
        return self.axes == tuple(range(len(self.axes)))

    def after(self, earlier: Op, inputs: Sequence[TensorType]) -> Op | None:
        """Two transpositions are one."""
        if not isinstance(earlier, Transpose):
            return None
        return Transpose(tuple(earlier.axes[a] for a in self.axes))

    def latex(self, operands: Sequence[Piece], types: Sequence[TensorType]) -> Sequence[Piece]:
        """Another order of the axes of one example is not shown."""
        is_inner = types[0].shape[:1] == (BATCH,) and self.axes[:1] == (0,)
        return operands if is_inner else super().latex(operands, types)

    @classmethod
    def samples(cls) -> Sequence[tuple[Op, Sequence[TensorType]]]:
        """A matrix, and a cycle of three axes."""
        return (
            (cls((1, 0)), [TensorType((3, 4))]),
            (cls((2, 0, 1)), [TensorType(("N", 2, 3))]),
        )


@dataclass(frozen=True)
class Slice(Move):
    """Elements `start` to `stop` - 1 along an axis whose size is a number.

    `stop` may be the name of a size, until it is bound to a number: so many from the first on, or
    of an axis of that size all from `start` on, or all but its last (`T-1`).
    """

    axis: int
    start: int
    stop: Dimension

    name = "slice"

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        """The part must lie within the axis."""
        require_operands(inputs, 1, "a part of a tensor")
        (type,) = inputs
        size = type.shape[self.axis] if 0 <= self.axis < type.rank else 0
        length = self._length(size)
        if length is None:
            raise ShapeError(
                f"{format_full(type.shape)} has no part {self.start + 1}..{self.stop} "
                f"along axis {self.axis}"
            )
        return (TensorType(sized(type.shape, self.axis, length), type.element),)

    def _length(self, size: Dimension) -> Dimension | None:
        """How long the part is, of an axis of this size; None where it does not lie within."""
        start, stop = self.start, self.stop
        if isinstance(stop, int):
            return stop - start if isinstance(size, int) and 0 <= start < stop <= size else None
        if isinstance(size, int):
            return stop if start == 0 else None
        if start == 0 and stop.partition("-")[0] == size:
            return stop
        return shortened(size, start) if start > 0 and stop == size else None

    def meaning(self, inputs: Sequence[np.ndarray], clock: Clock) -> tuple[np.ndarray, ...]:
        """NumPy's slice, copied."""
        (stop,) = actual((self.stop,), clock.sizes)
        return (np.take(inputs[0], range(self.start, stop), axis=self.axis),)

    def backward(self, build: Builder, node: Node, upstream: Value) -> Sequence[Value | None]:
        """Zeros around the upstream gradient."""
        type = node.inputs[0].type
        size, stop = type.shape[self.axis], self.stop
        if isinstance(stop, str):
            raise ShapeError(f"the size {stop} is not known")
        assert isinstance(size, int)  # infer has seen to it
        parts = [
            zeros(build, TensorType(sized(type.shape, self.axis, self.start), type.element)),
            upstream,
            zeros(build, TensorType(sized(type.shape, self.axis, size - stop), type.element)),
        ]
        kept = [p for p in parts if p.type.shape[self.axis] != 0]
        return (build.add(Concat(self.axis), *kept, name="gradient"),)

    def after(self, earlier: Op, inputs: Sequence[TensorType]) -> Op | None:
        """A part of a part along the same axis is a part."""
        if not isinstance(earlier, Slice) or earlier.axis != self.axis:
            return None
        if isinstance(self.stop, str):
            return None
        return Slice(self.axis, earlier.start + self.start, earlier.start + self.stop)

    def bound(self, sizes: Mapping[str, int]) -> Op:
        """The part that ends at a number."""
        return Slice(self.axis, self.start, resolved(self.stop, sizes))

    def reordered(self, axes: tuple[int, ...]) -> tuple[Op, tuple[int, ...]] | None:
        """The part along the axis where it is now."""
        return Slice(axes[self.axis], self.start, self.stop), axes

    def latex(self, operands: Sequence[Piece], types: Sequence[TensorType]) -> Sequence[Piece]:
        """The places that are taken, counted from 1."""
        first, last = self.start + 1, self.stop
        return ((rf"\left[{operands[0][0]}\right]_{{{first} \ldots {last}}}", Level.LEAF),)

    @classmethod
    def samples(cls) -> Sequence[tuple[Op, Sequence[TensorType]]]:
        """The middle, the start, and the whole."""
        matrix = TensorType(("N", 4))
        return (
            (cls(1, 1, 3), [matrix]),
            (cls(1, 0, 1), [matrix]),
            (cls(1, 0, 4), [matrix]),
            (cls(0, 2, 3), [TensorType((3, 2))]),
        )


@dataclass(frozen=True)
class Concat(Op):
    """Tensors one after the other along an axis whose sizes are numbers."""

    axis: int

    name = "concat"
    fusion = Fusion.MOVE

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        """All other axes must agree."""
        if not inputs or not 0 <= self.axis < inputs[0].rank:
            raise ShapeError(f"nothing can be joined along axis {self.axis}")
        sizes = []
        for type in inputs:
            sizes.append(self._size(type, inputs[0]))
        return (TensorType(sized(inputs[0].shape, self.axis, sum(sizes)), inputs[0].element),)

    def _size(self, type: TensorType, first: TensorType) -> int:
        shape = type.shape
        size = shape[self.axis] if self.axis < type.rank else None
        if size is None or sized(shape, self.axis, 1) != sized(first.shape, self.axis, 1):
            raise ShapeError(
                f"cannot join {format_shape(first.shape)} and {format_shape(shape)}: "
                "they differ in more than the joined axis",
                "NN203",
            )
        if not isinstance(size, int) or type.element is not first.element:
            along = "rows" if size == BATCH else str(size)
            raise ShapeError(f"cannot join along {along}: its size is not known here", "NN203")
        return size

    def meaning(self, inputs: Sequence[np.ndarray], clock: Clock) -> tuple[np.ndarray, ...]:
        """NumPy's concatenate."""
        return (np.concatenate(inputs, axis=self.axis),)

    def backward(self, build: Builder, node: Node, upstream: Value) -> Sequence[Value | None]:
        """Each operand's part of the upstream gradient."""
        sizes = [v.type.shape[self.axis] for v in node.inputs]
        ends = [0]
        for size in sizes:
            assert isinstance(size, int)  # infer has seen to it
            ends.append(ends[-1] + size)
        return [
            build.add(Slice(self.axis, start, stop), upstream, name="gradient")
            for start, stop in pairwise(ends)
        ]

    def is_identity(self, inputs: Sequence[TensorType]) -> bool:
        """Whether there is nothing to join."""
        return len(inputs) == 1

    def reordered(self, axes: tuple[int, ...]) -> tuple[Op, tuple[int, ...]] | None:
        """Joined along the axis where it is now."""
        return Concat(axes[self.axis]), axes

    def latex(self, operands: Sequence[Piece], types: Sequence[TensorType]) -> Sequence[Piece]:
        """One column below the other."""
        inner = " ; ".join(text for text, _ in operands)
        return ((rf"\left[{inner}\right]", Level.LEAF),)

    @classmethod
    def samples(cls) -> Sequence[tuple[Op, Sequence[TensorType]]]:
        """Two and three operands, inner and first axis, and one alone."""
        return (
            (cls(1), [TensorType(("N", 4)), TensorType(("N", 2))]),
            (cls(0), [TensorType((1, 2)), TensorType((3, 2)), TensorType((2, 2))]),
            (cls(1), [TensorType(("N", 4))]),
        )


def zeros(build: Builder, type: TensorType) -> Value:
    """A tensor of zeros: one zero, repeated."""
    zero = build.add(Constant((0.0,), (), type.element), name="zero")
    return build.add(Broadcast(type.shape), zero, name="zeros") if type.shape else zero


def sized(shape: tuple[Dimension, ...], axis: int, size: Dimension) -> tuple[Dimension, ...]:
    """The shape with another size along one axis."""
    return (*shape[:axis], size, *shape[axis + 1 :])
