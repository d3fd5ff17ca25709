"""Ids that are hidden where a network is judged by them, and never where it answers.

`mask_tokens` hides places of rows that are judged by noise that belongs to the row: the same ids
in every epoch, in batches of any size. A judged graph keeps it where the objective asks what was
hidden; elsewhere, and wherever a network answers, nothing is hidden.
"""

from __future__ import annotations

from collections.abc import Iterable

from nndsl.ir.graph import Graph, Node, Value, rebuild
from nndsl.ops.base import Op
from nndsl.ops.source import Random

ABOVE_ALL = 1.0
"""A chance at which nothing is hidden: no rate is above it."""


def as_answered(graph: Graph) -> Graph:
    """The graph without noise of rows: nothing is hidden. Values stay those they are."""
    chances = {v for node in graph.nodes if _is_chance(node) for v in node.outputs}
    if not chances:
        return graph
    kept = [_shown(node, chances) for node in graph.nodes if not _is_chance(node)]
    return rebuild(graph, kept)


def depends_on_hiding(graph: Graph, values: Iterable[Value | None]) -> bool:
    """Whether any of these values is another when other ids are hidden."""
    wanted = {value for value in values if value is not None}
    for node in reversed(graph.nodes):
        if wanted.isdisjoint(node.outputs):
            continue
        if _is_chance(node):
            return True
        wanted.update(node.inputs)
    return False


def _is_chance(node: Node) -> bool:
    return isinstance(node.operation, Random) and node.operation.by_row


def _shown(node: Node, chances: set[Value]) -> Node:
    """The node as it is when every chance is above all rates."""
    if chances.isdisjoint(node.inputs):
        return node
    operation, inputs = node.operation, list(node.inputs)
    for position in reversed(range(len(inputs))):
        if inputs[position] in chances:
            assert isinstance(operation, Op)
            changed = operation.with_constant(position, ABOVE_ALL)
            assert changed is not None  # chances are read by formulas
            operation = changed
            del inputs[position]
    return Node(operation, tuple(inputs), node.outputs, node.span, node.label)
