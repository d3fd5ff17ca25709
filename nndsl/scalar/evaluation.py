"""The NumPy meaning of expressions: slow, obvious, the oracle of every kernel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nndsl.scalar.expression import Expression
from nndsl.scalar.inspection import postorder
from nndsl.scalar.primitives import PRIMITIVES


def evaluate(expression: Expression, values: Mapping[str, Any]) -> Any:
    """The value for the variables' values, which broadcast as NumPy does.

    The element type is that of the arrays: constants adapt to it. Overflow and invalid operations
    give infinities and NaN without warnings. A variable without a value is a `KeyError`.
    """
    return evaluate_all([expression], values)[0]


def evaluate_all(expressions: list[Expression], values: Mapping[str, Any]) -> list[Any]:
    """The values of several expressions; what they share is computed once."""
    made: dict[Expression, Any] = {}
    with np.errstate(all="ignore"):
        for e in postorder(expressions):
            if e.operator == "constant":
                made[e] = e.value
            elif e.operator == "variable":
                made[e] = values[str(e.value)]
            else:
                made[e] = _applied(e.operator, [made[a] for a in e.arguments])
    return [made[e] for e in expressions]


def _applied(operator: str, operands: list[Any]) -> Any:
    """A primitive on its operands; of plain numbers a plain number, computed in float64."""
    meaning = PRIMITIVES[operator].meaning
    if all(isinstance(operand, float | int) for operand in operands):
        return float(meaning(*(np.float64(operand) for operand in operands)))
    return meaning(*operands)
