"""Scalar expressions: hash-consed, built with Python operators, folded as they are built.

One expression is the single definition of an activation, a loss term, an optimizer's step or a
schedule; derivative, NumPy meaning, kernels and formulas are all read off it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar
from weakref import WeakValueDictionary


class Expression:
    """A scalar expression. Equal expressions are the same object: compare with `is`.

    `operator` is a primitive's name, "variable" or "constant"; `arguments` its operands; `value`
    the name of a variable or the number of a constant. Comparisons with `<`, `>`, `<=`, `>=`
    build expressions; `==` compares identities (`functions.equal` builds an equality).
    """

    __slots__ = ("__weakref__", "arguments", "operator", "value")
    _table: ClassVar[WeakValueDictionary[tuple[object, ...], Expression]] = WeakValueDictionary()

    operator: str
    arguments: tuple[Expression, ...]
    value: str | float | None

    def __new__(
        cls,
        operator: str,
        arguments: tuple[Expression, ...] = (),
        value: str | float | None = None,
    ) -> Expression:
        # repr keeps 0.0 and -0.0 apart, which compare equal
        key = (operator, arguments, repr(value))
        found = cls._table.get(key)
        if found is None:
            found = object.__new__(cls)
            found.operator = operator
            found.arguments = arguments
            found.value = value
            cls._table[key] = found
        return found

    def __copy__(self) -> Expression:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Expression:
        return self

    def __repr__(self) -> str:
        if self.operator in ("variable", "constant"):
            return str(self.value)
        return f"{self.operator}({', '.join(map(repr, self.arguments))})"

    def __add__(self, other: Expression | float) -> Expression:
        return build("add", self, other)

    def __radd__(self, other: float) -> Expression:
        return build("add", other, self)

    def __sub__(self, other: Expression | float) -> Expression:
        return build("subtract", self, other)

    def __rsub__(self, other: float) -> Expression:
        return build("subtract", other, self)

    def __mul__(self, other: Expression | float) -> Expression:
        return build("multiply", self, other)

    def __rmul__(self, other: float) -> Expression:
        return build("multiply", other, self)

    def __truediv__(self, other: Expression | float) -> Expression:
        return build("divide", self, other)

    def __rtruediv__(self, other: float) -> Expression:
        return build("divide", other, self)

    def __neg__(self) -> Expression:
        return build("negate", self)

    def __pow__(self, other: Expression | float) -> Expression:
        return build("power", self, other)

    def __rpow__(self, other: float) -> Expression:
        return build("power", other, self)

    def __gt__(self, other: Expression | float) -> Expression:
        return build("greater", self, other)

    def __lt__(self, other: Expression | float) -> Expression:
        return build("less", self, other)

    def __ge__(self, other: Expression | float) -> Expression:
        return build("greater_equal", self, other)

    def __le__(self, other: Expression | float) -> Expression:
        return build("less_equal", self, other)


def variable(name: str) -> Expression:
    """The variable called `name`."""
    return Expression("variable", (), name)


def constant(value: Expression | float) -> Expression:
    """A number as an expression; an expression stays what it is."""
    return value if isinstance(value, Expression) else Expression("constant", (), float(value))


ZERO = constant(0.0)
ONE = constant(1.0)

Simplifier = Callable[[str, tuple[Expression, ...]], Expression]
_simplifier: list[Simplifier] = [Expression]


def install_simplifier(simplified: Simplifier) -> None:
    """Let `build` use these rules; done once, by `nndsl.scalar.simplification`."""
    _simplifier[0] = simplified


def build(operator: str, *operands: Expression | float) -> Expression:
    """The expression `operator(operands)`, simplified by exact rules only."""
    return _simplifier[0](operator, tuple(constant(operand) for operand in operands))
