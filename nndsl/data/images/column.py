"""A column of a table whose cells are pictures."""

from __future__ import annotations

from functools import cached_property
from math import prod
from typing import NoReturn

import numpy as np

from nndsl.data.images.pixels import ArrayPixels, Pixels
from nndsl.diagnostics import error
from nndsl.records import dataclass
from nndsl.schema import Column, ColumnKind

_SEVERAL = 4096  # pictures looked at together
_FEW = 64


@dataclass(frozen=True, eq=False)
class ImageColumn:
    """Pictures by row: row i is picture `rows[i]` of `pixels`; nothing is decoded before `read`."""

    name: str
    pixels: Pixels
    rows: np.ndarray

    kind = ColumnKind.NUMBER

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height, width."""
        return self.pixels.shape

    @property
    def width(self) -> int:
        """Numbers in one row."""
        return prod(self.shape)

    @property
    def channels(self) -> int:
        """Channels."""
        return self.shape[0]

    @cached_property
    def missing(self) -> np.ndarray:
        """No picture is missing, bool [rows]."""
        return np.zeros(len(self.rows), dtype=bool)

    def take(self, rows: np.ndarray) -> ImageColumn:
        """The same column with only these rows."""
        return ImageColumn(self.name, self.pixels, self.rows[rows])

    def read(self, rows: np.ndarray) -> np.ndarray:
        """The pictures of these rows, [len(rows), channels, height, width]."""
        return self.pixels.read(self.rows[rows])

    def digest(self) -> bytes:
        """Which pictures these are."""
        return self.pixels.digest()

    @cached_property
    def range(self) -> tuple[float, float] | None:
        """Least and greatest number: those there are in memory, what bytes can be otherwise."""
        if not len(self.rows) or not isinstance(self.pixels, ArrayPixels):
            return (0.0, 255.0) if self.pixels.dtype == np.uint8 else None
        low, high = np.inf, -np.inf
        for start in range(0, len(self.rows), _SEVERAL):
            part = self.pixels.read(self.rows[start : start + _SEVERAL])
            low, high = min(low, float(part.min())), max(high, float(part.max()))
        return low, high

    @cached_property
    def levels(self) -> tuple[int, ...]:
        """The different bytes of pictures of one channel, ascending; none for other pictures."""
        if self.channels != 1 or self.pixels.dtype != np.uint8:
            return ()
        counts = np.zeros(256, np.int64)
        for start in range(0, len(self.rows), _FEW):
            part = self.pixels.read(self.rows[start : start + _FEW])
            counts += np.bincount(part.reshape(-1), minlength=256)
        return tuple(np.flatnonzero(counts).tolist())

    def texts(self) -> list[str | None]:
        """What to write in the place of each picture."""
        return [f"a picture of {'x'.join(map(str, self.shape))}"] * len(self.rows)

    def to_categories(self) -> NoReturn:
        """NN419: pictures are no texts and no classes."""
        raise error(
            "NN419",
            f"the column `{self.name}` holds pictures: it can only be an input",
            help="classes are the names of sub-folders, or a column of `labels`",
        )

    def describe(self) -> Column:
        """The column as schema."""
        low, high = self.range or (None, None)
        return Column(self.name, self.kind, minimum=low, maximum=high)
