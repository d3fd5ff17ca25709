"""Parquet files as columns, through DuckDB."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from nndsl.data.cells import ColumnBuilder, missing_numbers
from nndsl.data.csv_fast import cells_of
from nndsl.data.engine import connect, failures, identifier, quoted
from nndsl.data.memory import require_memory
from nndsl.data.table import NumberColumn, Origin, Table, TableColumn
from nndsl.diagnostics import NndslError, Place, error

_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
_NUMBERS = frozenset((*_WHOLE, *(f"U{kind}" for kind in _WHOLE), "FLOAT", "DOUBLE"))
_TEXTS = frozenset(("VARCHAR", "BOOLEAN", "DATE", "TIME", "TIMESTAMP", "UUID"))
_MAGIC = b"PAR1"


def read_parquet(name: str, path: Path, missing: frozenset[str], keep: frozenset[str]) -> Table:
    """The table in a Parquet file; NN403 for other files, NN420 for damaged ones."""
    with path.open("rb") as stream:
        if stream.read(4) != _MAGIC:
            raise error(
                "NN403", f"{name} is not a Parquet file", place=Place(name), help=f'csv("{name}")?'
            )
    try:
        found = _query(name, path)
    except failures() as problem:
        reason = str(problem).splitlines()[0]
        raise error(
            "NN420",
            f"{name} is a damaged Parquet file",
            place=Place(name),
            notes=[reason[:90]],
            help="write the file again",
        ) from None
    columns = {
        column: _column(name, column, values, missing, column in keep)
        for column, values in found.items()
    }
    rows = len(next(iter(found.values()))) if found else 0
    origin = Origin(name, "parquet", path)
    return Table(origin, columns, rows, np.arange(rows, dtype=np.int64))


def _query(name: str, path: Path) -> dict[str, Any]:
    connection = connect(path)
    source = f"read_parquet({quoted(str(path))})"
    described = connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
    selected = ", ".join(
        f"CAST({identifier(column)} AS {_target_type(name, column, kind)}) AS {identifier(column)}"
        for column, kind, *_ in described
    )
    rows = connection.execute(f"SELECT count(*) FROM {source}").fetchone()[0]
    require_memory(name, 24.0 * rows * len(described), f"{rows:,} rows")
    found = connection.execute(f"SELECT {selected} FROM {source}").fetchnumpy()
    connection.close()
    return dict(found)


def _target_type(name: str, column: str, kind: str) -> str:
    base = kind.split("(")[0].split(" ")[0]
    if base in _NUMBERS or base == "DECIMAL":
        return "DOUBLE"
    if base in _TEXTS or base == "ENUM":
        return "VARCHAR"
    raise _unreadable(name, column, kind)


def _unreadable(name: str, column: str, kind: str) -> NndslError:
    return error(
        "NN420",
        f"column `{column}` of {name} holds {kind}: only numbers and texts can be read",
        place=Place(name, None, column),
        help="leave the column out of the file",
    )


def _column(file: str, name: str, found: Any, missing: frozenset[str], keep: bool) -> TableColumn:
    empty, cells = cells_of(found)
    if cells.dtype.kind != "f":
        builder = ColumnBuilder(missing, keep_texts=True)
        texts = cells if empty is None else np.where(empty, "", cells)
        builder.add([str(cell) for cell in texts.tolist()])
        return builder.finish().categories(name)
    values = cells if empty is None else np.where(empty, np.nan, cells)
    values = np.where(np.isin(values, missing_numbers(missing)), np.nan, values)
    if np.isinf(values).any():
        row = int(np.flatnonzero(np.isinf(values))[0])
        raise error(
            "NN405",
            f"column `{name}` of {file} has an infinite number in row {row + 1}",
            place=Place(file, None, name),
            help="only finite numbers can be learnt from",
        )
    column = NumberColumn(name, values)
    return column.to_categories() if keep else column
