"""Einsum: products of two tensors along named axes; attention's scores and averages are two."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nndsl.ir.graph import Builder, Node, ShapeError, Value
from nndsl.ir.types import Dimension, ElementType, TensorType
from nndsl.ops.base import Clock, Fusion, Op
from nndsl.ops.matmul import transposed
from nndsl.ops.shapes import format_full, known, require_element, require_operands
from nndsl.records import dataclass
from nndsl.scalar.piece import Level, Piece, closed


@dataclass(frozen=True)
class Einsum(Op):
    """The sum of products that `axes` names, as `numpy.einsum` does: "nihk,njhk->nhij".

    Each letter is one axis. One that stands in all three runs along; one in both operands only is
    summed over; every other stands in one operand and the result. The first axis runs along.
    With `causal` "ij", key j is of no use to query i < j: where both axes stand in the result,
    nobody reads its numbers of j > i; where both stand in an operand, these are 0 there. So they
    need not be computed.
    """

    axes: str
    causal: str = ""

    name = "einsum"
    fusion = Fusion.CONTRACTION

    @property
    def letters(self) -> tuple[str, str, str]:
        """The axes of both operands and of the result."""
        operands, _, result = self.axes.partition("->")
        a, _, b = operands.partition(",")
        return a, b, result

    @property
    def summed(self) -> str:
        """The axes that are summed over, in the order of the first operand."""
        a, b, result = self.letters
        return "".join(letter for letter in a if letter in b and letter not in result)

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        """Axes of one letter have one size."""
        require_operands(inputs, 2, "a product")
        sizes: dict[str, Dimension] = {}
        for type, letters in zip(inputs, self.letters, strict=False):
            require_element(type, ElementType.REAL, "a product")
            if type.rank != len(letters):
                raise ShapeError(f"{format_full(type.shape)} has not the axes `{letters}`")
            for letter, size in zip(letters, type.shape, strict=True):
                if sizes.setdefault(letter, size) != size:
                    first, second = (format_full(t.shape) for t in inputs)
                    raise ShapeError(f"cannot multiply {first} and {second}: {self.axes}", "NN203")
        self._check_letters()
        return (TensorType(tuple(sizes[letter] for letter in self.letters[2])),)

    def _check_letters(self) -> None:
        a, b, result = self.letters
        alone = set(a) ^ set(b)
        once = all(len(set(letters)) == len(letters) for letters in self.letters)
        if not once or a[:1] != b[:1] or a[:1] != result[:1] or not a:
            raise ShapeError(f"the first axis of `{self.axes}` does not run along")
        if not alone <= set(result) or not set(result) <= set(a) | set(b) or not self.summed:
            raise ShapeError(f"`{self.axes}` is no product")

    def meaning(self, inputs: Sequence[np.ndarray], clock: Clock) -> tuple[np.ndarray, ...]:
        """NumPy's einsum."""
        return (np.ascontiguousarray(np.einsum(self.axes, *inputs, optimize=True)),)

    def backward(self, build: Builder, node: Node, upstream: Value) -> Sequence[Value | None]:
        """Products of the upstream gradient with the other operand."""
        (a, b), dy = node.inputs, upstream
        first, second, result = self.letters
        of_a = Einsum(f"{result},{second}->{first}", self.causal)
        of_b = Einsum(f"{result},{first}->{second}", self.causal)
        da = build.add(of_a, dy, b, name="gradient")
        db = build.add(of_b, dy, a, name="gradient")
        return da, db

    def latex(self, operands: Sequence[Piece], types: Sequence[TensorType]) -> Sequence[Piece]:
        """A product of matrices whose columns are places: scores are one column's with another's,
        an average puts columns together.
        """
        (a_axes, b_axes, _), summed = self.letters, self.summed[-1:]
        if a_axes.endswith(summed) and b_axes.endswith(summed):
            a, b = transposed(operands[0]), operands[1]
        else:
            a, b = operands[1], transposed(operands[0])
        return ((rf"{closed(a, Level.PRODUCT)} \, {closed(b, Level.PRODUCT)}", Level.PRODUCT),)

    def flops(self, inputs: Sequence[TensorType]) -> int:
        """Two for each product that is added."""
        sizes: dict[str, Dimension] = {}
        for type, letters in zip(inputs, self.letters, strict=False):
            sizes |= dict(zip(letters, type.shape, strict=True))
        return 2 * known(tuple(sizes.values()))

    @classmethod
    def samples(cls) -> Sequence[tuple[Op, Sequence[TensorType]]]:
        """Scores and averages of attention, with heads apart and in groups, and a plain batch."""
        queries, keys = TensorType(("N", 3, 2, 4)), TensorType(("N", 5, 2, 4))
        scores = TensorType(("N", 2, 3, 5))
        grouped, shared = TensorType(("N", 3, 2, 2, 4)), TensorType(("N", 2, 2, 3, 5))
        return (
            (cls("nihk,njhk->nhij"), [queries, keys]),
            (cls("nhij,njhk->nihk"), [scores, keys]),
            (cls("nigrk,njgk->ngrij"), [grouped, keys]),
            (cls("ngrij,njgk->nigrk"), [shared, keys]),
            (cls("ngrij,nigrk->njgk"), [shared, grouped]),
            (cls("nij,njk->nik"), [TensorType(("N", 3, 4)), TensorType(("N", 4, 2))]),
        )
