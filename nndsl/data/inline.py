"""`table(a=[...], b=[...])`: columns written in the source."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nndsl.data.table import (
    MISSING_CODE,
    CategoryColumn,
    NumberColumn,
    Origin,
    Table,
    TableColumn,
)
from nndsl.diagnostics import NndslError, error
from nndsl.schema import DataSpecification


def read_inline(specification: DataSpecification) -> Table:
    """The columns of a `table(...)`; NN421 when their lengths differ, NN405 for odd values."""
    columns = {
        name: _column(specification, name, values) for name, values in specification.table.items()
    }
    lengths = {name: _length(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"`{name}` has {length}" for name, length in lengths.items())
        raise error(
            "NN421",
            f"the columns of `{specification.name}` have different lengths",
            specification.span,
            listed,
            help="give every column one value for each row",
        )
    rows = next(iter(lengths.values()), 0)
    origin = Origin(f"table `{specification.name}`", "table")
    return Table(origin, columns, rows, np.arange(rows, dtype=np.int64))


def _length(column: TableColumn) -> int:
    return len(column.missing)


def _column(specification: DataSpecification, name: str, values: Any) -> TableColumn:
    items = values.tolist() if isinstance(values, np.ndarray) else list(_sequence(values))
    if all(isinstance(item, str | bool) or item is None for item in items) and items:
        texts = [None if item is None else _text(item) for item in items]
        categories = tuple(sorted({text for text in texts if text is not None}))
        place = {text: code for code, text in enumerate(categories)}
        codes = [MISSING_CODE if text is None else place[text] for text in texts]
        return CategoryColumn(name, np.array(codes, dtype=np.int32), categories)
    try:
        array = np.asarray([math.nan if item is None else item for item in items], np.float64)
    except (TypeError, ValueError):
        raise _mixed(specification, name) from None
    if np.isinf(array).any():
        raise _mixed(specification, name)
    return NumberColumn(name, array if array.ndim == 1 else array.reshape(len(array), -1))


def _sequence(values: Any) -> Any:
    return values if isinstance(values, list | tuple) else [values]


def _text(item: str | bool) -> str:
    return item if isinstance(item, str) else str(item).lower()


def _mixed(specification: DataSpecification, name: str) -> NndslError:
    return error(
        "NN405",
        f"column `{name}` of `{specification.name}` is neither all finite numbers nor all texts",
        specification.span,
        help="put texts in quotes, and use one sort in a column",
    )
