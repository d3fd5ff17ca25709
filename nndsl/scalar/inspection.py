"""Looking into expressions and rewriting them, without recursion (chains may be long).

Deep networks ask the same of the same formulas thousands of times, so the answers are kept:
equal expressions are one object, and finding one by its identity costs next to nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache

from nndsl.scalar.expression import Expression, build

KEPT = 1 << 14
"""Answers kept of each question."""


def postorder(expressions: Iterable[Expression]) -> list[Expression]:
    """Every subexpression once, operands before what uses them, leaves included."""
    order: dict[Expression, None] = {}
    stack = [(e, False) for e in reversed(list(expressions))]
    while stack:
        expression, is_ready = stack.pop()
        if expression in order:
            continue
        if is_ready or not expression.arguments:
            order[expression] = None
        else:
            stack.append((expression, True))
            stack.extend((a, False) for a in reversed(expression.arguments))
    return list(order)


@lru_cache(KEPT)
def variables(*expressions: Expression) -> tuple[str, ...]:
    """Names of the variables, in the order in which they are met."""
    return tuple(str(e.value) for e in postorder(expressions) if e.operator == "variable")


def rewrite(
    expressions: Iterable[Expression],
    change: Callable[[Expression, tuple[Expression, ...]], Expression],
) -> tuple[Expression, ...]:
    """Expressions made anew from the leaves up; `change(old, new operands)` gives each node."""
    roots = tuple(expressions)
    made: dict[Expression, Expression] = {}
    for expression in postorder(roots):
        made[expression] = change(expression, tuple(made[a] for a in expression.arguments))
    return tuple(made[root] for root in roots)


def _rebuilt(expression: Expression, operands: tuple[Expression, ...]) -> Expression:
    if operands == expression.arguments:
        return expression
    return build(expression.operator, *operands)


def substitute(expression: Expression, values: Mapping[str, Expression]) -> Expression:
    """The expression with variables replaced, simplified where they made a difference."""
    replaced = tuple((name, values[name]) for name in variables(expression) if name in values)
    return _substituted(expression, replaced) if replaced else expression


@lru_cache(KEPT)
def _substituted(
    expression: Expression, replaced: tuple[tuple[str, Expression], ...]
) -> Expression:
    values = dict(replaced)

    def change(old: Expression, operands: tuple[Expression, ...]) -> Expression:
        if old.operator == "variable":
            return values.get(str(old.value), old)
        return _rebuilt(old, operands)

    return rewrite([expression], change)[0]


def replace(expression: Expression, old: Expression, new: Expression) -> Expression:
    """The expression with every occurrence of the subexpression `old` replaced by `new`."""

    def change(node: Expression, operands: tuple[Expression, ...]) -> Expression:
        return new if node is old else _rebuilt(node, operands)

    return rewrite([expression], change)[0]


@lru_cache(KEPT)
def size(*expressions: Expression) -> int:
    """How many operations a computation takes that computes nothing twice."""
    return sum(1 for e in postorder(expressions) if e.arguments)
