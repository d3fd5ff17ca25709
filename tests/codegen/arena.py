"""Guarded buffers for a contraction, and what it must compute in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from nndsl.codegen.contraction import extents, llvm_text
from nndsl.codegen.program import Contraction, Element, Operand, Size
from nndsl.codegen.target import Target
from nndsl.scalar.evaluation import evaluate
from nndsl.scalar.expression import variable
from tests.codegen.machine import compile_kernel

GUARD = 64
"""Elements around every buffer that no kernel may read into a result or write."""


@dataclass
class Arena:
    """Buffers for a contraction, poisoned with NaN around and between what it may touch."""

    contraction: Contraction
    sizes: dict[str, int]
    rng: np.random.Generator
    arrays: list[np.ndarray] = field(default_factory=list)

    def __post_init__(self) -> None:
        c = self.contraction
        self.kind = np.dtype(c.element.value)
        self.rows, self.depth, self.extent = map(self._number, (c.rows, c.depth, c.extent))
        self.grid = [self._number(axis.count) for axis in c.grid]
        self.reduced = [self._number(axis.count) for axis in c.reduced]
        kinds = [self.kind, self.kind, *map(self._kind, c.operands)]
        outputs = max(1, len(c.epilogue))
        kinds += [self.kind] * outputs
        for kind, count in zip(kinds, extents(c, self.sizes), strict=True):
            length = count // kind.itemsize + 2 * GUARD
            fill = np.nan if kind.kind == "f" else -(10**6)
            self.arrays.append(np.full(length, fill, kind))
        self._fill(self.a(), self.b(), *self._operands().values())
        if c.accumulate:
            self._fill(self.outputs()[0])

    def _number(self, size: Size) -> int:
        return size.factor * self.sizes.get(size.symbol, 1)

    def _axes(self, matrix: str) -> list[tuple[int, int]]:
        """Strides and counts of the grid and the reduced axes in a matrix."""
        axes = (*self.contraction.grid, *self.contraction.reduced)
        strides = [getattr(axis, matrix) for axis in axes]
        return list(zip(strides, [*self.grid, *self.reduced], strict=True))

    def _kind(self, operand: Operand) -> np.dtype:
        if operand.kind == "scalar":
            return np.dtype("float64")
        return np.dtype((operand.element or self.contraction.element).value)

    def _fill(self, *views: np.ndarray) -> None:
        for view in views:
            numbers = self.rng.uniform(-1, 1, view.shape)
            view[...] = numbers * 9 if view.dtype.kind == "i" else numbers

    def view(self, index: int, *dimensions: tuple[int, int]) -> np.ndarray:
        """The strided array inside a guarded buffer."""
        array = self.arrays[index]
        shape = [count for _, count in dimensions]
        strides = [stride * array.itemsize for stride, _ in dimensions]
        return np.lib.stride_tricks.as_strided(array[GUARD:], shape, strides)

    def a(self) -> np.ndarray:
        c = self.contraction
        return self.view(0, *self._axes("a"), (c.a_row, self.rows), (c.a_depth, self.depth))

    def b(self) -> np.ndarray:
        c = self.contraction
        return self.view(1, *self._axes("b"), (c.b_depth, self.depth), (c.b_column, c.columns))

    def outputs(self) -> list[np.ndarray]:
        """Results by the grid, rows and columns; where they overlap, all memory of a place."""
        c = self.contraction
        places = self._axes("c")[: len(c.grid)]
        shape = [(1, c.clear)] if c.clear else [(c.c_row, self.rows), (c.c_column, c.columns)]
        first = 2 + len(c.operands)
        return [self.view(i, *places, *shape) for i in range(first, len(self.arrays))]

    def _operands(self) -> dict[str, np.ndarray]:
        c, found = self.contraction, {}
        for index, operand in enumerate(c.operands, 2):
            rows, columns = {
                "columns": ((0, 1), (1, c.columns)),
                "tile": ((operand.row_stride, self.rows), (1, c.columns)),
                "rows": ((operand.row_stride, self.rows), (0, 1)),
                "scalar": ((0, 1), (0, 1)),
            }[operand.kind]
            along = list(zip(operand.grid or [0] * len(self.grid), self.grid, strict=True))
            found[operand.name] = self.view(index, *along, rows, columns)
        return found

    def _sums(self) -> np.ndarray:
        axes = "ghij"[: len(self.grid)]
        inner = "opqr"[: len(self.reduced)]
        text = f"{axes}{inner}mk,{axes}{inner}kn->{axes}"
        operands = self.a().astype("f8"), self.b().astype("f8")
        if not self.contraction.clear:
            return np.einsum(f"{text}mn", *operands)
        apart = np.einsum(f"{text}{inner}mn", *operands)
        total = np.zeros([*self.grid, self.contraction.clear])
        c = self.contraction
        numbers = zip(c.reduced, self.reduced, strict=True)
        offset = np.zeros((), int)
        for stride, count in [
            *((axis.c, count) for axis, count in numbers),
            (c.c_row, self.rows),
            (c.c_column, c.columns),
        ]:
            offset = offset[..., None] + stride * np.arange(count)
        flat = apart.reshape(-1, offset.size)
        for place, numbers in zip(total.reshape(-1, c.clear), flat, strict=True):
            np.add.at(place, offset.ravel(), numbers)
        return total

    def expected(self) -> list[np.ndarray]:
        """The meaning in float64, from the present contents."""
        total = self._sums()
        if self.contraction.accumulate:
            total = total + self.outputs()[0]
        values = {name: view.astype("f8") for name, view in self._operands().items()}
        values["sum"] = total
        epilogue = self.contraction.epilogue or (variable("sum"),)
        return [np.broadcast_to(evaluate(e, values), total.shape) for e in epilogue]

    def slots(self) -> np.ndarray:
        names = ["one", *self.sizes]
        pointers = [array[GUARD:].ctypes.data for array in self.arrays]
        sizes = self.contraction.sizes
        rest = [number for size in sizes for number in (size.factor, names.index(size.symbol))]
        return np.array([*pointers, *rest], np.int64)

    def run(self, kernel, shares=None) -> list[np.ndarray]:
        """Calls the kernel on the shares of its extent; what lies around must stay."""
        before = [array.copy() for array in self.arrays]
        table = np.array([1, *self.sizes.values()], np.int64)
        for low, high in shares or [(0, self.extent)]:
            kernel(self.slots(), table, low, high)
        results = [view.copy() for view in self.outputs()]
        for view, old in zip(
            self.outputs(), before[2 + len(self.contraction.operands) :], strict=True
        ):
            start = np.lib.stride_tricks.as_strided(old[GUARD:], view.shape, view.strides)
            view[...] = start
        for now, old in zip(self.arrays, before, strict=True):
            np.testing.assert_array_equal(now, old, "written outside")
        return results


def check(contraction, rng, processor: Target, sizes=None, tolerance=None) -> None:
    """Right results, nothing else touched, the same bits for any shares."""
    arena = Arena(contraction, sizes or {}, rng)
    kernel = compile_kernel(llvm_text(contraction, "kernel", processor), "kernel", processor)
    expected = arena.expected()
    results = arena.run(kernel)
    if tolerance is None:
        tolerance = 1e-5 if contraction.element is Element.FLOAT32 else 1e-13
    for result, right in zip(results, expected, strict=True):
        np.testing.assert_allclose(result, right, rtol=tolerance, atol=10 * tolerance)
    extent = arena.extent
    for pieces in (2, 3):
        ends = sorted({0, extent, *rng.integers(0, extent + 1, pieces - 1).tolist()})
        shares = list(pairwise(ends))[::-1]
        for one, other in zip(results, arena.run(kernel, shares), strict=True):
            np.testing.assert_array_equal(one, other, f"other bits for {shares}")
