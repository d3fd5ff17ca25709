"""Simplification as expressions are built: exact rules only.

A rule may stand here if the result is the same number to the last bit, with two conventions that
every symbolic derivative needs: `x * 0` is 0 (though NaN * 0 is NaN), and the sign of a zero is
not kept (`x + 0` is x). Nothing is reassociated, and constants are folded only to finite numbers,
so that a mistake such as 1/0 still shows where it happens.

Constants stand first in products and last in sums, so that 2*x and x*2 are one expression.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np

from nndsl.scalar.expression import ONE, ZERO, Expression, build, constant, install_simplifier
from nndsl.scalar.inspection import KEPT
from nndsl.scalar.primitives import PRIMITIVES

Rule = Callable[..., Expression | None]


@lru_cache(KEPT)
def simplified(operator: str, arguments: tuple[Expression, ...]) -> Expression:
    """The expression `operator(arguments)` after all rules; arguments are simplified already."""
    if all(a.operator == "constant" for a in arguments):
        folded = _folded(operator, arguments)
        if folded is not None:
            return folded
    rule = _RULES.get(operator)
    found = rule(*arguments) if rule else None
    return Expression(operator, arguments) if found is None else found


def _folded(operator: str, arguments: tuple[Expression, ...]) -> Expression | None:
    values = [np.float64(a.value) for a in arguments]
    with np.errstate(all="ignore"):
        result = float(PRIMITIVES[operator].meaning(*values))
    return constant(result) if math.isfinite(result) else None


def _is(expression: Expression, value: float) -> bool:
    return expression.operator == "constant" and expression.value == value


def _is_constant(expression: Expression) -> bool:
    return expression.operator == "constant"


def _is_negated(expression: Expression) -> bool:
    return expression.operator == "negate"


def _add(a: Expression, b: Expression) -> Expression | None:
    if _is(a, 0.0):
        return b
    if _is(b, 0.0):
        return a
    if _is_negated(b):
        return a - b.arguments[0]
    if _is_negated(a):
        return b - a.arguments[0]
    if _is_constant(a):
        return Expression("add", (b, a))
    return None


def _subtract(a: Expression, b: Expression) -> Expression | None:
    if _is(b, 0.0):
        return a
    if _is(a, 0.0):
        return -b
    if _is_negated(b):
        return a + b.arguments[0]
    if _is_constant(b):
        return a + constant(-_number(b))
    return None


def _number(expression: Expression) -> float:
    assert isinstance(expression.value, float)
    return expression.value


def _multiply(a: Expression, b: Expression) -> Expression | None:
    if _is_constant(b):
        return _scaled(b, a)
    if _is_constant(a):
        return _scaled(a, b)
    if _is_negated(a):
        return -(a.arguments[0] * b)
    if _is_negated(b):
        return -(a * b.arguments[0])
    return None


def _scaled(factor: Expression, x: Expression) -> Expression:
    """The product of a constant factor and an x that is none, or with which it does not fold."""
    if _is(factor, 0.0):
        return ZERO
    if _is(factor, 1.0):
        return x
    if _is(factor, -1.0):
        return -x
    if _is_negated(x):
        return constant(-_number(factor)) * x.arguments[0]
    return Expression("multiply", (factor, x))


def _divide(a: Expression, b: Expression) -> Expression | None:
    if _is(b, 1.0):
        return a
    if _is_constant(b) and _is_power_of_two(_number(b)):
        return constant(1.0 / _number(b)) * a
    if _is_negated(a):
        return -(a.arguments[0] / b)
    return None


def _is_power_of_two(value: float) -> bool:
    """Whether 1 / value is exact, in float32 too."""
    return abs(math.frexp(value)[0]) == 0.5 and 2.0**-100 < abs(value) < 2.0**100


def _negate(a: Expression) -> Expression | None:
    if _is_negated(a):
        return a.arguments[0]
    if a.operator == "subtract":
        return a.arguments[1] - a.arguments[0]
    if a.operator == "multiply" and _is_constant(a.arguments[0]):
        return constant(-_number(a.arguments[0])) * a.arguments[1]
    return None


def _power(a: Expression, b: Expression) -> Expression | None:
    if _is(b, 0.0):
        return ONE
    if _is(b, 1.0):
        return a
    if _is(b, 2.0):
        return a * a
    if _is(b, -1.0):
        return 1 / a
    return None


def _where(condition: Expression, a: Expression, b: Expression) -> Expression | None:
    if a is b:
        return a
    if _is_constant(condition):
        return a if condition.value != 0.0 else b
    if condition.operator == "logical_not":
        return build("where", condition.arguments[0], b, a)
    return None


def _logical_and(a: Expression, b: Expression) -> Expression | None:
    if _is(a, 0.0) or _is(b, 0.0):
        return ZERO
    if _is_true(a) and _is_condition(b):
        return b
    if _is_true(b) and _is_condition(a):
        return a
    return None


def _logical_or(a: Expression, b: Expression) -> Expression | None:
    if _is_true(a) or _is_true(b):
        return ONE
    if _is(a, 0.0) and _is_condition(b):
        return b
    if _is(b, 0.0) and _is_condition(a):
        return a
    return None


def _is_true(expression: Expression) -> bool:
    return expression.operator == "constant" and expression.value != 0.0


def _is_condition(expression: Expression) -> bool:
    primitive = PRIMITIVES.get(expression.operator)
    return primitive is not None and primitive.is_condition


_RULES: dict[str, Rule] = {
    "add": _add,
    "subtract": _subtract,
    "multiply": _multiply,
    "divide": _divide,
    "negate": _negate,
    "power": _power,
    "where": _where,
    "logical_and": _logical_and,
    "logical_or": _logical_or,
}

install_simplifier(simplified)
