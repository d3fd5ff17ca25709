"""Inputs of a net that declares them, matched with the data that it is trained on."""

from __future__ import annotations

from collections.abc import Sequence

from nndsl.diagnostics import Span, error
from nndsl.ir.types import format_shape
from nndsl.lower.nets import Elaborated
from nndsl.lower.values import DataSource


def _given(columns: Sequence[str], shape: Sequence[int]) -> str:
    if len(shape) == 1:
        return f"{len(columns)} columns, {shape[0]} numbers"
    return f"pictures of {format_shape(tuple(shape))}"


def match_inputs(made: Elaborated, source: DataSource, span: Span) -> None:
    """Give the graph's inputs the names that the data has for them, in order.

    A net that stands on the data has these names already. Errors: NN306 for another number of
    inputs or another shape.
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
        if tensor.shape != wanted.shape and all(isinstance(d, int) for d in tensor.shape):
            raise error(
                "NN306",
                f"the network takes {format_shape(tensor.shape)}, but `{source.name}` gives "
                f"{format_shape(wanted.shape)}",
                tensor.span or span,
                "declared here",
                secondary=[
                    (source.span, _given(wanted.columns, wanted.shape))
                ],
            )
    renamed = {name: wanted.name for (name, _), wanted in zip(declared, given, strict=True)}
    graph = made.graph
    for name, entry in graph.inputs.items():
        if name in renamed:
            entry.value.name = renamed[name]
    graph.inputs = {entry.value.name: entry for entry in graph.inputs.values()}
