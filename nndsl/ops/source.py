"""Ops without operands: constants, random numbers, sizes known only at run time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from nndsl import random
from nndsl.ir.graph import ShapeError
from nndsl.ir.types import BATCH, Dimension, ElementType, TensorType, resolved
from nndsl.ops.base import Clock, Fusion, Op
from nndsl.ops.sequences import waves_of
from nndsl.ops.shapes import actual, known, require_operands
from nndsl.records import dataclass
from nndsl.scalar.piece import Level, Piece

MOST_SHOWN = 10
"""Numbers of an array that a formula shows."""


@dataclass(frozen=True)
class Constant(Op):
    """An array written into the graph: `numbers` in row-major order."""

    numbers: tuple[float, ...]
    shape: tuple[int, ...] = ()
    element: ElementType = ElementType.REAL

    name = "constant"
    fusion = Fusion.CONTROL

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        """The shape as written, which the numbers must fill."""
        require_operands(inputs, 0, "a constant")
        if known(self.shape) != len(self.numbers):
            raise ShapeError(f"{len(self.numbers)} numbers do not fill {self.shape}")
        return (TensorType(self.shape, self.element),)

    def meaning(self, inputs: Sequence[np.ndarray], clock: Clock) -> tuple[np.ndarray, ...]:
        """The array."""
        return (np.array(self.numbers, clock.dtype(self.element)).reshape(self.shape),)

    def constant(self) -> np.ndarray:
        """The array in float64."""
        return np.array(self.numbers, np.float64).reshape(self.shape)

    def latex(self, operands: Sequence[Piece], types: Sequence[TensorType]) -> Sequence[Piece]:
        """A number; a column of few numbers; a larger array by its name only."""
        from nndsl.scalar.latex import number_latex  # only who writes formulas waits for it

        if len(set(self.numbers)) != 1:
            if len(self.numbers) > MOST_SHOWN:
                return super().latex(operands, types)
            shown = " ; ".join(map(number_latex, self.numbers))
            return ((rf"\left[{shown}\right]", Level.LEAF),)
        number = self.numbers[0]
        return ((number_latex(number), Level.SUM if number < 0 else Level.LEAF),)

    @classmethod
    def samples(cls) -> Sequence[tuple[Op, Sequence[TensorType]]]:
        """A number, a matrix, class numbers."""
        return (
            (cls((2.5,)), []),
            (cls((1.0, 2.0, -3.0, 0.5), (2, 2)), []),
            (cls((1.0, 0.0), (2,), ElementType.INDEX), []),
        )


def constant_of(array: np.ndarray | float, element: ElementType = ElementType.REAL) -> Constant:
    """A Constant that holds `array`."""
    values = np.asarray(array, np.float64)
    return Constant(tuple(values.reshape(-1).tolist()), values.shape, element)


@dataclass(frozen=True)
class Random(Op):
    """Numbers of `kind` "uniform" (in [0, 1)) or "normal" (mean 0, deviation 1), new each step.

    Element e is a function of the run's seed, the stream, the step and e alone (`nndsl.random`).
    `by_row`: of the seed, the stream, the row's number in the data and the place in the row, the
    same at every step and in batches of any size.
    """

    kind: str
    shape: tuple[Dimension, ...]
    stream: int
    by_row: bool = False

    name = "random"
    fusion = Fusion.RANDOM
    reads_run = True

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        """The shape as written."""
        require_operands(inputs, 0, "noise")
        if self.kind not in ("uniform", "normal"):
            raise ShapeError(f"no such noise: {self.kind}", "NN202")
        if self.by_row and self.shape[:1] != (BATCH,):
            raise ShapeError("noise of each row has rows", "NN202")
        return (TensorType(self.shape),)

    def meaning(self, inputs: Sequence[np.ndarray], clock: Clock) -> tuple[np.ndarray, ...]:
        """The block of numbers of this step."""
        shape = actual(self.shape, clock.sizes)
        draw = random.uniform_block if self.kind == "uniform" else random.normal_block
        step, first = clock.step, 0
        if self.by_row:
            step, first = random.BEFORE_TRAINING, clock.first_row * known(shape[1:])
        numbers = draw(clock.seed, self.stream, step, known(shape), first)
        return (numbers.reshape(shape).astype(clock.dtype(ElementType.REAL)),)

    def latex(self, operands: Sequence[Piece], types: Sequence[TensorType]) -> Sequence[Piece]:
        """The distribution of each number."""
        letter = {"uniform": "U", "normal": "N"}[self.kind]
        return ((rf"\mathcal{{{letter}}}\left(0, 1\right)", Level.LEAF),)

    def flops(self, inputs: Sequence[TensorType]) -> int:
        """About ten rounds of a few integer operations for four numbers."""
        return 10 * known(self.shape)

    @classmethod
    def samples(cls) -> Sequence[tuple[Op, Sequence[TensorType]]]:
        """Both kinds, and one of rows."""
        of_row = cls("uniform", ("N", 5), 3, by_row=True)
        return (cls("uniform", ("N", 3), 1), []), (cls("normal", ("N", 5), 2), []), (of_row, [])


@dataclass(frozen=True)
class SizeOf(Op):
    """A size known only at run time as a DOUBLE number: the divisor of a mean over rows."""

    dimension: str

    name = "size"
    fusion = Fusion.CONTROL
    reads_run = True

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        """One number."""
        require_operands(inputs, 0, "a size")
        return (TensorType((), ElementType.DOUBLE),)

    def meaning(self, inputs: Sequence[np.ndarray], clock: Clock) -> tuple[np.ndarray, ...]:
        """The size in this run."""
        return (np.array(actual((self.dimension,), clock.sizes)[0], np.float64),)

    def bound(self, sizes: Mapping[str, int]) -> Op:
        """The number, where it is known."""
        size = resolved(self.dimension, sizes)
        return self if isinstance(size, str) else Constant((float(size),), (), ElementType.DOUBLE)

    def latex(self, operands: Sequence[Piece], types: Sequence[TensorType]) -> Sequence[Piece]:
        """The name of the size."""
        return ((self.dimension, Level.LEAF),)

    @classmethod
    def samples(cls) -> Sequence[tuple[Op, Sequence[TensorType]]]:
        """The rows of the batch."""
        return ((cls("N"), []),)


WAVES = ("sin", "cos", "both")


@dataclass(frozen=True)
class Waves(Op):
    """Sines and cosines of the places 0, 1, ... of an axis, slower from feature to feature.

    [size, features]: with w = base^(-j / features), j = 0, 2, 4, ..., "both" has sin(w t) and
    cos(w t) side by side; "sin" and "cos" have one of them, j going on by 2 likewise
    (Vaswani et al. 2017; Su et al. 2021).
    """

    size: Dimension
    features: int
    base: float = 10000.0
    kind: str = "both"

    name = "waves"
    fusion = Fusion.CONTROL

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        """A row for each place."""
        require_operands(inputs, 0, "waves")
        if self.kind not in WAVES or (self.kind == "both" and self.features % 2):
            raise ShapeError("sine and cosine share an even number of features", "NN203")
        return (TensorType((self.size, self.features)),)

    def meaning(self, inputs: Sequence[np.ndarray], clock: Clock) -> tuple[np.ndarray, ...]:
        """Computed in float64, rounded once."""
        (size,) = actual((self.size,), clock.sizes)
        waves = waves_of(size, self.features, self.base, self.kind)
        return (waves.astype(clock.dtype(ElementType.REAL)),)

    def constant(self) -> np.ndarray | None:
        """The array, where the length is known."""
        if isinstance(self.size, str):
            return None
        return waves_of(self.size, self.features, self.base, self.kind)

    def bound(self, sizes: Mapping[str, int]) -> Op:
        """The same of a known length."""
        return Waves(resolved(self.size, sizes), self.features, self.base, self.kind)

    def latex(self, operands: Sequence[Piece], types: Sequence[TensorType]) -> Sequence[Piece]:
        """The waves of a place."""
        names = {"sin": r"\sin \omega t", "cos": r"\cos \omega t", "both": r"e^{i \omega t}"}
        return ((names[self.kind], Level.PRODUCT),)

    @classmethod
    def samples(cls) -> Sequence[tuple[Op, Sequence[TensorType]]]:
        """All kinds."""
        return ((cls(5, 4), []), (cls(3, 2, 100.0, "sin"), []), (cls(3, 2, kind="cos"), []))
