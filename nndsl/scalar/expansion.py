"""Functions written in machine primitives, so that loops over them vectorise.

`expand` replaces exp, log, tanh, ... in float32 by polynomials and rationals without branches: both
sides of a choice are computed and one is selected. It is told once, here, for the contraction
kernels (LLVM) and the glue kernels (Python text). Results are within 2 units in the last place
(2.3 for some sigmoids, see there; 3 on processors without a fused multiply-add); those smaller
than the smallest normal number may become 0. NaN stays NaN, and overflow is infinity.

In float64 the functions stay calls of the mathematical library, and only what has no call of its
own (sigmoid, softplus, sign) is written in others, in a form that does not overflow.

The coefficients are minimax fits (weighted least squares on Chebyshev nodes, reweighted towards
equal errors); the argument reductions are those of W. J. Cody and W. Waite, *Software Manual for
the Elementary Functions* (1980).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from nndsl.scalar import functions as f
from nndsl.scalar.expression import Expression, build, constant
from nndsl.scalar.inspection import postorder

Rewrite = Callable[..., Expression]

LARGEST_EXPONENT = 128.0
SMALLEST_NORMAL = 2.0**-126
LN2_HIGH = 0.693359375
LN2_LOW = -2.12194440054690583e-4
"""log(2) in two parts: a whole number of at most 128 times the first is exact in float32."""

PI_PARTS = (1.5703125, 4.837512969970703e-4, 7.549790126404332e-08, -1.7151245e-15)
"""pi/2 in four parts, the first two short enough for exact products with t < 2^13."""


def expand(expression: Expression, element: str) -> Expression:
    """The same function in machine primitives of "float32", or in library calls of "float64"."""
    rewrites = _FLOAT32 if element == "float32" else _FLOAT64
    made: dict[Expression, Expression] = {}
    for e in postorder([expression]):
        if not e.arguments:
            made[e] = e
            continue
        arguments = tuple(made[argument] for argument in e.arguments)
        rewrite = rewrites.get(e.operator)
        made[e] = build(e.operator, *arguments) if rewrite is None else rewrite(*arguments)
    return made[expression]


def _fma(a: Expression | float, b: Expression | float, c: Expression | float) -> Expression:
    return build("fma", a, b, c)


def _polynomial(x: Expression, coefficients: Sequence[float]) -> Expression:
    """c0 + c1*x + c2*x^2 + ... by Horner's rule."""
    total = constant(coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        total = _fma(total, x, coefficient)
    return total


# Exponential: x = t*log(2) + r, exp(x) = 2^t * exp(r) with |r| <= log(2)/2.

_EXP = (0.4999999403953552, 0.16666699945926666, 0.04166809469461441, 0.008326760493218899,
        0.0013837396400049329, 0.00023269136727321893)  # fmt: skip
"""(exp(r) - 1 - r) / r^2 for -log(2)/2 < r < log(2), relative to exp(r) within 2e-9."""

SMALLEST_EXP = math.log(2.0**-126)
LARGEST_EXP = 127 * math.log(2.0)
"""2^128 is no float32 though exp(88.7) is: from here on r grows instead of t."""


_EXP_NEAR = (0.4999999403953552, 0.1666652113199234, 0.04166828840970993, 0.008368703536689281,
             0.0013818938750773668)  # fmt: skip
"""The same for |r| < log(2)/2, within 4e-9."""


def _reduced(
    x: Expression,
    bounded: Expression,
    coefficients: Sequence[float] = _EXP,
    rest: Expression | None = None,
) -> tuple[Expression, Expression]:
    """2^t and exp(r) - 1. `bounded` is x within the exponents, and a number where x is NaN.

    `rest` is what the true argument has beyond x.
    """
    t = build("round_even", bounded * (1.0 / math.log(2.0)))
    r = _fma(t, -LN2_LOW, _fma(t, -LN2_HIGH, x))
    if rest is not None:
        r = r + rest
    return build("power_of_two", t), _fma(_polynomial(r, coefficients), r * r, r)


def _at_most(x: Expression, bound: float) -> Expression:
    """The smaller one; the bound where x is NaN."""
    return f.where(x < bound, x, bound)


def _at_least(x: Expression, bound: float) -> Expression:
    """The greater one; the bound where x is NaN."""
    return f.where(x > bound, x, bound)


def _exp(x: Expression) -> Expression:
    bounded = _at_least(_at_most(x, LARGEST_EXP), SMALLEST_EXP)
    scale, part = _reduced(x, bounded, rest=_rest_of_square(x))
    return f.where(x < SMALLEST_EXP, 0.0, (part + 1.0) * scale)


def _rest_of_square(x: Expression) -> Expression | None:
    """What rounding took from the square in exp(-a*a): it would count a^2 times as much."""
    square = x.arguments[0] if x.operator == "negate" else x
    if square is x or square.operator != "multiply" or len({*square.arguments}) > 1:
        return None
    a = square.arguments[0]
    return _fma(-a, a, square)


def _expm1(x: Expression) -> Expression:
    scale, part = _reduced(x, _at_least(_at_most(x, LARGEST_EXP), SMALLEST_EXP))
    return f.where(x < -18.0, -1.0, _fma(scale, part, scale - 1.0))


# Logarithm: x = m * 2^n, log(x) = n*log(2) + log(m) with sqrt(1/2) <= m < sqrt(2).

_LOG = (0.3333333134651184, -0.250008225440979, 0.20001226663589478, -0.16623356938362122,
        0.14201761782169342, -0.131601944565773, 0.12761549651622772,
        -0.07634429633617401)  # fmt: skip
"""(log(1 + r) - r + r^2/2) / r^3, relative to log(1 + r) within 6e-9."""


def _log_of(n: Expression, r: Expression) -> Expression:
    """n*log(2) + log(1 + r)."""
    square = r * r
    small = _fma(_polynomial(r, _LOG) * r, square, _fma(n, LN2_LOW, -0.5 * square))
    return _fma(n, LN2_HIGH, r + small)


def _bounded_log(x: Expression, value: Expression, at_zero: Expression) -> Expression:
    """The logarithm's value, infinity at infinity and 0, NaN below 0; `at_zero` is 0 there."""
    above = f.where(x < math.inf, value, x)
    pole = f.where(f.equal(at_zero, 0.0), -math.inf, math.nan)
    return f.where(at_zero > 0.0, above, pole)


def _log(x: Expression) -> Expression:
    tiny = x < SMALLEST_NORMAL
    scaled = f.where(tiny, x * 2.0**24, x)
    n = build("exponent", scaled) - f.where(tiny, 24.0, 0.0)
    return _bounded_log(x, _log_of(n, build("mantissa", scaled) - 1.0), x)


def _log1p(x: Expression) -> Expression:
    u = x + 1.0
    n = build("exponent", u)
    # (1 + x) * 2^-n - 1 without the rounding of 1 + x; four times the power, since 2^-128 is none
    scale = build("power_of_two", 2.0 - n)
    r = _fma(x * 0.25, scale, scale * 0.25 - 1.0)
    return _bounded_log(x, _log_of(n, r), u)


_SOFTPLUS = (-0.4999993145465851, 0.3333047032356262, -0.24958156049251556, 0.19693192839622498,
             -0.15349097549915314, 0.10670012980699539, -0.05756152793765068,
             0.020150333642959595, -0.003306539496406913)  # fmt: skip
"""(log(1 + u) - u) / u^2 for 0 <= u <= 1, relative to log(1 + u) within 6e-9."""


def _softplus(x: Expression) -> Expression:
    u = _exp(-f.absolute(x))
    return f.maximum(x, 0.0) + _fma(_polynomial(u, _SOFTPLUS), u * u, u)


# Quotients of exponentials. What is added to exp(y) = scale + scale*part is added to the scale,
# which is exact, so that the sum is rounded once.

NEGLIGIBLE = -18.5
"""Below, exp(y) + 1 is 1 in float32."""


def _sigmoid(x: Expression) -> Expression:
    kept = f.where(x > -NEGLIGIBLE, -NEGLIGIBLE, x)  # NaN stays
    scale, part = _reduced(-kept, _at_least(_at_most(-x, LARGEST_EXP), NEGLIGIBLE), _EXP_NEAR)
    # one number in 300,000, for x near -16.5, is off by up to 2.3 units: 2^24 + 1 is no float32
    return 1.0 / _fma(scale, part, scale + 1.0)


def _reduced_below_0(x: Expression) -> tuple[Expression, Expression]:
    """2^t and exp(r) - 1 for x <= 0; what is below NEGLIGIBLE counts as that."""
    kept = f.where(x < NEGLIGIBLE, NEGLIGIBLE, x)  # NaN stays
    return _reduced(kept, _at_least(x, NEGLIGIBLE), _EXP_NEAR)


def _tanh(x: Expression) -> Expression:
    scale, part = _reduced_below_0(-2.0 * f.absolute(x))
    quotient = _fma(scale, part, scale - 1.0) / _fma(scale, part, scale + 1.0)
    return build("copysign", quotient, x)


_ERF_FIRST = -1.128379225730896
_ERF_REST = (5.8635382771399236e-08, -0.636619508266449, -0.10277686268091202,
             0.019149847328662872, 0.00016589323058724403, -0.001672206213697791,
             0.0006355410441756248, -0.00011837146303150803, 9.335490176454186e-06)  # fmt: skip
"""log(1 - erf(x)) / x on [0, 4], of which _ERF_FIRST is added last: only it counts near 0."""


def _erf(x: Expression) -> Expression:
    size = f.absolute(x)
    bounded = f.where(size > 4.0, 4.0, size)  # NaN stays
    exponent = _fma(bounded, _ERF_FIRST, _polynomial(bounded, _ERF_REST) * bounded)
    scale, part = _reduced_below_0(exponent)
    return build("copysign", _fma(scale, part, scale - 1.0), x)


# Sine and cosine: x = t*pi/2 + r, and the quadrant t mod 4 tells which of the two, and its sign.

_SIN = (-0.16666655242443085, 0.008332173340022564, -0.00019516654720064253)
_COS = (0.04166664555668831, -0.001388736185617745, 2.4437727915938012e-05)


def _turned(x: Expression, quarter: float) -> Expression:
    """sin(x + quarter * pi/2), for |x| up to 50,000 (5,000 without a fused multiply-add).

    Beyond, accuracy is lost gradually; the value stays within [-1, 1].
    """
    t = build("round_even", x * (2.0 / math.pi))
    r = x
    for part in PI_PARTS:
        r = _fma(t, -part, r)
    r = f.where(r > 1.0, 1.0, f.where(r < -1.0, -1.0, r))
    z = r * r
    sine = _fma(_polynomial(z, _SIN) * z, r, r)
    cosine = _fma(z * z, _polynomial(z, _COS), _fma(z, -0.5, 1.0))
    turn = t + quarter
    quadrant = turn - 4.0 * build("round_even", turn * 0.25)  # -2, -1, 0, 1 or 2
    value = f.where(f.equal(f.absolute(quadrant), 1.0), cosine, sine)
    negative = f.logical_or(f.equal(f.absolute(quadrant), 2.0), f.equal(quadrant, -1.0))
    return f.where(negative, -value, value)


def _sin(x: Expression) -> Expression:
    return _turned(x, 0.0)


def _cos(x: Expression) -> Expression:
    return _turned(x, 1.0)


# Powers: exp(b * log(a)) with the logarithm in two parts, or products for whole exponents.

MOST_FACTORS = 16


def _power(a: Expression, b: Expression) -> Expression:
    if b.operator == "constant":
        exponent = float(b.value or 0.0)
        if exponent == int(exponent) and abs(exponent) <= MOST_FACTORS:
            product = _product(a, int(abs(exponent)))
            return product if exponent >= 0 else 1.0 / product
        if abs(exponent) == 0.5:
            root = f.sqrt(a)
            return root if exponent > 0 else 1.0 / root
    size = _positive_power(f.absolute(a), b)
    whole = f.equal(build("round_even", b), b)
    odd = f.not_equal(build("round_even", b * 0.5), b * 0.5)
    below = f.where(whole, f.where(odd, -size, size), math.nan)
    return f.where(f.equal(b, 0.0), 1.0, f.where(a < 0.0, below, size))


def _product(a: Expression, count: int) -> Expression:
    """a^count by repeated squaring."""
    if count == 0:
        return constant(1.0)
    half = _product(a, count // 2)
    square = half * half
    return square * a if count % 2 else square


def _positive_power(a: Expression, b: Expression) -> Expression:
    """exp(b * log(a)) for a >= 0: the logarithm's rounding is carried along as a second part."""
    tiny = a < SMALLEST_NORMAL
    scaled = f.where(tiny, a * 2.0**24, a)
    n = build("exponent", scaled) - f.where(tiny, 24.0, 0.0)
    r = build("mantissa", scaled) - 1.0
    square = r * r
    square_rest = _fma(r, r, -square)
    tail = _fma(_polynomial(r, _LOG) * r, square, -0.5 * square_rest)
    head = _fma(square, -0.5, r)
    head_rest = _fma(square, -0.5, r - head)
    base = n * LN2_HIGH
    high = base + head
    low = (base - high) + head + _fma(n, LN2_LOW, tail + head_rest)
    total = high + low
    rest = low - (total - high)
    product = total * b
    value = _exp(product)
    corrected = _fma(value, _fma(total, b, -product) + rest * b, value)
    usual = f.logical_and(a > 0.0, f.logical_and(a < math.inf, value < math.inf))
    limit = f.where(f.equal(a, 0.0), f.where(b > 0.0, 0.0, math.inf), _at_infinity(a, b, value))
    return f.where(usual, corrected, limit)


def _at_infinity(a: Expression, b: Expression, value: Expression) -> Expression:
    """The power of an infinite or undefined a, or one that overflows."""
    limit = f.where(f.equal(a, math.inf), f.where(b > 0.0, math.inf, 0.0), a)
    return f.where(a < math.inf, value, limit)


def _sign(x: Expression) -> Expression:
    return f.where(x > 0.0, 1.0, f.where(x < 0.0, -1.0, x))


_FLOAT32: dict[str, Rewrite] = {
    "exp": _exp,
    "expm1": _expm1,
    "log": _log,
    "log1p": _log1p,
    "tanh": _tanh,
    "sigmoid": _sigmoid,
    "softplus": _softplus,
    "erf": _erf,
    "sin": _sin,
    "cos": _cos,
    "power": _power,
    "sign": _sign,
}
_FLOAT64: dict[str, Rewrite] = {
    "sigmoid": lambda x: 1.0 / (f.exp(-x) + 1.0),
    "softplus": lambda x: f.maximum(x, 0.0) + f.log1p(f.exp(-f.absolute(x))),
    "sign": _sign,
}
