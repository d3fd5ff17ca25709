"""Which matrices are kept in panels: weights that do not fit a core's own cache.

A product reads two registers of columns of the weights at every step of its depth. In rows of 2,500
numbers each step is a page further on, which processors do not fetch ahead; so large weights are
kept as panels, each of two registers of columns, one after another in memory (the last one
narrower). What belongs to the weights number by number is kept alike: gradients, moments, next
values. All else stays in rows, and people and files never see panels: `Executable` converts.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import prod

from nndsl.codegen.program import Element
from nndsl.codegen.target import Target
from nndsl.ir.graph import Graph, Node, Role, Value
from nndsl.ir.types import ElementType, TensorType
from nndsl.ops.fused import FusedMatMul
from nndsl.ops.map import Map
from nndsl.ops.matmul import MatMul
from nndsl.ops.reduction import Reduce

LARGE_BYTES = 1 << 20
"""Smaller weights stay in a core's own cache, where it does not matter how they lie."""


def panel_width(target: Target, element: Element) -> int:
    """Columns of a panel: two registers of them."""
    return 2 * target.lanes_of(element)


def panelled(graph: Graph, element: Element) -> frozenset[Value]:
    """The values to be kept in panels."""
    parameters = [i.value for i in graph.of_role(Role.PARAMETER)]
    if not any(_is_large(value.type, element) for value in parameters):
        return frozenset()
    alike = _Alike()
    for name, entry in graph.inputs.items():
        if name in graph.updates:
            alike.join((entry.value, graph.updates[name]))
    for node in graph.nodes:
        if isinstance(node.operation, (Map, FusedMatMul)):
            type = node.outputs[0].type
            alike.join(v for v in (*node.inputs, *node.outputs) if v.type == type)
    large = {alike.first(value) for value in parameters if _is_large(value.type, element)}
    refused = {alike.first(v) for v in graph.outputs.values()}
    for node in graph.nodes:
        refused |= {alike.first(v) for v in _refused(node)}
    return frozenset(v for v in alike.members() | large if alike.first(v) in large - refused)


def _is_large(type: TensorType, element: Element) -> bool:
    shape = type.shape
    if len(shape) != 2 or type.element is not ElementType.REAL:
        return False
    return prod(d for d in shape if isinstance(d, int)) * element.bytes > LARGE_BYTES


def _refused(node: Node) -> Iterable[Value]:
    """Operands and results of a node that it can only read or write in rows."""
    operation, inputs, outputs = node.operation, node.inputs, node.outputs
    if isinstance(operation, (MatMul, FusedMatMul)):
        type = outputs[0].type
        beside = [v for v in inputs[2:] if v.type != type]
        return (inputs[0], *beside, *(() if operation.transpose_a else outputs))
    if isinstance(operation, Map):
        type = outputs[0].type
        spread = [v for v in inputs if v.type != type]
        # a formula that also reads rows or columns goes by the places of its numbers
        return () if all(not v.type.shape for v in spread) else (*inputs, *outputs)
    if isinstance(operation, Reduce) and len(operation.axes) == inputs[0].type.rank:
        return ()  # a sum over all numbers is the same in another order, up to rounding
    return (*inputs, *outputs)


class _Alike:
    """Sets of values that must lie in memory alike."""

    def __init__(self) -> None:
        self._parents: dict[Value, Value] = {}

    def first(self, value: Value) -> Value:
        """One value that stands for the whole set."""
        while value in self._parents and self._parents[value] is not value:
            value = self._parents[value]
        return value

    def join(self, values: Iterable[Value]) -> None:
        """Make one set of the sets of all values."""
        firsts = [self.first(v) for v in values]
        for value in firsts:
            self._parents[value] = firsts[0]

    def members(self) -> set[Value]:
        """All values that were ever joined."""
        return set(self._parents)
