"""Dead code: nodes that no output and no update needs are taken out."""

from __future__ import annotations

from nndsl.ir.graph import Graph, rebuild
from nndsl.records import dataclass


@dataclass(frozen=True)
class DeadCode:
    """Keep only the nodes from which an output or an update can be reached. Inputs all stay."""

    name = "dead-code"

    def __call__(self, graph: Graph) -> Graph:
        """The graph without what is never read; results are bit-equal."""
        needed = set(graph.results())
        kept = []
        for node in reversed(graph.nodes):
            if any(v in needed for v in node.outputs):
                needed.update(node.inputs)
                kept.append(node)
        return rebuild(graph, kept[::-1])
