"""Rows of a table by their numbers, and the gradient that is added up in the table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nndsl.ir.graph import Builder, Node, ShapeError, Value
from nndsl.ir.types import Dimension, ElementType, TensorType
from nndsl.ops.base import Clock, Fusion, Op
from nndsl.ops.shapes import (
    actual,
    format_full,
    require_element,
    require_operands,
    require_rank,
)
from nndsl.records import dataclass
from nndsl.scalar.piece import Level, Piece, indexed

TABLE = TensorType((3, 4))
NUMBERS = TensorType(("N", "T"), ElementType.INDEX)


@dataclass(frozen=True)
class Lookup(Op):
    """The table's row for each number: [V, d], [...] -> [..., d]."""

    name = "lookup"
    fusion = Fusion.GATHER

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        """A row for each number."""
        require_operands(inputs, 2, "a table's rows")
        table, numbers = inputs
        if table.rank != 2:
            raise ShapeError(f"a table is a matrix, not {format_full(table.shape)}")
        require_element(table, ElementType.REAL, "a table")
        require_element(numbers, ElementType.INDEX, "a table's rows")
        return (TensorType((*numbers.shape, table.shape[1])),)

    def meaning(self, inputs: Sequence[np.ndarray], clock: Clock) -> tuple[np.ndarray, ...]:
        """NumPy's indexing."""
        return (inputs[0][inputs[1]],)

    def backward(self, build: Builder, node: Node, upstream: Value) -> Sequence[Value | None]:
        """Each row's gradient, added up in its place of the table."""
        table, numbers = node.inputs
        operation = LookupGradient(table.type.shape[0])
        return build.add(operation, numbers, upstream, name="gradient"), None

    def latex(self, operands: Sequence[Piece], types: Sequence[TensorType]) -> Sequence[Piece]:
        """The row of the number."""
        table, numbers = operands
        return ((indexed(table, numbers[0]), Level.LEAF),)

    @classmethod
    def samples(cls) -> Sequence[tuple[Op, Sequence[TensorType]]]:
        """Numbers in time, and one a row."""
        return (
            (cls(), [TABLE, NUMBERS]),
            (cls(), [TABLE, TensorType(("N",), ElementType.INDEX)]),
        )


@dataclass(frozen=True)
class LookupGradient(Op):
    """Rows added up by their numbers: [...], [..., d] -> [rows, d], in the order of the numbers."""

    rows: Dimension

    name = "lookup_gradient"
    fusion = Fusion.GATHER

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        """The table's shape."""
        require_operands(inputs, 2, "adding up by numbers")
        numbers, rows = inputs
        require_element(numbers, ElementType.INDEX, "adding up by numbers")
        require_rank(rows, 1, "adding up by numbers")
        if rows.shape[:-1] != numbers.shape:
            raise ShapeError(
                f"{format_full(numbers.shape)} numbers for rows {format_full(rows.shape)}"
            )
        return (TensorType((self.rows, rows.shape[-1])),)

    def meaning(self, inputs: Sequence[np.ndarray], clock: Clock) -> tuple[np.ndarray, ...]:
        """NumPy's add.at, in float64, rounded once."""
        numbers, rows = inputs
        total = np.zeros((actual((self.rows,), clock.sizes)[0], rows.shape[-1]))
        np.add.at(total, numbers.reshape(-1), rows.reshape(-1, rows.shape[-1]))
        return (total.astype(rows.dtype),)

    def backward(self, build: Builder, node: Node, upstream: Value) -> Sequence[Value | None]:
        """The rows of the table's gradient."""
        return None, build.add(Lookup(), upstream, node.inputs[0], name="gradient")

    @classmethod
    def samples(cls) -> Sequence[tuple[Op, Sequence[TensorType]]]:
        """Numbers in time, and one a row."""
        return (
            (cls(3), [NUMBERS, TensorType(("N", "T", 4))]),
            (cls(3), [TensorType(("N",), ElementType.INDEX), TensorType(("N", 4))]),
        )
