"""Reverse accumulation: gradients of chosen values as nodes added to the same graph."""

from __future__ import annotations

from collections.abc import Iterable

from nndsl.ir.graph import Builder, Graph, Node, Value
from nndsl.ops.base import operation_of
from nndsl.ops.compose import add_sum
from nndsl.ops.movement import zeros
from nndsl.ops.reduction import sum_to

PREFIX = "gradient:"


class Backward:
    """The gradients collected so far, by the value whose gradient they are part of.

    `sources` are the inputs whose gradients are wanted: nothing is computed for values that do not
    depend on them. `parts` is filled with the gradients of the results before the walk.
    """

    def __init__(self, graph: Graph, sources: Iterable[Value]) -> None:
        self.build = Builder(graph)
        self.active = _depends_on(graph, sources)
        self.parts: dict[Value, list[Value]] = {}
        self.readers = {v: nodes[0] for v, nodes in graph.users().items()}

    def walk(self) -> None:
        """Visit every node of the graph, from last to first."""
        for node in reversed(list(self.build.graph.nodes)):
            self.visit(node)

    def visit(self, node: Node) -> None:
        """Add a node's share to the gradients of its operands."""
        if not any(v in self.active and v in self.parts for v in node.outputs):
            return
        self.build.label, self.build.span = node.label, node.span
        upstream = [self.total(v) if v in self.parts else None for v in node.outputs]
        gradients = operation_of(node).gradient(self.build, node, upstream)
        for value, gradient in zip(node.inputs, gradients, strict=True):
            if gradient is not None and value in self.active:
                summed = sum_to(self.build, gradient, value.type)
                self.parts.setdefault(value, []).append(summed)

    def total(self, value: Value) -> Value:
        """The sum of a value's parts, in the order in which they came, named after the value."""
        total = add_sum(self.build, self.parts[value], name="gradient")
        if total.name.split(".")[0] == "gradient":
            total.name = self.build.unique(f"{PREFIX}{value.name}")
        return total

    def finished(self, source: Value) -> Value:
        """The gradient of a source, under the label of the part that reads it first."""
        reader = self.readers.get(source)
        self.build.label = reader.label if reader else ""
        self.build.span = reader.span if reader else None
        if source in self.parts:
            return self.total(source)
        return zeros(self.build, source.type)


def _depends_on(graph: Graph, sources: Iterable[Value]) -> set[Value]:
    """The values that change when one of `sources` does."""
    found = set(sources)
    for node in graph.nodes:
        if any(v in found for v in node.inputs):
            found.update(node.outputs)
    return found
