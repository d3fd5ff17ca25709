"""Fusion: formulas in one loop, and formulas in the registers of the product before them.

A value that is made by one formula and read by the next need never reach memory. Formulas of one
shape become one map, with several results where others read what lies between; a number that all
elements share is computed inside the loop's head; and what follows a matrix product (bias,
activation, the activation's gradient) is done where the product's sums are.
"""

from __future__ import annotations

from collections.abc import Iterator

from nndsl.ir.graph import Graph, Node, Value, rebuild
from nndsl.ops.base import Fusion, operation_of
from nndsl.ops.fused import Joined, joined_maps, read_in_registers, takes_formulas, with_epilogue
from nndsl.ops.shapes import known
from nndsl.records import dataclass
from nndsl.scalar.expression import Expression
from nndsl.scalar.inspection import size


@dataclass(frozen=True)
class FuseMaps:
    """Join formulas that follow one another. At most `operands` arrays are read by one loop."""

    operands: int = 12
    shared: int = 8  # operators of a single number's formula that may be computed once more

    name = "fuse_maps"

    def __call__(self, graph: Graph) -> Graph:
        """The graph with longer formulas and fewer of them."""
        editor = _Editor(graph)
        for position in range(len(editor.nodes)):
            while self._step(editor, position):
                pass
        return editor.finish()

    def _step(self, editor: _Editor, position: int) -> bool:
        """Join one producer into the node at `position`, if there is one that can be."""
        node = editor.nodes[position]
        if node is None or not _is_formula(node):
            return False
        for value in node.inputs:
            maker = editor.producers.get(value)
            if maker is None or not _is_formula(maker):
                continue
            if maker.outputs[0].type == node.outputs[0].type:
                if editor.may_move(maker, node) and self._fits(maker, node):
                    editor.join(maker, node, joined_maps(maker, node, editor.kept(maker, node)))
                    return True
            elif self._is_shared_number(maker, node):
                editor.repeat(maker, node, joined_maps(maker, node, ()))
                return True
        return False

    def _fits(self, maker: Node, node: Node) -> bool:
        return len({*maker.inputs, *node.inputs}) <= self.operands

    def _is_shared_number(self, maker: Node, node: Node) -> bool:
        """A cheap formula of single numbers, read by one over a whole tensor."""
        made, result = maker.outputs[0].type, node.outputs[0].type
        if made.shape != () or made.element is not result.element:
            return False
        return len(maker.outputs) == 1 and size(*_expressions(maker)) <= self.shared


@dataclass(frozen=True)
class FuseEpilogues:
    """Let products and convolutions apply the formula that follows before they store their sums.

    Formulas whose results are updates stay by themselves, for one loop does all parameters; but
    from `large` numbers on they wait for memory, and that goes on beside the product's arithmetic.
    """

    large: int = 1 << 18

    name = "fuse_epilogues"

    def __call__(self, graph: Graph) -> Graph:
        """The graph with fused products."""
        editor = _Editor(graph)
        updates = set(graph.updates.values())
        for position in range(len(editor.nodes)):
            node = editor.nodes[position]
            if node is None or not _is_formula(node):
                continue
            if updates & set(node.outputs) and known(node.outputs[0].type.shape) < self.large:
                continue
            maker = self._product(editor, node)
            if maker is not None:
                editor.join(maker, node, with_epilogue(maker, node, editor.kept(maker, node)))
        return editor.finish()

    def _product(self, editor: _Editor, node: Node) -> Node | None:
        """The product that can take the formula in: the last one that it reads."""
        makers = [editor.producers.get(v) for v in node.inputs]
        products = [m for m in makers if m is not None and takes_formulas(m)]
        for maker in sorted(products, key=lambda m: -editor.positions[m]):
            if self._readable(maker, node) and editor.may_move(maker, node):
                return maker
        return None

    def _readable(self, maker: Node, node: Node) -> bool:
        product = maker.outputs[0]
        if node.outputs[0].type != product.type:
            return False
        others = [v for v in node.inputs if v not in maker.outputs]
        return all(read_in_registers(v, product) is not None for v in others)


class _Editor:
    """Nodes in order with holes, and who makes and reads each value."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.nodes: list[Node | None] = list(graph.nodes)
        self.positions = {node: number for number, node in enumerate(graph.nodes)}
        self.producers = graph.producers()
        self.users = {value: dict.fromkeys(nodes) for value, nodes in graph.users().items()}
        self.results = set(graph.results())

    def others(self, maker: Node, node: Node) -> Iterator[Node]:
        """Who reads results of `maker` beside `node`."""
        for value in maker.outputs:
            yield from self._beside(value, node)

    def _beside(self, value: Value, node: Node) -> Iterator[Node]:
        return (user for user in self.users.get(value, ()) if user is not node)

    def may_move(self, maker: Node, node: Node) -> bool:
        """Whether `maker` can be computed as late as `node`."""
        here = self.positions[node]
        return all(self.positions[user] > here for user in self.others(maker, node))

    def kept(self, maker: Node, node: Node) -> list[Value]:
        """Results of `maker` that somebody beside `node` wants."""
        return [v for v in maker.outputs if v in self.results or any(self._beside(v, node))]

    def join(self, maker: Node, node: Node, joined: Joined) -> None:
        """Replace both nodes by the joint one, at the place of the later."""
        self.nodes[self.positions.pop(maker)] = None
        self._forget(maker)
        self._put(node, joined)

    def repeat(self, maker: Node, node: Node, joined: Joined) -> None:
        """Replace `node` by the joint one; `maker` goes when nobody else reads it."""
        self._put(node, joined)
        wanted = any(self.users.get(v) or v in self.results for v in maker.outputs)
        if not wanted:
            self.nodes[self.positions.pop(maker)] = None
            self._forget(maker)

    def _put(self, old: Node, joined: Joined) -> None:
        operation, inputs, outputs = joined
        new = Node(operation, inputs, outputs, old.span, old.label)
        position = self.positions.pop(old)
        self.nodes[position] = new
        self.positions[new] = position
        for index, value in enumerate(outputs):
            value.node, value.index = new, index
            self.producers[value] = new
        self._forget(old)
        for value in inputs:
            self.users.setdefault(value, {})[new] = None

    def _forget(self, node: Node) -> None:
        """The node reads nothing any more."""
        for value in node.inputs:
            self.users[value].pop(node, None)

    def finish(self) -> Graph:
        """The graph without the holes."""
        return rebuild(self.graph, [node for node in self.nodes if node is not None])


def _is_formula(node: Node) -> bool:
    return operation_of(node).fusion is Fusion.ELEMENTWISE


def _expressions(node: Node) -> tuple[Expression, ...]:
    expressions: tuple[Expression, ...] = operation_of(node).options()["expressions"]
    return expressions
