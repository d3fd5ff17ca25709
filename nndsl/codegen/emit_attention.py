"""Calls for products along named axes, attention's weights, and rows of tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from nndsl.codegen import glue_attention
from nndsl.codegen.context import Context, draft, row_loop
from nndsl.codegen.draft import Draft, Share, Slot
from nndsl.codegen.emit_matmul import contraction_call
from nndsl.codegen.loops import size_of
from nndsl.codegen.program import Axis, Contraction, Element, Region, Size, Split
from nndsl.ir.graph import Node, Value
from nndsl.ir.types import Dimension
from nndsl.ops.attention import AttentionWeights, AttentionWeightsGradient
from nndsl.ops.base import Op
from nndsl.ops.einsum import Einsum
from nndsl.ops.embedding import Lookup, LookupGradient
from nndsl.ops.rotary import Rotary
from nndsl.records import dataclass

Strides = dict[str, int]


MOST_BLOCKS = 4
"""Of the places of a sequence, where some products are left out: each has kernels of its own."""

LEAST_BLOCK = 32
"""Places; a multiple of what is exponentiated together (`glue_attention.REGISTER`)."""


def emit_einsum(context: Context, node: Node, operation: Op) -> list[Draft]:
    """One contraction, or one for each block of places where some need not be computed."""
    assert isinstance(operation, Einsum)
    shapes = [v.type.shape for v in (*node.inputs, *node.outputs)]
    product = named_product(operation, shapes, context.precision)
    parts = product.causal_parts(operation.causal) or [(product.contraction, ())]
    return [contraction_call(context, node, part, skips) for part, skips in parts]


@dataclass(frozen=True)
class NamedProduct:
    """A contraction, which letters are its sides ("rows", "columns", "depth"), and the strides and
    counts of all letters.
    """

    contraction: Contraction
    sides: Mapping[str, str]
    strides: tuple[Strides, ...]
    counts: Mapping[str, Size]

    def causal_parts(self, causal: str) -> list[tuple[Contraction, tuple[int, ...]]]:
        """Contractions over blocks of queries (of keys, where queries are summed over), each with
        the keys that its last query sees only, and with the numbers to skip; [] where all is done.
        """
        query, key = causal[:1], causal[1:]
        places = self.counts[query].factor if causal else 0
        if not causal or places < 2 * LEAST_BLOCK or self.counts[key].factor != places:
            return []
        if query not in self.sides or key not in self.sides:
            return []
        outer, inner = (key, query) if self.sides[query] == "depth" else (query, key)
        parts = []
        for first, last in _blocks(places):
            low, high = (first, places) if inner == query else (0, last)
            part = self._part({outer: last - first, inner: high - low})
            skips = (first * s.get(outer, 0) + low * s.get(inner, 0) for s in self.strides)
            parts.append((part, tuple(skips)))
        return parts

    def _part(self, counts: Mapping[str, int]) -> Contraction:
        """So many places of two sides only."""
        sizes: dict[str, Any] = {
            side: count if side == "columns" else Size(count)
            for side, count in ((self.sides[letter], n) for letter, n in counts.items())
        }
        return replace(self.contraction, **sizes)


def _blocks(places: int) -> list[tuple[int, int]]:
    """First place and the one after the last of each block."""
    size = max(LEAST_BLOCK, -(-places // (16 * MOST_BLOCKS)) * 16)
    return [(first, min(places, first + size)) for first in range(0, places, size)]


def named_product(
    operation: Einsum, shapes: list[tuple[Dimension, ...]], element: Element
) -> NamedProduct:
    """Of the axes of each sort the longest is that of a matrix; the others are walked around it."""
    a_axes, b_axes, c_axes = operation.letters
    a, b, c = (
        _strides(letters, shape) for letters, shape in zip(operation.letters, shapes, strict=True)
    )
    counts = {
        letter: size_of((size,))
        for letters, shape in zip(operation.letters, shapes, strict=True)
        for letter, size in zip(letters, shape, strict=True)
    }

    def longest(letters: list[str]) -> tuple[str, list[str]]:
        chosen = max(letters, key=lambda letter: counts[letter].factor, default="")
        return chosen, [letter for letter in letters if letter != chosen]

    def axis(letter: str) -> Axis:
        return Axis(counts[letter], a.get(letter, 0), b.get(letter, 0), c.get(letter, 0))

    row, other_rows = longest([x for x in a_axes if x in c_axes and x not in b_axes])
    column, other_columns = longest([x for x in b_axes if x in c_axes and x not in a_axes])
    depth, reduced = longest(list(operation.summed))
    along = [x for x in c_axes if x in a_axes and x in b_axes]
    one = Size(1)
    contraction = Contraction(
        element=element,
        columns=counts.get(column, one).factor,
        rows=counts.get(row, one),
        depth=counts[depth],
        a_row=a.get(row, 0),
        a_depth=a[depth],
        b_depth=b[depth],
        b_column=b.get(column, 0),
        c_row=c.get(row, 1),
        c_column=c.get(column, 1),
        reduced=tuple(axis(x) for x in reduced if counts[x] != one),
        grid=tuple(axis(x) for x in (*along, *other_rows, *other_columns) if counts[x] != one),
    )
    sides = {row: "rows", column: "columns", depth: "depth"}
    return NamedProduct(contraction, sides, (a, b, c), counts)


def _strides(letters: str, shape: tuple[Dimension, ...]) -> Strides:
    """Numbers from one place to the next along each axis."""
    return {letter: size_of(shape[at + 1 :]).factor for at, letter in enumerate(letters)}


def emit_weights(context: Context, node: Node, operation: Op) -> list[Draft]:
    """Attention's weights, or their gradient, row by row."""
    assert isinstance(operation, (AttentionWeights, AttentionWeightsGradient))
    scores = node.inputs[0]
    queries, keys = (size_of((size,)).factor for size in scores.type.shape[-2:])
    sizes = queries, keys
    unit, extent, split = row_loop(scores)
    over = node.inputs[operation.overwritten]
    in_place = _same_memory(context, over, node.outputs[0])
    pointers = [
        *(context.read(v, Share.PART) for v in node.inputs if not (in_place and v is over)),
        context.write(node.outputs[0], Share.PART),
    ]
    if isinstance(operation, AttentionWeights):
        masks = {scores.type.shape: "scores"}
        mask = "".join(masks.get(v.type.shape, "keys") for v in node.inputs[1:])
        kernel = glue_attention.weights_kernel(
            operation.sight, context.precision, sizes, mask, in_place=in_place
        )
    else:
        kernel = glue_attention.gradient_kernel(
            operation.sight, context.precision, sizes, in_place=in_place
        )
    slots: list[Slot] = [*pointers, unit]
    flops = operation.flops([v.type for v in node.inputs])
    return [draft(node, kernel, slots, extent, split, 1, flops)]


def _same_memory(context: Context, one: Value, other: Value) -> bool:
    """Whether a result is written over an operand."""
    a, b = context.buffers[one], context.buffers[other]
    return a.region is Region.WORKSPACE is b.region and a.offset == b.offset


def emit_lookup(context: Context, node: Node, operation: Op) -> list[Draft]:
    """A copy of a row for each number."""
    assert isinstance(operation, Lookup)
    table, numbers = node.inputs
    unit, extent, split = row_loop(node.outputs[0])
    pointers = (
        context.read(table, Share.WHOLE),
        context.read(numbers, Share.PART),
        context.write(node.outputs[0], Share.PART),
    )
    kernel = glue_attention.lookup_kernel(context.precision)
    slots: list[Slot] = [*pointers, unit, size_of(table.type.shape[1:])]
    return [draft(node, kernel, slots, extent, split)]


def emit_lookup_gradient(context: Context, node: Node, operation: Op) -> list[Draft]:
    """Every share goes over all numbers, and adds up those of its own rows of the table."""
    assert isinstance(operation, LookupGradient)
    numbers, rows = node.inputs
    (table,) = node.outputs
    pointers = (
        context.read(numbers, Share.WHOLE),
        context.read(rows, Share.WHOLE),
        context.write(table, Share.PART),
    )
    kernel = glue_attention.lookup_gradient_kernel(context.precision)
    extent, width = (size_of((size,)) for size in table.type.shape)
    slots: list[Slot] = [*pointers, size_of(numbers.type.shape), width]
    return [draft(node, kernel, slots, extent, Split.OWN)]


def emit_rotary(context: Context, node: Node, operation: Op) -> list[Draft]:
    """Pairs of features, row by row."""
    assert isinstance(operation, Rotary)
    x, cosines, sines = node.inputs
    unit, extent, split = row_loop(x)
    kernel = glue_attention.rotary_kernel(
        context.precision, interleaved=operation.interleaved, inverse=operation.inverse
    )
    slots: list[Slot] = [
        context.read(x),
        context.read(cosines, Share.WHOLE),
        context.read(sines, Share.WHOLE),
        context.write(node.outputs[0]),
        unit,
        *(size_of((size,)) for size in (*x.type.shape[1:], cosines.type.shape[1])),
    ]
    flops = operation.flops([v.type for v in node.inputs])
    return [draft(node, kernel, slots, extent, split, 1, flops)]
