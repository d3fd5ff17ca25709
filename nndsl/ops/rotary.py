"""Rotary positions: pairs of features turned by an angle that grows with the place."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nndsl.ir.graph import Builder, Node, ShapeError, Value
from nndsl.ir.types import ElementType, TensorType
from nndsl.ops.base import Clock, Fusion, Op
from nndsl.ops.compose import add_map
from nndsl.ops.map import operand
from nndsl.ops.movement import Slice, Transpose
from nndsl.ops.reduction import Reduce, Reshape
from nndsl.ops.sequences import turn_pairs
from nndsl.ops.shapes import format_full, known, require_element, require_operands
from nndsl.records import dataclass


@dataclass(frozen=True)
class Rotary(Op):
    """x [N, T, H, d], cosines and sines [T, r/2]: pair j of the first r features is turned.

    Pairs are features j and j + r/2, or, `interleaved`, 2j and 2j + 1; those beyond r stay.
    `inverse` turns back, which is the gradient (Su et al. 2021, arXiv:2104.09864).
    """

    interleaved: bool = False
    inverse: bool = False

    name = "rotary"
    fusion = Fusion.ROW

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        """The type of x; an angle for each place and pair."""
        require_operands(inputs, 3, "a rotation")
        x, cosines, sines = inputs
        for type in inputs:
            require_element(type, ElementType.REAL, "a rotation")
        size = x.shape[-1] if x.rank == 4 else 0
        pairs = cosines.shape[-1] if cosines.rank == 2 else 0
        fits = isinstance(size, int) and isinstance(pairs, int) and 0 < 2 * pairs <= size
        if not fits or cosines != sines or cosines.shape[0] != x.shape[1]:
            raise ShapeError(
                f"{format_full(x.shape)} has no pairs for angles {format_full(cosines.shape)}",
                "NN203",
            )
        return (TensorType(x.shape),)

    def meaning(self, inputs: Sequence[np.ndarray], clock: Clock) -> tuple[np.ndarray, ...]:
        """Each pair (a, b) becomes (a cos - b sin, b cos + a sin)."""
        x, cosines, sines = inputs
        return (turn_pairs(x, cosines, sines, self.interleaved, self.inverse),)

    def backward(self, build: Builder, node: Node, upstream: Value) -> Sequence[Value | None]:
        """Turned back; the angles' sum over examples and heads."""
        x, cosines, sines = node.inputs
        dy = upstream
        dx = build.add(
            Rotary(self.interleaved, not self.inverse), dy, cosines, sines, name="gradient"
        )
        (a, b), (u, v) = (self._halves(build, value, cosines) for value in (x, dy))
        of_cosines = self._summed(build, ((u, a), (v, b)), 1.0)
        of_sines = self._summed(build, ((v, a), (u, b)), -1.0)
        sign = -1.0 if self.inverse else 1.0
        return dx, of_cosines, add_map(build, sign * operand(0), of_sines, name="gradient")

    def _halves(self, build: Builder, value: Value, cosines: Value) -> tuple[Value, Value]:
        """First and second features of the pairs, [T, N*H, pairs] each."""
        batch, time, heads, _ = value.type.shape
        pairs = cosines.type.shape[-1]
        assert isinstance(pairs, int)  # infer has seen to it
        kept = build.add(Slice(3, 0, 2 * pairs), value, name="gradient")
        by_time = build.add(Transpose((1, 0, 2, 3)), kept, name="gradient")
        if self.interleaved:
            split = build.add(Reshape((time, batch, heads, pairs, 2)), by_time, name="gradient")
            parts = [build.add(Slice(4, i, i + 1), split, name="gradient") for i in (0, 1)]
        else:
            parts = [
                build.add(Slice(3, i * pairs, (i + 1) * pairs), by_time, name="gradient")
                for i in (0, 1)
            ]
        shape = (time, batch, heads, pairs)
        first, second = (build.add(Reshape(shape), part, name="gradient") for part in parts)
        return first, second

    def _summed(
        self, build: Builder, products: Sequence[tuple[Value, Value]], sign: float
    ) -> Value:
        """The sum of the first product and `sign` times the second, over examples and heads."""
        (a, b), (c, d) = products
        formula = operand(0) * operand(1) + sign * operand(2) * operand(3)
        each = add_map(build, formula, a, b, c, d, name="gradient")
        return build.add(Reduce("sum", (1, 2)), each, name="gradient")

    def flops(self, inputs: Sequence[TensorType]) -> int:
        """Three for each number."""
        return 3 * known(inputs[0].shape)

    @classmethod
    def samples(cls) -> Sequence[tuple[Op, Sequence[TensorType]]]:
        """Both orders of pairs, both ways, and features that stay."""
        x, angles, few = TensorType(("N", 3, 2, 6)), TensorType((3, 3)), TensorType((3, 2))
        return (
            (cls(), [x, angles, angles]),
            (cls(interleaved=True), [x, few, few]),
            (cls(inverse=True), [x, few, few]),
        )
