"""Expressions in the form in which a textbook writes them, for formulas and their derivatives.

Products are collected into a number, powers and a divisor, sums into terms; `expm1(x) + 1` becomes
`exp(x)`; cases are taken out of sums and products; conditions on a straight line are solved for
its variable. The value stays the same up to rounding: this is for reading, never for kernels.

Two operators occur in the result that are no primitives: `minimum` and `maximum`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache, partial

from nndsl.scalar.expression import ONE, ZERO, Expression, constant
from nndsl.scalar.inspection import postorder, rewrite
from nndsl.scalar.text import to_text

LARGEST_DIVISOR = 12
GUARD = 1e-20
MOST_CASES = 3
"""Conditions that are taken out of an expression; with more it stays as it is."""

Terms = dict[Expression, float]
"""The coefficient of each term of a sum, or the exponent of each factor of a product."""


@lru_cache(maxsize=4096)  # deep networks repeat a few formulas hundreds of times
def tidy(expression: Expression) -> Expression:
    """The same function in the form of a textbook."""
    expression = rewrite([expression], _plain_question)[0]
    asked = _conditions(rewrite([expression], _named_choice)[0])
    # a bound whose condition is asked elsewhere too is decided together with it
    named = rewrite([expression], partial(_named_choice, kept=asked))[0]
    found = _conditions(named)
    if found and len(found) <= MOST_CASES:
        return _by_cases(named, found)
    return _arithmetic(named)


# --- cases ----------------------------------------------------------------------------------


def _conditions(expression: Expression) -> list[Expression]:
    """The conditions of choices, in the order in which they are asked."""
    wheres = [e for e in reversed(postorder([expression])) if e.operator == "where"]
    return list(dict.fromkeys(e.arguments[0] for e in wheres))


def _plain_question(old: Expression, operands: tuple[Expression, ...]) -> Expression:
    """Whether `max(0, u)` is above 0 is whether u is: then both are decided together."""
    new = Expression(old.operator, operands, old.value)
    if old.operator not in ("less_equal", "greater") or operands[1] is not ZERO:
        return new
    bound = operands[0]
    if bound.operator != "where" or bound.arguments[1] is not ZERO:
        return new
    condition, _, inside = bound.arguments
    is_bound = condition is Expression("less_equal", (inside, ZERO))
    return Expression(old.operator, (inside, ZERO)) if is_bound else new


def _named_choice(
    old: Expression, operands: tuple[Expression, ...], kept: Sequence[Expression] = ()
) -> Expression:
    """Choices that `functions.minimum` and `maximum` built, under their own names again.

    `clip` and choices by a condition of `kept` stay cases; a last case of NaN is left out, and so
    is what guards against numbers as small as `GUARD`.
    """
    if old.operator != "where":
        return Expression(old.operator, operands, old.value)
    condition, chosen, otherwise = operands
    if any(e.operator == "constant" and 0.0 < _value(e) <= GUARD for e in condition.arguments):
        is_small = condition.arguments[0 if condition.operator.startswith("less") else 1]
        return otherwise if is_small.operator != "constant" else chosen
    if otherwise.operator == "where" and str(otherwise.arguments[2].value) == "nan":
        otherwise = otherwise.arguments[1]
    name = {"less_equal": "maximum", "greater_equal": "minimum"}.get(condition.operator)
    if name and condition.arguments == (otherwise, chosen) and condition not in kept:
        return Expression(name, (chosen, otherwise))
    if name == "maximum" and otherwise.operator == "minimum":
        high, x = otherwise.arguments
        if condition.arguments == (x, chosen):
            below_high = Expression("greater_equal", (x, high))
            otherwise = Expression("where", (below_high, high, x))
    return Expression("where", (condition, chosen, otherwise))


def _by_cases(expression: Expression, conditions: list[Expression]) -> Expression:
    """One choice after the other on the outside, sums and products inside."""
    first, *rest = conditions
    chosen, otherwise = (_assuming(expression, first, holds) for holds in (True, False))
    branches = []
    for branch in (chosen, otherwise):
        left = [c for c in rest if c in _conditions(branch)]
        branches.append(_by_cases(branch, left) if left else _arithmetic(branch))
    if branches[0] is branches[1]:
        return branches[0]
    return Expression("where", (_solved(_arithmetic(first)), *branches))


def _assuming(expression: Expression, condition: Expression, holds: bool) -> Expression:
    def change(old: Expression, operands: tuple[Expression, ...]) -> Expression:
        if old.operator == "where" and old.arguments[0] is condition:
            return operands[1 if holds else 2]
        return Expression(old.operator, operands, old.value)

    return rewrite([expression], change)[0]


_TURNED = {"less_equal": "greater_equal", "greater_equal": "less_equal",
           "less": "greater", "greater": "less"}  # fmt: skip


def _solved(condition: Expression) -> Expression:
    """`x / 6 + 1/2 <= 0` as `x <= -3`; what is no straight line in one variable stays."""
    if condition.operator not in _TURNED:
        return condition
    left, right = condition.arguments
    operator = condition.operator
    if left.operator == "constant":
        left, right, operator = right, left, _TURNED[operator]
    if right is ZERO and left.operator == "negate":
        left, operator = left.arguments[0], _TURNED[operator]
    condition = Expression(operator, (left, right))
    if right.operator != "constant":
        return condition
    slope, offset, name = 1.0, 0.0, left
    while name.operator != "variable":  # left = slope * name + offset
        terms = _as_sum(name)
        offset += slope * terms.pop(ONE, 0.0)
        if len(terms) != 1:
            return condition
        ((term, coefficient),) = terms.items()
        slope *= coefficient
        if term is name:
            return condition
        name = term
    bound = constant((_value(right) - offset) / slope)
    return Expression(condition.operator if slope > 0 else _TURNED[condition.operator],
                      (name, bound))  # fmt: skip


# --- sums and products ----------------------------------------------------------------------


def _value(expression: Expression) -> float:
    assert isinstance(expression.value, float)
    return expression.value


def _arithmetic(expression: Expression) -> Expression:
    def change(old: Expression, operands: tuple[Expression, ...]) -> Expression:
        new = Expression(old.operator, operands, old.value)
        tidied = _TIDIED.get(old.operator)
        return tidied(new) if tidied else new

    return rewrite([expression], change)[0]


def _as_sum(e: Expression) -> Terms:
    """The terms of a sum of tidied operands; a number alone is the coefficient of 1."""
    terms: Terms = {}

    def add(part: Expression, sign: float) -> None:
        if part.operator in ("add", "subtract"):
            a, b = part.arguments
            add(a, sign)
            add(b, sign if part.operator == "add" else -sign)
            return
        number, factors = _as_product(part)
        key = _from_product(1.0, factors)
        terms[key] = terms.get(key, 0.0) + sign * number

    add(e, 1.0)
    return _without_expm1({term: c for term, c in terms.items() if c != 0.0})


def _without_expm1(terms: Terms) -> Terms:
    """The term expm1(u) and a 1 make exp(u), and -expm1(u) makes 1 - exp(u)."""
    for term, coefficient in terms.items():
        if term.operator == "expm1" and (coefficient < 0 or terms.get(ONE) == coefficient):
            power = Expression("exp", term.arguments)
            swapped = {power if t is term else t: c for t, c in terms.items()}
            swapped[ONE] = terms.get(ONE, 0.0) - coefficient
            return {t: c for t, c in swapped.items() if c != 0.0}
    return terms


def _sum(e: Expression) -> Expression:
    """The sum of the terms, a number or a factor that all of them have taken out if shorter."""
    terms = _as_sum(e)
    sizes = {abs(c) for c in terms.values()}
    if len(terms) > 1 and len(sizes) == 1 and sizes != {1.0}:
        (size,) = sizes
        inner = _sum(_in_order({t: c / size for t, c in terms.items()}))
        return _from_product(size, {inner: 1.0})
    plain = _in_order(terms)
    shorter = [_factored(terms, factor) for factor in _common_factors(terms)]
    return min([plain, *shorter], key=lambda found: len(to_text(found)))


def _in_order(terms: Terms) -> Expression:
    """The terms in the order of the text: 1 or a positive one first, other numbers last."""
    parts = [(c, t) for t, c in terms.items() if t is not ONE]
    number = terms.get(ONE, 0.0)
    if number != 0.0:
        parts.insert(0 if number == 1.0 else len(parts), (number, ONE))
    if not parts:
        return ZERO
    if parts[0][0] < 0:
        parts.sort(key=lambda part: part[0] < 0)
    total = _product_of(*parts[0])
    for coefficient, term in parts[1:]:
        operator = "add" if coefficient > 0 else "subtract"
        total = Expression(operator, (total, _product_of(abs(coefficient), term)))
    return total


def _common_factors(terms: Terms) -> list[Expression]:
    """The factors of the first term that all other terms have too, whatever the exponent."""
    if len(terms) < 2:
        return []
    first, *others = (_as_product(term)[1] for term in terms)
    return [factor for factor in first if all(factor in other for other in others)]


def _factored(terms: Terms, factor: Expression) -> Expression:
    """The sum with the lowest power of `factor` taken out of its terms."""
    products = [(c, _as_product(t)[1]) for t, c in terms.items()]
    least = min(factors[factor] for _, factors in products)
    rest = ZERO
    for coefficient, factors in products:
        left = {f: n - least if f is factor else n for f, n in factors.items()}
        term = _from_product(coefficient, {f: n for f, n in left.items() if n != 0.0})
        rest = Expression("add", (rest, term))
    number, others = _as_product(_sum(rest))
    others[factor] = others.get(factor, 0.0) + least
    return _from_product(number, {f: n for f, n in others.items() if n != 0.0})


def _product_of(number: float, term: Expression) -> Expression:
    inner, factors = _as_product(term)
    return _from_product(number * inner, factors)


def _as_product(e: Expression) -> tuple[float, Terms]:
    """The number and the exponent of each factor."""
    factors: Terms = {}
    number = 1.0

    def multiply(part: Expression, exponent: float) -> None:
        nonlocal number
        if part.operator == "multiply":
            for factor in part.arguments:
                multiply(factor, exponent)
        elif part.operator == "divide":
            multiply(part.arguments[0], exponent)
            multiply(part.arguments[1], -exponent)
        elif part.operator == "negate" and exponent == int(exponent):
            number *= (-1.0) ** exponent
            multiply(part.arguments[0], exponent)
        elif part.operator == "constant" and _joins_number(_value(part), exponent):
            number *= _value(part) ** exponent
        elif part.operator == "power" and part.arguments[1].operator == "constant":
            multiply(part.arguments[0], exponent * _value(part.arguments[1]))
        elif part.operator == "sqrt":
            (base,) = part.arguments
            factors[base] = factors.get(base, 0.0) + 0.5 * exponent
        else:
            factors[part] = factors.get(part, 0.0) + exponent

    multiply(e, 1.0)
    return number, _without_signs({f: n for f, n in factors.items() if n != 0.0})


def _without_signs(factors: Terms) -> Terms:
    """A number times its sign is its absolute value."""
    for factor, exponent in factors.items():
        if factor.operator == "sign" and exponent == 1.0:
            x = factor.arguments[0]
            if factors.get(x) == 1.0:
                kept = {f: n for f, n in factors.items() if f not in (factor, x)}
                return {**kept, Expression("absolute", (x,)): 1.0}
    return factors


def _joins_number(value: float, exponent: float) -> bool:
    """Whether a constant is multiplied into the number: no larger whole divisor is, as in t/500."""
    if not math.isfinite(value) or (value == 0.0 and exponent < 0):
        return False
    if exponent == -1.0 and value > LARGEST_DIVISOR and value == int(value):
        return False
    return value > 0 or exponent == int(exponent)


def _product(e: Expression) -> Expression:
    return _from_product(*_as_product(e))


def _from_product(number: float, factors: Terms) -> Expression:
    """Number and factors over the factors of negative exponent; functions come last."""
    if number < 0:
        return Expression("negate", (_from_product(-number, factors),))
    if number == 0.0:
        return ZERO
    number, factors = _reduced(number, factors)
    ordered = sorted(factors.items(), key=lambda item: _rank(item[0]))
    above = [_raised(f, n) for f, n in ordered if n > 0]
    below = [_raised(f, -n) for f, n in ordered if n < 0]
    numerator, divisor = _split(number) if above or below else (number, 1.0)
    if numerator != 1.0 or not above:
        above.insert(0, constant(numerator))
    if divisor != 1.0:
        below.insert(0, constant(divisor))
    over = _chain(above)
    return Expression("divide", (over, _chain(below))) if below else over


def _reduced(number: float, factors: Terms) -> tuple[float, Terms]:
    """The number and the whole divisors among the factors without what divides both."""
    divisors = [f for f, n in factors.items() if f.operator == "constant" and n == -1.0]
    if not divisors or number != int(number):
        return number, factors
    whole = math.prod(int(_value(divisor)) for divisor in divisors)
    shared = math.gcd(int(number), whole)
    kept = {f: n for f, n in factors.items() if f not in divisors}
    if whole > shared:
        kept[constant(whole // shared)] = -1.0
    return number / shared, kept


def _rank(factor: Expression) -> int:
    """Where a factor stands: letters and sums of letters, functions, sums of functions."""
    if factor.operator in ("add", "subtract"):
        inside = {e.operator for e in postorder([factor]) if e.arguments}
        return 0 if inside <= _TIDIED.keys() else 2
    return 0 if factor.operator in ("variable", "power") else 1


def _split(number: float) -> tuple[float, float]:
    """A number as one above and one below the line of a fraction."""
    squared = 1.0 / number**2
    if (
        number < 1.0
        and float(f"{number:.5g}") != number
        and any(float(f"{square:.13g}").is_integer() for square in (squared, squared / math.pi))
    ):
        return 1.0, 1.0 / number
    return as_ratio(number)


def _raised(factor: Expression, exponent: float) -> Expression:
    if exponent == 1.0:
        return factor
    if exponent == 0.5:
        return Expression("sqrt", (factor,))
    return Expression("power", (factor, constant(exponent)))


def _chain(factors: list[Expression]) -> Expression:
    total = factors[0]
    for factor in factors[1:]:
        total = Expression("multiply", (total, factor))
    return total


def as_ratio(number: float) -> tuple[float, float]:
    """A number above 0 as a fraction of small whole numbers, where that says more than decimals."""
    if number == int(number):
        return number, 1.0
    for divisor in range(2, LARGEST_DIVISOR + 1):
        above = round(number * divisor)
        is_same = above > 0 and math.isclose(above / divisor, number, rel_tol=1e-14)
        if is_same and above <= LARGEST_DIVISOR:
            is_decimal = float(f"{number:.5g}") == number and divisor != 2
            return (number, 1.0) if is_decimal else (above, divisor)
    return number, 1.0


def _power(e: Expression) -> Expression:
    """A power of a sum stays one; a constant exponent joins the others of its product."""
    return _product(e) if e.arguments[1].operator == "constant" else e


_TIDIED: dict[str, Callable[[Expression], Expression]] = {
    "add": _sum,
    "subtract": _sum,
    "multiply": _product,
    "divide": _product,
    "negate": _product,
    "power": _power,
}
