"""Scalar expressions as lines of kernel text.

The text is Python that Numba compiles: one assignment for each shared subexpression, then the
results. A choice is written `where(condition, a, b)`, one instruction that computes both sides, so
that loops stay straight and vectorise. Numbers carry their type: a bare Python number would make
double precision of everything it meets.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from nndsl.codegen.program import Element
from nndsl.scalar.expansion import expand
from nndsl.scalar.expression import Expression
from nndsl.scalar.inspection import postorder
from nndsl.scalar.primitives import PRIMITIVES
from nndsl.scalar.text import let_form

_TEMPLATES = {
    "where": "where({0}, {1}, {2})",
    "logical_and": "({0} & {1})",
    "logical_or": "({0} | {1})",
    "copysign": "copysign({0}, {1})",
    "absolute": "absolute({0})",
    "sqrt": "sqrt({0})",
}


def assignments(
    expressions: Sequence[Expression],
    results: Sequence[str],
    names: Mapping[str, str],
    element: Element,
    prefix: str = "t",
) -> list[str]:
    """Lines that compute `expressions` into the places `results`, from variables called `names`."""
    expanded = [expand(e, element.value) for e in expressions]
    lets = let_form(expanded, prefix)
    kind = element.value
    lines = [f"{name} = {text(e, names, kind)}" for name, e in lets.temporaries]
    return lines + [
        f"{place} = {text(e, names, kind)}" for place, e in zip(results, lets.results, strict=True)
    ]


def text(expression: Expression, names: Mapping[str, str], kind: str) -> str:
    """One expression as a number of type `kind`."""
    printed = _Printer(names, kind)
    printed.all(expression)
    return printed.number(expression)


class _Printer:
    def __init__(self, names: Mapping[str, str], kind: str) -> None:
        self.names = names
        self.kind = kind
        self.made: dict[Expression, str] = {}

    def all(self, expression: Expression) -> None:
        """Print every subexpression, operands first."""
        for e in postorder([expression]):
            self.made[e] = self._print(e)

    def number(self, e: Expression) -> str:
        """Text of a value; a condition counts as 1 or 0."""
        if _is_condition(e):
            return f"where({self.made[e]}, {self._literal(1.0)}, {self._literal(0.0)})"
        return self.made[e]

    def condition(self, e: Expression) -> str:
        """Text of a truth; a number holds where it is not 0."""
        return self.made[e] if _is_condition(e) else f"({self.made[e]} != {self._literal(0.0)})"

    def _print(self, e: Expression) -> str:
        if e.operator == "variable":
            return self.names.get(str(e.value), str(e.value))
        if e.operator == "constant":
            return self._literal(float(e.value or 0.0))
        template = _TEMPLATES.get(e.operator, PRIMITIVES[e.operator].python)
        logical = e.operator.startswith("logical_")
        operands = [self.condition(a) if logical else self.number(a) for a in e.arguments]
        if e.operator == "where":
            operands[0] = self.condition(e.arguments[0])
        return template.format(*operands)

    def _literal(self, value: float) -> str:
        if math.isnan(value):
            return f"{self.kind}(math.nan)"
        if math.isinf(value):
            return f"{self.kind}({'-' if value < 0 else ''}math.inf)"
        return f"{self.kind}({value!r})"


def _is_condition(e: Expression) -> bool:
    return e.arguments != () and PRIMITIVES[e.operator].is_condition
