"""MatMul: the contraction behind dense layers and both of its gradients."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nndsl.ir.graph import Builder, Node, ShapeError, Value
from nndsl.ir.types import Dimension, ElementType, TensorType, format_shape
from nndsl.ops.base import Clock, Fusion, Op
from nndsl.ops.shapes import format_full, known, require_element, require_operands
from nndsl.records import dataclass
from nndsl.scalar.piece import Level, Piece, closed


@dataclass(frozen=True)
class MatMul(Op):
    """Matrix product. Each operand is seen as a matrix: all axes but the last are its rows.

    Plain: [..., k] @ [k, n] -> [..., n], the second operand a matrix. `transpose_b` reads that
    as [n, k]. `transpose_a` contracts over all rows: [..., m], [..., n] -> [m, n], as the
    gradient of weights does; with `transpose_b` too, both operands are matrices.
    """

    transpose_a: bool = False
    transpose_b: bool = False

    name = "matmul"
    fusion = Fusion.CONTRACTION

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        """The contracted sizes must agree; else NN201 with both numbers."""
        require_operands(inputs, 2, "a matrix product")
        for type in inputs:
            require_element(type, ElementType.REAL, "a matrix product")
        a, b = (t.shape for t in inputs)
        if not a or not b:
            raise ShapeError("a matrix product needs rows of numbers, not a single number")
        if self.transpose_a and not self.transpose_b:
            contracted = (a[:-1], b[:-1])
            result: tuple[Dimension, ...] = (a[-1], b[-1])
        else:
            contracted, result = self._with_matrix(a, b)
        if contracted[0] != contracted[1]:
            raise ShapeError(_mismatch(*contracted))
        return (TensorType(result),)

    def _with_matrix(
        self, a: tuple[Dimension, ...], b: tuple[Dimension, ...]
    ) -> tuple[tuple[tuple[Dimension, ...], tuple[Dimension, ...]], tuple[Dimension, ...]]:
        """Contracted sizes of both operands and the result's shape, for a second operand [k, n]."""
        if len(b) != 2 or (self.transpose_a and len(a) != 2):
            raise ShapeError(f"weights must be a matrix, not {format_full(b)}")
        depth, columns = b[::-1] if self.transpose_b else b
        rows = a[1:] if self.transpose_a else a[:-1]
        return ((a[:1] if self.transpose_a else a[-1:]), (depth,)), (*rows, columns)

    def meaning(self, inputs: Sequence[np.ndarray], clock: Clock) -> tuple[np.ndarray, ...]:
        """NumPy's product of the two matrices."""
        a, b = inputs
        rows = a.shape[:-1]
        a, b = (x.reshape(-1, x.shape[-1]) for x in (a, b))
        product = (a.T if self.transpose_a else a) @ (b.T if self.transpose_b else b)
        return (product if self.transpose_a else product.reshape(*rows, product.shape[-1]),)

    def backward(self, build: Builder, node: Node, upstream: Value) -> Sequence[Value | None]:
        """Gives dy @ b^T and a^T @ dy, with the transpositions of the operands undone."""
        (a, b), dy = node.inputs, upstream
        flip_a, flip_b = self.transpose_a, self.transpose_b
        if flip_a:
            da = build.add(MatMul(flip_b, True), b, dy, name="gradient")
        else:
            da = build.add(MatMul(False, not flip_b), dy, b, name="gradient")
        if flip_b:
            db = build.add(MatMul(True, flip_a), dy, a, name="gradient")
        else:
            db = build.add(MatMul(not flip_a, False), a, dy, name="gradient")
        return da, db

    def absorbed(self, position: int, earlier: Op) -> Op | None:
        """A transposed weight matrix is read transposed: same numbers in the same order."""
        if (
            position == 1
            and earlier.options() == {"axes": (1, 0)}
            and earlier.fusion is Fusion.MOVE
        ):
            return MatMul(self.transpose_a, not self.transpose_b)
        return None

    def latex(self, operands: Sequence[Piece], types: Sequence[TensorType]) -> Sequence[Piece]:
        """The transposed product: W x, where the graph has rows of x times the transposed W."""
        parts = zip(operands, (self.transpose_a, self.transpose_b), strict=True)
        b, a = (transposed(part) if flip else part for part, flip in reversed(list(parts)))
        return ((rf"{closed(b, Level.PRODUCT)} \, {closed(a, Level.PRODUCT)}", Level.PRODUCT),)

    def flops(self, inputs: Sequence[TensorType]) -> int:
        """Two for each product that is added."""
        a, b = (t.shape for t in inputs)
        return 2 * known(a) * known(b[:1] if self.transpose_b else b[-1:])

    @classmethod
    def samples(cls) -> Sequence[tuple[Op, Sequence[TensorType]]]:
        """All four transpositions, and rows in several axes."""
        return (
            (cls(), [TensorType(("N", 4)), TensorType((4, 2))]),
            (cls(False, True), [TensorType(("N", 4)), TensorType((2, 4))]),
            (cls(True, False), [TensorType(("N", 4)), TensorType(("N", 2))]),
            (cls(True, True), [TensorType((3, 4)), TensorType((2, 3))]),
            (cls(), [TensorType(("N", "T", 4)), TensorType((4, 2))]),
            (cls(True, False), [TensorType(("N", "T", 4)), TensorType(("N", "T", 2))]),
        )


def transposed(part: Piece) -> Piece:
    """The transposed matrix, or the column as a row."""
    text, level = part
    return f"{{{text if level is Level.LEAF else closed(part, Level.LEAF)}}}^{{\\top}}", Level.POWER


def _mismatch(a: tuple[Dimension, ...], b: tuple[Dimension, ...]) -> str:
    return f"the input has {format_shape(a)} numbers, but the weights take {format_shape(b)}"
