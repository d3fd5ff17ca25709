"""Common subexpressions: what is computed twice from the same values is computed once."""

from __future__ import annotations

from typing import Any

from nndsl.ir.graph import Graph, Node, Value
from nndsl.ops.base import operation_of
from nndsl.passes.rewriting import Rewriter
from nndsl.records import dataclass


@dataclass(frozen=True)
class CommonSubexpressions:
    """Of nodes with equal operations and operands keep the first, with its label and place.

    Random numbers are a function of stream and step: two equal draws are one.
    """

    name = "common-subexpressions"

    def __call__(self, graph: Graph) -> Graph:
        """The graph without repeated nodes; results are bit-equal."""
        rewriter = Rewriter(graph)
        seen: dict[Any, tuple[Value, ...]] = {}
        for old in graph.nodes:
            node = rewriter.adopt(old)
            found = seen.setdefault(_key(node), node.outputs)
            if found is node.outputs:
                rewriter.keep(node)
            else:
                rewriter.replace(node.outputs, found)
        return rewriter.finish()


def _key(node: Node) -> Any:
    """Equal for nodes that compute the same bits: 0.0 == -0.0, but their bytes differ."""
    constant = operation_of(node).constant()
    return node.operation, node.inputs, None if constant is None else constant.tobytes()
