"""Sizes that were names get their numbers: one program is generated for each length."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from nndsl.diagnostics import error
from nndsl.ir.graph import Graph, ShapeError
from nndsl.ir.types import BATCH, TensorType, resolved
from nndsl.ops.base import Op


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
        assert isinstance(node.operation, Op)
        node.operation = node.operation.bound(sizes)
        try:
            types = node.operation.infer([v.type for v in node.inputs])
        except ShapeError as refusal:
            place, remedy = node.span, refusal.help or ()
            raise error(refusal.code, refusal.title, place, help=remedy) from None
        for value, type in zip(node.outputs, types, strict=True):
            value.type = type


def bound_type(type: TensorType, sizes: Mapping[str, int]) -> TensorType:
    """The type with numbers for names."""
    shape = tuple(resolved(d, sizes) for d in type.shape)
    return type if shape == type.shape else replace(type, shape=shape)


def names_in(graph: Graph) -> set[str]:
    """The sizes of a graph's inputs that are names, the rows of the batch left out."""
    shapes = (entry.value.type.shape for entry in graph.inputs.values())
    return {d for shape in shapes for d in shape if isinstance(d, str)} - {BATCH}
