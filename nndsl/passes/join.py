"""Joining: ops that stand one after the other become one that does both in a pass over memory."""

from __future__ import annotations

from nndsl.ir.graph import Graph
from nndsl.ops.base import operation_of
from nndsl.passes.rewriting import Rewriter
from nndsl.records import dataclass


@dataclass(frozen=True)
class Join:
    """Let each op join with the one that made its operand, where it declares so (`Op.join`).

    Log-softmax and the choice of the target's class become the cross-entropy of logits. Runs
    before differentiation: the joint op's gradient is its second result.
    """

    name = "join"

    def __call__(self, graph: Graph) -> Graph:
        """The graph with joint ops; results are equal but for rounding."""
        rewriter = Rewriter(graph)
        for old in graph.nodes:
            node = rewriter.adopt(old)
            joint = operation_of(node).join(rewriter.build, node, rewriter.producers)
            if joint is None:
                rewriter.keep(node)
            else:
                rewriter.replace(node.outputs, joint)
        return rewriter.finish()
