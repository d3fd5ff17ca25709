"""Softmax over the keys that a query may look at: attention's weights and their gradient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from nndsl.ir.graph import Builder, Node, ShapeError, Value
from nndsl.ir.types import ElementType, TensorType
from nndsl.ops.base import Clock, Fusion, Op
from nndsl.ops.compose import add_map
from nndsl.ops.map import operand
from nndsl.ops.reduction import Reduce
from nndsl.ops.sequences import seen_keys, weigh_keys
from nndsl.ops.shapes import format_full, known, require_element, require_operands, require_rank
from nndsl.records import dataclass
from nndsl.scalar.functions import where
from nndsl.scalar.piece import Level, Piece, closed

UNSEEN = -1e30
"""Stands for the score of a key that must not be looked at."""


@dataclass(frozen=True)
class Sight:
    """Which keys each query may look at.

    Query i stands at place i + `offset` of the keys. `causal`: it sees none after that place.
    `window` w > 0: only the w nearest, on each side where it is not causal. `scale` is what scores
    are multiplied by.
    """

    scale: float = 1.0
    causal: bool = False
    window: int = 0
    offset: int = 0

    @property
    def is_full(self) -> bool:
        """Whether every query sees every key."""
        return not self.causal and not self.window

    def mask(self, queries: int, keys: int) -> np.ndarray:
        """Truths [queries, keys]."""
        return seen_keys(queries, keys, self.causal, self.window, self.offset)


class SeenRows(Op):
    """Base of the ops on scores [N, ..., queries, keys]; `sight` is among its options."""

    fusion = Fusion.ROW
    overwritten: ClassVar[int]  # the operand that a row of the result may be written over

    scale: float
    causal: bool
    window: int
    offset: int

    @property
    def sight(self) -> Sight:
        """Which keys each query may look at."""
        return Sight(self.scale, self.causal, self.window, self.offset)

    def _check(self, scores: TensorType) -> TensorType:
        require_rank(scores, 3, "attention")
        require_element(scores, ElementType.REAL, "attention")
        return TensorType(scores.shape)

    def in_place(self, position: int, result: int = 0) -> bool:
        """Whether a row may be written over scores, or the gradient of weights."""
        return position == self.overwritten

    def flops(self, inputs: Sequence[TensorType]) -> int:
        """Compare, scale, subtract, exp, add, divide."""
        return 6 * known(inputs[0].shape)


@dataclass(frozen=True)
class AttentionWeights(SeenRows):
    """softmax(scale * scores) of each row over the keys that it sees; 0 at all others.

    A second operand has 0 where nothing may be seen: [N, keys] for keys that no query of an example
    may see (padding), or a number for each score. A row that sees nothing is 0.
    """

    scale: float = 1.0
    causal: bool = False
    window: int = 0
    offset: int = 0

    name = "attention_weights"
    overwritten = 0

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        """The type of the scores."""
        require_operands(inputs, min(max(len(inputs), 1), 2), "attention")
        scores = self._check(inputs[0])
        forms = (scores.shape, (scores.shape[0], scores.shape[-1]))
        if len(inputs) == 2 and inputs[1].shape not in forms:
            raise ShapeError(
                f"{format_full(inputs[1].shape)} does not say which of the keys "
                f"{format_full(scores.shape)} count",
                "NN203",
            )
        return (scores,)

    def meaning(self, inputs: Sequence[np.ndarray], clock: Clock) -> tuple[np.ndarray, ...]:
        """Computed from x - max(x) over what is seen."""
        scores, *valid = inputs
        return (weigh_keys(scores, self.scale, self.causal, self.window, self.offset, *valid),)

    def backward(self, build: Builder, node: Node, upstream: Value) -> Sequence[Value | None]:
        """Gives scale * y * (dy - sum(y * dy)), in one pass over what is seen."""
        none = (None,) * (len(node.inputs) - 1)
        operation = AttentionWeightsGradient(self.scale, self.causal, self.window, self.offset)
        return (build.add(operation, node.outputs[0], upstream, name="gradient"), *none)

    def latex(self, operands: Sequence[Piece], types: Sequence[TensorType]) -> Sequence[Piece]:
        """Softmax of the scaled scores, of what is seen."""
        from nndsl.scalar.latex import number_latex  # only who writes formulas waits for it

        scores, size = operands[0], round(self.scale**-2)
        inner = scores[0]
        if self.scale != 1.0 and abs(size * self.scale**2 - 1.0) < 1e-9:
            inner = rf"\frac{{{inner}}}{{\sqrt{{{size}}}}}"
        elif self.scale != 1.0:
            inner = rf"{number_latex(self.scale)} \, {closed(scores, Level.PRODUCT)}"
        seen = r"_{\mathrm{seen}}" if self.causal or self.window or len(operands) == 2 else ""
        return ((rf"\operatorname{{softmax}}{seen}\left({inner}\right)", Level.LEAF),)

    @classmethod
    def samples(cls) -> Sequence[tuple[Op, Sequence[TensorType]]]:
        """All masks, square and not, with heads and without."""
        square, wide = TensorType(("N", 2, 5, 5)), TensorType(("N", 3, 5))
        return (
            (cls(0.5), [wide]),
            (cls(0.5, causal=True), [square]),
            (cls(0.3, causal=True, offset=2), [wide]),
            (cls(0.3, window=2), [square]),
            (cls(0.3, causal=True, window=2), [square]),
        )  # a mask is no operand to differentiate by


@dataclass(frozen=True)
class AttentionWeightsGradient(SeenRows):
    """scale * y * (dy - sum(y * dy)) of each row, from weights and their gradient."""

    scale: float = 1.0
    causal: bool = False
    window: int = 0
    offset: int = 0

    name = "attention_weights_gradient"
    overwritten = 1

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        """The type of the weights."""
        require_operands(inputs, 2, "the gradient of attention")
        if inputs[0] != inputs[1]:
            raise ShapeError("weights and their gradient differ in shape", "NN203")
        return (self._check(inputs[0]),)

    def meaning(self, inputs: Sequence[np.ndarray], clock: Clock) -> tuple[np.ndarray, ...]:
        """Over what is seen; weights are 0 elsewhere."""
        y, dy = inputs
        seen = self.sight.mask(*y.shape[-2:])
        y = np.where(seen, y, 0.0)
        total = (y * dy).sum(axis=-1, keepdims=True)
        return (self.scale * y * (dy - total),)

    def backward(self, build: Builder, node: Node, upstream: Value) -> Sequence[Value | None]:
        """With u upstream: that of dy has this same form; that of y is scale * (u * (dy -
        sum(y * dy)) - dy * sum(y * u)), over what is seen.
        """
        (y, dy), u = node.inputs, upstream
        last = (y.type.rank - 1,)
        ones = add_map(build, 0.0 * operand(0), y, name="gradient")
        seen = build.add(AttentionWeights(1.0, self.causal, self.window, self.offset), ones)
        y_seen = add_map(build, where(operand(1) > 0, operand(0), 0), y, seen, name="gradient")
        sums = [
            build.add(
                Reduce("sum", last, keep=True),
                add_map(build, operand(0) * operand(1), y_seen, other, name="gradient"),
                name="gradient",
            )
            for other in (dy, u)
        ]
        x = [operand(i) for i in range(5)]
        slope = self.scale * (x[0] * (x[1] - x[2]) - x[1] * x[3])
        formula = where(x[4] > 0, slope, 0)
        of_y = add_map(build, formula, u, dy, *sums, seen, name="gradient")
        return of_y, build.add(self, y, u, name="gradient")

    @classmethod
    def samples(cls) -> Sequence[tuple[Op, Sequence[TensorType]]]:
        """All masks."""
        square = TensorType(("N", 2, 5, 5))
        return (
            (cls(0.5), [TensorType(("N", 3, 5))] * 2),
            (cls(0.5, causal=True), [square, square]),
            (cls(0.3, causal=True, window=2), [square, square]),
        )
