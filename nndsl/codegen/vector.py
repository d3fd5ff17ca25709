"""Scalar expressions as LLVM instructions on vector registers.

What a primitive becomes is told by its `llvm` column: an instruction, an intrinsic, or nothing. In
the last case it is one of the machine primitives made of bit operations here, or a function of
the mathematical library, called lane by lane (float64 only: float32 functions are expanded to
polynomials before, see `nndsl.scalar.expansion`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from nndsl.codegen.assembly import Shape, Value, Writer
from nndsl.codegen.target import Target
from nndsl.records import dataclass
from nndsl.scalar.expression import Expression
from nndsl.scalar.primitives import PRIMITIVES

LIBRARY = ("exp", "expm1", "log", "log1p", "tanh", "erf", "sin", "cos", "power")
"""Functions that float64 code calls in the mathematical library."""


@dataclass(frozen=True)
class _Format:
    """Layout of an IEEE format: the integer type of its bits, width of its fraction, bias."""

    integer: str
    fraction: int
    bias: int


_FORMATS = {"float": _Format("i32", 23, 127), "double": _Format("i64", 52, 1023)}


class VectorCode:
    """Writes expressions over `variables`, which hold vectors of `shape`.

    Equal subexpressions are the same object and are written once.
    """

    def __init__(
        self, writer: Writer, shape: Shape, target: Target, variables: Mapping[str, Value]
    ) -> None:
        self.writer = writer
        self.shape = shape
        self.target = target
        self.format = _FORMATS[shape.scalar]
        self._variables = variables
        self._numbers: dict[Expression, Value] = {}
        self._conditions: dict[Expression, Value] = {}

    def number(self, expression: Expression) -> Value:
        """The expression's value; a condition counts as 1 or 0."""
        found = self._numbers.get(expression)
        if found is None:
            found = self._numbers[expression] = self._write(expression)
        return found

    def condition(self, expression: Expression) -> Value:
        """The expression as a mask; a number holds where it is not 0."""
        found = self._conditions.get(expression)
        if found is None:
            if _is_condition(expression):
                found = self._write_condition(expression)
            else:
                zero = self.shape.constant(0)
                found = self._compare("une", self.number(expression), zero)
            self._conditions[expression] = found
        return found

    def _write(self, expression: Expression) -> Value:
        if expression.operator == "constant":
            return self.shape.constant(float(expression.value or 0.0))
        if expression.operator == "variable":
            return self._variables[str(expression.value)]
        if _is_condition(expression):
            mask = self.condition(expression)
            return self._select(mask, self.shape.constant(1), self.shape.constant(0))
        if expression.operator == "where":
            mask = self.condition(expression.arguments[0])
            return self._select(mask, *map(self.number, expression.arguments[1:]))
        return self._apply(expression)

    def _apply(self, expression: Expression) -> Value:
        """A primitive of numbers."""
        operands = [self.number(argument) for argument in expression.arguments]
        special = _SPECIAL.get(expression.operator)
        if special is not None:
            return special(self, *operands)
        primitive = PRIMITIVES[expression.operator]
        if expression.operator in LIBRARY:
            return self._library(expression.operator, operands)
        if primitive.llvm.startswith("llvm."):
            return self.intrinsic(primitive.llvm, *operands)
        if not primitive.llvm and primitive.composition is not None:
            return self.number(primitive.composition(*expression.arguments))
        names = ", ".join(operand.name for operand in operands)
        return self.writer.define(self.shape.text, f"{primitive.llvm} {self.shape.text} {names}")

    def _write_condition(self, expression: Expression) -> Value:
        instruction = PRIMITIVES[expression.operator].llvm
        if instruction.startswith("fcmp"):
            left, right = map(self.number, expression.arguments)
            return self._compare(instruction.split()[1], left, right)
        masks = [self.condition(argument) for argument in expression.arguments]
        if expression.operator == "logical_not":
            masks.append(self.shape.mask(self.shape.lanes) if self.shape.lanes > 1 else _TRUE)
        type_text = masks[0].type
        return self.writer.define(
            type_text, f"{instruction} {type_text} {masks[0].name}, {masks[1].name}"
        )

    def intrinsic(self, name: str, *operands: Value) -> Value:
        """A call of an intrinsic overloaded by this shape."""
        return self.writer.call(self.shape.text, f"{name}.{self.shape.suffix}", *operands)

    def _compare(self, relation: str, left: Value, right: Value) -> Value:
        type_text = self.shape.of("i1").text
        return self.writer.define(type_text, f"fcmp {relation} {left}, {right.name}")

    def _select(self, mask: Value, chosen: Value, otherwise: Value) -> Value:
        return self.writer.define(self.shape.text, f"select {mask}, {chosen}, {otherwise}")

    def _library(self, operator: str, operands: list[Value]) -> Value:
        """The function of the C library, lane by lane."""
        name = "pow" if operator == "power" else operator
        scalar = self.shape.scalar
        name = name + "f" if scalar == "float" else name
        result = Value(self.shape.text, "poison")
        for lane in range(self.shape.lanes):
            arguments = [self.writer.extract(operand, lane) for operand in operands]
            value = self.writer.call(scalar, name, *arguments)
            if self.shape.lanes == 1:
                return value
            result = self.writer.define(
                self.shape.text, f"insertelement {result}, {value}, i64 {lane}"
            )
        return result

    # -- machine primitives -------------------------------------------------------------------

    def fma(self, a: Value, b: Value, c: Value) -> Value:
        """The sum a * b + c, rounded once where the processor can."""
        return self.intrinsic("llvm.fma" if self.target.fma else "llvm.fmuladd", a, b, c)

    def round_even(self, x: Value) -> Value:
        """The nearest whole number; without an instruction for it, by adding 2^fraction."""
        if self.target.fma:
            return self.intrinsic("llvm.roundeven", x)
        big = self.shape.constant(2.0**self.format.fraction)
        size = self.intrinsic("llvm.fabs", x)
        sum_ = self._binary("fadd", size, big)
        rounded = self.intrinsic("llvm.copysign", self._binary("fsub", sum_, big), x)
        return self._select(self._compare("olt", size, big), rounded, x)

    def power_of_two(self, n: Value) -> Value:
        """2^n for a whole n within the exponents of normal numbers: n becomes the exponent."""
        bits = self._integer("fptosi", n)
        bits = self._bits("add", bits, self.format.bias)
        bits = self._bits("shl", bits, self.format.fraction)
        return self._cast("bitcast", bits, self.shape)

    def exponent(self, x: Value) -> Value:
        """The whole n with x = m * 2^n and sqrt(1/2) <= m < sqrt(2), for a positive normal x."""
        shifted = self._bits("ashr", self._lowered(x), self.format.fraction)
        return self._cast("sitofp", shifted, self.shape)

    def mantissa(self, x: Value) -> Value:
        """The m of `exponent`."""
        bits = self._bits("and", self._lowered(x), (1 << self.format.fraction) - 1)
        bits = self._bits("add", bits, self._root())
        return self._cast("bitcast", bits, self.shape)

    def _lowered(self, x: Value) -> Value:
        """The bits of x less those of sqrt(1/2): exponent on top, fraction of m below."""
        integers = self.shape.of(self.format.integer)
        return self._bits("sub", self._cast("bitcast", x, integers), self._root())

    def _root(self) -> int:
        """The bits of sqrt(1/2), rounded up, so that m stays below sqrt(2)."""
        fraction = math.ceil((2 * math.sqrt(0.5) - 1) * 2.0**self.format.fraction)
        return ((self.format.bias - 1) << self.format.fraction) + fraction

    def _binary(self, instruction: str, left: Value, right: Value) -> Value:
        return self.writer.define(left.type, f"{instruction} {left}, {right.name}")

    def _bits(self, instruction: str, value: Value, constant: int) -> Value:
        integers = self.shape.of(self.format.integer)
        return self._binary(instruction, value, integers.constant(constant))

    def _integer(self, instruction: str, value: Value) -> Value:
        return self._cast(instruction, value, self.shape.of(self.format.integer))

    def _cast(self, instruction: str, value: Value, shape: Shape) -> Value:
        return self.writer.define(shape.text, f"{instruction} {value} to {shape.text}")


def _floor(code: VectorCode, x: Value) -> Value:
    """The greatest whole number not above x."""
    if code.target.fma:
        return code.intrinsic("llvm.floor", x)
    rounded = code.round_even(x)
    above = code._compare("ogt", rounded, x)
    lower = code._binary("fsub", rounded, code.shape.constant(1))
    return code._select(above, lower, rounded)


_TRUE = Value("i1", "true")
_SPECIAL: dict[str, Callable[..., Value]] = {
    "fma": VectorCode.fma,
    "round_even": VectorCode.round_even,
    "floor": _floor,
    "power_of_two": VectorCode.power_of_two,
    "exponent": VectorCode.exponent,
    "mantissa": VectorCode.mantissa,
}


def _is_condition(expression: Expression) -> bool:
    primitive = PRIMITIVES.get(expression.operator)
    return primitive is not None and primitive.is_condition


def converted(writer: Writer, value: Value, lanes: int, scalar: str) -> Value:
    """The value's lanes in another scalar type: widened, rounded, or from an integer."""
    source = value.type if lanes == 1 else value.type.partition(" x ")[2].rstrip(">")
    if source == scalar:
        return value
    shape = Shape(scalar, lanes)
    if source.startswith("i"):
        return writer.define(shape.text, f"sitofp {value} to {shape.text}")
    instruction = "fpext" if scalar == "double" else "fptrunc"
    return writer.define(shape.text, f"{instruction} {value} to {shape.text}")
