"""Inputs of a net that declares them, matched with the data that it is trained on."""

from __future__ import annotations

from collections.abc import Sequence

from nndsl.diagnostics import Span, error
from nndsl.ir.graph import Graph, Input, Node, Value
from nndsl.ir.types import BATCH, Dimension, ElementType, TensorType, format_shape, resolved
from nndsl.lower.nets import Elaborated, type_of_input
from nndsl.lower.values import DataSource, Tensor
from nndsl.ops.binding import bind
from nndsl.ops.reduction import Reshape
from nndsl.ops.shapes import known
from nndsl.schema import InputSchema


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


def _fits(shape: Sequence[Dimension], wanted: Sequence[Dimension], sizes: dict[str, int]) -> bool:
    """Whether an input has the shape of the data; what its names stand for goes into `sizes`."""
    if len(shape) != len(wanted):
        return False
    found: dict[str, int] = {}
    for mine, theirs in zip(shape, wanted, strict=True):
        known = resolved(mine, {**sizes, **found})
        if isinstance(known, str) and isinstance(theirs, int):
            found[known] = theirs
        elif known != theirs:
            return False
    sizes |= found
    return True


def _check_ids(
    tensor: Tensor, type: TensorType, wanted: InputSchema, source: DataSource, span: Span
) -> None:
    """NN306 where a network of ids gets numbers, the other way round, or a larger vocabulary."""
    mine = tensor.value.type
    place = tensor.span or span
    if mine.element is not type.element:
        is_ids = mine.element is ElementType.INDEX
        words = ("ids", "numbers") if is_ids else ("numbers", "ids")
        count = mine.below or 8000
        columns = wanted.columns[0] if len(wanted.columns) == 1 else "[...]"
        raise error(
            "NN306",
            f"the network takes {words[0]}, but `{source.name}` gives {words[1]}",
            place,
            secondary=[(source.span, f"the input `{wanted.name}`")],
            help=f"in the data section: `input {wanted.name} = {columns} -> ids({count})`"
            if is_ids
            else f"input {wanted.name}: ids({type.below})[T]",
        )
    if mine.below is not None and type.below is not None and mine.below < type.below:
        raise error(
            "NN306",
            f"the network takes ids below {mine.below}, but `{source.name}` has {type.below}",
            place,
            secondary=[(source.span, f"the input `{wanted.name}`")],
            help=f"ids({type.below})",
        )
    if type.padding is not None and mine.padding != type.padding:
        raise error(
            "NN306",
            f"`{source.name}` fills shorter texts with the id {type.padding}, which the network "
            "would read as a word",
            place,
            secondary=[(source.span, f"the input `{wanted.name}`")],
            help=f"ids({mine.below or type.below}, padding={type.padding})[T]",
        )


def match_inputs(made: Elaborated, source: DataSource, span: Span) -> None:
    """Give the graph's inputs the names that the data has for them, in order.

    A net that stands on the data has these names already. A list of as many numbers fills an input
    of another shape, such as an image; sizes that are names become those of the data. Errors: NN306
    for another number of inputs, another shape, or ids where numbers are wanted.
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
    sizes: dict[str, int] = {}
    for (_, tensor), wanted in zip(declared, given, strict=True):
        type = type_of_input(wanted)
        _check_ids(tensor, type, wanted, source, span)
        shape = tuple(int(d) if str(d).isdigit() else d for d in type.shape)
        if _fits(tensor.shape, shape, sizes):
            continue
        if len(wanted.shape) != 1 and not all(isinstance(d, int) for d in tensor.shape):
            continue
        if len(wanted.shape) == 1 and known(tensor.shape) == known(wanted.shape):
            _fill(made.graph, tensor.value, wanted.shape)
            continue
        resized = source.resized if len(wanted.shape) == 3 else None
        raise error(
            "NN306",
            f"the network takes {format_shape(tensor.shape)}, but "
            f"`{source.name if resized is None else 'augment'}` gives {format_shape(wanted.shape)}",
            tensor.span or span,
            "declared here" if resized is None else f"takes {format_shape(tensor.shape)}",
            secondary=[(resized or source.span, _given(wanted.columns, wanted.shape))],
            help=f"in the net: `input image: {format_shape(wanted.shape)}`"
            if resized is not None
            else (),
        )
    graph = made.graph
    bind(graph, sizes)
    renamed = {name: wanted.name for (name, _), wanted in zip(declared, given, strict=True)}
    for name, entry in graph.inputs.items():
        if name in renamed:
            entry.value.name = renamed[name]
    graph.inputs = {entry.value.name: entry for entry in graph.inputs.values()}
