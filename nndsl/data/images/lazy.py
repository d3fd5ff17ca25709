"""Rows of a network's input that are made when they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, cast

import numpy as np

from nndsl.records import dataclass


class Readable(Protocol):
    """A column whose cells are read when they are needed (`ImageColumn`, `TextColumn`)."""

    @property
    def rows(self) -> np.ndarray:
        """Which cell each row has."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one cell."""

    def take(self, rows: np.ndarray, /) -> Readable:
        """The same column with only these rows."""

    def read(self, rows: np.ndarray, /) -> np.ndarray:
        """The cells of these rows."""

    def digest(self) -> bytes:
        """Which cells there are."""


@dataclass(frozen=True, eq=False)
class LazyRows:
    """Pictures (or windows of a text) as a network sees them, made at each `[rows]`.

    It has what readers ask of an array: `shape`, `dtype`, a length, and rows by their numbers.
    """

    column: Readable
    prepare: Callable[[np.ndarray], np.ndarray]
    dtype: np.dtype[np.generic]
    size: tuple[int, int] | None = None  # only the middle of the pictures, so large

    def __bool__(self) -> bool:
        return True

    def __len__(self) -> int:
        return len(self.column.rows)

    @property
    def shape(self) -> tuple[int, ...]:
        """[rows, channels, height, width], of a text [rows, window]."""
        first, *size = self.column.shape
        return (len(self), first, *(self.size or size))

    def __getitem__(self, rows: np.ndarray | slice) -> np.ndarray:
        """These rows as an array of their own."""
        numbers = np.arange(len(self))[rows] if isinstance(rows, slice) else rows
        made = self.prepare(self.column.read(numbers))
        return made if self.size is None else middle(made, self.size)

    def take(self, rows: np.ndarray) -> LazyRows:
        """These rows, still undecoded."""
        return LazyRows(self.column.take(rows), self.prepare, self.dtype, self.size)

    def fingerprint(self) -> str:
        """A digest of which pictures these are and of what is made of them."""
        from hashlib import blake2b  # slow to import, and seldom needed

        made = blake2b(self.column.digest(), digest_size=16)
        made.update(np.ascontiguousarray(self.column.rows).data)
        if len(self):
            made.update(np.ascontiguousarray(self[:1]).data)
        return made.hexdigest()


def as_rows(rows: LazyRows) -> np.ndarray:
    """Typed as the array that they stand for: readers of rows use nothing else of it."""
    return cast("np.ndarray", rows)


def lazy(rows: Any) -> LazyRows | None:
    """The rows, if they are lazy."""
    return rows if isinstance(rows, LazyRows) else None


def taken(rows: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Some of the rows: contiguous where they are an array, undecoded where they are lazy."""
    late = lazy(rows)
    return as_rows(late.take(numbers)) if late else np.ascontiguousarray(rows[numbers])


def middle(rows: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The middle of pictures [..., height, width], so large; undecoded where they are lazy."""
    late = lazy(rows)
    if late:
        return as_rows(LazyRows(late.column, late.prepare, late.dtype, size))
    first = [(have - want) // 2 for have, want in zip(rows.shape[-2:], size, strict=True)]
    part = rows[..., first[0] : first[0] + size[0], first[1] : first[1] + size[1]]
    return np.ascontiguousarray(part)
