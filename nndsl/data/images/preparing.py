"""Pictures to the numbers that a network sees: steps by channel, at once or row by row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from nndsl.data.images.column import ImageColumn
from nndsl.data.images.distorter import Levels
from nndsl.data.images.lazy import LazyRows, as_rows
from nndsl.data.images.pixels import ArrayPixels, FilePixels
from nndsl.data.inference import word_of
from nndsl.data.memory import all_bytes, available_bytes
from nndsl.data.steps import apply_steps, fit_values, spread
from nndsl.data.table import Table
from nndsl.diagnostics import error
from nndsl.schema import FittedStep

KEPT_SHARE = 0.125
"""Of the whole memory: pictures that take more are prepared when their rows are asked for.

Of what is free just now only where there is hardly any: a run that goes on must find its rows as
they were.
"""
_SEVERAL = 1024  # pictures prepared together


def fit_images(
    table: Table, column: ImageColumn, steps: Sequence[FittedStep], rows: np.ndarray
) -> tuple[FittedStep, ...]:
    """The steps with what they learnt from these rows: a list for each number, one by channel."""
    sample = column.read(spread(rows, column.width))
    fitted = [
        fit_values(table, column, steps, sample[:, channel].reshape(-1).astype(np.float64))
        for channel in range(column.channels)
    ]
    return tuple(
        replace(ones[0], learnt={key: [one.learnt[key] for one in ones] for key in ones[0].learnt})
        for ones in zip(*fitted, strict=True)
    )


def of_channel(steps: Sequence[FittedStep], channel: int) -> tuple[FittedStep, ...]:
    """The steps as one channel has them; IndexError or TypeError when they learnt of fewer."""
    return tuple(
        replace(step, learnt={key: values[channel] for key, values in step.learnt.items()})
        for step in steps
    )


def prepared_images(
    table: Table, column: ImageColumn, steps: Sequence[FittedStep], precision: str
) -> np.ndarray:
    """All pictures as the network sees them, or `LazyRows` of them where they take much memory."""
    return _now_or_later(
        LazyRows(column, _Prepared(table, column, steps, precision), np.dtype(precision))
    )


def class_pictures(column: ImageColumn, classes: Sequence[str]) -> np.ndarray:
    """The class of each pixel, int32 [rows, 1, height, width]; NN414 for a level that is none."""
    if column.channels != 1 or column.pixels.dtype != np.uint8:
        raise error(
            "NN414",
            f"the pictures of `{column.name}` are no levels of grey, which are the classes",
            notes=[f"the classes: {', '.join(classes[:8])}"],
            help="draw these pictures with the levels that the network was trained on",
        )
    return _now_or_later(LazyRows(column, _Classes(column, classes), np.dtype(np.int32)))


def _now_or_later(late: LazyRows) -> np.ndarray:
    """The rows as an array where memory has room for it, else as they are."""
    column = late.column
    assert isinstance(column, ImageColumn)
    room = min(KEPT_SHARE * all_bytes(), available_bytes() / 3)
    numbers = len(column.rows) * column.width
    if numbers * late.dtype.itemsize <= room:
        array = np.empty(late.shape, late.dtype)
        for start in range(0, len(array), _SEVERAL):
            array[start : start + _SEVERAL] = late[start : start + _SEVERAL]
        return array
    if isinstance(column.pixels, FilePixels) and numbers <= room:
        kept = ImageColumn(column.name, _decoded(column), np.arange(len(column.rows)))
        return as_rows(LazyRows(kept, late.prepare, late.dtype))
    return as_rows(late)


def inverted_images(values: np.ndarray, steps: Sequence[FittedStep]) -> np.ndarray:
    """Numbers [rows, channels, height, width] back through the steps, float64."""
    made = np.array(values, np.float64)
    for channel in range(made.shape[1]):
        for step in reversed(of_channel(steps, channel)):
            invert = word_of(step).invert
            assert invert is not None
            flat = invert(made[:, channel].reshape(-1), step.learnt, step.arguments)
            made[:, channel] = flat.reshape(made[:, channel].shape)
    return made


def levels_of(
    table: Table, column: ImageColumn, steps: Sequence[FittedStep], precision: str
) -> Levels:
    """What the network sees of the darkest and the brightest pixel there can be, by channel."""
    low, high = column.range or (0.0, 1.0)
    if column.pixels.dtype == np.uint8:
        low, high = 0.0, 255.0
    ends = np.broadcast_to(np.array([low, high])[:, None, None, None], (2, column.channels, 1, 1))
    made = _Prepared(table, column, steps, precision)
    black, white = made(ends.astype(column.pixels.dtype)).reshape(2, -1).astype(np.float64)
    return Levels(black, np.where(white == black, black + 1, white))


def _decoded(column: ImageColumn) -> ArrayPixels:
    """The pictures of files as bytes in memory."""
    array = np.empty((len(column.rows), *column.shape), np.uint8)
    for start in range(0, len(array), _SEVERAL):
        rows = np.arange(start, min(start + _SEVERAL, len(array)))
        array[rows] = column.read(rows)
    return ArrayPixels(array)


class _Classes:
    """The class of each pixel by its level."""

    def __init__(self, column: ImageColumn, classes: Sequence[str]) -> None:
        self._name, self._classes = column.name, classes
        self._number = np.full(256, -1, np.int32)
        for number, level in enumerate(classes):
            self._number[int(level)] = number

    def __call__(self, block: np.ndarray) -> np.ndarray:
        found: np.ndarray = self._number[block]
        if (found < 0).any():
            level = int(block[found < 0][0])
            raise error(
                "NN414",
                f"a pixel of `{self._name}` has the level {level}, which is no class",
                notes=[f"the classes: {', '.join(self._classes[:8])}"],
                help="draw these pictures with the levels that the network was trained on",
            )
        return found


class _Prepared:
    """What the steps make of a block of pictures; bytes are looked up."""

    def __init__(
        self, table: Table, column: ImageColumn, steps: Sequence[FittedStep], precision: str
    ) -> None:
        self._place = table.place(None, column.name)
        self._name, self._precision = column.name, precision
        self._chain = " -> ".join(step.word for step in steps)
        self._table, self._column = table.take(np.arange(0)), column
        self._steps = [of_channel(steps, channel) for channel in range(column.channels)]
        self._looked_up: list[np.ndarray] = []
        if column.pixels.dtype == np.uint8:
            low, high = column.range or (0.0, 255.0)
            given = np.clip(np.arange(256.0), low, high)
            applied = [self._applied(channel, given) for channel in range(column.channels)]
            self._looked_up = [self._checked(numbers) for numbers in applied]

    def __call__(self, block: np.ndarray) -> np.ndarray:
        """[rows, channels, height, width] of pixels to the same of prepared numbers."""
        made = np.empty(block.shape, self._precision)
        for channel in range(block.shape[1]):
            if self._looked_up:
                np.take(self._looked_up[channel], block[:, channel], out=made[:, channel])
            else:
                values = block[:, channel].astype(np.float64)
                made[:, channel] = self._applied(channel, values.reshape(-1)).reshape(values.shape)
        return made if self._looked_up else self._checked(made)

    def _applied(self, channel: int, values: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is refused after
            found = apply_steps(self._table, self._column, self._steps[channel], values)
            return found.astype(self._precision)

    def _checked(self, numbers: np.ndarray) -> np.ndarray:
        if not np.isfinite(numbers).all():
            raise error(
                "NN419",
                f"`{self._name} -> {self._chain}` gives numbers that are not finite",
                place=self._place,
                help="change the steps",
            )
        return numbers
