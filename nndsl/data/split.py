"""Parts of a table: training, validation, test. By chance, by class, by time, by column, in folds.

Every choice is a function of the seed alone (`nndsl.random.permutation`), so that a run repeats.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nndsl.data.columns import column_names
from nndsl.data.options import setting, value_of
from nndsl.data.series import Series, apart, series_of, times_of, usable_rows
from nndsl.data.table import NumberColumn, Table
from nndsl.diagnostics import NndslError, error
from nndsl.random import permutation
from nndsl.records import dataclass
from nndsl.schema import DataSpecification, Schema, Setting, StepRequest, TargetKind

DEFAULT = (0.64, 0.16, 0.2)
VALIDATION_OF_REST = 0.2
_SPLIT_EPOCH = 0xFFFFFFF0  # no training has this epoch: the order of data there differs
_FOLD_EPOCH = 0xFFFF0000
_PARTS = {
    "train": 0,
    "training": 0,
    "validation": 1,
    "valid": 1,
    "val": 1,
    "dev": 1,
    "test": 2,
    "testing": 2,
}


@dataclass(frozen=True)
class Split:
    """Indices of rows, each ascending, none in two parts; validation and test may be empty."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def split_rows(table: Table, schema: Schema, specification: DataSpecification, seed: int) -> Split:
    """The parts that `split` asks for, by default 64 %, 16 % and 20 %, stratified by class.

    Rows without a target are in no part. Raises NN410 for too few rows, NN417 for a split that
    cannot be.
    """
    if table.parts is not None:
        return Split(*(np.flatnonzero(table.parts == part) for part in range(3)))
    series = series_of(specification)
    rows = usable_rows(table, schema, series) if series else rows_with_target(table, schema)
    found = setting(specification, "split")
    value = DEFAULT if found is None or isinstance(found.value, StepRequest) else found.value
    if value == "all":
        return Split(rows, _EMPTY, _EMPTY)
    if isinstance(value, str):
        chosen = _by_column(table, rows, value, found)
        return Split(*apart(_parts(chosen), series)) if series else chosen
    counts = _counts(value, len(rows), table, found)
    if series:
        cut = Split(*apart(_parts(_cut(rows, counts)), series))
        for name, count, part in zip(("training", "validation"), counts, _parts(cut), strict=False):
            if count and not len(part):
                raise _swallowed(table, name, series, found)
        return cut
    return _cut(_order(table, schema, specification, rows, seed), counts)


def _parts(split: Split) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return split.train, split.validation, split.test


def _swallowed(table: Table, part: str, series: Series, found: Setting | None) -> NndslError:
    """A part of a series all of whose rows are told what belongs to the next part."""
    return error(
        "NN410",
        f"no row of the {part} part of {table.origin.name} has the {series.horizon} after it "
        "in the same part",
        found.span if found is not None else None,
        place=table.place(),
        help="a smaller horizon, or a larger part",
    )


def folds(
    table: Table, schema: Schema, specification: DataSpecification, seed: int, count: int
) -> tuple[Split, ...]:
    """`count` splits: each row is once in a test part, a fifth of the rest is validation."""
    if table.parts is not None or series_of(specification):
        raise error(
            "NN417",
            f"`{specification.name}` is cut in time, not dealt out in folds",
            place=table.place(),
            help="split = [80%, 10%, 10%]",
        )
    rows = rows_with_target(table, schema)
    if not 2 <= count <= len(rows) // 2:
        raise error(
            "NN417",
            f"{len(rows)} rows cannot be cut in {count} folds",
            help=f"between 2 and {max(2, len(rows) // 2)} folds are possible",
            place=table.place(),
        )
    shuffled = rows[permutation(len(rows), seed, _FOLD_EPOCH)]
    labels = _labels(table, schema)
    by_class = shuffled if labels is None else shuffled[np.argsort(labels[shuffled], kind="stable")]
    number = np.arange(len(rows)) % count
    return tuple(
        _fold(by_class[number == k], by_class[number != k], labels, seed, k) for k in range(count)
    )


def fold_count(specification: DataSpecification) -> int | None:
    """The folds that `split = kfold(10)` asks for."""
    found = value_of(specification, "split", None)
    if isinstance(found, StepRequest) and found.word == "kfold":
        return int(next(iter(found.arguments.values())))
    return None


_EMPTY = np.empty(0, dtype=np.int64)


def rows_with_target(table: Table, schema: Schema) -> np.ndarray:
    """Rows that have every target, ascending; NN410 when there is none."""
    keep = np.ones(table.rows, dtype=bool)
    for target in schema.targets:
        keep &= ~table.columns[target.name].missing
    rows = np.flatnonzero(keep)
    if not len(rows):
        raise error("NN410", f"no row of {table.origin.name} has a target", place=table.place())
    return rows


def _fold(
    test: np.ndarray, rest: np.ndarray, labels: np.ndarray | None, seed: int, k: int
) -> Split:
    shuffled = rest[permutation(len(rest), seed, _FOLD_EPOCH + 1 + k)]
    order = shuffled if labels is None else _spread(shuffled, labels)
    validation = round(VALIDATION_OF_REST * len(rest))
    cut = _cut(order, (len(rest) - validation, validation, 0))
    return Split(cut.train, cut.validation, np.sort(test))


def _labels(table: Table, schema: Schema) -> np.ndarray | None:
    """The class of each row by the first target of classes, None when there is none."""
    for target in schema.targets:
        if target.kind is TargetKind.CLASSES and not target.shape:
            return table.columns[target.name].to_categories().codes
    return None


def _order(
    table: Table, schema: Schema, specification: DataSpecification, rows: np.ndarray, seed: int
) -> np.ndarray:
    """The rows in the order in which they are cut: first training, last test."""
    time = setting(specification, "time")
    if time is not None:
        name = column_names(table, [time.value], time.span)[0]
        return rows[np.argsort(times_of(table, name)[rows], kind="stable")]
    if value_of(specification, "shuffle", True) is False:
        return rows
    shuffled = rows[permutation(len(rows), seed, _SPLIT_EPOCH)]
    labels = _labels(table, schema)
    return shuffled if labels is None else _spread(shuffled, labels)


def _spread(rows: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Rows so ordered that every stretch has its share of each class, give or take one row.

    The i-th of the n rows of a class stands at (i + 1/2)/n of the whole.
    """
    codes = labels[rows]
    by_class = np.argsort(codes, kind="stable")
    sizes = np.bincount(codes[by_class])
    rank = np.arange(len(rows)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    position = np.empty(len(rows))
    position[by_class] = (rank + 0.5) / np.repeat(sizes, sizes)
    return rows[np.argsort(position, kind="stable")]


def _cut(order: np.ndarray, counts: Sequence[int]) -> Split:
    ends = np.cumsum(counts)
    return Split(
        np.sort(order[: ends[0]]),
        np.sort(order[ends[0] : ends[1]]),
        np.sort(order[ends[1] : ends[2]]),
    )


def _counts(
    numbers: Sequence[float], rows: int, table: Table, found: Setting | None
) -> tuple[int, int, int]:
    """Rows of the three parts from two or three shares or whole numbers."""
    train, validation, test = [*numbers, 0, 0][:3]
    if max(numbers) > 1:
        if sum(numbers) > rows:
            raise _bad_split(
                found,
                f"the parts {', '.join(f'{n:g}' for n in numbers)} do not fit {rows:,} rows "
                f"of {table.origin.name}",
                "use whole numbers that add up to the rows, or shares: [64%, 16%, 20%]",
            )
        return int(train), int(validation), int(test)
    parts = sum(1 for n in numbers if n > 0)
    if rows < parts:
        raise error(
            "NN410",
            f"{rows} row{'s' * (rows != 1)} of {table.origin.name} cannot be cut in {parts} parts",
            found.span if found is not None else None,
            help="split = all",
            place=table.place(),
        )
    tested = max(round(test * rows), 1) if test else 0
    validated = max(round(validation * rows), 1) if validation else 0
    return rows - tested - validated, validated, tested


def _bad_split(found: Setting | None, title: str, help_text: str) -> NndslError:
    return error("NN417", title, found.span if found is not None else None, help=help_text)


def _by_column(table: Table, rows: np.ndarray, name: str, found: Setting | None) -> Split:
    """Parts named in a column: train, validation, test."""
    span = found.span if found is not None else None
    column = table.columns[column_names(table, [name], span)[0]]
    if isinstance(column, NumberColumn):
        raise _bad_split(found, f"`{name}` names the parts, but holds numbers", "train, test, ...")
    column = column.to_categories()
    codes = {code: _PARTS.get(text.lower()) for code, text in enumerate(column.categories)}
    for code, part in codes.items():
        if part is None:
            raise _bad_split(
                found,
                f"`{column.categories[code]}` in column `{name}` is not a part",
                "the parts are train, validation and test",
            )
    part_of = np.array([*(codes[c] for c in range(len(codes))), -1])[column.codes[rows]]
    if not np.any(part_of == 0):
        raise _bad_split(found, f"no row has `train` in column `{name}`", "name the parts")
    return Split(*(rows[part_of == part] for part in range(3)))
