"""Ops that the compiler makes of several: a matrix product with what follows it in registers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nndsl.ir.graph import Builder, Node, ShapeError, Value
from nndsl.ir.types import TensorType
from nndsl.ops.base import Clock, Fusion, Op
from nndsl.ops.map import Map, operand
from nndsl.ops.matmul import MatMul
from nndsl.scalar import functions
from nndsl.scalar.expression import Expression


@dataclass(frozen=True)
class FusedMatMul(Op):
    """A matrix product followed by formulas of it: bias, activation, an activation's gradient.

    Operands: the two of the product, then those of the formulas. In `expressions`, x0 is the
    product and x1, x2, ... are the further operands; one result for each expression.
    """

    expressions: tuple[Expression, ...]
    transpose_a: bool = False
    transpose_b: bool = False

    name = "fused_matmul"
    fusion = Fusion.CONTRACTION

    @property
    def product(self) -> MatMul:
        """The product alone."""
        return MatMul(self.transpose_a, self.transpose_b)

    @property
    def formula(self) -> Map:
        """The formulas alone."""
        return Map(self.expressions)

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        """Results have the product's shape: the formulas may not spread it."""
        (product,) = self.product.infer(inputs[:2])
        results = self.formula.infer([product, *inputs[2:]])
        if results[0] != product:
            raise ShapeError(
                f"the formulas after a product of {product} give {results[0]}", "NN203"
            )
        return results

    def meaning(self, inputs: Sequence[np.ndarray], clock: Clock) -> tuple[np.ndarray, ...]:
        """The product, then the formulas."""
        product = self.product.meaning(inputs[:2], clock)
        return self.formula.meaning([*product, *inputs[2:]], clock)

    def decompose(self, build: Builder, inputs: Sequence[Value]) -> Sequence[Value]:
        """A product and a map."""
        product = build.add(self.product, *inputs[:2])
        return build.add_all(self.formula, product, *inputs[2:])

    def gradient(
        self, build: Builder, node: Node, upstream: Sequence[Value | None]
    ) -> Sequence[Value | None]:
        """Those of the decomposition, computed again: fusion comes after differentiation."""
        product = build.add(self.product, *node.inputs[:2], name="gradient")
        values = build.add_all(self.formula, product, *node.inputs[2:], name="gradient")
        maker = build.graph.producers()[values[0]]
        inner = self.formula.gradient(build, maker, upstream)
        source = build.graph.producers()[product]
        outer = self.product.gradient(build, source, [inner[0]])
        return [*outer, *inner[1:]]

    def flops(self, inputs: Sequence[TensorType]) -> int:
        """Product and formulas."""
        (product,) = self.product.infer(inputs[:2])
        return self.product.flops(inputs[:2]) + self.formula.flops([product, *inputs[2:]])

    @classmethod
    def samples(cls) -> Sequence[tuple[Op, Sequence[TensorType]]]:
        """Bias and activation, two results, a gradient's factor."""
        x, y, z = operand(0), operand(1), operand(2)
        a, b, row = TensorType(("N", 4)), TensorType((4, 3)), TensorType((3,))
        return (
            (cls((functions.tanh(x + y),)), [a, b, row]),
            (cls((x + y, functions.sigmoid(x + y))), [a, b, row]),
            (cls((x * y + z,), False, True), [a, TensorType((3, 4)), TensorType(("N", 3)), row]),
        )
