"""A table in memory: columns of numbers or of categories, and where each row stood in its file.

Nothing here reads a file. `read_table` (in `reader`) makes tables; the rest of `nndsl.data` asks
them. A row that is wrong must be nameable in the words of the file, so a table keeps the physical
line of each row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from nndsl.data.images.column import ImageColumn
from nndsl.data.text.column import TextColumn
from nndsl.diagnostics import Diagnostic, Place, Severity, first_of
from nndsl.records import dataclass
from nndsl.schema import Column, ColumnKind
from nndsl.syntax.wording import RESERVED

MISSING_CODE = -1


def note(
    code: str,
    title: str,
    *,
    notes: Sequence[str] = (),
    help: Sequence[str] = (),
    severity: Severity = Severity.NOTE,
    place: Place | None = None,
) -> Diagnostic:
    """Something a person should know of, that stops nothing."""
    return Diagnostic(
        code, title, notes=tuple(notes), help=tuple(help), severity=severity, place=place
    )


def listed(names: Iterable[str], most: int = 8) -> str:
    """Names of columns for a message, in quotes where a `.nn` file wants them."""
    shown = [n if n.isidentifier() and n not in RESERVED else f'"{n}"' for n in names]
    return first_of(shown, most)


def distinct(values: np.ndarray) -> np.ndarray:
    """The different values in order, as `np.unique` gives them; that imports `numpy.ma` (7 ms)."""
    ordered = np.sort(values)
    first = np.ones(len(ordered), dtype=bool)
    first[1:] = ordered[1:] != ordered[:-1]
    return ordered[first]


def number_text(number: float) -> str:
    """The one way to write a number as a category: `1` for 1.0, else the shortest digits."""
    if number.is_integer() and abs(number) < 1e15:
        return str(int(number))
    return repr(number)


@dataclass(frozen=True)
class NumberColumn:
    """A column of numbers.

    `values` is float64 [rows] with NaN for missing, or an array of any real type [rows, width]
    for a column that holds an array in each row (a picture of an IDX file).
    """

    name: str
    values: np.ndarray

    kind = ColumnKind.NUMBER

    @property
    def width(self) -> int:
        """Numbers in one row."""
        return 1 if self.values.ndim == 1 else int(self.values.shape[1])

    @cached_property
    def missing(self) -> np.ndarray:
        """Which rows have no value, bool [rows]."""
        if self.values.dtype.kind != "f":
            return np.zeros(len(self.values), dtype=bool)
        empty: np.ndarray = np.isnan(self.values)
        return empty if empty.ndim == 1 else np.asarray(empty.any(axis=1))

    def take(self, rows: np.ndarray) -> NumberColumn:
        """The same column with only these rows."""
        return NumberColumn(self.name, self.values[rows])

    @cached_property
    def range(self) -> tuple[float, float] | None:
        """Least and greatest number, None when there is none."""
        if self.values.size == 0 or bool(self.missing.all()):
            return None
        if not self.missing.any():
            return float(self.values.min()), float(self.values.max())
        return float(np.nanmin(self.values)), float(np.nanmax(self.values))

    def describe(self) -> Column:
        """The column as schema."""
        low, high = self.range or (None, None)
        missing = int(np.count_nonzero(self.missing))
        return Column(self.name, self.kind, missing, minimum=low, maximum=high)

    def texts(self) -> list[str | None]:
        """Each row as a category, None for missing."""
        return [None if v != v else number_text(v) for v in self.values.tolist()]

    def to_categories(self) -> CategoryColumn:
        """Every different number as a category, in the order of the numbers."""
        return self._categories

    @cached_property
    def _categories(self) -> CategoryColumn:
        distinct, codes = np.unique(self.values[~self.missing], return_inverse=True)
        full = np.full(len(self.values), MISSING_CODE, dtype=np.int32)
        full[~self.missing] = codes
        return CategoryColumn(self.name, full, tuple(number_text(v) for v in distinct.tolist()))


@dataclass(frozen=True)
class CategoryColumn:
    """A column of texts: int32 codes [rows] into the categories, -1 for missing."""

    name: str
    codes: np.ndarray
    categories: tuple[str, ...]

    kind = ColumnKind.CATEGORY
    width = 1

    @cached_property
    def missing(self) -> np.ndarray:
        """Which rows have no value, bool [rows]."""
        empty: np.ndarray = self.codes == MISSING_CODE
        return empty

    def take(self, rows: np.ndarray) -> CategoryColumn:
        """The same column with only these rows; categories that no row has are dropped."""
        codes = self.codes[rows]
        used = distinct(codes[codes != MISSING_CODE])
        place = np.full(len(self.categories) + 1, MISSING_CODE, dtype=np.int32)  # [-1] stays -1
        place[used] = np.arange(len(used), dtype=np.int32)
        return CategoryColumn(self.name, place[codes], tuple(self.categories[i] for i in used))

    def describe(self) -> Column:
        """The column as schema."""
        missing = int(np.count_nonzero(self.missing))
        return Column(self.name, self.kind, missing, self.categories, distinct=len(self.categories))

    def texts(self) -> list[str | None]:
        """Each row's text, None for missing."""
        names = (*self.categories, None)
        return [names[code] for code in self.codes.tolist()]

    def to_categories(self) -> CategoryColumn:
        """Itself."""
        return self


TableColumn = NumberColumn | CategoryColumn | ImageColumn | TextColumn


@dataclass(frozen=True)
class Origin:
    """Where a table came from, enough to name a place and to write its rows out again.

    `path` is None for standard input and tables written in the source; `content` then holds the
    bytes that were read. `separator`, `encoding`, `header`, `decimal` describe a CSV file.
    """

    name: str
    kind: str
    path: Path | None = None
    content: bytes | None = field(default=None, repr=False)
    separator: str = ","
    encoding: str = "utf-8-sig"
    header: bool = True
    width: int | None = None  # cells of a CSV row that are columns
    decimal: str = "."


@dataclass(frozen=True)
class Table:
    """Columns of equal length, in the order of the file.

    `records` gives for each row its number in the file (from 0), which differs from the row's
    index when `where` dropped some; `lines` the physical line (from 1) on which each row begins,
    None where there are no lines; `names` the file of each row, where rows are files; `parts` the
    part that each row belongs to (0 training, 1 validation, 2 test), where that is settled.
    """

    origin: Origin
    columns: Mapping[str, TableColumn]
    rows: int
    records: np.ndarray
    lines: np.ndarray | None = None
    notes: tuple[Diagnostic, ...] = ()
    names: tuple[str, ...] | None = None
    parts: np.ndarray | None = None

    def line(self, row: int) -> int | None:
        """Physical line of a row, from 1."""
        return None if self.lines is None else int(self.lines[row])

    def place(self, row: int | None = None, column: str | None = None) -> Place:
        """A position in the data file."""
        return Place(self.origin.name, None if row is None else self.line(row), column)

    def row_name(self, row: int) -> str:
        """How to call a row in a message: `line 12`, `row 11` where there are no lines, a file."""
        if self.names is not None:
            return self.names[row]
        line = self.line(row)
        return f"line {line}" if line is not None else f"row {int(self.records[row]) + 1}"

    def row_names(self, rows: np.ndarray, limit: int = 5) -> str:
        """The first few rows by name, and how many more there are."""
        listed = [self.row_name(int(row)) for row in rows[:limit]]
        first = listed[0] if listed else ""
        rest = listed[1:]
        if rest and self.names is None:
            rest = [name.split(" ", 1)[1] for name in rest]
            first = first.replace(" ", "s ", 1)
        more = len(rows) - limit
        return ", ".join([first, *rest]) + (f" and {more} more" if more > 0 else "")

    def take(self, rows: np.ndarray) -> Table:
        """The table with only these rows."""
        return replace(
            self,
            columns={name: column.take(rows) for name, column in self.columns.items()},
            rows=len(rows),
            records=self.records[rows],
            lines=None if self.lines is None else self.lines[rows],
            names=None if self.names is None else tuple(self.names[int(r)] for r in rows),
            parts=None if self.parts is None else self.parts[rows],
        )

    def with_columns(self, columns: Mapping[str, TableColumn]) -> Table:
        """The table with these columns added or replaced."""
        return replace(self, columns={**self.columns, **columns})

    def with_notes(self, notes: Sequence[Diagnostic]) -> Table:
        """The table with more notes."""
        return replace(self, notes=(*self.notes, *notes))


def describe_columns(table: Table) -> tuple[Column, ...]:
    """The columns of a table as schema, in the order of the file."""
    return tuple(column.describe() for column in table.columns.values())


def fingerprint(table: Table) -> str:
    """A digest of the names, cells and order of rows of a table: equal data, equal text.

    It says whether a run that is resumed sees the data that it was started with.
    """
    import hashlib  # rarely needed, and slow to import

    digest = hashlib.blake2b(digest_size=16)
    for name, column in table.columns.items():
        digest.update(repr((name, column.kind.value, column.width)).encode())
        if isinstance(column, CategoryColumn):
            digest.update(repr(column.categories).encode())
            digest.update(np.ascontiguousarray(column.codes).data)
        elif isinstance(column, ImageColumn | TextColumn):
            digest.update(column.digest())
            digest.update(np.ascontiguousarray(column.rows).data)
        else:
            digest.update(np.ascontiguousarray(column.values).data)
    return digest.hexdigest()
