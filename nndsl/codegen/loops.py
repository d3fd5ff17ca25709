"""Iteration spaces: which loops a kernel needs, after axes that move together are merged.

A tensor of 32 rows and 64 columns that meets a row of 64 numbers needs two loops; two tensors of
one shape need one, whatever their rank. `collapse` finds the fewest axes; each operand then moves
or stands still along each of them, and that pattern, not the sizes, is what a kernel is compiled
for.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod

from nndsl.codegen.program import Size
from nndsl.ir.types import BATCH, Dimension
from nndsl.records import dataclass

Shape = tuple[Dimension, ...]

KEPT = 1 << 12
"""Answers kept of each question: the blocks of deep networks have the same shapes."""


@dataclass(frozen=True)
class Space:
    """Merged axes, outermost first. `moves[o][a]`: operand o moves along axis a."""

    axes: tuple[Shape, ...]
    moves: tuple[tuple[bool, ...], ...]

    @property
    def batched(self) -> bool:
        """Whether the outermost axis begins with the rows of the batch."""
        return bool(self.axes) and self.axes[0][:1] == (BATCH,)

    @property
    def unit(self) -> int:
        """Elements of the outermost axis for one row of the batch; 1 without a batch."""
        return size_of(self.axes[0][1:]).factor if self.batched else 1

    @property
    def extent(self) -> Size:
        """What the call's extent counts: rows of the batch, or the outermost axis."""
        if self.batched:
            return Size(1, BATCH)
        return size_of(self.axes[0]) if self.axes else Size(1)

    def inner_sizes(self) -> tuple[Size, ...]:
        """Sizes of all axes but the outermost."""
        return tuple(size_of(axis) for axis in self.axes[1:])

    def index(self, operand: int) -> str:
        """Text of the operand's index in terms of loop variables i0, i1, ... and sizes n1, ..."""
        text = ""
        for axis, moving in enumerate(self.moves[operand]):
            if moving:
                text = f"({text}) * n{axis} + i{axis}" if text else f"i{axis}"
        return text.replace("(i0)", "i0") or "0"

    def depth(self, operand: int) -> int:
        """How many loops an operand's element depends on: 0 for a single number."""
        return max(
            (axis + 1 for axis, moving in enumerate(self.moves[operand]) if moving), default=0
        )


@lru_cache(KEPT)
def size_of(shape: Shape) -> Size:
    """Product of sizes as a factor and at most one name. Raises ValueError for two names."""
    names = [d for d in shape if isinstance(d, str)]
    if len(names) > 1:
        raise ValueError(f"a size of two names: {shape}")
    return Size(prod(d for d in shape if isinstance(d, int)), names[0] if names else "one")


@lru_cache(KEPT)
def count(shape: Shape, batch: int) -> int:
    """Elements with `batch` rows."""
    return prod(batch if d == BATCH else _known(d) for d in shape)


def _known(dimension: Dimension) -> int:
    if isinstance(dimension, str):
        raise ValueError(f"the size {dimension} is not known")
    return dimension


@lru_cache(KEPT)
def collapse(result: Shape, operands: tuple[Shape, ...]) -> Space:
    """The fewest axes for operands broadcast to `result`; the result itself moves along all."""
    rank = len(result)
    padded = [(1,) * (rank - len(shape)) + shape for shape in operands]
    axes: list[list[Dimension]] = []
    patterns: list[tuple[bool, ...]] = []
    for axis, size in enumerate(result):
        if size == 1:
            continue
        pattern = tuple(shape[axis] != 1 for shape in padded)
        if patterns and patterns[-1] == pattern:
            axes[-1].append(size)
        else:
            axes.append([size])
            patterns.append(pattern)
    if result and not axes:  # a tensor of one number: the same loop as for any other
        axes, patterns = [[1]], [tuple(bool(shape) for shape in operands)]
    moves = tuple(tuple(p[o] for p in patterns) for o in range(len(operands)))
    return Space(tuple(tuple(axis) for axis in axes), moves)


@lru_cache(KEPT)
def alternate(shape: Shape, reduced: tuple[int, ...]) -> tuple[tuple[Shape, bool], ...]:
    """A reduced tensor's axes merged: runs of kept and of reduced sizes, in order."""
    runs: list[tuple[list[Dimension], bool]] = []
    for axis, size in enumerate(shape):
        if size == 1:
            continue
        if runs and runs[-1][1] == (axis in reduced):
            runs[-1][0].append(size)
        else:
            runs.append(([size], axis in reduced))
    return tuple((tuple(sizes), flag) for sizes, flag in runs)
