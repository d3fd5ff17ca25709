"""Derivatives of expressions, and their best form for the backward pass."""

from __future__ import annotations

from nndsl.scalar.expression import ONE, ZERO, Expression, variable
from nndsl.scalar.functions import where
from nndsl.scalar.inspection import postorder, replace, size, variables
from nndsl.scalar.primitives import PRIMITIVES
from nndsl.scalar.signs import same_condition

OUTPUT = "y"


def differentiate(expression: Expression, name: str) -> Expression:
    """The derivative by the variable `name`; at a kink, that of the branch taken."""
    made: dict[Expression, Expression] = {}
    for e in postorder([expression]):
        if e.operator == "variable":
            made[e] = ONE if e.value == name else ZERO
        elif e.operator == "where":
            condition, chosen, otherwise = e.arguments
            made[e] = where(condition, made[chosen], made[otherwise])
        else:
            made[e] = _chain_rule(e, made)
    return made[expression]


def _chain_rule(e: Expression, made: dict[Expression, Expression]) -> Expression:
    inner = [made[a] for a in e.arguments]
    total = ZERO
    if all(d is ZERO for d in inner):
        return total
    partials = PRIMITIVES[e.operator].derivative(e, *e.arguments)
    for d, partial in zip(inner, partials, strict=True):
        if d is not ZERO:
            total = total + d * partial
    return total


def in_terms_of_output(
    function: Expression, derivative: Expression
) -> tuple[Expression, tuple[str, ...]]:
    """The derivative in the output `y` of the function where that suffices, and what it reads.

    sigmoid' becomes y * (1 - y), ReLU' becomes where(y <= 0, 0, 1): then the input need not be
    kept for the backward pass. Where the output alone does not suffice, the derivative is left
    in the function's own variables.
    """
    y = variable(OUTPUT)
    if OUTPUT in variables(function):
        return derivative, variables(derivative)
    rewritten = replace(derivative, function, y)
    if function.operator == "where" and rewritten.operator == "where":
        rewritten = _by_branches(function, rewritten, y)
    if set(variables(rewritten)) <= {OUTPUT}:
        return rewritten, variables(rewritten)
    return derivative, variables(derivative)


def _by_branches(function: Expression, derivative: Expression, y: Expression) -> Expression:
    """Rewrite where(c(x), a', b') for the function where(c(x), a, b) when c(y) says the same."""
    condition, a, b = function.arguments
    if derivative.arguments[0] is not condition:
        return derivative
    about_output = same_condition(condition, a, b, y)
    if about_output is None:
        return derivative
    _, chosen, otherwise = derivative.arguments
    found = where(about_output, _with_output(chosen, a, y), _with_output(otherwise, b, y))
    return found if size(found) <= size(derivative) else derivative


def _with_output(derivative: Expression, branch: Expression, y: Expression) -> Expression:
    """The derivative on a branch in terms of the branch's value, unless that is a mere leaf."""
    if branch.operator == "constant":
        return derivative
    return replace(derivative, branch, y)
