"""What each stage of a network holds and does: its nodes, learnt numbers, work for one row."""

from __future__ import annotations

from math import prod

from nndsl.ir.graph import Graph, Node, Value
from nndsl.ir.types import BATCH
from nndsl.lower.result import Network, Part
from nndsl.ops.base import operation_of
from nndsl.records import dataclass


@dataclass(frozen=True)
class Cost:
    """`parameters` learnt here first; `is_shared`: all weights are those of a stage before;
    `flops` and `values` (numbers given to the next stage) for one row.
    """

    parameters: int = 0
    is_shared: bool = False
    flops: int = 0
    values: int = 0


def nodes_of_parts(network: Network) -> tuple[list[list[Node]], list[Node]]:
    """The nodes of each part (none for blocks), and those between stages: `x + y`."""
    producers = network.graph.producers()
    claimed: set[Node] = set()
    owned = [
        [] if part.is_block else _claim(part, producers, claimed) for part in network.parts
    ]  # fmt: skip
    return owned, [node for node in network.graph.nodes if node not in claimed]


def _claim(part: Part, producers: dict[Value, Node], claimed: set[Node]) -> list[Node]:
    """The nodes between a part's inputs and its output that no part before it has."""
    found, open_values = [], [part.output]
    while open_values:
        value = open_values.pop()
        node = producers.get(value)
        if value in part.inputs or node is None or node in claimed:
            continue
        claimed.add(node)
        found.append(node)
        open_values.extend(node.inputs)
    return found


def flops_of(nodes: list[Node]) -> int:
    """Floating-point operations for one row."""
    return sum(operation_of(node).flops([v.type for v in node.inputs]) for node in nodes)


def numbers_of(value: Value) -> int:
    """How many numbers of one row a value has; 0 where a size is not known."""
    sizes = [size for size in value.type.shape if size != BATCH]
    return prod(size if isinstance(size, int) else 0 for size in sizes)


def part_costs(network: Network, owned: list[list[Node]]) -> list[Cost]:
    """The cost of each part, in the order of the parts; that of blocks is nothing of their own."""
    counted: set[str] = set()
    costs = []
    for part, nodes in zip(network.parts, owned, strict=True):
        if part.is_block:
            costs.append(Cost())
            continue
        fresh = [name for name in part.parameters if name not in counted]
        counted.update(fresh)
        costs.append(
            Cost(
                sum(network.parameters[name].size for name in fresh),
                bool(part.parameters) and not fresh,
                flops_of(nodes),
                numbers_of(part.output) if nodes else 0,
            )
        )
    return costs


def graph_flops(graph: Graph) -> int:
    """Floating-point operations of a whole graph for one row."""
    return flops_of(graph.nodes)
