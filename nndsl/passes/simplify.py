"""Simplification: what does nothing, or is undone by what follows, is taken out."""

from __future__ import annotations

from nndsl.ir.graph import Graph, Node, Value, with_inputs
from nndsl.ops.base import Fusion, operation_of
from nndsl.passes.rewriting import Rewriter
from nndsl.records import dataclass


@dataclass(frozen=True)
class Simplify:
    """Exact rules that the operations themselves declare.

    Two ops of one operand become one (`Op.after`), an op reads its operand before a movement that
    it can do on the way (`Op.absorbed`), elementwise ops read what is repeated before the
    repetition, and an op that hands on its operand goes (`Op.is_identity`).
    """

    name = "simplify"

    def __call__(self, graph: Graph) -> Graph:
        """The simpler graph; results are bit-equal."""
        rewriter = Rewriter(graph)
        for old in graph.nodes:
            node = rewriter.adopt(old)
            while (simpler := _simpler(rewriter, node)) is not None:
                node = simpler
            if operation_of(node).is_identity([v.type for v in node.inputs]):
                rewriter.replace(node.outputs, node.inputs[:1])
            else:
                rewriter.keep(node)
        return rewriter.finish()


def _simpler(rewriter: Rewriter, node: Node) -> Node | None:
    """The node with one operand read from before the op that made it, or None."""
    for position, value in enumerate(node.inputs):
        maker = rewriter.producers.get(value)
        if maker is not None and len(maker.inputs) == 1 and len(maker.outputs) == 1:
            found = _through(node, position, maker)
            if found is not None:
                return found
    return None


def _through(node: Node, position: int, maker: Node) -> Node | None:
    operation, earlier = operation_of(node), operation_of(maker)
    types = [v.type for v in maker.inputs]
    changed = operation.after(earlier, types) if len(node.inputs) == 1 else None
    changed = changed or operation.absorbed(position, earlier)
    inputs = (*node.inputs[:position], maker.inputs[0], *node.inputs[position + 1 :])
    if changed is None and earlier.repeats and _reads_repeated(node, inputs):
        changed = operation
    if changed is None:
        return None
    return with_inputs(Node(changed, node.inputs, node.outputs, node.span, node.label), inputs)


def _reads_repeated(node: Node, inputs: tuple[Value, ...]) -> bool:
    """Whether an elementwise node gives the same types from the operand before repetition."""
    if operation_of(node).fusion is not Fusion.ELEMENTWISE:
        return False
    return node.operation.infer([v.type for v in inputs]) == tuple(v.type for v in node.outputs)
