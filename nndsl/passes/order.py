"""An order of the nodes in which temporary values are short-lived, and how many there are."""

from __future__ import annotations

from itertools import accumulate
from math import prod

from nndsl.ir.graph import Graph, Node, Value, rebuild
from nndsl.ir.types import BATCH
from nndsl.ops.base import operation_of
from nndsl.records import dataclass


@dataclass(frozen=True)
class UpdateEarly:
    """Update each parameter as soon as its gradient is there and nobody reads the old one.

    A gradient then lives for one node, and not until the gradients of all parameters are known;
    unless all are needed together, as for their norm.
    """

    name = "update_early"

    def __call__(self, graph: Graph) -> Graph:
        """The same nodes in another order."""
        targets = {v: graph.inputs[name].value for name, v in graph.updates.items()}
        reads: dict[Value, list[int]] = {}
        for number, node in enumerate(graph.nodes):
            for value in node.inputs:
                reads.setdefault(value, []).append(number)
        turns: list[int] = []
        made: dict[Value, int] = {}
        for number, node in enumerate(graph.nodes):
            old = [targets[v] for v in node.outputs if v in targets]
            turn = number
            if old:
                readers = [turns[r] for v in old for r in reads.get(v, ()) if r < number]
                turn = max([made.get(v, -1) for v in node.inputs] + readers)
            turns.append(turn)
            made.update(dict.fromkeys(node.outputs, turn))
        order = sorted(range(len(turns)), key=lambda number: (turns[number], number))
        return rebuild(graph, [graph.nodes[number] for number in order])


def remembered(graph: Graph) -> list[int]:
    """How many numbers for each row of the batch are alive at each node."""
    last = {value: number for number, node in enumerate(graph.nodes) for value in node.inputs}
    change = [0] * (len(graph.nodes) + 1)
    for number, node in enumerate(graph.nodes):
        for value in node.outputs:
            change[number] += numbers_in(node, value)
            change[last.get(value, number) + 1] -= numbers_in(node, value)
    return list(accumulate(change))


def numbers_in(node: Node, value: Value) -> int:
    """Numbers of a result for a row of the batch; without rows it is small, a view has none."""
    if value.type.shape[:1] != (BATCH,) or operation_of(node).is_view:
        return 0
    return prod(d for d in value.type.shape if isinstance(d, int))
