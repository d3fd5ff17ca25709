"""Activations as training computes them, in float32 beside float64, for any bit patterns.

The kernels are those of a graph through all passes: the value, and the gradient derived from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nndsl.codegen.generate import generate
from nndsl.ir.graph import Builder, Role
from nndsl.ir.types import TensorType
from nndsl.ops.compose import add_map
from nndsl.ops.map import operand
from nndsl.ops.reduction import Reduce
from nndsl.passes import pipeline
from nndsl.passes.differentiate import PREFIX, Differentiate
from nndsl.runtime.cache import Cache
from nndsl.runtime.executable import Executable, load
from nndsl.scalar.expression import Expression
from nndsl.scalar.inspection import substitute

BLOCK = 1 << 14
PASSES = (pipeline.Simplify(), Differentiate(), *pipeline.CLEANING, *pipeline.PLANNING)
UNIT = 2.0**-23
SMALLEST = 2.0**-149


class Kernels:
    """Value and slope of a formula in `x`, at `BLOCK` numbers a time."""

    def __init__(self, formula: Expression, precision: str, store: Cache) -> None:
        build = Builder()
        x = build.input("x", TensorType((BLOCK,)), Role.PARAMETER)
        y = add_map(build, substitute(formula, {"x": operand(0)}), x, name="y")
        build.graph.outputs = {"y": y, "loss": build.add(Reduce("sum", (0,)), y)}
        graph = pipeline.run(build.graph, PASSES)
        del graph.outputs["loss"]
        self.executable: Executable = load(generate(graph, precision, 1), store=store)
        self._x = self.executable.memory("x")
        # copies would take longer than the kernels
        self._y, self._slope = (self.executable._output_view(n, 1) for n in ("y", PREFIX + "x"))

    def __call__(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Value and slope for a block, until the next call."""
        self._x[...] = x
        self.executable.run(0, 1)
        return self._y, self._slope


def blocks(step: int) -> Iterator[np.ndarray]:
    """Every `step`-th of the 2^32 bit patterns of float32, in blocks that the next one overwrites.

    The last block goes on at the first pattern.
    """
    offsets = np.arange(0, BLOCK * step, step, dtype=np.uint64).astype(np.uint32)
    bits = np.empty_like(offsets)
    for first in range(0, 2**32, BLOCK * step):
        np.add(offsets, np.uint32(first), out=bits)
        yield bits.view(np.float32)


@dataclass(frozen=True)
class Off:
    """A result that is not as good as allowed."""

    x: float
    found: float
    right: float
    units: float

    def __str__(self) -> str:
        return f"{self.found!r} at {self.x!r}, not {self.right!r}: {self.units:.4g} units"


def units_of(right: np.ndarray) -> np.ndarray:
    """The distance of float32 numbers of the size of each float64 number."""
    exponents = np.abs(right).view(np.int64) & 0x7FF0000000000000
    return np.maximum(exponents.view(np.float64) * UNIT, SMALLEST)


def worst(
    x: np.ndarray, found: np.ndarray, right: np.ndarray, units: float, absolute: float
) -> Off | None:
    """The result that is furthest from right, of those off by more than is allowed.

    Allowed are `units` in the last place, or `absolute` where that is more. Infinite and undefined
    results must be so in both.
    """
    with np.errstate(all="ignore"):
        rounded = right.astype(np.float32)
        # neighbours have neighbouring bits: most results are seen to be good by this alone
        apart = found.view(np.int32) - rounded.view(np.int32) + 1
        far = apart.view(np.uint32) > 2
        if not far.any():
            return None
        (doubtful,) = np.nonzero(far)
        x, found, right, rounded = x[doubtful], found[doubtful], right[doubtful], rounded[doubtful]
        error = np.abs(found.astype(np.float64) - right)
        unit = units_of(right)
        same = (found == rounded) | (np.isnan(found) & np.isnan(rounded))
        finite = np.isfinite(found) & np.isfinite(rounded)
        excess = np.where(finite, error / np.maximum(units * unit, absolute), np.inf)
        excess = np.where(same, 0.0, excess)
    at = int(excess.argmax())
    if excess[at] <= 1:
        return None
    return Off(float(x[at]), float(found[at]), float(right[at]), float(error[at] / unit[at]))
