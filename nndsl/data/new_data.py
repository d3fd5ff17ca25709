"""New data against the schema of a trained network: columns by name, and what is unusual."""

from __future__ import annotations

import numpy as np

from nndsl.data.cells import number_of
from nndsl.data.csv_file import not_numbers
from nndsl.data.table import CategoryColumn, NumberColumn, Table, TableColumn, note
from nndsl.diagnostics import (
    Diagnostic,
    NndslError,
    Place,
    Severity,
    counted,
    error,
    first_of,
    nearest,
)
from nndsl.schema import Column, ColumnKind, Schema, TargetKind

_LISTED = 3


def match_columns(table: Table, schema: Schema) -> Table:
    """The table with the columns that the schema needs, each of the kind that it had.

    NN415 when a column is missing, NN405 when a column of numbers holds texts.
    """
    needed = [name for declared in schema.inputs for name in declared.columns]
    targets = {target.name: target for target in schema.targets}
    missing = [name for name in dict.fromkeys(needed) if name not in table.columns]
    if missing:
        raise _missing(table, missing, set(table.columns) - {c.name for c in schema.columns})
    known = {column.name: column for column in schema.columns}
    changed: dict[str, TableColumn] = {}
    for name in dict.fromkeys([*needed, *(t for t in targets if t in table.columns)]):
        classes = name in targets and targets[name].kind is TargetKind.CLASSES
        column = table.columns[name]
        changed[name] = column if classes else _as_kind(table, column, known[name])
    return table.with_columns(changed)


def _as_kind(table: Table, column: TableColumn, known: Column) -> TableColumn:
    if known.kind is ColumnKind.CATEGORY:
        return column.to_categories()
    if isinstance(column, CategoryColumn):
        return _as_numbers(table, column)
    return column


def _as_numbers(table: Table, column: CategoryColumn) -> NumberColumn:
    """A column of texts as numbers, which it was when the network was trained."""
    found = [number_of(text) for text in column.categories]
    bad = [code for code, value in enumerate(found) if value is None]
    rows = np.flatnonzero(np.isin(column.codes, bad))
    if len(rows):
        cells = [(table.line(int(r)), column.categories[column.codes[r]]) for r in rows[:5]]
        present = table.rows - int(np.count_nonzero(column.missing))
        raise not_numbers(table.origin.name, column.name, cells, len(rows), present)
    values = np.array([*(value for value in found if value is not None), np.nan])
    return NumberColumn(column.name, values[column.codes])


def _missing(table: Table, missing: list[str], unknown: set[str]) -> NndslError:
    """NN415; a column that the network knows under its own name is not offered for another."""
    first = missing[0]
    near = nearest(first, unknown)
    others = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
    listed = ", ".join(list(table.columns)[:8])
    return error(
        "NN415",
        f"{table.origin.name} has no column `{first}`{others}, which the network needs",
        place=Place(table.origin.name),
        notes=[f"its columns: {listed}"],
        help=f"did you mean `{near[0]}`? rename it to `{first}`" if near else "add the column",
    )


def remarks_on_new(table: Table, schema: Schema) -> tuple[Diagnostic, ...]:
    """Extra columns, categories never seen, numbers out of range, cells without value."""
    known = {column.name: column for column in schema.columns}
    needed = {name for declared in schema.inputs for name in declared.columns}
    notes: list[Diagnostic] = []
    extra = [name for name in table.columns if name not in known]
    if extra:
        notes.append(note("NN460", f"columns not used: {first_of(extra, 8)}"))
    for name in table.columns:
        if name in needed:
            notes += _column_remarks(table, table.columns[name], known[name])
    return tuple(notes)


def _column_remarks(table: Table, column: TableColumn, known: Column) -> list[Diagnostic]:
    notes = []
    if isinstance(column, CategoryColumn):
        notes += [] if known.distinct and not known.categories else _unseen(table, column, known)
    elif (
        isinstance(column, NumberColumn)
        and column.width == 1
        and known.minimum is not None
        and known.maximum is not None
    ):
        notes += _out_of_range(table, column, known.minimum, known.maximum)
    empty = np.flatnonzero(column.missing)
    if len(empty) and not known.missing:
        notes.append(
            note(
                "NN460",
                f"column `{column.name}` has empty cells ({len(empty)}), in training it had none",
                notes=[f"in {table.row_names(empty)}"],
                place=table.place(int(empty[0]), column.name),
            )
        )
    return notes


def _unseen(table: Table, column: CategoryColumn, known: Column) -> list[Diagnostic]:
    seen = set(known.categories)
    new = [code for code, text in enumerate(column.categories) if text not in seen]
    if not new:
        return []
    rows = np.flatnonzero(np.isin(column.codes, new))
    texts = first_of([f"`{column.categories[code]}`" for code in new], _LISTED)
    return [
        note(
            "NN460",
            f"column `{column.name}` has texts never seen in training: {texts}",
            notes=[
                f"in {counted(len(rows), 'row')}: {table.row_names(rows)}",
                "such a cell is taken as none of the known texts",
            ],
            severity=Severity.WARNING,
            place=table.place(int(rows[0]), column.name),
        )
    ]


def _out_of_range(table: Table, column: NumberColumn, low: float, high: float) -> list[Diagnostic]:
    with np.errstate(invalid="ignore"):
        rows = np.flatnonzero((column.values < low) | (column.values > high))
    if not len(rows):
        return []
    first = f"{float(column.values[rows[0]]):g}"
    return [
        note(
            "NN460",
            f"column `{column.name}` leaves the range of training, {low:g} to {high:g}: {first}",
            notes=[f"cells: {len(rows)}, in {table.row_names(rows)}"],
            severity=Severity.WARNING,
            place=table.place(int(rows[0]), column.name),
        )
    ]
