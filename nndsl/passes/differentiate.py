"""Reverse-mode differentiation: gradients of the loss as nodes of the same graph."""

from __future__ import annotations

from nndsl.ir.graph import Graph, Role
from nndsl.ops.backward import PREFIX, Backward
from nndsl.ops.source import Constant
from nndsl.passes.dce import DeadCode
from nndsl.records import dataclass

__all__ = ["PREFIX", "Differentiate"]


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
        backward = Backward(graph, parameters.values())
        one = Constant((1.0,), (), loss.type.element)  # the loss changes by 1 when it does
        backward.parts[loss] = [backward.build.add(one, name="one")]
        backward.walk()
        gradients = {PREFIX + n: backward.finished(p) for n, p in parameters.items()}
        graph.outputs = {**graph.outputs, **gradients}
        return DeadCode()(graph)
