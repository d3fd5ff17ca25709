"""The functions that formulas are written with, beside the operators of `Expression`."""

from __future__ import annotations

from nndsl.scalar.expression import Expression, build, constant

Operand = Expression | float


def exp(x: Operand) -> Expression:
    """The exponential function."""
    return build("exp", x)


def expm1(x: Operand) -> Expression:
    """exp(x) - 1 without cancellation near 0."""
    return build("expm1", x)


def log(x: Operand) -> Expression:
    """Natural logarithm."""
    return build("log", x)


def log1p(x: Operand) -> Expression:
    """log(1 + x) without cancellation near 0."""
    return build("log1p", x)


def sqrt(x: Operand) -> Expression:
    """Square root."""
    return build("sqrt", x)


def tanh(x: Operand) -> Expression:
    """Hyperbolic tangent."""
    return build("tanh", x)


def sigmoid(x: Operand) -> Expression:
    """1 / (1 + exp(-x)), without overflow."""
    return build("sigmoid", x)


def softplus(x: Operand) -> Expression:
    """log(1 + exp(x)), without overflow."""
    return build("softplus", x)


def erf(x: Operand) -> Expression:
    """The error function."""
    return build("erf", x)


def sin(x: Operand) -> Expression:
    """Sine of x in radians."""
    return build("sin", x)


def cos(x: Operand) -> Expression:
    """Cosine of x in radians."""
    return build("cos", x)


def absolute(x: Operand) -> Expression:
    """|x|, with derivative 0 at 0."""
    return build("absolute", x)


def sign(x: Operand) -> Expression:
    """-1, 0 or 1."""
    return build("sign", x)


def floor(x: Operand) -> Expression:
    """The greatest whole number that is not above x."""
    return build("floor", x)


def where(condition: Operand, chosen: Operand, otherwise: Operand) -> Expression:
    """`chosen` where the condition holds (is not 0), else `otherwise`."""
    return build("where", condition, chosen, otherwise)


def equal(a: Operand, b: Operand) -> Expression:
    """1 where a = b, else 0."""
    return build("equal", a, b)


def not_equal(a: Operand, b: Operand) -> Expression:
    """1 where a and b differ, else 0."""
    return build("not_equal", a, b)


def logical_and(a: Operand, b: Operand) -> Expression:
    """1 where both conditions hold, else 0."""
    return build("logical_and", a, b)


def logical_or(a: Operand, b: Operand) -> Expression:
    """1 where at least one condition holds, else 0."""
    return build("logical_or", a, b)


def logical_not(a: Operand) -> Expression:
    """1 where the condition does not hold, else 0."""
    return build("logical_not", a)


def maximum(a: Operand, b: Operand) -> Expression:
    """The greater one; `b` (and its derivative) where they are equal.

    A NaN in `a` is passed on, so `maximum(x, 0)` does not hide that x is no number.
    """
    return where(constant(a) <= b, b, a)


def minimum(a: Operand, b: Operand) -> Expression:
    """The smaller one; `b` (and its derivative) where they are equal. A NaN in `a` is passed on."""
    return where(constant(a) >= b, b, a)


def clip(x: Operand, low: Operand, high: Operand) -> Expression:
    """The nearest number within [low, high]; derivative 0 at and beyond the ends; NaN stays."""
    return where(constant(x) <= low, low, minimum(x, high))
