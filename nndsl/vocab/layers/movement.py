"""Layers without weights: other shapes, tensors side by side, a constant factor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from nndsl.ir.graph import ShapeError, Value
from nndsl.ir.types import Dimension, format_shape, number_of
from nndsl.ops.compose import add_map
from nndsl.ops.map import operand
from nndsl.ops.movement import Concat
from nndsl.ops.reduction import Reshape
from nndsl.ops.split import Split
from nndsl.params import Real, Sizes
from nndsl.vocab.kinds import Layer, LayerContext
from nndsl.vocab.layers.images import feature_axis
from nndsl.vocab.layers.sequences import is_sequence
from nndsl.vocab.registry import register


def _flatten(
    context: LayerContext, operands: Sequence[Value], arguments: Mapping[str, Any]
) -> Value:
    (value,) = operands
    batch, *sizes = value.type.shape
    if len(sizes) == 1:
        return value
    flat: Dimension
    numbers = [n for n in map(number_of, sizes) if n is not None]
    names = [size for size in sizes if number_of(size) is None]
    if not names:
        flat = prod(numbers)
    elif len(names) == 1 and prod(numbers) == 1:
        flat = str(names[0])
    else:
        shape = format_shape(value.type.shape)
        raise ShapeError(
            f"`flatten` needs sizes that are known; {shape} has `{names[0]}`",
            "NN202",
            "`last` or `global_avg_pool` make one list of a sequence"
            if is_sequence(value.type.shape)
            else "",
        )
    return context.build.add(Reshape((batch, flat)), value, name="flatten")


def _concat(
    context: LayerContext, operands: Sequence[Value], arguments: Mapping[str, Any]
) -> Value:
    if len(operands) == 1:
        return operands[0]
    first, *others = (value.type.shape for value in operands)
    for shape in others:
        if len(first) == len(shape) == 4 and first[2:] != shape[2:]:
            raise ShapeError(
                f"cannot join {format_shape(first)} and {format_shape(shape)}: only the number of "
                "channels may differ",
                "NN203",
            )
    return context.build.add(Concat(feature_axis(operands[0])), *operands)


def _split(
    context: LayerContext, operands: Sequence[Value], arguments: Mapping[str, Any]
) -> Sequence[Value]:
    (value,), parts = operands, arguments["parts"]
    axis = feature_axis(value)
    whole = number_of(value.type.shape[axis])
    what = "channels" if axis == 1 and value.type.rank > 2 else "numbers"
    if whole is None:
        shape = format_shape(value.type.shape)
        raise ShapeError(f"`split` needs to know how many {what} there are, not {shape}", "NN202")
    if isinstance(parts, int) and whole % parts:
        raise ShapeError(
            f"{whole} {what} cannot be split in {parts} equal parts",
            "NN203",
            f"split([{whole // parts}, {whole - whole // parts}])",
        )
    sizes = (whole // parts,) * parts if isinstance(parts, int) else tuple(parts)
    if sum(sizes) != whole:
        added = " + ".join(map(str, sizes))
        raise ShapeError(f"{whole} {what} are not split by {added}, which is {sum(sizes)}", "NN203")
    if len(sizes) == 1:
        return (value,)
    return context.build.add_all(Split(axis, sizes), value, name="split")


def _scale(context: LayerContext, operands: Sequence[Value], arguments: Mapping[str, Any]) -> Value:
    return add_map(context.build, arguments["factor"] * operand(0), operands[0], name="scale")


register(
    Layer(
        "flatten",
        {},
        "All numbers of an example in one list, the last axis running fastest.",
        "torch.nn.Flatten",
        _flatten,
        transparent=True,
    ),
    example="flatten -> dense(16)",
)
register(
    Layer(
        "concat",
        {},
        "Inputs side by side: lists one after the other, images and signals by their channels. "
        "Their other sizes must agree.",
        "torch.cat",
        _concat,
        (1, None),
        transparent=True,
    ),
    example="[dense(8) -> relu, dense(8) -> tanh] -> concat",
)
register(
    Layer(
        "split",
        {"parts": Sizes(doc="how many equal parts, or the size of each: `[8, 24]`", counts=())},
        "Several tensors from one: lists cut in pieces, images and signals by their channels. What "
        "`concat` puts side by side, taken apart again: `(a, b) = x -> split(2)`.",
        "torch.split",
        transparent=True,
        several=_split,
    ),
    example="dense(8) -> split(2) -> concat",
)
register(
    Layer(
        "scale",
        {"factor": Real(doc="the number")},
        "Every number times a constant.",
        make=_scale,
        transparent=True,
    ),
    example="dense(16) -> scale(0.5)",
)
