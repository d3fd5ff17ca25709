"""Arithmetic over columns: `let age = 2026 - year`, `where = y == 1`, `target = sin(6 * x)`.

A closed tree with the operators below; nothing is evaluated as code.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from nndsl.data.images.column import ImageColumn
from nndsl.data.table import CategoryColumn, NumberColumn, Table, TableColumn, listed
from nndsl.diagnostics import NndslError, error, nearest
from nndsl.records import dataclass
from nndsl.schema import ColumnExpression

_ARITHMETIC: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "^": np.power,
}
_COMPARISONS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}
_LOGIC: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "and": np.logical_and,
    "or": np.logical_or,
}
_FUNCTIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "neg": np.negative,
    "log": np.log,
    "log1p": np.log1p,
    "exp": np.exp,
    "sqrt": np.sqrt,
    "abs": np.abs,
    "sin": np.sin,
    "cos": np.cos,
}


@dataclass(frozen=True)
class _Result:
    """Values of an expression, broadcastable to the rows; `missing` where a cell had none."""

    values: np.ndarray  # float64, bool, or str
    missing: np.ndarray


def columns_in(expression: ColumnExpression) -> set[str]:
    """The names of the columns that an expression reads."""
    if expression.op == "column":
        return {str(expression.value)}
    return {name for argument in expression.arguments for name in columns_in(argument)}


def evaluate(expression: ColumnExpression, table: Table, name: str) -> TableColumn:
    """The column called `name` that an expression gives: truth becomes `false`, `true`.

    NN411 for an unknown column, NN416 for text in arithmetic or a result that is not finite.
    """
    result = _evaluate(expression, table)
    values = np.broadcast_to(result.values, (table.rows,))
    missing = np.broadcast_to(result.missing, (table.rows,))
    if values.dtype.kind == "b":
        codes = np.where(missing, -1, values.astype(np.int32)).astype(np.int32)
        return CategoryColumn(name, codes, ("false", "true")).take(np.arange(table.rows))
    if values.dtype.kind == "U":
        distinct, index = np.unique(values, return_inverse=True)
        full = np.where(missing, -1, index).astype(np.int32)
        return CategoryColumn(name, full, tuple(map(str, distinct))).take(np.arange(table.rows))
    return NumberColumn(name, np.where(missing, np.nan, values))


def rows_where(expression: ColumnExpression, table: Table) -> np.ndarray:
    """The rows for which a condition holds; a row with a missing cell does not hold."""
    result = _evaluate(expression, table)
    if result.values.dtype.kind != "b":
        raise error(
            "NN416",
            "`where` must be a condition that is true or false for each row",
            expression.span,
            "this is a value",
            help="compare it: where = year >= 2020",
        )
    keep = np.broadcast_to(result.values & ~result.missing, (table.rows,))
    return np.flatnonzero(keep)


def _evaluate(expression: ColumnExpression, table: Table) -> _Result:
    if expression.op == "constant":
        value = expression.value
        array = np.asarray(value if isinstance(value, str | bool) else float(value))
        return _Result(array, np.asarray(False))
    if expression.op == "column":
        return _column(expression, table)
    operands = [_evaluate(argument, table) for argument in expression.arguments]
    missing = functools.reduce(np.logical_or, (operand.missing for operand in operands))
    with np.errstate(all="ignore"):
        values = _apply(expression, operands)
    if values.dtype.kind == "f":
        _require_finite(expression, table, values, missing)
    return _Result(values, missing)


def _column(expression: ColumnExpression, table: Table) -> _Result:
    name = str(expression.value)
    column = table.columns.get(name)
    if column is None:
        near = nearest(name, table.columns)
        raise error(
            "NN411",
            f"{table.origin.name} has no column `{name}`",
            expression.span,
            f"did you mean `{near[0]}`?" if near else "not a column",
            help=f"the columns are {listed(table.columns)}",
        )
    if isinstance(column, NumberColumn):
        if column.width > 1:
            raise _text_operand(expression, f"`{name}` holds {column.width} numbers in each row")
        return _Result(np.where(column.missing, 0.0, column.values), column.missing)
    if not isinstance(column, CategoryColumn):
        what = "pictures" if isinstance(column, ImageColumn) else "a text"
        raise _text_operand(expression, f"`{name}` holds {what}")
    texts = np.array([*column.categories, ""], dtype=str)
    return _Result(texts[column.codes], column.missing)


def _apply(expression: ColumnExpression, operands: list[_Result]) -> np.ndarray:
    values = [operand.values for operand in operands]
    op = expression.op
    if op in ("==", "!=") and "U" in {v.dtype.kind for v in values}:
        return _compare_texts(expression, values)
    if any(v.dtype.kind == "U" for v in values):
        raise _text_operand(expression, "an operand is text")
    if op in _LOGIC or op == "not":
        if any(v.dtype.kind != "b" for v in values):
            raise _text_operand(expression, f"`{op}` needs conditions")
        return np.asarray(_LOGIC[op](*values) if op in _LOGIC else np.logical_not(values[0]))
    numbers = [v.astype(np.float64) for v in values]
    if op in _COMPARISONS:
        return np.asarray(_COMPARISONS[op](*numbers))
    if op in _ARITHMETIC:
        return np.asarray(_ARITHMETIC[op](*numbers))
    return np.asarray(_FUNCTIONS[op](*numbers))


def _compare_texts(expression: ColumnExpression, values: list[np.ndarray]) -> np.ndarray:
    if any(v.dtype.kind != "U" for v in values):
        raise _text_operand(expression, "a text is never equal to a number")
    return np.asarray(_COMPARISONS[expression.op](*values))


def _text_operand(expression: ColumnExpression, reason: str) -> NndslError:
    return error(
        "NN416",
        f"`{expression.op}` cannot be computed: {reason}",
        expression.span,
        reason,
        help="arithmetic needs columns of numbers; texts can only be compared with == and !=",
    )


def _require_finite(
    expression: ColumnExpression, table: Table, values: np.ndarray, missing: np.ndarray
) -> None:
    wrong = np.broadcast_to(~np.isfinite(values) & ~missing, (table.rows,))
    if not wrong.any():
        return
    rows = np.flatnonzero(wrong)
    raise error(
        "NN416",
        f"`{expression.op}` gives no finite number in {len(rows)} of {table.rows} rows",
        expression.span,
        f"first in {table.row_name(int(rows[0]))}",
        place=table.place(int(rows[0])),
        notes=[f"in {table.row_names(rows)}"],
        help="leave these rows out with `where`, or change the formula (log1p takes 0)",
    )
