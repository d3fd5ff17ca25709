"""Sizes that were names get their numbers: one program is generated for each length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from nndsl.diagnostics import error
from nndsl.ir.graph import Graph, Input, Node, ShapeError, Value
from nndsl.ir.types import BATCH, TensorType, resolved
from nndsl.ops.base import operation_of


def bind(graph: Graph, sizes: Mapping[str, int]) -> None:
    """Write the numbers into the types and operations of a graph, in place.

    The rows of the batch stay a name. Where a number does not fit, what the op's typing rule says
    is an error at the node's place.
    """
    if BATCH in sizes:
        raise ValueError("the rows of the batch differ from batch to batch")
    if not sizes:
        return
    for entry in graph.inputs.values():
        entry.value.type = bound_type(entry.value.type, sizes)
    for node in graph.nodes:
        node.operation = operation_of(node).bound(sizes)
        try:
            types = node.operation.infer([v.type for v in node.inputs])
        except ShapeError as refusal:
            place, remedy = node.span, refusal.help or ()
            raise error(refusal.code, refusal.title, place, help=remedy) from None
        for value, type in zip(node.outputs, types, strict=True):
            value.type = type


def bound_copy(graph: Graph, sizes: Mapping[str, int]) -> Graph:
    """A graph with values of its own in which the names have numbers; see `bind`."""
    made: dict[Value, Value] = {}

    def copied(value: Value) -> Value:
        return made.setdefault(value, Value(value.name, value.type, None, value.index))

    inputs = {
        name: Input(copied(i.value), i.role, i.trainable, i.setting, i.start)
        for name, i in graph.inputs.items()
    }
    nodes = []
    for old in graph.nodes:
        operands, results = (tuple(map(copied, values)) for values in (old.inputs, old.outputs))
        nodes.append(Node(old.operation, operands, results, old.span, old.label))
        for value in results:
            value.node = nodes[-1]
    outputs, updates = (
        {name: made[value] for name, value in found.items()}
        for found in (graph.outputs, graph.updates)
    )
    copy = Graph(inputs, nodes, outputs, updates)
    bind(copy, sizes)
    return copy


def sizes_of(graph: Graph, shapes: Mapping[str, Sequence[int]]) -> dict[str, int]:
    """The numbers that names among the sizes of inputs have for arrays of these shapes."""
    found: dict[str, int] = {}
    for name, shape in shapes.items():
        declared = graph.inputs[name].value.type.shape if name in graph.inputs else ()
        for size, number in zip(declared, shape, strict=False):
            if isinstance(size, str) and size != BATCH:
                found.setdefault(size, number)
    return found


def bound_type(type: TensorType, sizes: Mapping[str, int]) -> TensorType:
    """The type with numbers for names."""
    shape = tuple(resolved(d, sizes) for d in type.shape)
    return type if shape == type.shape else replace(type, shape=shape)


def names_in(graph: Graph) -> set[str]:
    """The sizes of a graph's inputs that are names, the rows of the batch left out."""
    shapes = (entry.value.type.shape for entry in graph.inputs.values())
    return {d for shape in shapes for d in shape if isinstance(d, str)} - {BATCH}
