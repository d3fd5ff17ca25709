"""What passes that rewrite node by node have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nndsl.ir.graph import Builder, Graph, Node, Value, with_inputs


class Rewriter:
    """A graph in the making: nodes of another one, kept or replaced, in order.

    Nodes added through `build` take the place in the order at which they are added. Values that
    were replaced are replaced wherever they are read later, and in outputs and updates.
    """

    def __init__(self, graph: Graph) -> None:
        self.build = Builder(graph.copy())
        self.build.graph.nodes = []
        self.producers: dict[Value, Node] = {}
        self._replaced: dict[Value, Value] = {}
        self._known = 0

    def current(self, value: Value) -> Value:
        """What is read now where `value` was read."""
        while value in self._replaced:
            value = self._replaced[value]
        return value

    def adopt(self, node: Node) -> Node:
        """The node as it reads now; it is not in the graph before `keep`."""
        self.build.label, self.build.span = node.label, node.span
        self._learn()
        inputs = tuple([self.current(v) for v in node.inputs]) if self._replaced else node.inputs
        return node if inputs == node.inputs else with_inputs(node, inputs)

    def keep(self, node: Node) -> None:
        """Append a node."""
        self.build.graph.nodes.append(node)

    def replace(self, old: Sequence[Value], new: Sequence[Value]) -> None:
        """Read the new values instead of the old ones from here on."""
        for before, after in zip(old, new, strict=True):
            if before is not after:
                self._replaced[before] = after

    def _learn(self) -> None:
        nodes = self.build.graph.nodes
        while self._known < len(nodes):
            for value in nodes[self._known].outputs:
                self.producers[value] = nodes[self._known]
            self._known += 1

    def finish(self) -> Graph:
        """The graph, with outputs and updates brought up to date."""
        graph = self.build.graph
        graph.outputs = self._all_current(graph.outputs)
        graph.updates = self._all_current(graph.updates)
        return graph

    def _all_current(self, results: Mapping[str, Value]) -> dict[str, Value]:
        return {name: self.current(value) for name, value in results.items()}
