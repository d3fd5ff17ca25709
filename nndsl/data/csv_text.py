"""CSV read with care: the meaning of every file, at the speed of Python's own parser.

RFC 4180 with `"` as the quote. Reads line by line in batches, so memory is bounded by the columns,
and knows the physical line of each record, so that every mistake has a place. `csv_fast` reads
large plain files sooner and must give the same table.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import numpy as np

import nndsl.data.csv_problems as problems
from nndsl.data.cells import ColumnBuilder, Gathered, NotTextError, number_of
from nndsl.data.options import CsvOptions
from nndsl.records import dataclass

BATCH = 16384
SAMPLE = 20  # records looked at to judge the separator
SEPARATORS = (",", ";", "\t", "|")


@dataclass(frozen=True)
class Head:
    """What the first lines of a file say."""

    separator: str
    header: bool
    names: tuple[str, ...]
    spaced: bool  # a space follows the separators
    unnamed_end: bool = False  # every line ends in a separator: a last column without name


@dataclass
class Records:
    """The columns of a file as gathered, with the physical line of each record.

    `ragged` counts the records of another width, which are left out.
    """

    head: Head
    columns: list[Gathered]
    lines: np.ndarray
    ragged: problems.Ragged | None = None


@dataclass(frozen=True)
class Text:
    """A CSV file as text that can be opened again: a path, or the bytes of standard input."""

    name: str
    path: Path | None
    content: bytes | None
    options: CsvOptions

    def open(self) -> IO[str]:
        """The text from its beginning, line ends untouched."""
        raw: IO[bytes] = (
            self.path.open("rb") if self.path is not None else io.BytesIO(self.content or b"")
        )
        return io.TextIOWrapper(raw, encoding=self.options.encoding, newline="")


def records(text: IO[str], separator: str) -> Iterator[tuple[int, list[str]]]:
    """Each record that is not blank with the physical line on which it begins."""
    reader = csv.reader(text, delimiter=separator, strict=True, skipinitialspace=True)
    line = 0
    while True:
        start = line + 1
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as problem:
            raise problems.BadQuoteError(start, reader.line_num, str(problem)) from None
        line = reader.line_num
        if len(record) > 1 or (record and record[0].strip()):
            yield start, record


def read_head(text: Text, given_separator: str | None) -> Head:
    """Separator, header and names from the first records; raises on any doubt."""
    separator = given_separator or ("\t" if text.name.endswith(".tsv") else ",")
    with text.open() as stream:
        first = _first(stream, separator)
    if not first:
        raise problems.empty(text.name)
    if given_separator is None:
        _judge_separator(text, separator, first)
    line, cells = first[0]
    names = [unicodedata.normalize("NFC", cell.strip()) for cell in cells]
    header = _has_header(text, line, names)
    spaced = any(cell[:1] == " " for cell in _raw_cells(text, separator))
    if not header:
        return Head(separator, False, tuple(str(i) for i in range(1, len(names) + 1)), spaced)
    unnamed_end = len(names) > 1 and names[-1] == "" and _last_is_empty(first[1:], len(names))
    names = names[:-1] if unnamed_end else names
    problems.check_names(text.name, line, names)
    return Head(separator, True, tuple(names), spaced, unnamed_end)


def _first(stream: IO[str], separator: str) -> list[tuple[int, list[str]]]:
    found = []
    try:
        for record in records(stream, separator):
            found.append(record)
            if len(found) > SAMPLE:
                break
    except problems.BadQuoteError:
        if not found:
            raise
    return found


def _raw_cells(text: Text, separator: str) -> Iterator[str]:
    with text.open() as stream:
        for line, _ in zip(stream, range(SAMPLE), strict=False):
            yield from line.split(separator)[1:]


def _last_is_empty(sample: Sequence[tuple[int, list[str]]], width: int) -> bool:
    return bool(sample) and all(len(r) == width and not r[-1].strip() for _, r in sample)


def _judge_separator(text: Text, separator: str, first: list[tuple[int, list[str]]]) -> None:
    """NN404 when another separator cuts the first lines evenly and this one does not."""
    widths = {len(record) for _, record in first}
    if len(widths) == 1 and widths != {1}:
        return
    for other in SEPARATORS:
        if other == separator:
            continue
        with text.open() as stream:
            try:
                cut = {len(record) for _, record in _first(stream, other)}
            except problems.BadQuoteError:
                continue
        if len(cut) == 1 and cut != {1}:
            raise problems.separator(text.name, separator, other, widths, cut.pop())


def _has_header(text: Text, line: int, names: list[str]) -> bool:
    """Whether the first record holds names; NN408 when it may be data."""
    if text.options.header is not None:
        return text.options.header
    numbers = [name for name in names if number_of(name, text.options.decimal) is not None]
    if numbers:
        raise problems.header(text.name, line, numbers, len(names))
    return True


def gather(
    text: Text, head: Head, limit: int | None = None, keep: frozenset[str] = frozenset()
) -> Records:
    """All records (at most `limit`) by column; the columns in `keep` keep their spelling.

    A column whose first text comes late has lost the spelling of the numbers before it; such
    columns are read again, so at most two passes are made.
    """
    result = _gather_once(text, head, limit, keep)
    lost = {
        name
        for name, column in zip(head.names, result.columns, strict=True)
        if column.spelling_lost
        and not column.is_number
        and (name in text.options.categories or not column.is_mistaken)
    }
    return _gather_once(text, head, limit, keep | lost) if lost else result


def _gather_once(text: Text, head: Head, limit: int | None, keep: frozenset[str]) -> Records:
    options = text.options
    builders = [
        ColumnBuilder(options.missing, options.decimal, name in keep) for name in head.names
    ]
    width = len(head.names) + head.unnamed_end
    lines: list[np.ndarray] = []
    ragged = problems.Ragged(text.name, width, head.header)
    for starts, batch in _batches(text, head, width, ragged, limit):
        _add(text, builders, starts, batch)
        lines.append(np.array(starts, dtype=np.int64))
    gathered = [builder.finish() for builder in builders]
    starts_of_all = np.concatenate(lines) if lines else np.empty(0, dtype=np.int64)
    if ragged.count > len(starts_of_all):  # what the few others hold says nothing
        raise ragged.problem()
    return Records(head, gathered, starts_of_all, ragged=ragged if ragged.count else None)


def _batches(
    text: Text, head: Head, width: int, ragged: problems.Ragged, limit: int | None
) -> Iterator[tuple[list[int], list[list[str]]]]:
    starts: list[int] = []
    batch: list[list[str]] = []
    taken = 0
    with text.open() as stream:
        rows = records(stream, head.separator)
        if head.header:
            next(rows)
        for start, record in rows:
            if len(record) != width:
                ragged.add(start, record)
                continue
            if limit is not None and taken == limit:
                break
            taken += 1
            starts.append(start)
            batch.append(record)
            if len(batch) == BATCH:
                yield starts, batch
                starts, batch = [], []
    if batch:
        yield starts, batch


def _add(
    text: Text, builders: list[ColumnBuilder], starts: list[int], batch: list[list[str]]
) -> None:
    for builder, cells in zip(builders, zip(*batch, strict=True), strict=False):
        try:
            builder.add(cells)
        except NotTextError as problem:
            raise problems.nul(text.name, starts[problem.row]) from None
