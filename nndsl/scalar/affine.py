"""Affine formulas: a chain of additions and products with fixed numbers is one of each."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from nndsl.records import dataclass
from nndsl.scalar.expression import ONE, ZERO, Expression, build
from nndsl.scalar.inspection import postorder, variables


@dataclass(frozen=True)
class _Affine:
    """scale * atom + shift, which `steps` operations of `plain` compute."""

    atom: Expression
    scale: Expression
    shift: Expression
    steps: int
    plain: Expression

    def best(self) -> Expression:
        """The shorter way to compute it: fixed parts do not count."""
        operations = (self.scale is not ONE) + (self.shift is not ZERO)
        if self.steps <= operations or not variables(self.scale, self.shift):
            return self.plain
        return self.scale * self.atom + self.shift


def collapsed(expressions: Sequence[Expression], fixed: Collection[str]) -> list[Expression]:
    """The expressions with ((x + a) * b - c) / d as x * s + t, where a, b, c, d, and so s and t,
    depend on no variables but `fixed` ones. Rounding differs.
    """
    forms: dict[Expression, _Affine] = {}  # only of expressions that vary
    for expression in postorder(expressions):
        if not set(variables(expression)) <= set(fixed):
            forms[expression] = _form(expression, forms)
    return [forms[e].best() if e in forms else e for e in expressions]


def _form(expression: Expression, forms: dict[Expression, _Affine]) -> _Affine:
    operator, arguments = expression.operator, expression.arguments
    varying = [forms[a] for a in arguments if a in forms]
    steps = {
        "add": _add, "subtract": _subtract, "multiply": _multiply, "divide": _divide
    }  # fmt: skip
    if len(varying) == 1 and len(arguments) == 2 and operator in steps:
        plain = build(operator, *(forms[a].plain if a in forms else a for a in arguments))
        other = arguments[1] if arguments[0] in forms else arguments[0]
        found = steps[operator](varying[0], other, arguments[0] in forms)
        if found is not None:
            return _Affine(varying[0].atom, *found, varying[0].steps + 1, plain)
    atom = expression
    if arguments:
        atom = build(operator, *(forms[a].best() if a in forms else a for a in arguments))
    return _Affine(atom, ONE, ZERO, 0, atom)


Changed = tuple[Expression, Expression] | None
"""The new scale and shift; None where the result is not affine."""


def _add(form: _Affine, other: Expression, is_first: bool) -> Changed:
    return form.scale, form.shift + other


def _subtract(form: _Affine, other: Expression, is_first: bool) -> Changed:
    if is_first:
        return form.scale, form.shift - other
    return -form.scale, other - form.shift


def _multiply(form: _Affine, other: Expression, is_first: bool) -> Changed:
    return form.scale * other, form.shift * other


def _divide(form: _Affine, other: Expression, is_first: bool) -> Changed:
    return (form.scale / other, form.shift / other) if is_first else None
