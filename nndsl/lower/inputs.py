"""Inputs of a net that declares them, matched with the data that it is trained on."""

from __future__ import annotations

from collections.abc import Sequence

from nndsl.diagnostics import Span, error
from nndsl.ir.graph import Graph, Input, Node, Value
from nndsl.ir.types import BATCH, TensorType, format_shape
from nndsl.lower.nets import Elaborated
from nndsl.lower.values import DataSource
from nndsl.ops.reduction import Reshape
from nndsl.ops.shapes import known


def _fill(graph: Graph, value: Value, shape: tuple[int, ...]) -> None:
    """Let an input be a list of numbers that fills the shape the network has declared."""
    name = next(n for n, entry in graph.inputs.items() if entry.value is value)
    entry = graph.inputs[name]
    flat = Value(value.name, TensorType((BATCH, *shape), value.type.element))
    value.name = f"{value.name}.filled"
    filling = Node(Reshape(value.type.shape), (flat,), (value,))
    value.node = filling
    graph.nodes.insert(0, filling)
    graph.inputs[name] = Input(flat, entry.role, entry.trainable)


def _given(columns: Sequence[str], shape: Sequence[int]) -> str:
    if len(shape) == 1:
        return f"{len(columns)} columns, {shape[0]} numbers"
    return f"pictures of {format_shape(tuple(shape))}"


def match_inputs(made: Elaborated, source: DataSource, span: Span) -> None:
    """Give the graph's inputs the names that the data has for them, in order.

    A net that stands on the data has these names already. A list of as many numbers fills an input
    of another shape, such as an image. Errors: NN306 for another number of inputs or another shape.
    """
    assert source.schema is not None  # the caller has seen to it
    declared, given = list(made.inputs.items()), source.schema.inputs
    if len(declared) != len(given):
        raise error(
            "NN306",
            f"the network has {len(declared)} inputs, but `{source.name}` gives {len(given)}",
            span,
            help="inputs of data are declared by `input name = columns`",
        )
    for (_, tensor), wanted in zip(declared, given, strict=True):
        if tensor.shape == wanted.shape or not all(isinstance(d, int) for d in tensor.shape):
            continue
        if len(wanted.shape) == 1 and known(tensor.shape) == known(wanted.shape):
            _fill(made.graph, tensor.value, wanted.shape)
            continue
        raise error(
            "NN306",
            f"the network takes {format_shape(tensor.shape)}, but `{source.name}` gives "
            f"{format_shape(wanted.shape)}",
            tensor.span or span,
            "declared here",
            secondary=[(source.span, _given(wanted.columns, wanted.shape))],
        )
    renamed = {name: wanted.name for (name, _), wanted in zip(declared, given, strict=True)}
    graph = made.graph
    for name, entry in graph.inputs.items():
        if name in renamed:
            entry.value.name = renamed[name]
    graph.inputs = {entry.value.name: entry for entry in graph.inputs.values()}
