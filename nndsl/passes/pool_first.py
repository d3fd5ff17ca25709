"""Max pooling before relu: fewer numbers to compare with 0, and fewer gradients to mask."""

from __future__ import annotations

from nndsl.ir.graph import Graph, Node
from nndsl.ops.map import Map, operand
from nndsl.ops.padding import Pad
from nndsl.ops.pooling import MaxPool
from nndsl.passes.dce import DeadCode
from nndsl.passes.rewriting import Rewriter
from nndsl.records import dataclass
from nndsl.scalar.functions import maximum

RELU = Map((maximum(operand(0), 0.0),))
LOWEST = float("-inf")


@dataclass(frozen=True)
class PoolFirst:
    """Exchange a relu and the max pooling that alone reads it.

    The greatest of max(x, 0) is max(greatest of x, 0), bit for bit, and so are the gradients: both
    have none where a window holds nothing above 0. It is for training, where then neither the
    result of relu nor its gradient is as large as the image; without gradients the convolution
    before it does relu in its registers, for nothing.
    """

    name = "pool_first"

    def __call__(self, graph: Graph) -> Graph:
        """The graph with relu after pooling."""
        users, results = graph.users(), set(graph.results())

        def is_read_once(node: Node) -> bool:
            value = node.outputs[0]
            return len(users.get(value, ())) == 1 and value not in results

        rewriter = Rewriter(graph)
        for old in graph.nodes:
            node = rewriter.adopt(old)
            between = _before(rewriter, node)
            if between and all(map(is_read_once, between)):
                _exchange(rewriter, node, between)
            else:
                rewriter.keep(node)
        return DeadCode()(rewriter.finish())


def _before(rewriter: Rewriter, node: Node) -> list[Node]:
    """The relu before a max pooling, and the padding between them if there is one; else nothing.

    Padding is with what no window takes, so every window holds a number of relu's.
    """
    found: list[Node] = []
    if not isinstance(node.operation, MaxPool):
        return found
    maker = rewriter.producers.get(node.inputs[0])
    if maker is not None and isinstance(maker.operation, Pad) and maker.operation.value == LOWEST:
        found = [maker]
        maker = rewriter.producers.get(maker.inputs[0])
    return [maker, *found] if maker is not None and maker.operation == RELU else []


def _exchange(rewriter: Rewriter, node: Node, between: list[Node]) -> None:
    relu, *padding = between
    source = relu.inputs[0]
    for pad in padding:
        source = rewriter.build.add(pad.operation, source, name=pad.outputs[0].name)
    pooled, index = rewriter.build.add_all(node.operation, source, name="pooled")
    result = rewriter.build.add(RELU, pooled, name=node.outputs[0].name)
    rewriter.replace(node.outputs, [result, index])
