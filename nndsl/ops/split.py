"""Split: a tensor cut into parts along an axis; the inverse of Concat."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import numpy as np

from nndsl.ir.graph import Builder, Node, ShapeError, Value
from nndsl.ir.types import TensorType
from nndsl.ops.base import Clock, Fusion, Op
from nndsl.ops.movement import Concat, Slice, sized, zeros
from nndsl.ops.shapes import format_full, require_operands
from nndsl.records import dataclass
from nndsl.scalar.piece import Level, Piece


@dataclass(frozen=True)
class Split(Op):
    """Parts of the given sizes along an axis, one result for each, in order."""

    axis: int
    sizes: tuple[int, ...]

    name = "split"
    fusion = Fusion.MOVE

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        """The parts must make up the axis; else NN203."""
        require_operands(inputs, 1, "a split")
        (type,) = inputs
        whole = type.shape[self.axis] if 0 <= self.axis < type.rank else 0
        if not self.sizes or min(self.sizes) < 1 or sum(self.sizes) != whole:
            parts = " + ".join(map(str, self.sizes)) or "nothing"
            raise ShapeError(
                f"{format_full(type.shape)} is not made up of {parts} along axis {self.axis}",
                "NN203",
            )
        return tuple(TensorType(sized(type.shape, self.axis, n), type.element) for n in self.sizes)

    def meaning(self, inputs: Sequence[np.ndarray], clock: Clock) -> tuple[np.ndarray, ...]:
        """NumPy's split, copied."""
        places = list(accumulate(self.sizes[:-1]))
        parts = np.split(inputs[0], places, axis=self.axis)
        return tuple(np.ascontiguousarray(part) for part in parts)

    def gradient(
        self, build: Builder, node: Node, upstream: Sequence[Value | None]
    ) -> Sequence[Value | None]:
        """The upstream gradients side by side."""
        if all(value is None for value in upstream):
            return (None,)
        parts = [
            zeros(build, result.type) if value is None else value
            for value, result in zip(upstream, node.outputs, strict=True)
        ]
        return (build.add(Concat(self.axis), *parts, name="gradient"),)

    def decompose(self, build: Builder, inputs: Sequence[Value]) -> Sequence[Value]:
        """A slice for each part."""
        ends = list(accumulate(self.sizes))
        places = zip(ends, self.sizes, strict=True)
        return [build.add(Slice(self.axis, end - n, end), inputs[0]) for end, n in places]

    def reordered(self, axes: tuple[int, ...]) -> tuple[Op, tuple[int, ...]] | None:
        """Cut along the axis where it is now."""
        return Split(axes[self.axis], self.sizes), axes

    def latex(self, operands: Sequence[Piece], types: Sequence[TensorType]) -> Sequence[Piece]:
        """The places of each part, counted from 1."""
        ends = list(accumulate(self.sizes))
        return tuple(
            (rf"\left[{operands[0][0]}\right]_{{{end - size + 1} \ldots {end}}}", Level.LEAF)
            for size, end in zip(self.sizes, ends, strict=True)
        )

    @classmethod
    def samples(cls) -> Sequence[tuple[Op, Sequence[TensorType]]]:
        """Features, an inner axis, and all in one part."""
        return (
            (cls(1, (1, 3)), [TensorType(("N", 4))]),
            (cls(1, (2, 1)), [TensorType(("N", 3, 2))]),
            (cls(1, (2,)), [TensorType(("N", 2))]),
        )
