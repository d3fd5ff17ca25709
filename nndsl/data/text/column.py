"""A column of a table whose cells are windows of a text."""

from __future__ import annotations

from functools import cached_property
from typing import NoReturn

import numpy as np

from nndsl.data.text.vocabulary import Vocabulary
from nndsl.diagnostics import error
from nndsl.records import dataclass
from nndsl.schema import Column, ColumnKind

_SHOWN = 40  # units of a window that a message shows


@dataclass(frozen=True, eq=False)
class TextColumn:
    """Windows by row: row i has the `window` units from place `rows[i] + ahead` on.

    `ids` int32 holds the whole text once, however much the windows overlap.
    """

    name: str
    ids: np.ndarray
    rows: np.ndarray
    window: int
    vocabulary: Vocabulary
    ahead: int = 0

    kind = ColumnKind.NUMBER

    @property
    def shape(self) -> tuple[int, ...]:
        """Units of a window."""
        return (self.window,)

    @property
    def width(self) -> int:
        """Units of a window."""
        return self.window

    @cached_property
    def missing(self) -> np.ndarray:
        """No window is missing, bool [rows]."""
        return np.zeros(len(self.rows), dtype=bool)

    def take(self, rows: np.ndarray) -> TextColumn:
        """The same column with only these rows."""
        return TextColumn(
            self.name, self.ids, self.rows[rows], self.window, self.vocabulary, self.ahead
        )

    def read(self, rows: np.ndarray) -> np.ndarray:
        """The windows of these rows, int32 [len(rows), window]."""
        places = self.rows[rows][:, None] + (self.ahead + np.arange(self.window))
        return np.asarray(self.ids[places])

    def digest(self) -> bytes:
        """Which text it is."""
        from hashlib import blake2b  # slow to import, and seldom needed

        made = blake2b(repr((self.window, self.ahead)).encode(), digest_size=16)
        made.update(np.ascontiguousarray(self.ids).data)
        return made.digest()

    def texts(self) -> list[str | None]:
        """The beginning of each window."""
        starts = (self.rows + self.ahead).tolist()
        size = min(self.window, _SHOWN)
        return [self.vocabulary.text(self.ids[s : s + size].tolist()) for s in starts]

    def to_categories(self) -> NoReturn:
        """NN419: a text has no categories."""
        raise error(
            "NN419",
            f"the column `{self.name}` holds windows of a text: it has no categories",
            help="a network reads it by `embed`, and says what comes next",
        )

    def describe(self) -> Column:
        """The column as schema."""
        return Column(self.name, self.kind, minimum=0.0, maximum=len(self.vocabulary.units) - 1.0)
