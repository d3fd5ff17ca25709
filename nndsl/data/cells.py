"""What a cell of text means: missing, a number, or text; and a column gathered from its cells.

The rule for a whole column: with no text among its cells it is a column of numbers. When at most
one cell in five (or a single one) is text, the column is numbers with mistakes, and each mistake
is an error. Otherwise it is a column of categories.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence

import numpy as np

from nndsl.data.table import MISSING_CODE, CategoryColumn
from nndsl.records import dataclass

MISSING = frozenset({"", "?", "na", "n/a", "nan", "null"})
"""Cells (in lower case, without outer spaces) that stand for no value."""

NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
"""The whole grammar of numbers: no `inf`, no `1_000`, no `0x1F`, no `1,000`."""

DECIMAL_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+(?:[eE][+-]?[0-9]+)?")

_NUMBER_CHARACTERS = frozenset("0123456789+-.eE")
KEPT_AS_NUMBER = -2
"""The code of a cell that was a number and whose spelling was not kept."""


class NotTextError(Exception):
    """A cell holds a NUL character; `row` counts from the start of this batch."""

    def __init__(self, row: int) -> None:
        super().__init__(row)
        self.row = row


def number_of(text: str, decimal: str = ".") -> float | None:
    """The number that a text is by the strict grammar, None if it is none or is not finite."""
    if decimal != ".":
        text = text.replace(decimal, ".") if "." not in text else ""
    if not NUMBER.fullmatch(text):
        return None
    value = float(text)
    return value if math.isfinite(value) else None


def is_missing(text: str, missing: Collection[str] = ()) -> bool:
    """Whether a trimmed text stands for no value."""
    return text.lower() in MISSING or text in missing


def missing_numbers(missing: Collection[str]) -> list[float]:
    """The numbers among the texts that stand for no value: -999, however it is written."""
    found = (number_of(text) for text in missing)
    return sorted(number for number in found if number is not None)


@dataclass(frozen=True)
class Gathered:
    """A column as gathered: both readings of it, and which was decided.

    `numbers` float64 [rows] with NaN where the cell is no number; `codes` int32 [rows] into
    `texts` (-1 missing, -2 a number whose spelling was not kept).
    """

    numbers: np.ndarray
    codes: np.ndarray
    texts: tuple[str, ...]
    number_count: int
    text_count: int
    trimmed: int

    @property
    def is_number(self) -> bool:
        """Whether no cell is text (all cells missing counts as numbers)."""
        return self.text_count == 0

    @property
    def is_mistaken(self) -> bool:
        """Whether this is a column of numbers with a few cells of text."""
        few = max(1, (self.number_count + self.text_count) // 5)
        return 0 < self.text_count <= few and self.number_count >= 3

    @property
    def spelling_lost(self) -> bool:
        """Whether some numbers' own spelling, needed for categories, was not kept."""
        return bool(np.any(self.codes == KEPT_AS_NUMBER))

    def categories(self, name: str) -> CategoryColumn:
        """The column as codes into the sorted texts."""
        counts = np.bincount(self.codes[self.codes >= 0])
        order = sorted(np.flatnonzero(counts).tolist(), key=self.texts.__getitem__)
        place = np.full(len(self.texts) + 1, MISSING_CODE, dtype=np.int32)  # [-1] stays -1
        place[order] = np.arange(len(order), dtype=np.int32)
        return CategoryColumn(name, place[self.codes], tuple(self.texts[code] for code in order))

    def mistakes(self) -> np.ndarray:
        """Rows whose cell is text, not a number."""
        return np.flatnonzero(np.isnan(self.numbers) & (self.codes >= 0))


class ColumnBuilder:
    """Gathers the cells of one column batch by batch, in bounded memory for numbers."""

    def __init__(
        self, missing: Collection[str] = (), decimal: str = ".", keep_texts: bool = False
    ) -> None:
        self.missing = missing
        self.decimal = decimal
        self.keep_texts = keep_texts
        self._missing_numbers = missing_numbers(missing)
        self._index: dict[str, int] = {}
        self._numbers: list[np.ndarray] = []
        self._codes: list[np.ndarray] = []
        self._number_count = 0
        self._text_count = 0
        self._trimmed = 0

    def add(self, cells: Sequence[str]) -> None:
        """Take the next cells; NotTextError when one holds a NUL character."""
        if not self.keep_texts and self._add_plain_numbers(cells):
            return
        counts = Counter(cells)
        place = {text: position for position, text in enumerate(counts)}
        meanings = [self._meaning(text) for text in counts]
        if any(kind == "text" for _, kind, _ in meanings):
            self.keep_texts = True
            self._refuse_nul(cells, place)
        for (text, count), (_, kind, trimmed) in zip(counts.items(), meanings, strict=True):
            self._text_count += count * (kind == "text")
            self._number_count += count * (kind == "number")
            self._trimmed += count * (len(text) != len(trimmed))
        positions = np.fromiter(map(place.__getitem__, cells), np.int64, len(cells))
        self._numbers.append(np.array([number for number, _, _ in meanings])[positions])
        codes = [self._code(kind, trimmed) for _, kind, trimmed in meanings]
        self._codes.append(np.array(codes, dtype=np.int32)[positions])

    def _add_plain_numbers(self, cells: Sequence[str]) -> bool:
        """The quick way for a batch of nothing but well-formed numbers."""
        if self.decimal != "." or not _NUMBER_CHARACTERS.issuperset("".join(cells)):
            return False
        try:
            numbers = np.fromiter(map(float, cells), np.float64, len(cells))
        except ValueError:
            return False
        if not np.isfinite(numbers).all() or self.holds_missing(numbers):
            return False
        self._numbers.append(numbers)
        self._codes.append(np.full(len(cells), KEPT_AS_NUMBER, dtype=np.int32))
        self._number_count += len(cells)
        return True

    def holds_missing(self, numbers: np.ndarray) -> bool:
        """Whether some of the numbers stand for no value."""
        return bool(self._missing_numbers) and bool(np.isin(numbers, self._missing_numbers).any())

    def _meaning(self, text: str) -> tuple[float, str, str]:
        trimmed = text.strip()
        if is_missing(trimmed, self.missing):
            return math.nan, "missing", trimmed
        number = number_of(trimmed, self.decimal)
        if number is None:
            return math.nan, "text", trimmed
        if number in self._missing_numbers:
            return math.nan, "missing", trimmed
        return number, "number", trimmed

    def _code(self, kind: str, trimmed: str) -> int:
        if kind == "missing":
            return MISSING_CODE
        if not self.keep_texts:
            return KEPT_AS_NUMBER
        return self._index.setdefault(trimmed, len(self._index))

    @staticmethod
    def _refuse_nul(cells: Sequence[str], distinct: Iterable[str]) -> None:
        if any("\0" in text for text in distinct):
            raise NotTextError(next(i for i, cell in enumerate(cells) if "\0" in cell))

    def finish(self) -> Gathered:
        """All cells so far as one column."""
        return Gathered(
            np.concatenate(self._numbers) if self._numbers else np.empty(0),
            np.concatenate(self._codes) if self._codes else np.empty(0, dtype=np.int32),
            tuple(self._index),
            self._number_count,
            self._text_count,
            self._trimmed,
        )
