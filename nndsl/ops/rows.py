"""Softmax and its logarithm over the last axis: ops on whole rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nndsl.ir.graph import Builder, Node, Value
from nndsl.ir.types import ElementType, TensorType
from nndsl.ops.base import Clock, Fusion, Op
from nndsl.ops.map import Map, operand
from nndsl.ops.reduction import Reduce
from nndsl.ops.shapes import known, require_element, require_operands, require_rank
from nndsl.records import dataclass
from nndsl.scalar.functions import exp, log
from nndsl.scalar.piece import Level, Piece


class RowOp(Op):
    """Base of the ops that turn each row along the last axis into a row of the same size."""

    fusion = Fusion.ROW

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        """The operand's own type."""
        require_operands(inputs, 1, self.name)
        require_rank(inputs[0], 1, self.name)
        require_element(inputs[0], ElementType.REAL, self.name)
        return (inputs[0],)

    @classmethod
    def samples(cls) -> Sequence[tuple[Op, Sequence[TensorType]]]:
        """Rows of a batch, and rows in time."""
        return ((cls(), [TensorType(("N", 4))]), (cls(), [TensorType(("N", "T", 3))]))


@dataclass(frozen=True)
class Softmax(RowOp):
    """exp(x) / sum exp(x) of each row, computed from x - max(x) so that nothing overflows."""

    name = "softmax"

    def meaning(self, inputs: Sequence[np.ndarray], clock: Clock) -> tuple[np.ndarray, ...]:
        """The stable form."""
        powers = np.exp(inputs[0] - inputs[0].max(axis=-1, keepdims=True))
        return (powers / powers.sum(axis=-1, keepdims=True),)

    def decompose(self, build: Builder, inputs: Sequence[Value]) -> Sequence[Value]:
        """Greatest value, differences, powers, their sum, quotients."""
        axis = (inputs[0].type.rank - 1,)
        greatest = build.add(Reduce("max", axis, keep=True), inputs[0])
        powers = build.add(Map((exp(operand(0) - operand(1)),)), inputs[0], greatest)
        total = build.add(Reduce("sum", axis, keep=True), powers)
        return (build.add(Map((operand(0) / operand(1),)), powers, total),)

    def backward(self, build: Builder, node: Node, upstream: Value) -> Sequence[Value | None]:
        """Gives y * (dy - sum(y * dy)), in one pass over the rows."""
        y, dy = node.outputs[0], upstream
        return (softmax_gradient(build, y, dy),)

    def definition(self) -> Sequence[str]:
        """The shares, and the matrix of their derivatives."""
        name = r"\operatorname{softmax}\left(z\right)"
        return (
            rf"{name}_{{k}} = \frac{{e^{{z_{{k}}}}}}{{\sum_{{j}} \, e^{{z_{{j}}}}}}",
            rf"\frac{{\partial {name}_{{k}}}}{{\partial z_{{j}}}} = {name}_{{k}} \, "
            rf"\left(\left[k = j\right] - {name}_{{j}}\right)",
        )

    def flops(self, inputs: Sequence[TensorType]) -> int:
        """Compare, subtract, exp, add, divide."""
        return 5 * known(inputs[0].shape)


@dataclass(frozen=True)
class LogSoftmax(RowOp):
    """x - log(sum exp(x)) of each row, computed from x - max(x)."""

    name = "log_softmax"

    def meaning(self, inputs: Sequence[np.ndarray], clock: Clock) -> tuple[np.ndarray, ...]:
        """The stable form."""
        moved = inputs[0] - inputs[0].max(axis=-1, keepdims=True)
        return (moved - np.log(np.exp(moved).sum(axis=-1, keepdims=True)),)

    def decompose(self, build: Builder, inputs: Sequence[Value]) -> Sequence[Value]:
        """Greatest value, differences, sum of powers, difference to its logarithm."""
        axis = (inputs[0].type.rank - 1,)
        greatest = build.add(Reduce("max", axis, keep=True), inputs[0])
        moved = build.add(Map((operand(0) - operand(1),)), inputs[0], greatest)
        powers = build.add(Map((exp(operand(0)),)), moved)
        total = build.add(Reduce("sum", axis, keep=True), powers)
        return (build.add(Map((operand(0) - log(operand(1)),)), moved, total),)

    def backward(self, build: Builder, node: Node, upstream: Value) -> Sequence[Value | None]:
        """Gives dy - exp(y) * sum(dy), in one pass over the rows."""
        y, dy = node.outputs[0], upstream
        total = build.add(Reduce("sum", (y.type.rank - 1,), keep=True), dy, name="gradient")
        formula = Map((operand(0) - exp(operand(1)) * operand(2),))
        return (build.add(formula, dy, y, total, name="gradient"),)

    def latex(self, operands: Sequence[Piece], types: Sequence[TensorType]) -> Sequence[Piece]:
        """The logarithm of the shares."""
        shares, _ = Softmax().latex(operands, types)[0]
        return ((rf"\log\left({shares}\right)", Level.LEAF),)

    def flops(self, inputs: Sequence[TensorType]) -> int:
        """Compare, subtract, exp, add, subtract."""
        return 5 * known(inputs[0].shape)


def softmax_gradient(build: Builder, y: Value, dy: Value) -> Value:
    """Gradient of the operand of a softmax with result `y`, given that of the result."""
    weighted = build.add(Map((operand(0) * operand(1),)), y, dy, name="gradient")
    total = build.add(Reduce("sum", (y.type.rank - 1,), keep=True), weighted, name="gradient")
    formula = Map((operand(0) * (operand(1) - operand(2)),))
    return build.add(formula, y, dy, total, name="gradient")
