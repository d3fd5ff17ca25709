"""Constant folding: what is known when compiling is not computed in every step."""

from __future__ import annotations

from math import prod

import numpy as np

from nndsl.ir.graph import Graph, Node, Value, with_inputs
from nndsl.ir.types import ElementType
from nndsl.ops.base import Clock, operation_of
from nndsl.ops.source import constant_of
from nndsl.passes.rewriting import Rewriter
from nndsl.records import dataclass


@dataclass(frozen=True)
class Fold:
    """Nodes over constants become constants, up to `limit` numbers; single constants are
    written into formulas (`Op.with_constant`).
    """

    limit: int = 1024

    name = "fold"

    def __call__(self, graph: Graph) -> Graph:
        """The graph with less to compute; folding rounds in float64, so to 4 ulp in float32."""
        rewriter = Rewriter(graph)
        for old in graph.nodes:
            node = rewriter.adopt(old)
            values = _constants(rewriter, node)
            if self._is_foldable(node, values):
                known = [v for v in values if v is not None]
                for output, array in zip(node.outputs, _computed(node, known), strict=True):
                    constant = constant_of(array, output.type.element)
                    rewriter.replace([output], [rewriter.build.add(constant, name=output.name)])
            else:
                rewriter.keep(_with_constants(node, values))
        return rewriter.finish()

    def _is_foldable(self, node: Node, values: list[np.ndarray | None]) -> bool:
        operation = operation_of(node)
        if not values or any(v is None for v in values) or operation.reads_run or operation.repeats:
            return False
        return all(_count(value) <= self.limit for value in node.outputs)


def _constants(rewriter: Rewriter, node: Node) -> list[np.ndarray | None]:
    makers = (rewriter.producers.get(v) for v in node.inputs)
    return [None if m is None else operation_of(m).constant() for m in makers]


def _count(value: Value) -> float:
    """Elements of a value; without bound where a size is known only at run time."""
    return prod(d if isinstance(d, int) else float("inf") for d in value.type.shape)


def _computed(node: Node, values: list[np.ndarray]) -> tuple[np.ndarray, ...]:
    clock = Clock()
    typed = [
        v.astype(clock.dtype(i.type.element)) for v, i in zip(values, node.inputs, strict=True)
    ]
    with np.errstate(all="ignore"):
        return operation_of(node).meaning(typed, clock)


def _with_constants(node: Node, values: list[np.ndarray | None]) -> Node:
    """The node with its operands that are single constants written into its formulas."""
    for position in reversed(range(len(values))):
        value, type = values[position], node.inputs[position].type
        if value is None or value.shape != () or type.element is ElementType.INDEX:
            continue
        changed = operation_of(node).with_constant(position, float(value))
        inputs = node.inputs[:position] + node.inputs[position + 1 :]
        if changed is not None and inputs:
            same = Node(changed, node.inputs, node.outputs, node.span, node.label)
            node = with_inputs(same, inputs)
    return node
