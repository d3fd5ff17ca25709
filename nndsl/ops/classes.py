"""Ops on class numbers: picking by class, one-hot rows, cross-entropy from logits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from nndsl.ir.graph import Builder, Node, ShapeError, Value
from nndsl.ir.types import ElementType, TensorType
from nndsl.ops.base import Clock, Fusion, Op
from nndsl.ops.map import Map, operand
from nndsl.ops.reduction import Reduce, Reshape
from nndsl.ops.rows import LogSoftmax, Softmax, softmax_gradient
from nndsl.ops.shapes import format_full, known, require_element, require_operands, require_rank
from nndsl.records import dataclass
from nndsl.scalar.piece import Level, Piece, indexed

ROWS = TensorType(("N", 3))
CLASSES = TensorType(("N",), ElementType.INDEX)


def _infer_by_class(inputs: Sequence[TensorType], what: str) -> TensorType:
    """The operands of an op that reads one class number for each row of numbers."""
    require_operands(inputs, 2, what)
    rows, classes = inputs
    require_rank(rows, 1, what)
    require_element(classes, ElementType.INDEX, what)
    if rows.shape[:-1] != classes.shape:
        raise ShapeError(
            f"{what}: {format_full(rows.shape)} and classes {format_full(classes.shape)} differ",
            "NN203",
        )
    return rows


def _as_column(build: Builder, value: Value) -> Value:
    return build.add(Reshape((*value.type.shape, 1)), value, name="gradient")


@dataclass(frozen=True)
class OneHot(Op):
    """Class numbers as rows of `classes` numbers: 1 at the class, else 0."""

    classes: int

    name = "one_hot"
    fusion = Fusion.GATHER

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        """One more axis."""
        require_operands(inputs, 1, "a one-hot code")
        require_element(inputs[0], ElementType.INDEX, "a one-hot code")
        return (TensorType((*inputs[0].shape, self.classes)),)

    def meaning(self, inputs: Sequence[np.ndarray], clock: Clock) -> tuple[np.ndarray, ...]:
        """Rows of the unit matrix."""
        return (np.eye(self.classes, dtype=clock.dtype(ElementType.REAL))[inputs[0]],)

    def latex(self, operands: Sequence[Piece], types: Sequence[TensorType]) -> Sequence[Piece]:
        """In formulas a class is its one-hot column."""
        return operands

    @classmethod
    def samples(cls) -> Sequence[tuple[Op, Sequence[TensorType]]]:
        """One class for each row."""
        return ((cls(3), [CLASSES]),)


@dataclass(frozen=True)
class Pick(Op):
    """The number that stands at each row's class: [..., C], [...] -> [...]."""

    name = "pick"
    fusion = Fusion.GATHER

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        """One number for each row."""
        rows = _infer_by_class(inputs, "picking by class")
        return (TensorType(rows.shape[:-1], rows.element),)

    def meaning(self, inputs: Sequence[np.ndarray], clock: Clock) -> tuple[np.ndarray, ...]:
        """take_along_axis."""
        rows, classes = inputs
        return (np.take_along_axis(rows, classes[..., None].astype(np.int64), axis=-1)[..., 0],)

    def backward(self, build: Builder, node: Node, upstream: Value) -> Sequence[Value | None]:
        """The upstream gradient at the class, else 0."""
        (rows, classes), dy = node.inputs, upstream
        size = rows.type.shape[-1]
        if not isinstance(size, int):
            raise ShapeError("the number of classes is not known here", "NN203")
        hot = build.add(OneHot(size), classes, name="gradient")
        formula = Map((operand(0) * operand(1),), rows.type.element)
        return build.add(formula, hot, _as_column(build, dy), name="gradient"), None

    def join(
        self, build: Builder, node: Node, producers: Mapping[Value, Node]
    ) -> Sequence[Value] | None:
        """Picking from a log-softmax is the cross-entropy's row with the sign turned."""
        maker = producers.get(node.inputs[0])
        if maker is None or not isinstance(maker.operation, LogSoftmax):
            return None
        entropy = build.add_all(SoftmaxCrossEntropy(), maker.inputs[0], node.inputs[1])
        return (build.add(Map((-operand(0),)), entropy[0]),)

    def latex(self, operands: Sequence[Piece], types: Sequence[TensorType]) -> Sequence[Piece]:
        """The number of the class."""
        rows, classes = operands
        return ((indexed(rows, classes[0]), Level.LEAF),)

    @classmethod
    def samples(cls) -> Sequence[tuple[Op, Sequence[TensorType]]]:
        """One class for each row."""
        return ((cls(), [ROWS, CLASSES]),)


@dataclass(frozen=True)
class SoftmaxCrossEntropy(Op):
    """Cross-entropy of softmax(logits) with classes, and its derivative, in one pass.

    [..., C], [...] -> loss [...] and delta [..., C] = softmax - target. With `smooth` s the target
    is 1 - s at the class plus s / C everywhere (Szegedy et al. 2016).
    """

    smooth: float = 0.0

    name = "softmax_cross_entropy"
    fusion = Fusion.ROW

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        """One number for each row, and one for each logit."""
        logits = _infer_by_class(inputs, "cross-entropy")
        require_element(logits, ElementType.REAL, "cross-entropy")
        return (TensorType(logits.shape[:-1]), logits)

    def meaning(self, inputs: Sequence[np.ndarray], clock: Clock) -> tuple[np.ndarray, ...]:
        """Computed from logits - max(logits)."""
        logits, classes = inputs
        moved = logits - logits.max(axis=-1, keepdims=True)
        powers = np.exp(moved)
        total = powers.sum(axis=-1, keepdims=True)
        picked = np.take_along_axis(moved, classes[..., None].astype(np.int64), axis=-1)
        aim = (1 - self.smooth) * picked + self.smooth * moved.mean(axis=-1, keepdims=True)
        count = logits.shape[-1]
        hot = np.eye(count, dtype=logits.dtype)[classes]
        delta = powers / total - ((1 - self.smooth) * hot + self.smooth / count)
        return (np.log(total) - aim)[..., 0], delta.astype(logits.dtype)

    def decompose(self, build: Builder, inputs: Sequence[Value]) -> Sequence[Value]:
        """Log-softmax, picked and averaged; softmax minus the target."""
        logits, classes = inputs
        size, last = logits.type.shape[-1], logits.type.rank - 1
        if not isinstance(size, int):
            raise ShapeError("the number of classes is not known here", "NN203")
        chances = build.add(LogSoftmax(), logits)
        picked = build.add(Pick(), chances, classes)
        total = build.add(Reduce("sum", (last,)), chances)
        s = self.smooth
        loss = Map((-((1 - s) * operand(0) + s / size * operand(1)),))
        delta = Map((operand(0) - ((1 - s) * operand(1) + s / size),))
        soft = build.add(Softmax(), logits)
        hot = build.add(OneHot(size), classes)
        return build.add(loss, picked, total), build.add(delta, soft, hot)

    def gradient(
        self, build: Builder, node: Node, upstream: Sequence[Value | None]
    ) -> Sequence[Value | None]:
        """Gives delta * dloss; where delta itself is differentiated, a softmax gradient too."""
        logits = node.inputs[0]
        parts = []
        if upstream[0] is not None:
            column = _as_column(build, upstream[0])
            formula = Map((operand(0) * operand(1),))
            parts.append(build.add(formula, node.outputs[1], column, name="gradient"))
        if upstream[1] is not None:
            soft = build.add(Softmax(), logits, name="gradient")
            parts.append(softmax_gradient(build, soft, upstream[1]))
        if len(parts) == 2:
            parts = [build.add(Map((operand(0) + operand(1),)), *parts, name="gradient")]
        return (parts[0] if parts else None, None)

    def latex(self, operands: Sequence[Piece], types: Sequence[TensorType]) -> Sequence[Piece]:
        """Minus the sum over classes of target times log softmax, and softmax minus target."""
        from nndsl.scalar.latex import number_latex  # only who writes formulas waits for it

        (shares, _), target = Softmax().latex(operands[:1], types[:1])[0], operands[1]
        if self.smooth:
            kept, share = number_latex(1 - self.smooth), number_latex(self.smooth)
            spread = rf"\frac{{{share}}}{{{known(types[0].shape)}}}"
            target = rf"\left({kept} \, {target[0]} + {spread}\right)", Level.LEAF
        each = rf"\log\left({shares}_{{k}}\right)"
        loss = rf"-\sum_{{k}} \, {indexed(target, 'k')} \, {each}"
        return (loss, Level.SUM), (f"{shares} - {target[0]}", Level.SUM)

    def flops(self, inputs: Sequence[TensorType]) -> int:
        """Compare, subtract, exp, add, divide, subtract."""
        return 6 * known(inputs[0].shape)

    @classmethod
    def samples(cls) -> Sequence[tuple[Op, Sequence[TensorType]]]:
        """Hard and smoothed targets."""
        return ((cls(), [ROWS, CLASSES]), (cls(smooth=0.1), [ROWS, CLASSES]))
