"""Products before lookups: a small table is multiplied once, not each of the rows taken from it.

So is what is added to a product, and any other formula of a table's rows and of what is the same
for all of them.
"""

from __future__ import annotations

from math import prod

from nndsl.ir.graph import Graph, Node, Value
from nndsl.ir.types import BATCH
from nndsl.ops.embedding import Lookup
from nndsl.ops.map import Map
from nndsl.ops.matmul import MatMul
from nndsl.passes.dce import DeadCode
from nndsl.passes.rewriting import Rewriter
from nndsl.records import dataclass


@dataclass(frozen=True)
class ProductFirst:
    """Let rows of a table be looked up in what products and formulas make of the whole table.

    The rows of (E W) are those of E times W, bit for bit. It is done where the table has at most
    `rows` times as many rows as an example looks up: with a batch of so many examples it is less
    work, and the gradients of both matrices are products with the table too.
    """

    rows: int = 8

    name = "product-first"

    def __call__(self, graph: Graph) -> Graph:
        """The graph with smaller products."""
        rewriter, users, results = Rewriter(graph), graph.users(), set(graph.results())
        for old in graph.nodes:
            node = rewriter.adopt(old)
            value, before = _rows_of(node), _rows_of(old)
            maker = rewriter.producers.get(value) if value is not None else None
            # a formula is worth no second lookup
            alone = before is not None and before not in results and len(users[before]) == 1
            pays = alone or isinstance(node.operation, MatMul)
            if maker is None or not pays or not self._pays(maker):
                rewriter.keep(node)
                continue
            table, ids = maker.inputs
            inputs = (table if v is value else v for v in node.inputs)
            whole = rewriter.build.add(node.operation, *inputs, name="table")
            found = rewriter.build.add(Lookup(), whole, ids, name=node.outputs[0].name)
            rewriter.replace(node.outputs, [found])
        return DeadCode()(rewriter.finish())

    def _pays(self, maker: Node) -> bool:
        if not isinstance(maker.operation, Lookup):
            return False
        taken = prod(d for d in maker.inputs[1].type.shape if isinstance(d, int))
        rows = maker.inputs[0].type.shape[0]
        return isinstance(rows, int) and rows <= self.rows * taken


def _rows_of(node: Node) -> Value | None:
    """The operand of which a node makes one row for each of its rows, by itself."""
    operation, inputs = node.operation, node.inputs
    if isinstance(operation, MatMul):
        return inputs[0] if not operation.transpose_a and inputs[1] is not inputs[0] else None
    if isinstance(operation, Map) and len(node.outputs) == 1:
        moving = {v for v in inputs if v.type.rank > 1 or v.type.shape[:1] == (BATCH,)}
        if len(moving) == 1:
            (value,) = moving
            return value if value.type == node.outputs[0].type else None
    return None
