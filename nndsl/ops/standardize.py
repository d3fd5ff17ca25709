"""Standardize: numbers less their mean, divided by their deviation. The heart of every norm."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nndsl.ir.graph import Builder, Node, ShapeError, Value
from nndsl.ir.types import ElementType, TensorType
from nndsl.ops.base import Clock, Fusion, Op
from nndsl.ops.compose import add_map, count_of
from nndsl.ops.map import Map, operand
from nndsl.ops.reduction import Reduce, Reshape
from nndsl.ops.shapes import broadcast_axes, format_full, known, require_element, require_operands
from nndsl.records import dataclass
from nndsl.scalar.expression import Expression
from nndsl.scalar.functions import sqrt


@dataclass(frozen=True)
class Standardize(Op):
    """(x - mean) / sqrt(variance + epsilon), both taken over `axes` (from 0, ascending).

    Results: the standardised numbers, then mean and variance with size 1 along `axes`. The variance
    is the mean squared deviation (divided by the count, not by one less). Without `center` no mean
    is taken out: the results are x / sqrt(mean of x^2 + epsilon) and the mean of x^2.
    Ioffe & Szegedy 2015, arXiv:1502.03167.
    """

    axes: tuple[int, ...]
    epsilon: float
    center: bool = True

    name = "standardize"
    fusion = Fusion.ROW

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        """The operand's type, and that of its means."""
        require_operands(inputs, 1, "standardising")
        (type,) = inputs
        require_element(type, ElementType.REAL, "standardising")
        if not self.axes or list(self.axes) != sorted({a for a in self.axes if a < type.rank}):
            raise ShapeError(f"{format_full(type.shape)} has no such axes: {self.axes}")
        means = TensorType(tuple(1 if i in self.axes else d for i, d in enumerate(type.shape)))
        return (type, means, means) if self.center else (type, means)

    def meaning(self, inputs: Sequence[np.ndarray], clock: Clock) -> tuple[np.ndarray, ...]:
        """Mean and variance in float64."""
        x = inputs[0].astype(np.float64)
        mean = x.mean(axis=self.axes, keepdims=True)
        moved = x - mean if self.center else x
        variance = (moved * moved).mean(axis=self.axes, keepdims=True)
        y = moved / np.sqrt(variance + self.epsilon)
        results = (y, mean, variance) if self.center else (y, variance)
        return tuple(np.asarray(result, inputs[0].dtype) for result in results)

    def decompose(self, build: Builder, inputs: Sequence[Value]) -> Sequence[Value]:
        """The lectures' four steps but the last: mean, variance, standardised numbers."""
        (x,) = inputs
        moved, means = x, []
        if self.center:
            means = [self._mean(build, x, keep=True)]
            moved = add_map(build, operand(0) - operand(1), x, *means)
        squares = add_map(build, operand(0) * operand(0), moved)
        variance = self._mean(build, squares, keep=True)
        y = add_map(build, operand(0) / sqrt(operand(1) + self.epsilon), moved, variance)
        return (y, *means, variance)

    def _mean(self, build: Builder, value: Value, *, keep: bool) -> Value:
        total = build.add(Reduce("sum", self.axes, keep=keep), value)
        divisor, sizes = count_of(build, value, self.axes, first=1)
        return add_map(build, operand(0) / divisor, total, *sizes)

    def gradient(
        self, build: Builder, node: Node, upstream: Sequence[Value | None]
    ) -> Sequence[Value | None]:
        """Gives (dy - mean(dy) - y mean(dy y)) / deviation: two sums, then one formula.

        Without `center` the first mean is missing. To this come the gradients of the mean, dm / n,
        and of the variance, 2 dv (x - mean) / n, where these are read. Where dy is itself a product
        with a learnt scale that is the same along the axes, that factor is taken out of the sums:
        they are then the gradients of scale and shift, and not taken twice.
        """
        if all(given is None for given in upstream):
            return (None,)
        table = _Table(build, node, self)
        y, deviation = (
            table.read(node.outputs[0]),
            sqrt(table.read(node.outputs[-1]) + self.epsilon),
        )
        total: Expression | None = None
        if upstream[0] is not None:
            dy, scale = self._without_scale(upstream[0])
            weighted = add_map(build, operand(0) * operand(1), dy, node.outputs[0], name="gradient")
            inner = table.read(dy) - y * table.mean(weighted)
            if self.center:
                inner = inner - table.mean(dy)
            factor = 1.0 / deviation if scale is None else table.read(scale) / deviation
            total = inner * factor
        parts = [total]
        if self.center and upstream[1] is not None:
            parts.append(table.read(upstream[1]) / table.count)
        if upstream[-1] is not None and len(upstream) > 1:
            parts.append(2.0 * table.read(upstream[-1]) * y * deviation / table.count)
        present = [part for part in parts if part is not None]
        formula = sum(present[1:], present[0])
        return (add_map(build, formula, *table.values, name="gradient"),)

    def _without_scale(self, dy: Value) -> tuple[Value, Value | None]:
        """A gradient as a product of another and a factor without the axes, where it is one."""
        maker = dy.node.operation if dy.node is not None else None
        if not isinstance(maker, Map) or maker.expressions != (operand(0) * operand(1),):
            return dy, None
        assert dy.node is not None
        value, scale = dy.node.inputs
        repeated = broadcast_axes(scale.type.shape, dy.type.shape)
        if value.type == dy.type and set(self.axes) <= set(repeated):
            return value, scale
        return dy, None

    def reordered(self, axes: tuple[int, ...]) -> tuple[Op, tuple[int, ...]] | None:
        """The same axes where they are now."""
        moved = tuple(sorted(axes[a] for a in self.axes))
        return Standardize(moved, self.epsilon, self.center), axes

    def definition(self) -> Sequence[str]:
        """The numbers, their mean and variance: over the batch, else over one example."""
        index, count = ("n", "N") if 0 in self.axes else ("k", "K")
        name = rf"\operatorname{{{self.name}}}\left(z\right)"
        moved = r"z - \mu" if self.center else "z"
        each = rf"z_{{{index}}}"
        square = rf"\left({each} - \mu\right)^{{2}}" if self.center else rf"{each}^{{2}}"
        mean = rf"\frac{{1}}{{{count}}} \, \sum_{{{index}}} \, "
        return (
            rf"{name} = \frac{{{moved}}}{{\sqrt{{\sigma^{{2}} + \epsilon}}}}",
            *([rf"\mu = {mean}{each}"] if self.center else []),
            rf"\sigma^{{2}} = {mean}{square}",
        )

    def flops(self, inputs: Sequence[TensorType]) -> int:
        """Add; subtract, square, add; multiply."""
        return 5 * known(inputs[0].shape)

    @classmethod
    def samples(cls) -> Sequence[tuple[Op, Sequence[TensorType]]]:
        """Over the batch, along rows, over all but the last axis, in groups, without the mean."""
        matrix, cube = TensorType(("N", 4)), TensorType(("N", 3, 2))
        return (
            (cls((0,), 1e-5), [matrix]),
            (cls((1,), 1e-5), [matrix]),
            (cls((0, 1), 1e-3), [cube]),
            (cls((1,), 1e-3), [cube]),
            (cls((0, 2), 1e-3), [cube]),
            (cls((1,), 1e-5, center=False), [matrix]),
            (cls((0,), 1e-5, center=False), [matrix]),
        )


class _Table:
    """The operands of the gradient's formula, numbered as they are first read."""

    def __init__(self, build: Builder, node: Node, operation: Standardize) -> None:
        self.build = build
        self.axes = operation.axes
        self.means = node.outputs[-1].type
        self.values: list[Value] = []
        self.count, sizes = count_of(build, node.inputs[0], self.axes, first=0)
        self.values += sizes

    def read(self, value: Value) -> Expression:
        """The variable of a value."""
        if value not in self.values:
            self.values.append(value)
        return operand(self.values.index(value))

    def mean(self, value: Value) -> Expression:
        """The mean of a value over the axes."""
        total = self.build.add(Reduce("sum", self.axes), value, name="gradient")
        return (
            self.read(self.build.add(Reshape(self.means.shape), total, name="gradient"))
            / self.count
        )
