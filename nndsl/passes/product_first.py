"""Products before lookups: a small table is multiplied once, not each of the rows taken from it."""

from __future__ import annotations

from math import prod

from nndsl.ir.graph import Graph, Node
from nndsl.ops.embedding import Lookup
from nndsl.ops.matmul import MatMul
from nndsl.passes.dce import DeadCode
from nndsl.passes.rewriting import Rewriter
from nndsl.records import dataclass


@dataclass(frozen=True)
class ProductFirst:
    """Let rows of a table be looked up in the table's product with the weights that follow.

    The rows of (E W) are those of E times W, bit for bit. It is done where the table has at most
    `rows` times as many rows as an example looks up: with a batch of so many examples it is less
    work, and the gradients of both matrices are products with the table too.
    """

    rows: int = 8

    name = "product-first"

    def __call__(self, graph: Graph) -> Graph:
        """The graph with smaller products."""
        rewriter = Rewriter(graph)
        for old in graph.nodes:
            node = rewriter.adopt(old)
            maker = rewriter.producers.get(node.inputs[0]) if node.inputs else None
            if maker is None or not self._pays(node, maker):
                rewriter.keep(node)
                continue
            table, ids = maker.inputs
            product = rewriter.build.add(node.operation, table, node.inputs[1], name="table")
            found = rewriter.build.add(Lookup(), product, ids, name=node.outputs[0].name)
            rewriter.replace(node.outputs, [found])
        return DeadCode()(rewriter.finish())

    def _pays(self, node: Node, maker: Node) -> bool:
        operation = node.operation
        if not isinstance(operation, MatMul) or operation.transpose_a:
            return False
        if not isinstance(maker.operation, Lookup) or node.inputs[1] is node.inputs[0]:
            return False
        taken = prod(d for d in maker.inputs[1].type.shape if isinstance(d, int))
        rows = maker.inputs[0].type.shape[0]
        return isinstance(rows, int) and rows <= self.rows * taken
