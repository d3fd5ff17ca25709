"""Predictions joined to the rows that they were made for: one CSV, whole or not at all."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import numpy as np

from nndsl.data.csv_text import Text, records
from nndsl.data.images.writing import require_own_folder, write_pictures
from nndsl.data.options import CsvOptions
from nndsl.data.table import CategoryColumn, NumberColumn, Table, number_text
from nndsl.diagnostics import Place, error
from nndsl.records import dataclass
from nndsl.runtime.durable import write_file
from nndsl.schema import TargetKind, TargetSchema


@dataclass(frozen=True)
class Prediction:
    """The answers for one target.

    `values` are class indices [rows] (-1: refused) or numbers [rows] in the target's own unit (of
    several rows ahead [rows, ahead], NaN for none);
    `probabilities` [rows, classes], None for numbers. Of pictures both have further axes, values
    [rows, channels, height, width] and probabilities [rows, classes, height, width]; `as_bytes`
    says that they are written as PNG, not as numbers.
    """

    target: TargetSchema
    values: np.ndarray
    probabilities: np.ndarray | None = None
    as_bytes: bool = True


def write_predictions(
    table: Table,
    predictions: Sequence[Prediction],
    path: Path,
) -> None:
    """The input rows, each followed by its predictions, as CSV at `path`.

    The cells of the input are written as they stand in its file. New columns are called
    `predicted_<target>` and `probability_<class>`. The file appears complete or not at all; its
    separator and decimal sign are those of the input. Predicted pictures are files of a folder
    beside it, called as it is without ending, and named in the table. Raises NN423 when `path` is
    the input itself, NN428 when that folder holds other files, NN610-NN612 when something cannot
    be written.
    """
    if path.exists() and table.origin.path is not None and path.samefile(table.origin.path):
        raise error(
            "NN423",
            f"the predictions would be written over their input {table.origin.name}",
            place=Place(str(path)),
            help="name another file",
        )
    if any(prediction.target.sequence for prediction in predictions):
        raise error(
            "NN025",
            "this network says what comes next at each place of a text: there is no row to fill",
            place=Place(table.origin.name),
            help="`nndsl generate RUN --prompt TEXT` goes on with a text, `nndsl evaluate` judges",
        )
    text = io.StringIO()
    folder = path.with_name(path.stem if path.suffix else f"{path.name}-pictures")
    if any(prediction.target.pictures for prediction in predictions):
        require_own_folder(folder, path)
    _write(text, table, list(_added_columns(table, predictions, folder)))
    write_file(path, text.getvalue().encode("utf-8"))


def _added_columns(
    table: Table, predictions: Sequence[Prediction], folder: Path
) -> Iterator[tuple[str, list[str]]]:
    taken = set(table.columns)
    several = len(predictions) > 1
    decimal = table.origin.decimal
    for prediction in predictions:
        target = prediction.target
        if target.pictures:
            name, inner = f"predicted_{target.name}", target.name if several else ""
            files = write_pictures(table, target, prediction.values, folder, inner=inner,
                                   as_bytes=prediction.as_bytes)  # fmt: skip
            yield _free(name, taken), files
            continue
        if target.shape:
            for ahead, column in enumerate(prediction.values.T, 1):
                name = _free(f"predicted_{target.name}_{ahead}", taken)
                yield name, _numbers(column, decimal)
            continue
        yield _free(f"predicted_{target.name}", taken), _answers(prediction, decimal)
        if prediction.probabilities is not None:
            prefix = f"probability_{target.name}_" if several else "probability_"
            for index, name in enumerate(target.classes):
                numbers = prediction.probabilities[:, index].tolist()
                yield (
                    _free(prefix + name, taken),
                    [f"{number:.6g}".replace(".", decimal) for number in numbers],
                )


def _free(name: str, taken: set[str]) -> str:
    """A name that no column has yet."""
    free, number = name, 2
    while free in taken:
        free, number = f"{name}_{number}", number + 1
    taken.add(free)
    return free


def _answers(prediction: Prediction, decimal: str) -> list[str]:
    if prediction.target.kind is TargetKind.CLASSES:
        names = (*prediction.target.classes, "")
        return [names[index] for index in prediction.values.reshape(-1).tolist()]
    return _numbers(prediction.values, decimal)


def _numbers(values: np.ndarray, decimal: str) -> list[str]:
    """Numbers as cells, empty where there is none."""
    numbers = values.reshape(-1).tolist()
    return ["" if n != n else f"{n:.9g}".replace(".", decimal) for n in numbers]


def _write(stream: IO[str], table: Table, added: Sequence[tuple[str, list[str]]]) -> None:
    origin = table.origin
    separator = origin.separator if origin.kind == "csv" else ","
    writer = csv.writer(stream, delimiter=separator, lineterminator="\n")
    names, rows = _input_rows(table)
    writer.writerow([*names, *(name for name, _ in added)])
    columns = zip(*(cells for _, cells in added), strict=True)
    for row, cells in zip(rows, columns, strict=True):
        writer.writerow([*row, *cells])


def _input_rows(table: Table) -> tuple[list[str], Iterator[Sequence[str]]]:
    """Names and rows of the input as its file has them."""
    origin = table.origin
    if origin.kind != "csv":
        return _rows_of_columns(table)
    options = CsvOptions(encoding=origin.encoding)
    rows = _rows_of_file(table, Text(origin.name, origin.path, origin.content, options))
    if origin.header:
        names = next(rows)
        return [name.strip() for name in names], rows
    first = next(rows, [])
    return [str(i) for i in range(1, len(first) + 1)], _chain(first, rows)


def _chain(first: Sequence[str], rest: Iterator[Sequence[str]]) -> Iterator[Sequence[str]]:
    if first:
        yield first
    yield from rest


def _rows_of_file(table: Table, text: Text) -> Iterator[Sequence[str]]:
    """The header, if there is one, and the records that are rows of the table."""
    wanted = table.records
    width = table.origin.width
    with text.open() as stream:
        found = records(stream, table.origin.separator)
        if table.origin.header:
            yield next(found)[1][:width]
        at = 0
        for number, (_, record) in enumerate(found):
            if at < len(wanted) and number == wanted[at]:
                at += 1
                yield record[:width]


def _rows_of_columns(table: Table) -> tuple[list[str], Iterator[Sequence[str]]]:
    """Names and cells of columns that have one value in each row, for files that are not text."""
    plain = [c for c in table.columns.values() if isinstance(c, NumberColumn | CategoryColumn)]
    narrow = [c for c in plain if c.width == 1]
    cells = [_cells(column) for column in narrow]
    if table.names is not None:
        return ["file", *(c.name for c in narrow)], iter(zip(table.names, *cells, strict=True))
    if not cells:
        return ["row"], ([str(int(i) + 1)] for i in table.records)
    return [column.name for column in narrow], iter(zip(*cells, strict=True))


def _cells(column: NumberColumn | CategoryColumn) -> list[str]:
    if isinstance(column, NumberColumn):
        return ["" if v != v else number_text(float(v)) for v in column.values.tolist()]
    return [text or "" for text in column.texts()]
