"""`read_table`: the source of a `data` section as a table, with its `let` columns and `where`.

What reads a sort of file is imported where there is one: a table waits for nothing of pictures.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from nndsl.data.columns import COMPUTED_TARGET
from nndsl.data.csv_file import read_csv
from nndsl.data.expressions import columns_in, evaluate, rows_where
from nndsl.data.location import STANDARD_INPUT, locate, locate_given, standard_input
from nndsl.data.options import csv_options, missing_texts, require_text_settings, value_of
from nndsl.data.series import require_order
from nndsl.data.table import NumberColumn, Origin, Table
from nndsl.data.text.reading import read_text
from nndsl.diagnostics import Diagnostic, NndslError, error
from nndsl.schema import Column, ColumnExpression, ColumnKind, DataSpecification, Schema
from nndsl.vocab import words

_KIND_BY_ENDING = {
    ".parquet": "parquet",
    ".npy": "array",
    ".npz": "array",
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
}


def read_table(
    specification: DataSpecification,
    folder: Path,
    override: Path | str | None = None,
    expected: Schema | None = None,
) -> Table:
    """The table that a data section names, `folder` being that of the .nn file.

    `override` is a file given on the command line in its place (`-`: standard input). With
    `expected`, the schema of a trained run, this is new data: columns keep the kinds they had,
    `where` is not applied, and `let` columns whose sources are not there are left out. Raises
    NN401-NN411, NN416, NN418, NN420-NN422, NN620.
    """
    if specification.kind == "text":
        require_text_settings(specification)
    keep = _kept_as_text(specification, expected)
    table = _read(specification, folder, override, keep, expected)
    table = _with_computed(table, specification, expected is not None)
    condition = value_of(specification, "where", None)
    if isinstance(condition, ColumnExpression) and expected is None:
        table = table.take(rows_where(condition, table))
    require_order(table, specification)
    return table


def _with_computed(table: Table, specification: DataSpecification, new_data: bool) -> Table:
    """The table with its computed columns; the mistakes of all of them together."""
    problems: list[Diagnostic] = []
    failed: set[str] = set()
    for name, expression in _computed(specification):
        sources = columns_in(expression)
        if (new_data and not sources <= set(table.columns)) or sources & failed:
            continue
        try:
            table = table.with_columns({name: evaluate(expression, table, name)})
        except NndslError as problem:
            problems += problem.diagnostics
            failed.add(name)
    if problems:
        raise NndslError(problems)
    return table


def _computed(
    specification: DataSpecification,
) -> Iterator[tuple[str, ColumnExpression]]:
    """The columns of `let`, then the target if it is an expression."""
    yield from specification.columns.items()
    target = value_of(specification, "target", None)
    items = target if isinstance(target, list | tuple) else (target,)
    expressions = [item for item in items if isinstance(item, ColumnExpression)]
    if len(expressions) > 1:
        raise error(
            "NN416",
            f"`{specification.name}` has {len(expressions)} computed targets",
            expressions[1].span,
            "the second one",
            help="name them with let: let a = ...; let b = ...; target = [a, b]",
        )
    yield from ((COMPUTED_TARGET, expression) for expression in expressions)


def _kept_as_text(specification: DataSpecification, expected: Schema | None) -> frozenset[str]:
    """Columns whose cells must be read as texts even if this file has only numbers in them."""
    if expected is None:
        return frozenset()
    return frozenset(
        c.name for c in expected.columns if c.kind is ColumnKind.CATEGORY and _mixed(c)
    )


def _mixed(column: Column) -> bool:
    """Whether some category is not what a number would be written as."""
    return any(not text.lstrip("-").isdigit() or text != text.strip() for text in column.categories)


def _read(
    specification: DataSpecification,
    folder: Path,
    override: Path | str | None,
    keep: frozenset[str],
    expected: Schema | None,
) -> Table:
    if override is not None and str(override) == STANDARD_INPUT:
        return _of_standard_input(specification, keep, expected)
    if override is None and specification.kind == "table":
        from nndsl.data.inline import read_inline

        return read_inline(specification)
    kind = specification.kind
    if kind in words("generator"):
        if override is None:
            from nndsl.data.generated import read_generated

            return read_generated(specification)
        kind = "images"
    pictures = kind == "images"
    if override is not None:
        path = locate_given(override, folders=pictures)
        kind = _kind_of_override(path, kind)
    else:
        path = locate(specification.path or "", folder, specification.path_span, folders=pictures)
    name = str(override) if override is not None else (specification.path or path.name)
    if kind == "images":
        return _read_pictures(
            specification, path, name, folder if override is None else None, expected
        )
    if kind == "text":
        return read_text(specification, path, None, name, expected)
    if kind in ("idx", "array"):
        return _read_arrays(specification, kind, path, name, folder if override is None else None)
    if kind == "csv":
        return read_csv(name, path, None, csv_options(specification), keep)
    from nndsl.data.parquet import read_parquet

    return read_parquet(name, path, missing_texts(specification), keep)


def _read_pictures(
    specification: DataSpecification,
    path: Path,
    name: str,
    folder: Path | None,
    expected: Schema | None,
) -> Table:
    """A folder or list of pictures; `folder` is None when it was named on the command line."""
    from nndsl.data.images.reading import read_images
    from nndsl.data.images.targets import with_pictures

    beside = folder if folder is not None else path.parent
    found = read_images(specification, path, name, beside, expected)
    return with_pictures(found, specification, beside, expected, path if folder is None else None)


def _of_standard_input(
    specification: DataSpecification, keep: frozenset[str], expected: Schema | None
) -> Table:
    name, content = "standard input", standard_input()
    if specification.kind == "text":
        return read_text(specification, None, content, name, expected)
    return read_csv(name, None, content, csv_options(specification), keep)


def _kind_of_override(path: Path, kind: str) -> str:
    if kind in ("idx", "images", "text"):
        return kind
    return _KIND_BY_ENDING.get(path.suffix.lower(), "csv" if kind == "table" else kind)


def _read_arrays(
    specification: DataSpecification, kind: str, path: Path, name: str, folder: Path | None
) -> Table:
    """An IDX or NumPy file, with its labels in a second file if there is one.

    `folder` is None when the file was named on the command line; the labels then lie beside it.
    """
    from nndsl.data.arrays import IMAGE, LABEL, VALUES, as_columns, read_idx, read_numpy

    arrays = {IMAGE: read_idx(path, name)} if kind == "idx" else read_numpy(path, name)
    labels = value_of(specification, "labels", None)
    if isinstance(labels, str) and labels not in arrays:
        span = specification.options["labels"].span
        beside = locate(labels, folder if folder is not None else path.parent, span)
        found = read_idx(beside, labels) if kind == "idx" else read_numpy(beside, labels)[VALUES]
        arrays = {**arrays, LABEL: found}
    columns, rows = as_columns(arrays, name)
    if rows == 0:
        raise error("NN410", f"{name} has no rows", specification.path_span)
    if LABEL in columns and isinstance(columns[LABEL], NumberColumn) and columns[LABEL].width > 1:
        raise error("NN420", f"the labels of {name} have several numbers in each row")
    origin = Origin(name, kind, path)
    return Table(origin, columns, rows, np.arange(rows, dtype=np.int64))
