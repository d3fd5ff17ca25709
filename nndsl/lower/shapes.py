"""Shapes as written: `3x32x32`, `[T, 9]`, `[2]`; names are sizes known only at run time."""

from __future__ import annotations

from typing import Any

from nndsl.diagnostics import error
from nndsl.ir.types import Dimension
from nndsl.lower.evaluate import evaluate
from nndsl.lower.names import not_yet
from nndsl.lower.scopes import Scope
from nndsl.lower.values import Mention, Shape, Unknown
from nndsl.lower.words import shown
from nndsl.syntax import tree

LARGEST_SIZE = 10**9


def shape_of(expression: tree.Expression, scope: Scope) -> tuple[Dimension, ...]:
    """The shape of one example that an `input` line or a memory declares."""
    if isinstance(expression, tree.ListOf):
        return tuple(_size(evaluate(item.value, scope), item) for item in expression.items)
    if isinstance(expression, tree.Index) or (
        isinstance(expression, tree.Call) and expression.function.span.text == "ids"
    ):
        raise not_yet("a net over token numbers (`ids(...)`)", expression.span)
    value = evaluate(expression, scope)
    if isinstance(value, Shape):
        return tuple(_size(size, expression) for size in value.sizes)
    return (_size(value, expression),)


def _size(value: Any, place: tree.Tree) -> Dimension:
    if isinstance(value, Unknown):
        return value.name
    if isinstance(value, str):
        return value
    if isinstance(value, Mention) and value.given is None and value.name[:1].isupper():
        return value.name
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or not 1 <= value <= LARGEST_SIZE:
        raise error(
            "NN304",
            f"a size is a whole number of at least 1, not {shown(value)}",
            place.span,
            help="for instance `input x: [4]` or `input image: 1x28x28`; "
            "a capital letter is a size known only at run time",
        )
    return int(value)
