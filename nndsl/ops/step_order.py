"""In which order one step of a scan reads and writes the rows of its sequences."""

from __future__ import annotations

from nndsl.ir.graph import Graph, Node, Value
from nndsl.ops.base import operation_of
from nndsl.ops.movement import Concat, Slice
from nndsl.ops.split import Split

Columns = tuple[int, int]
"""The first column and the one behind the last."""


def overwritable(body: Graph, sequence: Value, kept: Value) -> bool:
    """Whether a step may keep a value in the place of the sequence that it reads, of equal width.

    No column is read after it is written. Where one node does both, it must work element by
    element, and read and write the same columns or others, not some that overlap.
    """
    if sequence.type.rank != 2 or sequence in body.outputs.values():
        return False
    writers, readers = _writers(kept, body.producers()), _readers(sequence, body)
    if writers is None:
        return False
    numbers = {node: number for number, node in enumerate(body.nodes)}
    for writer, written, to in writers:
        for reader, value, of in readers:
            if of[0] >= to[1] or to[0] >= of[1]:
                continue
            if reader is writer:
                places = (p for p, v in enumerate(reader.inputs) if v is value)
                result = reader.outputs.index(written)
                if of != to or not all(operation_of(reader).in_place(p, result) for p in places):
                    return False
            elif numbers[reader] > numbers[writer]:
                return False
    return True


def _writers(kept: Value, makers: dict[Value, Node]) -> list[tuple[Node, Value, Columns]] | None:
    """Who makes which columns of a value; None where it is what a step begins with."""
    found: list[tuple[Node, Value, Columns]] = []
    stack = [(kept, 0)]
    while stack:
        value, start = stack.pop()
        node = makers.get(value)
        if node is None:
            return None
        if not isinstance(node.operation, Concat) or node.operation.axis != 1:
            found.append((node, value, (start, start + _width(value))))
            continue
        for part in node.inputs:
            stack.append((part, start))
            start += _width(part)
    return found


def _readers(sequence: Value, body: Graph) -> list[tuple[Node, Value, Columns]]:
    """Who reads which columns of a sequence, by what value."""
    users = body.users()
    found: list[tuple[Node, Value, Columns]] = []
    stack = [(sequence, 0)]
    while stack:
        value, start = stack.pop()
        for node in users.get(value, ()):
            if not isinstance(node.operation, (Split, Slice)) or node.operation.axis != 1:
                found.append((node, value, (start, start + _width(value))))
                continue
            at = start + (node.operation.start if isinstance(node.operation, Slice) else 0)
            for part in node.outputs:
                stack.append((part, at))
                at += _width(part)
    return found


def _width(value: Value) -> int:
    """Columns of rows [N, w]."""
    width = value.type.shape[-1]
    assert isinstance(width, int)
    return width
