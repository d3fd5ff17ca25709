"""Map: scalar expressions applied element by element. Activations, losses, updates, schedules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from nndsl.ir.graph import Builder, Node, Value
from nndsl.ir.types import ElementType, TensorType
from nndsl.ops.base import Clock, Fusion, Op
from nndsl.ops.shapes import broadcast, known, require_operands
from nndsl.records import dataclass
from nndsl.scalar import functions
from nndsl.scalar.derivative import OUTPUT, differentiate, in_terms_of_output
from nndsl.scalar.evaluation import evaluate_all
from nndsl.scalar.expression import ZERO, Expression, constant, variable
from nndsl.scalar.inspection import rewrite, size, substitute, variables
from nndsl.scalar.piece import Piece


def operand(index: int) -> Expression:
    """The variable that stands for operand `index` of a Map."""
    return variable(f"x{index}")


@dataclass(frozen=True)
class Map(Op):
    """One result for each expression over the operands x0, x1, ..., broadcast as NumPy does.

    Operands of another element type are converted when they are read; results have `element`.
    Class numbers are computed as real numbers, and what is behind the point is cut off.
    """

    expressions: tuple[Expression, ...]
    element: ElementType = ElementType.REAL

    name = "map"
    fusion = Fusion.ELEMENTWISE

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        """All results have the common shape of the operands."""
        require_operands(inputs, max(len(inputs), self.least_operands()), "this formula")
        shape = broadcast([t.shape for t in inputs])
        return (TensorType(shape, self.element),) * len(self.expressions)

    def least_operands(self) -> int:
        """One more than the highest operand that an expression reads."""
        read = {int(v[1:]) for e in self.expressions for v in variables(e)}
        return max(read, default=-1) + 1

    def meaning(self, inputs: Sequence[np.ndarray], clock: Clock) -> tuple[np.ndarray, ...]:
        """The expressions with arrays for variables."""
        dtype = clock.dtype(self.element)
        index = self.element is ElementType.INDEX
        computed = clock.dtype(ElementType.REAL) if index else dtype
        arrays = {f"x{i}": np.asarray(x).astype(computed) for i, x in enumerate(inputs)}
        shape = np.broadcast_shapes(*(x.shape for x in arrays.values()))
        values = evaluate_all(list(self.expressions), arrays)
        return tuple(np.broadcast_to(np.asarray(v, dtype=dtype), shape).copy() for v in values)

    def gradient(
        self, build: Builder, node: Node, upstream: Sequence[Value | None]
    ) -> Sequence[Value | None]:
        """For each operand the sum over results of upstream times derivative, in one Map.

        A derivative is written in the result where that needs no operand (tanh: 1 - y*y), so
        that the operand need not be kept.
        """
        named = _named(node)
        return [
            self._operand_gradient(build, node, upstream, i, named) for i in range(len(node.inputs))
        ]

    def _operand_gradient(
        self,
        build: Builder,
        node: Node,
        upstream: Sequence[Value | None],
        index: int,
        names: Mapping[str, Value],
    ) -> Value | None:
        source = node.inputs[index]
        if source.type.element is ElementType.INDEX:
            return None
        total, named = ZERO, _Operands(names)
        for result, (expression, given) in enumerate(zip(self.expressions, upstream, strict=True)):
            if given is not None:
                slope = _slope(expression, f"x{index}")
                slope = substitute(slope, {OUTPUT: variable(f"y{result}")})
                total = total + named.given(result, given) * slope
        if total is ZERO:
            return None
        return named.apply(build, total, source.type.element, node.outputs[0].type)

    def latex(self, operands: Sequence[Piece], types: Sequence[TensorType]) -> Sequence[Piece]:
        """The formulas, with a sign of its own for the product of two tensors."""
        from nndsl.scalar.latex import piece_of  # only who writes formulas waits for these
        from nndsl.scalar.tidy import tidy

        names = {f"x{index}": part for index, part in enumerate(operands)}
        tensors = {f"x{i}" for i, t in enumerate(types) if known(t.shape) > 1}
        return [piece_of(by_elements(tidy(e), tensors), names) for e in self.expressions]

    def flops(self, inputs: Sequence[TensorType]) -> int:
        """Operators times elements."""
        return size(*self.expressions) * known(self.infer(inputs)[0].shape)

    def is_identity(self, inputs: Sequence[TensorType]) -> bool:
        """Whether this only hands on its first operand."""
        return self.expressions == (operand(0),) and self.infer(inputs) == (inputs[0],)

    def with_constant(self, position: int, number: float) -> Op | None:
        """The number written into the expressions; the operands after it move up."""
        names = {f"x{position}": constant(number)}
        for later in range(position + 1, self.least_operands()):
            names[f"x{later}"] = operand(later - 1)
        return Map(tuple(substitute(e, names) for e in self.expressions), self.element)

    def composed(self, inner: Map) -> Map:
        """A map equal to this one, of one operand, applied to the (only) result of `inner`."""
        names = {"x0": inner.expressions[0]}
        return Map(tuple(substitute(e, names) for e in self.expressions), self.element)

    def after(self, earlier: Op, inputs: Sequence[TensorType]) -> Op | None:
        """A map of one operand that undoes or repeats a map: only when nothing is computed then.

        Rounding between the two must not differ, so both must have the same element type.
        """
        if not isinstance(earlier, Map) or earlier.element is not self.element:
            return None
        together = self.composed(earlier)
        return together if together.expressions == (operand(0),) else None

    def reordered(self, axes: tuple[int, ...]) -> tuple[Op, tuple[int, ...]] | None:
        """Formulas know no order of axes."""
        return self, axes

    @classmethod
    def samples(cls) -> Sequence[tuple[Op, Sequence[TensorType]]]:
        """An activation, a broadcast formula, several results, mixed element types."""
        x, y, z = operand(0), operand(1), operand(2)
        matrix, row = TensorType(("N", 4)), TensorType((4,))
        column, number = TensorType(("N", 1)), TensorType((), ElementType.DOUBLE)
        return (
            (cls((functions.tanh(x),)), [matrix]),
            (cls((x + y,)), [matrix, row]),
            (cls((x * y + functions.exp(z),)), [matrix, row, column]),
            (cls((x * x + functions.exp(y) + x * z,)), [matrix, row, column]),
            (cls((x * y, functions.sigmoid(x) - y)), [matrix, matrix]),
            (cls((x * y,)), [matrix, number]),
            (cls((x * x,), ElementType.DOUBLE), [number]),
            (cls((x * y,)), [column, TensorType(("N", 4), ElementType.INDEX)]),
            (
                cls((functions.where(y < 0.5, 3, x),), ElementType.INDEX),
                [TensorType(("N", 4), ElementType.INDEX), matrix],
            ),
        )


@lru_cache(maxsize=4096)
def _slope(expression: Expression, name: str) -> Expression:
    """The derivative by a variable, in the result where it can be; deep networks ask often."""
    alone = _lone_addends(expression).get(name)
    if alone is not None:
        return differentiate(alone, name)
    return in_terms_of_output(expression, differentiate(expression, name))[0]


@lru_cache(maxsize=4096)
def _lone_addends(expression: Expression) -> Mapping[str, Expression]:
    """Of a sum, by variable the addend that alone holds it: sums of a thousand penalties occur."""
    addends: list[Expression] = []
    while expression.operator == "add":
        expression, last = expression.arguments
        addends.append(last)
    found: dict[str, Expression | None] = {}
    for addend in (expression, *addends) if addends else ():
        for name in variables(addend):
            found[name] = None if name in found else addend
    return {name: addend for name, addend in found.items() if addend is not None}


def by_elements(expression: Expression, tensors: set[str]) -> Expression:
    """Products of two factors that both hold one of the variables `tensors`, marked as such."""

    def change(old: Expression, operands: tuple[Expression, ...]) -> Expression:
        is_product = old.operator == "multiply" and all(
            tensors & set(variables(factor)) for factor in operands
        )
        return Expression("hadamard" if is_product else old.operator, operands, old.value)

    return rewrite([expression], change)[0]


def _named(node: Node) -> dict[str, Value]:
    """A node's operands and results as gradient formulas call them."""
    named = {f"x{i}": v for i, v in enumerate(node.inputs)}
    return named | {f"y{i}": v for i, v in enumerate(node.outputs)}


class _Operands:
    """Collects what a gradient formula reads and numbers it x0, x1, ... in order of first use."""

    def __init__(self, names: Mapping[str, Value]) -> None:
        self.named = dict(names)

    def given(self, result: int, value: Value) -> Expression:
        """The variable for the upstream gradient of one result."""
        self.named[f"d{result}"] = value
        return variable(f"d{result}")

    def apply(
        self, build: Builder, total: Expression, element: ElementType, type: TensorType
    ) -> Value:
        """A Map of the formula; a formula that is one value of that type is the value itself."""
        read = variables(total)
        if total.operator == "variable":
            alone = self.named[str(total.value)]
            if alone.type == TensorType(type.shape, element):
                return alone
        names: Mapping[str, Expression] = {name: operand(i) for i, name in enumerate(read)}
        mapped = Map((substitute(total, names),), element)
        return build.add(mapped, *(self.named[name] for name in read), name="gradient")
