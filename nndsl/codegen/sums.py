"""Sums over images: first those of each row of the batch, which threads share, then over the batch.

What one sum over everything would do alone, all threads do; and with fewer numbers to a chain of
additions, less is lost in rounding.
"""

from __future__ import annotations

from math import prod

from nndsl.ir.graph import Graph, Node, Value, rebuild
from nndsl.ir.types import BATCH
from nndsl.ops.reduction import Reduce

MANY_PLACES = 16
"""Numbers of a row of the batch that are worth a sum of their own."""


def sums_by_rows(graph: Graph) -> Graph:
    """The graph with sums over batch and places in two steps."""
    nodes = []
    for node in graph.nodes:
        nodes += _in_two(node) if _is_sum_of_images(node) else [node]
    return rebuild(graph, nodes)


def _is_sum_of_images(node: Node) -> bool:
    operation = node.operation
    if not isinstance(operation, Reduce) or operation.kind != "sum":
        return False
    shape = node.inputs[0].type.shape
    places = [d for d in shape[1:-1] if isinstance(d, int)]
    if operation.axes != tuple(range(len(shape) - 1)) or len(shape) < 3 or shape[0] != BATCH:
        return False
    return len(places) == len(shape) - 2 and prod(places) >= MANY_PLACES


def _in_two(node: Node) -> list[Node]:
    """The sums of each row, and their sum in the place of the node's result."""
    operation, (result,) = node.operation, node.outputs
    assert isinstance(operation, Reduce)
    first = Reduce("sum", operation.axes[1:], operation.keep)
    rows = Value(f"{result.name}.rows", first.infer([node.inputs[0].type])[0])
    return [
        Node(first, node.inputs, (rows,), node.span, node.label),
        Node(Reduce("sum", (0,), operation.keep), (rows,), node.outputs, node.span, node.label),
    ]
