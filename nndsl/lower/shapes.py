"""Shapes as written: `3x32x32`, `[T, 9]`, `[2]`; names are sizes known only at run time."""

from __future__ import annotations

from typing import Any

from nndsl.diagnostics import error
from nndsl.ir.types import Dimension, ElementType, TensorType
from nndsl.lower.evaluate import evaluate
from nndsl.lower.scopes import Scope
from nndsl.lower.values import Mention, Shape, Unknown
from nndsl.lower.words import shown
from nndsl.syntax import tree
from nndsl.vocab.preprocessing import IDS

LARGEST_SIZE = 10**9


def shape_of(expression: tree.Expression, scope: Scope) -> tuple[Dimension, ...]:
    """The shape of one example that an `input` line or a memory declares."""
    return type_of(expression, scope).shape


def type_of(expression: tree.Expression, scope: Scope) -> TensorType:
    """The type of one example: of numbers, or of `ids(8000)[T]`."""
    base = expression.base if isinstance(expression, tree.Index) else expression
    if isinstance(base, tree.Call) and base.function.span.text == IDS:
        sizes = expression.indices if isinstance(expression, tree.Index) else ()
        # numbers of places in time are names as well: so a sequence is told from a signal
        shape = tuple(str(_size(evaluate(i.value, scope), i)) for i in sizes)
        count, padding = _of_ids(base, scope)
        return TensorType(shape, ElementType.INDEX, count, padding)
    return TensorType(_numbers(expression, scope))


def _of_ids(call: tree.Call, scope: Scope) -> tuple[int | None, int | None]:
    """The V of `ids(V)`, None where only the data can tell it, and the id that is no more than
    padding: `ids(V, padding=0)`.
    """
    named = {a.name: a for a in call.arguments if a.name is not None}
    plain = [a for a in call.arguments if a.name is None]
    if len(plain) != 1 or set(named) - {"padding"}:
        raise error(
            "NN304",
            "`ids` takes how many there are, and perhaps the one that pads",
            call.span,
            help="ids(8000)[T], ids(8000, padding=0)[T]",
        )
    padding = None
    if "padding" in named:
        padding = evaluate(named["padding"].value, scope)
        if not isinstance(padding, int) or isinstance(padding, bool) or padding < 0:
            raise error("NN304", "the id that pads is a whole number from 0 on", call.span)
    value = evaluate(plain[0].value, scope)
    if isinstance(value, Unknown):
        return None, padding
    size = _size(value, plain[0])
    if isinstance(size, str):
        raise error("NN304", "how many ids there are is a number", call.span, help="ids(8000)[T]")
    if padding is not None and padding >= size:
        title = f"the id that pads is one of the {size}: 0 to {size - 1}, not {padding}"
        raise error("NN304", title, named["padding"].value.span, help=f"ids({size}, padding=0)")
    return size, padding


def _numbers(expression: tree.Expression, scope: Scope) -> tuple[Dimension, ...]:
    if isinstance(expression, tree.ListOf):
        return tuple(_size(evaluate(item.value, scope), item) for item in expression.items)
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
