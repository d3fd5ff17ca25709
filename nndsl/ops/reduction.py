"""Reduce, Broadcast, Reshape: each is part of the gradient of the others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nndsl.ir.graph import Builder, Node, ShapeError, Value
from nndsl.ir.types import BATCH, Dimension, ElementType, TensorType, format_shape
from nndsl.ops.base import Clock, Fusion, Op
from nndsl.ops.map import Map, operand
from nndsl.ops.shapes import (
    actual,
    broadcast,
    broadcast_axes,
    format_full,
    known,
    require_operands,
    same_count,
)
from nndsl.records import dataclass
from nndsl.scalar.functions import equal
from nndsl.scalar.piece import Level, Piece, closed

KINDS = ("sum", "max")


class Move(Op):
    """Base of the ops of one operand that only move elements."""

    fusion = Fusion.MOVE

    def latex(self, operands: Sequence[Piece], types: Sequence[TensorType]) -> Sequence[Piece]:
        """Numbers under another shape, or repeated, have the same formula."""
        return operands if self.is_view or self.repeats else super().latex(operands, types)

    def is_identity(self, inputs: Sequence[TensorType]) -> bool:
        """Whether no element changes its place."""
        return self.infer(inputs) == (inputs[0],)


@dataclass(frozen=True)
class Reshape(Move):
    """The same elements in row-major order under another shape."""

    shape: tuple[Dimension, ...]

    name = "reshape"
    is_view = True

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        """As many elements as before."""
        require_operands(inputs, 1, "a change of shape")
        if not same_count(inputs[0].shape, self.shape):
            raise ShapeError(
                f"{format_shape(inputs[0].shape)} does not fill {format_shape(self.shape)}"
            )
        return (TensorType(self.shape, inputs[0].element),)

    def meaning(self, inputs: Sequence[np.ndarray], clock: Clock) -> tuple[np.ndarray, ...]:
        """NumPy's reshape."""
        return (inputs[0].reshape(actual(self.shape, clock.sizes)),)

    def backward(self, build: Builder, node: Node, upstream: Value) -> Sequence[Value | None]:
        """Back to the operand's shape."""
        return (build.add(Reshape(node.inputs[0].type.shape), upstream, name="gradient"),)

    def after(self, earlier: Op, inputs: Sequence[TensorType]) -> Op | None:
        """Of two changes of shape only the last counts; one number repeated is repeated anew."""
        if isinstance(earlier, Broadcast) and inputs[0].shape == ():
            return Broadcast(self.shape)
        return self if isinstance(earlier, Reshape) else None

    @classmethod
    def samples(cls) -> Sequence[tuple[Op, Sequence[TensorType]]]:
        """With the batch, with time, and of class numbers."""
        return (
            (cls(("N", 2, 2)), [TensorType(("N", 4))]),
            (cls(("N", 1, "T", 4)), [TensorType(("N", "T", 2, 2))]),
            (cls(("N", 1)), [TensorType(("N",), ElementType.INDEX)]),
        )


@dataclass(frozen=True)
class Broadcast(Move):
    """The operand repeated to a larger shape, as NumPy does."""

    shape: tuple[Dimension, ...]

    name = "broadcast"
    repeats = True

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        """The operand must fit into the shape."""
        require_operands(inputs, 1, "repetition")
        if broadcast([inputs[0].shape, self.shape]) != self.shape:
            raise ShapeError(
                f"{format_full(inputs[0].shape)} cannot be repeated to {format_full(self.shape)}"
            )
        return (TensorType(self.shape, inputs[0].element),)

    def meaning(self, inputs: Sequence[np.ndarray], clock: Clock) -> tuple[np.ndarray, ...]:
        """NumPy's broadcast_to, copied."""
        return (np.broadcast_to(inputs[0], actual(self.shape, clock.sizes)).copy(),)

    def backward(self, build: Builder, node: Node, upstream: Value) -> Sequence[Value | None]:
        """The upstream gradient, to be summed over the repetitions."""
        return (upstream,)

    def after(self, earlier: Op, inputs: Sequence[TensorType]) -> Op | None:
        """Repetition of a repetition is one; so is that of a number under any shape."""
        is_number = isinstance(earlier, Reshape) and inputs[0].shape == ()
        return self if isinstance(earlier, Broadcast) or is_number else None

    @classmethod
    def samples(cls) -> Sequence[tuple[Op, Sequence[TensorType]]]:
        """Over rows, over an inner axis, and of a number."""
        return (
            (cls(("N", 4)), [TensorType((4,))]),
            (cls(("N", 3, 4)), [TensorType(("N", 1, 4))]),
            (cls((2, 3)), [TensorType(())]),
        )


@dataclass(frozen=True)
class Reduce(Op):
    """Sum or greatest value over `axes` (from 0, ascending); `keep` leaves them with size 1.

    Where several elements are greatest, they share the gradient equally, as in PyTorch's amax.
    """

    kind: str
    axes: tuple[int, ...]
    keep: bool = False

    name = "reduce"
    fusion = Fusion.REDUCE

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        """The operand's shape without the axes."""
        require_operands(inputs, 1, f"the {self.kind}")
        (type,) = inputs
        if self.kind not in KINDS:
            raise ShapeError(f"no such reduction: {self.kind}", "NN202")
        if type.element is ElementType.INDEX:
            raise ShapeError(f"the {self.kind} of class numbers has no meaning", "NN202")
        if list(self.axes) != sorted({a for a in self.axes if 0 <= a < type.rank}):
            raise ShapeError(f"{format_full(type.shape)} has no such axes: {self.axes}")
        return (TensorType(self._shape(type), type.element),)

    def _shape(self, type: TensorType) -> tuple[int | str, ...]:
        if self.keep:
            return tuple(1 if i in self.axes else d for i, d in enumerate(type.shape))
        return tuple(d for i, d in enumerate(type.shape) if i not in self.axes)

    def meaning(self, inputs: Sequence[np.ndarray], clock: Clock) -> tuple[np.ndarray, ...]:
        """Sums are taken in float64, then rounded once."""
        (x,) = inputs
        if self.kind == "max":
            return (np.asarray(x.max(axis=self.axes, keepdims=self.keep)),)
        total = np.sum(x, axis=self.axes, keepdims=self.keep, dtype=np.float64)
        return (np.asarray(total, dtype=x.dtype),)

    def backward(self, build: Builder, node: Node, upstream: Value) -> Sequence[Value | None]:
        """The upstream gradient at every element that took part."""
        (x,), dy = node.inputs, upstream
        dy = self._spread(build, dy, x.type)
        if self.kind == "sum":
            return (dy,)
        greatest = self._spread(build, node.outputs[0], x.type)
        return (share_among_equals(build, x, greatest, dy, self.axes),)

    def _spread(self, build: Builder, value: Value, type: TensorType) -> Value:
        """A result of this op, or its gradient, repeated to the operand's shape."""
        kept = Reduce(self.kind, self.axes, keep=True)._shape(type)
        if value.type.shape not in ((), kept):
            value = build.add(Reshape(kept), value, name="gradient")
        if value.type.shape != type.shape:
            value = build.add(Broadcast(type.shape), value, name="gradient")
        return value

    def reordered(self, axes: tuple[int, ...]) -> tuple[Op, tuple[int, ...]] | None:
        """The same axes where they are now; those that are left are in their order among them."""
        reduced = Reduce(self.kind, tuple(sorted(axes[a] for a in self.axes)), self.keep)
        if self.keep:
            return reduced, axes
        left = [place for axis, place in enumerate(axes) if axis not in self.axes]
        return reduced, tuple(sorted(left).index(place) for place in left)

    def latex(self, operands: Sequence[Piece], types: Sequence[TensorType]) -> Sequence[Piece]:
        """The sum or greatest of several numbers of one example; a single one is itself."""
        if known(tuple(types[0].shape[a] for a in self.axes if types[0].shape[a] != BATCH)) == 1:
            return operands
        if self.kind == "max":
            return ((rf"\max\left({operands[0][0]}\right)", Level.LEAF),)
        return ((rf"\sum \, {closed(operands[0], Level.PRODUCT)}", Level.PRODUCT),)

    def flops(self, inputs: Sequence[TensorType]) -> int:
        """One for each element."""
        return known(inputs[0].shape)

    def is_identity(self, inputs: Sequence[TensorType]) -> bool:
        """Whether nothing is reduced: no axes, or only axes of size 1 that stay."""
        return self.infer(inputs) == (inputs[0],)

    @classmethod
    def samples(cls) -> Sequence[tuple[Op, Sequence[TensorType]]]:
        """Both kinds, over rows, columns and all, with and without the axes kept."""
        matrix, cube = TensorType(("N", 4)), TensorType(("N", 2, 3))
        return (
            (cls("sum", (0,)), [matrix]),
            (cls("sum", (1,), keep=True), [matrix]),
            (cls("sum", (0, 1)), [matrix]),
            (cls("sum", (0, 2)), [cube]),
            (cls("sum", (0,)), [TensorType((3,), ElementType.DOUBLE)]),
            (cls("max", (1,)), [matrix]),
            (cls("max", (1, 2), keep=True), [cube]),
        )


def sum_to(build: Builder, value: Value, type: TensorType) -> Value:
    """Sum a gradient over the axes along which the operand of type `type` was repeated."""
    axes = broadcast_axes(type.shape, value.type.shape)
    if axes:
        value = build.add(Reduce("sum", axes), value, name="gradient")
    if value.type.shape != type.shape:
        value = build.add(Reshape(type.shape), value, name="gradient")
    return value


def share_among_equals(
    build: Builder, x: Value, greatest: Value, dy: Value, axes: tuple[int, ...]
) -> Value:
    """`dy` divided among the elements of `x` that equal `greatest` (all of one shape)."""
    element = x.type.element
    hit = build.add(Map((equal(operand(0), operand(1)),), element), x, greatest, name="gradient")
    count = build.add(Reduce("sum", axes, keep=True), hit, name="gradient")
    share = Map((operand(0) * operand(1) / operand(2),), element)
    return build.add(share, dy, hit, count, name="gradient")
