"""Attention with caches, masks and windows, and rotary positions, one example after the other.

Arrays of the cases are [N, heads, T, d], or [N, T, heads * d] with the number of heads beside.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nndsl.ir.graph import Value
from nndsl.ops.attention import AttentionWeights
from nndsl.ops.einsum import Einsum
from nndsl.ops.map import operand
from nndsl.ops.movement import Concat, Slice
from nndsl.ops.rotary import Rotary
from nndsl.scalar.functions import tanh, where
from tests.conformance.case import Case, Drawing, Make


@dataclass(frozen=True)
class Masks:
    """What one example may see: by its place, by truths, and numbers added to the scores."""

    offset: int
    seen: np.ndarray
    bias: np.ndarray


class Attention:
    """One case: all examples, each with masks of its own."""

    def __init__(self, case: Case, drawing: Drawing) -> None:
        self.case, self.drawing = case, drawing
        given = [case.given(i) for i in range(7)]
        q, k, v, self.mask, *past, self.lengths = given
        self.heads = case.attribute("q_num_heads", 0)
        self.groups = case.attribute("kv_num_heads", 0)
        self.q = self._apart(q, self.heads)
        self.k, self.v = (
            self._joined(old, self._apart(new, self.groups))
            for old, new in zip(past, (k, v), strict=True)
        )
        self.past = 0 if past[0] is None else past[0].shape[2]
        self.presents = () if past[0] is None else (self.k, self.v)

    def _apart(self, array: np.ndarray | None, heads: int) -> Value:
        """[N, heads, T, d]."""
        assert array is not None
        value = self.drawing.array(array)
        if array.ndim == 4:
            return value
        rows, places, width = array.shape
        value = self.drawing.reshape(value, (rows, places, heads, width // heads))
        return self.drawing.transpose(value, (0, 2, 1, 3))

    def _joined(self, old: np.ndarray | None, new: Value) -> Value:
        if old is None:
            return new
        return self.drawing.build.add(Concat(2), self.drawing.array(old), new)

    def outputs(self) -> tuple[Value, ...]:
        """The averages, what the cache holds then, and the scores at the stage asked for."""
        rows = self.q.type.shape[0]
        found = [self._one(row) for row in range(int(rows))]
        y, scores = (self._stacked(list(parts)) for parts in zip(*found, strict=True))
        if self.heads:
            n, h, t, d = y.type.shape
            y = self.drawing.reshape(self.drawing.transpose(y, (0, 2, 1, 3)), (n, t, h * d))
        return (y, *self.presents, scores)[: len(self.case.outputs)]

    def _stacked(self, parts: list[Value]) -> Value:
        return parts[0] if len(parts) == 1 else self.drawing.build.add(Concat(0), *parts)

    def _part(self, value: Value, row: int) -> Value:
        return self.drawing.build.add(Slice(0, row, row + 1), value)

    def _one(self, row: int) -> tuple[Value, Value]:
        """Averages and scores of one example."""
        drawing, build = self.drawing, self.drawing.build
        q, k, v = (self._part(value, row) for value in (self.q, self.k, self.v))
        _, heads, places, size = q.type.shape
        groups = int(k.type.shape[1])
        q = drawing.reshape(q, (1, groups, int(heads) // groups, places, size))
        scale = self.case.attribute("scale", int(size) ** -0.5)
        raw = build.add(Einsum("ngrik,ngjk->ngrij"), q, k)
        stages = [drawing.map(scale * operand(0), raw)]
        cap = self.case.attribute("softcap", 0.0)
        stages.append(drawing.map(cap * tanh(operand(0) / cap), stages[0]) if cap else stages[0])
        shape = stages[0].type.shape
        masks = self._masks(row, shape)
        bias, seen = drawing.array(masks.bias), drawing.array(masks.seen.astype(np.float32))
        added = drawing.map(operand(0) + operand(1), stages[1], bias)
        op = self._sight(masks.offset)
        structure = np.broadcast_to(op.sight.mask(*shape[-2:]), shape) & masks.seen
        truth = drawing.array(structure.astype(np.float32))
        hidden = where(operand(1) > 0, operand(0), float("-inf"))
        stages.append(drawing.map(hidden, added, truth))
        stages.append(build.add(op, added, seen))
        y = build.add(Einsum("ngrij,ngjk->ngrik"), stages[3], v)
        shown = stages[self.case.attribute("qk_matmul_output_mode", 0)]
        whole = (1, int(heads), places)
        return drawing.reshape(y, (*whole, y.type.shape[-1])), drawing.reshape(
            shown, (*whole, shape[-1])
        )

    def _sight(self, offset: int) -> AttentionWeights:
        causal = bool(self.case.attribute("is_causal", 0))
        left, right = (self.case.attribute(f"{s}_window_size", -1) for s in ("left", "right"))
        both = left >= 0 and (causal or left == right)
        return AttentionWeights(1.0, causal, left + 1 if both else 0, offset)

    def _masks(self, row: int, shape: tuple[int, ...]) -> Masks:
        """From the mask given, windows that differ left and right, and how many keys there are."""
        queries, keys = shape[-2:]
        seen = np.ones(shape, bool)
        bias = np.zeros(shape, np.float32)
        offset = self.past
        if self.lengths is not None:
            count = int(self.lengths[row])
            seen &= np.arange(keys) < count
            offset = count - queries
        if self.mask is not None:
            given = self._of_example(self.mask, row, shape)
            if given.dtype == bool:
                seen &= given
            else:
                seen &= given > -np.inf
                bias += np.where(given > -np.inf, given, 0.0)
        left, right = (self.case.attribute(f"{s}_window_size", -1) for s in ("left", "right"))
        if left != right and not self.case.attribute("is_causal", 0):
            place, key = np.arange(queries)[:, None] + offset, np.arange(keys)
            seen &= (key >= place - left if left >= 0 else True) & (
                key <= place + right if right >= 0 else True
            )
        return Masks(offset, seen, bias)

    def _of_example(self, mask: np.ndarray, row: int, shape: tuple[int, ...]) -> np.ndarray:
        """The mask of one example in the shape of its scores; keys it does not tell are unseen."""
        missing = shape[-1] - mask.shape[-1]
        if missing and mask.shape[-1] != 1:
            lowest = False if mask.dtype == bool else -np.inf
            edges = [(0, 0)] * (mask.ndim - 1) + [(0, missing)]
            mask = np.pad(mask, edges, constant_values=lowest)
        if mask.ndim == 4:
            mask = mask[row if len(mask) > 1 else 0]
        if mask.ndim == 3 and len(mask) > 1:
            mask = mask.reshape(1, *shape[1:3], *mask.shape[-2:])
        elif mask.ndim == 3:
            mask = mask[0]
        return np.broadcast_to(mask, shape)


def _attention(case: Case, drawing: Drawing) -> tuple[Value, ...]:
    return Attention(case, drawing).outputs()


def _rotary(case: Case, drawing: Drawing) -> tuple[Value, ...]:
    """Each example with the angles of its own places."""
    x, cosines, sines, places = (case.given(i) for i in range(4))
    assert x is not None and cosines is not None and sines is not None
    heads = case.attribute("num_heads", 0)
    interleaved = bool(case.attribute("interleaved", 0))
    split = x.reshape(*x.shape[:2], heads, -1) if x.ndim == 3 else x.transpose(0, 2, 1, 3)
    turned = []
    for row in range(len(x)):
        angles = [t[places[row]] if places is not None else t[row] for t in (cosines, sines)]
        operands = [drawing.array(a) for a in (split[row : row + 1], *angles)]
        turned.append(drawing.build.add(Rotary(interleaved), *operands))
    y = turned[0] if len(turned) == 1 else drawing.build.add(Concat(0), *turned)
    if x.ndim == 3:
        return (drawing.reshape(y, x.shape),)
    return (drawing.transpose(y, (0, 2, 1, 3)),)


FORMS: dict[str, Make] = {"Attention": _attention, "RotaryEmbedding": _rotary}
