"""Expressions over columns as closed trees: `2026 - year`, `species == "setosa"`."""

from __future__ import annotations

from typing import Any

import numpy as np

from nndsl.diagnostics import error
from nndsl.lower.constants import is_number
from nndsl.lower.names import unknown_name
from nndsl.lower.scopes import Scope
from nndsl.schema import ColumnExpression
from nndsl.syntax import tree

FUNCTIONS = ("log", "log1p", "exp", "sqrt", "abs", "sin", "cos")
_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")


def column_name(value: tree.Expression) -> str | None:
    """A column as written: a bare word or a text in quotes."""
    if isinstance(value, tree.Name):
        return value.name
    return value.value if isinstance(value, tree.String) else None


def column_expression(value: tree.Expression, scope: Scope) -> ColumnExpression:
    """Arithmetic over columns. A `let` of the file is its number, other names are columns."""
    if isinstance(value, tree.Name):
        return _name(value, scope)
    if isinstance(value, tree.Number):
        return ColumnExpression("constant", value=value.value, span=value.span)
    if isinstance(value, tree.String):
        return ColumnExpression("column", value=value.value, span=value.span)
    if isinstance(value, tree.Unary):
        operator = "neg" if value.operator == "-" else "not"
        return ColumnExpression(
            operator, (column_expression(value.operand, scope),), span=value.span
        )
    if isinstance(value, tree.Binary) and value.operator != "..":
        return _binary(value, scope)
    if isinstance(value, tree.Call):
        return _call(value, scope)
    raise error(
        "NN309",
        "only arithmetic over columns stands here",
        value.span,
        help=f"columns, numbers, + - * / ^, comparisons, and, or, not, {', '.join(FUNCTIONS)}",
    )


def _name(value: tree.Name, scope: Scope) -> ColumnExpression:
    found = scope.find(value.name)
    own: Any = found.value if found is not None and found.sort == "let" else None
    if is_number(own) and not isinstance(own, np.generic):
        return ColumnExpression("constant", value=own, span=value.span)
    return ColumnExpression("column", value=value.name, span=value.span)


def _binary(value: tree.Binary, scope: Scope) -> ColumnExpression:
    left = column_expression(value.left, scope)
    if value.operator in _COMPARISONS and isinstance(value.right, tree.String):
        right = ColumnExpression("constant", value=value.right.value, span=value.right.span)
    else:
        right = column_expression(value.right, scope)
    return ColumnExpression(value.operator, (left, right), span=value.span)


def _call(value: tree.Call, scope: Scope) -> ColumnExpression:
    name = value.function.name if isinstance(value.function, tree.Name) else ""
    if name not in FUNCTIONS:
        title = f"there is no function of columns called `{value.function.span.text}`"
        raise unknown_name("NN301", title, name, FUNCTIONS, value.function.span)
    if len(value.arguments) != 1 or value.arguments[0].name is not None:
        raise error("NN315", f"`{name}` takes one value", value.span)
    return ColumnExpression(
        name, (column_expression(value.arguments[0].value, scope),), span=value.span
    )
