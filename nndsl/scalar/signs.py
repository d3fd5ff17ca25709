"""What sign an expression has, when the sign of one of its subexpressions is known.

Used to see that a question about a function's input (is x <= 0?) has the same answer when asked
about its output, as for ReLU, leaky ReLU and ELU. Signs hold for rounded arithmetic too: a product
of two positive numbers may vanish, so it counts as "at least 0".
"""

from __future__ import annotations

from enum import Enum

from nndsl.scalar.expression import ZERO, Expression
from nndsl.scalar.inspection import postorder, replace


class Sign(Enum):
    """What is known of a number that is not NaN."""

    POSITIVE = "above 0"
    AT_LEAST_ZERO = "0 or above"
    ZERO = "0"
    AT_MOST_ZERO = "0 or below"
    NEGATIVE = "below 0"
    UNKNOWN = "anything"


_UP = {Sign.POSITIVE, Sign.AT_LEAST_ZERO, Sign.ZERO}
_DOWN = {Sign.NEGATIVE, Sign.AT_MOST_ZERO, Sign.ZERO}
_OPPOSITE = {
    Sign.POSITIVE: Sign.NEGATIVE,
    Sign.AT_LEAST_ZERO: Sign.AT_MOST_ZERO,
    Sign.ZERO: Sign.ZERO,
    Sign.AT_MOST_ZERO: Sign.AT_LEAST_ZERO,
    Sign.NEGATIVE: Sign.POSITIVE,
    Sign.UNKNOWN: Sign.UNKNOWN,
}
# condition about 0 -> sign of its operand where it holds, and where it does not
_SIGNS_OF_CONDITION = {
    "less_equal": (Sign.AT_MOST_ZERO, Sign.POSITIVE),
    "greater": (Sign.POSITIVE, Sign.AT_MOST_ZERO),
    "less": (Sign.NEGATIVE, Sign.AT_LEAST_ZERO),
    "greater_equal": (Sign.AT_LEAST_ZERO, Sign.NEGATIVE),
}


def sign_of(expression: Expression, known: Expression, sign: Sign) -> Sign:
    """The sign of `expression` when `known` has the given sign."""
    made: dict[Expression, Sign] = {}
    for e in postorder([expression]):
        made[e] = sign if e is known else _one(e, [made[a] for a in e.arguments])
    return made[expression]


def _one(e: Expression, operands: list[Sign]) -> Sign:
    match e.operator:
        case "constant":
            return _of_number(float(e.value or 0.0))
        case "negate":
            return _OPPOSITE[operands[0]]
        case "multiply":
            return _product(*operands)
        case "add":
            return _sum(*operands)
        case "expm1" | "tanh" | "erf" | "sign":
            return _product(operands[0], Sign.POSITIVE)
        case "exp" | "sigmoid" | "softplus" | "absolute":
            return Sign.AT_LEAST_ZERO
    return Sign.UNKNOWN


def _of_number(value: float) -> Sign:
    if value == 0.0:
        return Sign.ZERO
    return Sign.POSITIVE if value > 0.0 else Sign.NEGATIVE


def _product(a: Sign, b: Sign) -> Sign:
    if Sign.UNKNOWN in (a, b):
        return Sign.UNKNOWN
    return Sign.AT_LEAST_ZERO if (a in _UP) == (b in _UP) else Sign.AT_MOST_ZERO


def _sum(a: Sign, b: Sign) -> Sign:
    if a in _UP and b in _UP:
        return Sign.POSITIVE if Sign.POSITIVE in (a, b) else Sign.AT_LEAST_ZERO
    if a in _DOWN and b in _DOWN:
        return Sign.NEGATIVE if Sign.NEGATIVE in (a, b) else Sign.AT_MOST_ZERO
    return Sign.UNKNOWN


def same_condition(
    condition: Expression, chosen: Expression, otherwise: Expression, output: Expression
) -> Expression | None:
    """The condition asked of the output of where(condition, chosen, otherwise), if equivalent.

    Only conditions that compare an expression with 0 are understood; None where the answer might
    differ.
    """
    if condition.operator not in _SIGNS_OF_CONDITION or condition.arguments[1] is not ZERO:
        return None
    operand = condition.arguments[0]
    if operand.operator == "constant":
        return None
    holds, fails = _SIGNS_OF_CONDITION[condition.operator]
    if not _implies(sign_of(chosen, operand, holds), holds):
        return None
    if not _implies(sign_of(otherwise, operand, fails), fails):
        return None
    return replace(condition, operand, output)


def _implies(found: Sign, wanted: Sign) -> bool:
    if wanted is Sign.AT_LEAST_ZERO:
        return found in _UP
    if wanted is Sign.AT_MOST_ZERO:
        return found in _DOWN
    return found is wanted
