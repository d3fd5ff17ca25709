"""What layers over sequences have in common: [T, d] is a row of d features for each of T places.

In the graph the batch stands before them. T is a name until a program is generated, also where it
was written as a number: so a sequence is told from a signal, whose first size is its channels.
"""

from __future__ import annotations

from collections.abc import Sequence

from nndsl.ir.graph import ShapeError, Value
from nndsl.ir.types import BATCH, Dimension, ElementType, format_shape
from nndsl.ops.movement import Concat
from nndsl.ops.scan import Scan


def is_sequence(shape: Sequence[Dimension]) -> bool:
    """Whether a shape with the batch is that of rows of features in time."""
    return len(shape) == 3 and shape[0] == BATCH and isinstance(shape[1], str)


def sequence_of(value: Value, word: str) -> tuple[str, int]:
    """Length and features of a sequence; NN202 where the operand is none."""
    shape = value.type.shape
    if value.type.element is ElementType.INDEX:
        raise ShapeError(
            f"`{word}` takes rows of numbers, not ids", "NN202", f"embed(64) -> {word}"
        )
    if not is_sequence(shape):
        raise ShapeError(
            f"`{word}` takes a sequence (places x features), not {format_shape(shape)}",
            "NN202",
            "leave out the `last` before it: of a sequence it keeps one place only"
            if _is_end(value)
            else "`input text: ids(8000)[T]` then `embed(64)`, or `input x: [T, 64]`",
        )
    length, features = shape[1:]
    if isinstance(features, str):
        raise ShapeError(f"`{word}` needs a number of features, not {features}", "NN202")
    return str(length), features


def _is_end(value: Value) -> bool:
    """Whether it is what `last` keeps of a sequence."""
    if value.type.rank != 2 or value.node is None:
        return False
    operation = value.node.operation
    if isinstance(operation, Concat):
        return all(_is_end(part) for part in value.node.inputs)
    return isinstance(operation, Scan)


def ids_length(value: Value, word: str) -> tuple[Dimension, ...]:
    """The axes of ids after the batch; NN202 where the operand is no ids."""
    if value.type.element is not ElementType.INDEX:
        raise ShapeError(
            f"`{word}` takes ids, not {format_shape(value.type.shape)} numbers",
            "NN202",
            "ids are declared: `input text: ids(8000)[T]`",
        )
    return value.type.shape[1:]
