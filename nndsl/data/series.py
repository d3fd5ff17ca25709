"""Windows over a series: what a network sees is the past, what it says is what comes next.

Row `r` of the table stands for the moment after it: its inputs are the rows up to `r` in their
order, its target is what the target column holds in the rows after it. So an answer stands in the
last row that it was made from, and the last row of a file has the forecast proper.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from nndsl.data.columns import column_names
from nndsl.data.images.column import ImageColumn
from nndsl.data.images.lazy import LazyRows, as_rows
from nndsl.data.options import setting
from nndsl.data.table import MISSING_CODE, NumberColumn, Table
from nndsl.diagnostics import NndslError, Span, error
from nndsl.records import dataclass
from nndsl.schema import (
    SERIES_SETTINGS,
    DataSpecification,
    Schema,
    TargetKind,
    TargetSchema,
)
from nndsl.vocab.kinds import Preprocessing
from nndsl.vocab.registry import words

SOURCES = ("csv", "parquet", "table")
_MOST_COPIED = 1 << 26
"""Numbers of windows that are kept as they are; longer ones are cut out when they are needed."""


@dataclass(frozen=True)
class Series:
    """`window` rows are seen, the next `horizon` are told, every `stride`-th row is learnt from."""

    window: int
    horizon: int = 1
    stride: int = 1


def series_of(specification: DataSpecification) -> Series | None:
    """The windows that a data section asks for, None where its rows stand alone.

    Raises NN418 for what is no number of rows, for `horizon` without `window`, for `shuffle`.
    """
    if specification.kind == "text":
        return None
    given = {name: setting(specification, name) for name in SERIES_SETTINGS}
    asked = {name: found for name, found in given.items() if found is not None}
    if not asked:
        return None
    for name, found in asked.items():
        value: Any = found.value
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise _unfit(f"`{name}` must be a whole number of rows", found.span)
        if specification.kind not in SOURCES:
            raise _unfit(f"`{name}` is for rows of a table in their order", found.span)
    if "window" not in asked:
        name, found = next(iter(asked.items()))
        raise _unfit(f"`{name}` is told after a `window` is seen", found.span, "window = 24")
    shuffle = setting(specification, "shuffle")
    if shuffle is not None and shuffle.value is not False:
        raise _unfit("windows of rows are not shuffled: parts are cut in the order of time",
                     shuffle.span, "leave it out")  # fmt: skip
    return Series(**{name: int(found.value) for name, found in asked.items()})


def _unfit(title: str, span: Span | None, help: str = "") -> NndslError:
    return error("NN418", title, span, "cannot be used", help=help or ())


def require_order(table: Table, specification: DataSpecification) -> None:
    """NN417 where the rows of a series do not stand in the order of its column of time."""
    found = setting(specification, "time")
    if found is None or series_of(specification) is None:
        return
    name = column_names(table, [found.value], found.span)[0]
    values = times_of(table, name)
    back = np.flatnonzero(values[1:] < values[:-1])
    if len(back):
        row = int(back[0]) + 1
        raise error(
            "NN417",
            f"{table.row_name(row)} of {table.origin.name} is earlier in `{name}` than the row "
            "before it",
            found.span,
            place=table.place(row, name),
            help="sort the file by time: a window is made of rows that follow each other",
        )


def times_of(table: Table, name: str) -> np.ndarray:
    """What a column orders rows by; NN417 for a row without it."""
    column = table.columns[name]
    if column.missing.any():
        row = int(np.flatnonzero(column.missing)[0])
        raise error(
            "NN417",
            f"`{name}` orders the rows, but {table.row_name(row)} has none",
            place=table.place(row, name),
        )
    if not isinstance(column, NumberColumn):
        return np.asarray(column.to_categories().codes)
    return column.values


# --- schemas --------------------------------------------------------------------------------


def with_windows(table: Table, schema: Schema, series: Series, span: Span | None) -> Schema:
    """The schema of a table whose rows are seen in windows; NN418 where they cannot be."""
    for declared in schema.inputs:
        if isinstance(table.columns[declared.columns[0]], ImageColumn):
            raise _unfit("pictures are not seen in windows of rows", span)
    for target in schema.targets:
        if target.kind is TargetKind.CLASSES and series.horizon > 1:
            raise _unfit(f"`{target.name}` is a class: only that of the next row is told", span,
                         "horizon = 1")  # fmt: skip
    if series.horizon > 1 and len(schema.targets) > 1:
        raise _unfit("several rows ahead are told of one target only", span, "horizon = 1")
    shape = (series.horizon,) if series.horizon > 1 else ()
    return replace(
        schema,
        inputs=tuple(replace(i, shape=(series.window, *i.shape)) for i in schema.inputs),
        targets=tuple(replace(t, shape=shape) for t in schema.targets),
    )


def window_of(schema: Schema) -> int:
    """How many rows are seen at once; 0 where rows stand alone."""
    return next((i.shape[0] for i in schema.inputs if len(i.shape) == 2), 0)


def horizon_of(target: TargetSchema) -> int:
    """How many rows ahead are told."""
    return target.shape[0] if target.shape else 1


# --- rows -----------------------------------------------------------------------------------


def usable_rows(table: Table, schema: Schema, series: Series) -> np.ndarray:
    """The rows with a whole window behind them and every target ahead."""
    rows = np.arange(series.window - 1, table.rows - series.horizon, series.stride)
    keep = np.ones(len(rows), dtype=bool)
    for target in schema.targets:
        missing = table.columns[target.name].missing
        for ahead in range(1, series.horizon + 1):
            keep &= ~missing[rows + ahead]
    if not keep.any():
        raise error(
            "NN410",
            f"{table.origin.name} has {table.rows} rows: no window of {series.window} has a target "
            "after it",
            place=table.place(),
            help="a smaller window",
        )
    return rows[keep]


def apart(parts: Sequence[np.ndarray], series: Series) -> list[np.ndarray]:
    """The rows of each part without those that are told what rows of another part are told."""
    end = max(int(part.max(initial=0)) for part in parts) + series.horizon
    owner = np.full(end, -1, dtype=np.int8)
    for number, part in enumerate(parts):
        owner[part] = number
    kept = []
    for number, part in enumerate(parts):
        alone = np.ones(len(part), dtype=bool)
        for ahead in range(1, series.horizon):
            other = owner[part + ahead]
            alone &= (other == number) | (other < 0)
        kept.append(part[alone])
    return kept


def covered(rows: np.ndarray, window: int) -> np.ndarray:
    """All rows that the windows of some rows hold, from which steps learn."""
    return np.arange(max(0, int(rows[0]) - window + 1), int(rows[-1]) + 1)


# --- arrays ---------------------------------------------------------------------------------


def windowed(array: np.ndarray, window: int) -> np.ndarray:
    """[rows, width] to [rows, window, width]: each row with those before it.

    Rows without a whole window see the first row again.
    """
    column = _Windows(array, np.arange(len(array)), window)
    if len(array) * window * array.shape[1] > _MOST_COPIED:
        return as_rows(LazyRows(column, _same, array.dtype))
    return column.read(np.arange(len(array)))


def targets_ahead(array: np.ndarray, window: int, horizon: int) -> np.ndarray:
    """What stands `1 ... horizon` rows later: [rows, horizon] of numbers [rows, 1], classes [rows].

    Missing (NaN, -1) beyond the end, and for rows without a whole window.
    """
    absent = np.nan if array.dtype.kind == "f" else MISSING_CODE
    flat = array.reshape(len(array), -1)
    parts = []
    for ahead in range(1, horizon + 1):
        part = np.full(flat.shape, absent, array.dtype)
        part[:-ahead] = flat[ahead:]
        part[: window - 1] = absent
        parts.append(part)
    return np.concatenate(parts, axis=1).reshape(len(array), *((-1,) if array.ndim > 1 else ()))


@dataclass(frozen=True, eq=False)
class _Windows:
    """Windows of prepared rows, cut out when they are read."""

    array: np.ndarray
    rows: np.ndarray
    window: int

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows of a window, numbers of a row."""
        return (self.window, self.array.shape[1])

    def take(self, rows: np.ndarray) -> _Windows:
        """Only these."""
        return _Windows(self.array, self.rows[rows], self.window)

    def read(self, rows: np.ndarray) -> np.ndarray:
        """[len(rows), window, width]."""
        places = self.rows[rows][:, None] + np.arange(1 - self.window, 1)
        return np.asarray(self.array[np.maximum(places, 0)])

    def digest(self) -> bytes:
        """Which numbers these are."""
        from hashlib import blake2b  # slow to import, and seldom needed

        made = blake2b(str(self.window).encode(), digest_size=16)
        made.update(np.ascontiguousarray(self.array).data)
        return made.digest()


def _same(block: np.ndarray) -> np.ndarray:
    return block


# --- the naive forecast ---------------------------------------------------------------------


def naive_forecast(
    schema: Schema, target: TargetSchema
) -> Callable[[Mapping[str, np.ndarray]], np.ndarray] | None:
    """What says of rows (inputs by name) that the target stays as it was: [rows, horizon] in its
    own unit. None where the past of a target is no input, or it is a class.
    """
    if target.kind is not TargetKind.NUMBERS:
        return None
    past = [i for i in schema.inputs if len(i.shape) == 2 and i.columns[0] == target.name]
    if not past:
        return None
    name, own = past[0].name, replace(target, steps=past[0].steps[target.name])

    def forecast(arrays: Mapping[str, np.ndarray]) -> np.ndarray:
        last = np.asarray(arrays[name][:][:, -1, :1], np.float64)
        return np.repeat(invert_target(own, last), horizon_of(target), axis=1)

    return forecast


def invert_target(target: TargetSchema, values: np.ndarray) -> np.ndarray:
    """Predicted numbers [rows, k] back in the target's own unit, float64 [rows, k].

    [rows, 1] where a step had made several numbers of one.
    """
    changed: Any = np.asarray(values, dtype=np.float64)
    for step in reversed(target.steps):
        word = words("preprocessing")[step.word]
        assert isinstance(word, Preprocessing) and word.invert is not None
        changed = word.invert(changed, step.learnt, step.arguments)
    return np.asarray(changed, dtype=np.float64)
