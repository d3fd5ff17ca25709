"""What a cell of text means: missing, a number, or text; and a column gathered from its cells.

The rule for a whole column: with no text among its cells it is a column of numbers. When at most
one cell in ten (or a single one) is text, the column is numbers with mistakes, and each mistake
is an error. Otherwise it is a column of categories.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from nndsl.data.table import MISSING_CODE

MISSING = frozenset({"", "?", "na", "n/a", "nan", "null"})
"""Cells (in lower case, without outer spaces) that stand for no value."""

NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
"""The whole grammar of numbers: no `inf`, no `1_000`, no `0x1F`, no `1,000`."""

DECIMAL_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+(?:[eE][+-]?[0-9]+)?")

_NUMBER_CHARACTERS = frozenset("0123456789+-.eE")
_KEPT_AS_NUMBER = -2  # a code: the cell was a number, its spelling was not kept


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
        few = max(1, (self.number_count + self.text_count) // 10)
        return 0 < self.text_count <= few and self.number_count >= 3

    @property
    def spelling_lost(self) -> bool:
        """Whether some numbers' own spelling, needed for categories, was not kept."""
        return bool(np.any(self.codes == _KEPT_AS_NUMBER))

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
        meaning = {text: self._meaning(text) for text in set(cells)}
        numbers = np.fromiter((meaning[c][0] for c in cells), np.float64, len(cells))
        if not self.keep_texts and any(kind == "text" for _, kind, _ in meaning.values()):
            self.keep_texts = True
        code_of = {text: self._code(kind, trimmed) for text, (_, kind, trimmed) in meaning.items()}
        codes = np.fromiter(map(code_of.__getitem__, cells), np.int32, len(cells))
        self._count(cells, meaning)
        self._numbers.append(numbers)
        self._codes.append(codes)

    def _add_plain_numbers(self, cells: Sequence[str]) -> bool:
        """The quick way for a batch of nothing but well-formed numbers."""
        if self.decimal != "." or not _NUMBER_CHARACTERS.issuperset("".join(cells)):
            return False
        try:
            numbers = np.fromiter(map(float, cells), np.float64, len(cells))
        except ValueError:
            return False
        if not np.isfinite(numbers).all():
            return False
        self._numbers.append(numbers)
        self._codes.append(np.full(len(cells), _KEPT_AS_NUMBER, dtype=np.int32))
        self._number_count += len(cells)
        return True

    def _meaning(self, text: str) -> tuple[float, str, str]:
        trimmed = text.strip()
        if is_missing(trimmed, self.missing):
            return math.nan, "missing", trimmed
        number = number_of(trimmed, self.decimal)
        if number is not None:
            return number, "number", trimmed
        return math.nan, "text", trimmed

    def _code(self, kind: str, trimmed: str) -> int:
        if kind == "missing":
            return MISSING_CODE
        if not self.keep_texts:
            return _KEPT_AS_NUMBER
        return self._index.setdefault(trimmed, len(self._index))

    def _count(self, cells: Sequence[str], meaning: dict[str, tuple[float, str, str]]) -> None:
        suspicious = {t for t, (_, _, trimmed) in meaning.items() if len(t) != len(trimmed)}
        if suspicious:
            self._trimmed += sum(1 for cell in cells if cell in suspicious)
        texts = {t for t, (_, kind, _) in meaning.items() if kind == "text"}
        if any("\0" in text for text in texts):
            raise NotTextError(next(i for i, cell in enumerate(cells) if "\0" in cell))
        text_count = sum(1 for cell in cells if cell in texts) if texts else 0
        missing = {t for t, (_, kind, _) in meaning.items() if kind == "missing"}
        missing_count = sum(1 for cell in cells if cell in missing) if missing else 0
        self._text_count += text_count
        self._number_count += len(cells) - text_count - missing_count

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
