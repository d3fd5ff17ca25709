"""What the compiler makes of several ops: joint formulas, products with formulas in registers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence

import numpy as np

from nndsl.ir.graph import Builder, Node, ShapeError, Value
from nndsl.ir.types import ElementType, TensorType
from nndsl.ops.base import Clock, Fusion, Op
from nndsl.ops.convolution import Convolution
from nndsl.ops.map import Map, operand
from nndsl.ops.matmul import MatMul
from nndsl.ops.windows import Pair
from nndsl.records import dataclass
from nndsl.scalar import functions
from nndsl.scalar.expression import Expression
from nndsl.scalar.inspection import substitute, variables


class Fused(Op):
    """A product followed by formulas of it: bias, activation, an activation's gradient.

    Operands: the two of the product, then those of the formulas. In `expressions`, x0 is the
    product and x1, x2, ... are the further operands; one result for each expression.
    """

    fusion = Fusion.CONTRACTION

    expressions: tuple[Expression, ...]

    @property
    @abstractmethod
    def product(self) -> Op:
        """The product alone."""

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

    def in_place(self, position: int, result: int = 0) -> bool:
        """Operands of the formulas only."""
        return position >= 2

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


@dataclass(frozen=True)
class FusedMatMul(Fused):
    """A matrix product and formulas of it."""

    expressions: tuple[Expression, ...]
    transpose_a: bool = False
    transpose_b: bool = False

    name = "fused_matmul"

    @property
    def product(self) -> MatMul:
        """The matrix product."""
        return MatMul(self.transpose_a, self.transpose_b)

    def in_place(self, position: int, result: int = 0) -> bool:
        """Operands of the formulas, where no part of the sums is put down meanwhile."""
        return position >= 2 and not self.transpose_b

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


@dataclass(frozen=True)
class FusedConvolution(Fused):
    """A convolution and formulas of it."""

    expressions: tuple[Expression, ...]
    stride: Pair = (1, 1)
    dilation: Pair = (1, 1)
    groups: int = 1

    name = "fused_convolution"

    @property
    def product(self) -> Convolution:
        """The convolution."""
        return Convolution(self.stride, self.dilation, self.groups)

    @classmethod
    def samples(cls) -> Sequence[tuple[Op, Sequence[TensorType]]]:
        """Bias and activation; a number for each place; groups with two results."""
        x, y, z, s = map(operand, range(4))
        image, bias = TensorType(("N", 5, 6, 4)), TensorType((6,))
        places, pixels = TensorType(("N", 2, 4, 6)), TensorType(("N", 2, 4, 1))
        grouped = cls((functions.tanh(x + y), x * z - s), (2, 1), (1, 2), 2)
        return (
            (cls((functions.maximum(x + y, 0),)), [image, TensorType((3, 2, 4, 6)), bias]),
            (cls((x * y,)), [image, TensorType((1, 1, 4, 6)), TensorType(("N", 5, 6, 6))]),
            (grouped, [image, TensorType((3, 2, 2, 6)), bias, places, pixels]),
        )


Joined = tuple[Op, tuple[Value, ...], tuple[Value, ...]]
"""An operation with its operands and results."""


def joined_maps(first: Node, second: Node, kept: Sequence[Value]) -> Joined:
    """Two maps of one shape as one; the first one's results `kept` stay results."""
    maps = first.operation, second.operation
    assert isinstance(maps[0], Map) and isinstance(maps[1], Map)
    table = _Table()
    made = dict(zip(first.outputs, table.take(maps[0].expressions, first.inputs), strict=True))
    after = table.take(maps[1].expressions, second.inputs, made)
    expressions = (*(made[v] for v in kept), *after)
    expressions, inputs = table.finish(expressions)
    return Map(expressions, maps[1].element), inputs, (*kept, *second.outputs)


def takes_formulas(node: Node) -> bool:
    """Whether the node is a product that formulas can be part of.

    Where each channel is convolved alone there is no product, but a loop over channels.
    """
    if isinstance(node.operation, Convolution):
        return node.operation.groups == 1 or node.inputs[1].type.shape[2] != 1
    return isinstance(node.operation, (Fused, MatMul))


def with_epilogue(first: Node, second: Node, kept: Sequence[Value]) -> Joined:
    """A product and a map of its results as one op; results `kept` stay results."""
    joint, after = first.operation, second.operation
    product = joint.product if isinstance(joint, Fused) else joint
    assert isinstance(product, (MatMul, Convolution)) and isinstance(after, Map)
    before = joint.expressions if isinstance(joint, Fused) else (operand(0),)
    table = _Table(reserved=1)
    made = dict(zip(first.outputs, table.take(before, [None, *first.inputs[2:]]), strict=True))
    expressions = (*(made[v] for v in kept), *table.take(after.expressions, second.inputs, made))
    expressions, extra = table.finish(expressions)
    kind = FusedMatMul if isinstance(product, MatMul) else FusedConvolution
    fused = kind(expressions, **product.options())
    return fused, (*first.inputs[:2], *extra), (*kept, *second.outputs)


class _Table:
    """Numbers the operands of joined formulas: each value once, after `reserved` fixed ones."""

    def __init__(self, reserved: int = 0) -> None:
        self.reserved = reserved
        self.values: list[Value] = []

    def take(
        self,
        expressions: Sequence[Expression],
        operands: Sequence[Value | None],
        made: Mapping[Value, Expression] | None = None,
    ) -> list[Expression]:
        """The expressions over this table; operands in `made` are replaced by what makes them.

        The operand None is the first reserved one.
        """
        names: dict[str, Expression] = {}
        for number, value in enumerate(operands):
            if value is None:
                names[f"x{number}"] = operand(0)
            elif made is not None and value in made:
                names[f"x{number}"] = made[value]
            else:
                names[f"x{number}"] = operand(self._place(value))
        return [substitute(e, names) for e in expressions]

    def _place(self, value: Value) -> int:
        if value not in self.values:
            self.values.append(value)
        return self.reserved + self.values.index(value)

    def finish(
        self, expressions: Sequence[Expression]
    ) -> tuple[tuple[Expression, ...], tuple[Value, ...]]:
        """The expressions over the operands that they still read, and these operands."""
        read = set(variables(*expressions))
        used = [v for n, v in enumerate(self.values, self.reserved) if f"x{n}" in read]
        places = {f"x{self._place(v)}": operand(n) for n, v in enumerate(used, self.reserved)}
        return tuple(substitute(e, places) for e in expressions), tuple(used)


def read_in_registers(value: Value, product: Value) -> str | None:
    """How a formula after a product like `product` reads `value`; None when it cannot.

    "scalar": one DOUBLE number; "tile": a number for each of the product's; "rows": one for each
    row; "columns": one for each column.
    """
    shape, full = value.type.shape, product.type.shape
    if shape == () and value.type.element is ElementType.DOUBLE:
        return "scalar"
    if value.type.element is not ElementType.REAL:
        return None
    if shape == full:
        return "tile"
    if shape == (*full[:-1], 1):
        return "rows"
    fits = shape[-1:] == full[-1:] and set(shape[:-1]) <= {1}
    return "columns" if fits else None
