"""Reverse-mode differentiation: gradients of the loss as nodes of the same graph."""

from __future__ import annotations

from collections.abc import Iterable

from nndsl.ir.graph import Builder, Graph, Node, Role, Value
from nndsl.ops.compose import add_sum
from nndsl.ops.movement import zeros
from nndsl.ops.reduction import sum_to
from nndsl.ops.source import Constant
from nndsl.passes.dce import DeadCode
from nndsl.passes.rewriting import operation_of
from nndsl.records import dataclass

PREFIX = "gradient:"


@dataclass(frozen=True)
class Differentiate:
    """Add the output `gradient:<parameter>` for every trainable parameter.

    Walks the nodes from last to first; each operation gives the gradients of its operands as IR.
    Gradient nodes carry the label and the place of the node they are derived from. A parameter
    that the loss does not depend on has a gradient of zeros.
    """

    loss: str = "loss"

    name = "differentiate"

    def __call__(self, graph: Graph) -> Graph:
        """The graph with its gradients; `loss` must be a single number."""
        graph = graph.copy()
        loss = graph.outputs[self.loss]
        if loss.type.shape != ():
            raise ValueError(f"{self.loss} is no single number but {loss.type}")
        parameters = {
            name: i.value
            for name, i in graph.inputs.items()
            if i.role is Role.PARAMETER and i.trainable
        }
        backward = _Backward(graph, parameters.values())
        backward.seed(loss)
        for node in reversed(list(graph.nodes)):
            backward.visit(node)
        gradients = {PREFIX + n: backward.finished(p) for n, p in parameters.items()}
        graph.outputs = {**graph.outputs, **gradients}
        return DeadCode()(graph)


class _Backward:
    """The gradients collected so far, by the value whose gradient they are part of."""

    def __init__(self, graph: Graph, parameters: Iterable[Value]) -> None:
        self.build = Builder(graph)
        self.active = _depends_on(graph, parameters)
        self.parts: dict[Value, list[Value]] = {}
        self.readers = {v: nodes[0] for v, nodes in graph.users().items()}

    def seed(self, loss: Value) -> None:
        """The loss changes by 1 when it changes by 1."""
        one = Constant((1.0,), (), loss.type.element)
        self.parts[loss] = [self.build.add(one, name="one")]

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

    def finished(self, parameter: Value) -> Value:
        """The gradient of a parameter, under the label of the part that reads it first."""
        reader = self.readers.get(parameter)
        self.build.label = reader.label if reader else ""
        self.build.span = reader.span if reader else None
        if parameter in self.parts:
            return self.total(parameter)
        return zeros(self.build, parameter.type)


def _depends_on(graph: Graph, sources: Iterable[Value]) -> set[Value]:
    """The values that change when one of `sources` does."""
    found = set(sources)
    for node in graph.nodes:
        if any(v in found for v in node.inputs):
            found.update(node.outputs)
    return found
