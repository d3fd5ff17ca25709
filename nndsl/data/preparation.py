"""Columns to the arrays that a network is fed, and its answers back to the target's own unit.

`prepare` learns from the training rows only; `apply_schema` does the same to new data with what
was learnt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from typing import Any

import numpy as np

from nndsl.data.images.column import ImageColumn
from nndsl.data.images.distorter import Levels
from nndsl.data.images.preparing import (
    class_pictures,
    fit_images,
    inverted_images,
    levels_of,
    prepared_images,
)
from nndsl.data.inference import require_variety, with_shapes, word_of
from nndsl.data.mistakes import Mistakes
from nndsl.data.new_data import match_columns, remarks_on_new
from nndsl.data.remarks import remarks
from nndsl.data.series import covered, horizon_of, targets_ahead, window_of, windowed
from nndsl.data.steps import apply_steps, fit_values, spread
from nndsl.data.table import MISSING_CODE, NumberColumn, Table, TableColumn
from nndsl.data.text.column import TextColumn
from nndsl.data.text.reading import windows
from nndsl.diagnostics import Diagnostic, NndslError, error, first_of
from nndsl.records import dataclass
from nndsl.schema import (
    DataSpecification,
    FittedStep,
    InputSchema,
    Schema,
    TargetKind,
    TargetSchema,
)
from nndsl.vocab.preprocessing import ids_of, numbers_of

_CHUNK_NUMBERS = 1 << 22  # numbers converted at once: bounds the float64 copies


@dataclass(frozen=True)
class Prepared:
    """Arrays for a network.

    `inputs`: [rows, width] in the precision asked for, of pictures [rows, channels, height, width]
    (`LazyRows` where these would take much memory). `targets`: int32 [rows] class indices
    (-1 where missing) or numbers [rows, width] (NaN where missing), of pictures one of these for
    each pixel, [rows, channels, height, width]. Rows are those of the table.
    """

    schema: Schema
    inputs: dict[str, np.ndarray]
    targets: dict[str, np.ndarray]
    levels: Mapping[str, Levels] = field(default_factory=dict)  # of pictures, but of classes
    notes: tuple[Diagnostic, ...] = ()

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(next(iter(self.inputs.values())))


def prepare(
    table: Table,
    schema: Schema,
    specification: DataSpecification,
    train_rows: np.ndarray,
    precision: str = "float32",
) -> Prepared:
    """Fit every step on `train_rows`, apply it to all rows; the schema returned has the steps.

    The notes are the doubts about the table (`remarks`), beside those of reading it. Raises NN413
    for a target that does not vary, NN419 when a step has no meaning for a cell or gives no
    finite number.
    """
    require_variety(table, schema, specification)
    window = window_of(schema)
    if window:
        train_rows = covered(train_rows, window)
    mistakes = Mistakes()
    inputs, fitted, targets = {}, [], {}
    for declared in schema.inputs:
        with mistakes.caught():
            fitted.append(_fit_input(table, declared, train_rows))
            inputs[declared.name] = _input_array(table, fitted[-1], precision)
    fitted_targets = []
    for target in schema.targets:
        with mistakes.caught():
            fitted_targets.append(_fit_target(table, target, train_rows))
            targets[target.name] = _target_array(table, fitted_targets[-1], precision, window)
    mistakes.raise_any()
    shapes = {name: array.shape[1:] for name, array in inputs.items()}
    learnt = replace(schema, inputs=tuple(fitted), targets=tuple(fitted_targets))
    done = with_shapes(learnt, shapes)
    levels = {i.name: _levels(table, i, precision) for i in done.inputs if len(i.shape) == 3}
    for target in done.targets:
        column = table.columns[target.name]
        if isinstance(column, ImageColumn) and target.kind is TargetKind.NUMBERS:
            levels[target.name] = levels_of(table, column, target.steps, precision)
    return Prepared(done, inputs, targets, levels, remarks(table, done, specification))


def _levels(table: Table, declared: InputSchema, precision: str) -> Levels:
    column = table.columns[declared.columns[0]]
    assert isinstance(column, ImageColumn)
    return levels_of(table, column, declared.steps[column.name], precision)


def _fit_input(table: Table, declared: InputSchema, rows: np.ndarray) -> InputSchema:
    """The input with what its steps learnt; where some cannot, the others are tried as well."""
    mistakes = Mistakes()
    steps = {}
    for name in declared.columns:
        with mistakes.caught():
            steps[name] = fit_steps(table, table.columns[name], declared.steps[name], rows)
    if mistakes.found:
        sound = replace(declared, columns=tuple(steps), steps=steps)
        if steps:
            with mistakes.caught():
                _input_array(table, sound, "float32")
    mistakes.raise_any()
    return replace(declared, steps=steps)


def apply_schema(table: Table, schema: Schema, precision: str = "float32") -> Prepared:
    """The arrays of new data by a fitted schema; columns are matched by name.

    Extra columns, categories never seen and numbers out of range are noted. Raises NN405, NN414
    (a class never seen), NN415 (a column is missing), NN419. Targets are there if the data has
    them all.
    """
    matched = match_columns(table, schema)
    notes = remarks_on_new(matched, schema)
    inputs = {i.name: _input_array(matched, i, precision) for i in schema.inputs}
    for declared in schema.inputs:
        if inputs[declared.name].shape[1:] != declared.shape:
            raise _other_width(matched, declared, inputs[declared.name].shape[1:])
    complete = all(target.name in matched.columns for target in schema.targets)
    targets = _target_arrays(matched, schema, precision) if complete else {}
    return Prepared(schema, inputs, targets, notes=notes)


def _other_width(table: Table, declared: InputSchema, found: tuple[int, ...]) -> NndslError:
    return error(
        "NN415",
        f"{table.origin.name} has {_numbers(found)} in each row for the input `{declared.name}`, "
        f"the network needs {_numbers(declared.shape)}",
        place=table.place(),
        help="give rows of the size that the network was trained on",
    )


def _numbers(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) + " numbers"


def raw_arrays(table: Table, schema: Schema) -> dict[str, np.ndarray]:
    """Inputs and targets as the file has them, float64: [rows, width], targets [rows].

    Categories and classes are their numbers from 0, missing is NaN.
    """
    arrays = {
        declared.name: _joined([_raw(table.columns[name]) for name in declared.columns])
        for declared in schema.inputs
    }
    for target in schema.targets:
        if target.shape:
            arrays[target.name] = _raw(table.columns[target.name])
        elif target.kind is TargetKind.CLASSES:
            codes = _classes(table, target).astype(np.float64)
            arrays[target.name] = np.where(codes < 0, np.nan, codes)
        else:
            raw = _raw(table.columns[target.name])
            arrays[target.name] = raw[:, 0] if raw.shape[1] == 1 else raw
    return arrays


def _joined(parts: Sequence[np.ndarray]) -> np.ndarray:
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)


def _raw(column: TableColumn) -> np.ndarray:
    if isinstance(column, ImageColumn | TextColumn):
        return column.read(np.arange(len(column.rows))).astype(np.float64)
    if isinstance(column, NumberColumn):
        return column.values.reshape(len(column.values), -1).astype(np.float64)
    codes = column.codes.astype(np.float64)
    return np.where(codes < 0, np.nan, codes)[:, None]


# --- steps ---------------------------------------------------------------------------------


def fit_steps(
    table: Table, column: TableColumn, steps: Sequence[FittedStep], rows: np.ndarray
) -> tuple[FittedStep, ...]:
    """The steps with what each learnt from these rows, one after the other.

    Which categories there are is no statistic but the table's own: they are taken from all rows, so
    that the network's width does not depend on which rows train. How frequent words are is one.
    """
    if isinstance(column, TextColumn):
        return tuple(steps)  # the vocabulary was learnt when the text was read
    if isinstance(column, ImageColumn):
        return fit_images(table, column, steps, rows)
    return fit_values(table, column, steps, _learning_values(column, steps, rows))


def _learning_values(
    column: TableColumn, steps: Sequence[FittedStep], rows: np.ndarray
) -> np.ndarray:
    if steps and word_of(steps[0]).accepts == "category":
        categories = column.to_categories()
        codes = categories.codes if ids_of(steps) is None else categories.codes[rows]
        return np.asarray(_names(categories.categories)[codes])
    assert isinstance(column, NumberColumn)
    if column.width == 1:
        return np.asarray(column.values[rows], dtype=np.float64)
    rows = spread(rows, column.width)
    return np.asarray(column.values[rows], dtype=np.float64).reshape(-1)


def _names(categories: Sequence[str]) -> np.ndarray:
    """Categories as an object array whose last item, at index -1, is None for missing."""
    names = np.empty(len(categories) + 1, dtype=object)
    names[: len(categories)] = categories
    return names


def _input_array(table: Table, declared: InputSchema, precision: str) -> np.ndarray:
    """[rows, width] of one input, [rows, channels, height, width] of pictures, or ids: int32
    [rows, length], of one column [rows].
    """
    first = table.columns[declared.columns[0]]
    if isinstance(first, TextColumn):
        return windows(first)
    array = _joined_columns(table, declared, precision)
    if len(declared.shape) == 2:
        return windowed(array, declared.shape[0])
    if any(ids_of(steps) is None for steps in declared.steps.values()):
        return array
    whole = array.astype(np.int32)
    return whole[:, 0] if whole.shape[1] == 1 else whole


def _joined_columns(table: Table, declared: InputSchema, precision: str) -> np.ndarray:
    first = table.columns[declared.columns[0]]
    if isinstance(first, ImageColumn):
        return prepared_images(table, first, declared.steps[first.name], precision)
    mistakes = Mistakes()
    parts = []
    for name in declared.columns:
        with mistakes.caught():
            parts.append(_prepared_column(table, declared, name, precision))
    mistakes.raise_any()
    if len(parts) == 1:
        return parts[0]
    joined = np.empty((table.rows, sum(part.shape[1] for part in parts)), dtype=precision)
    np.concatenate(parts, axis=1, out=joined, casting="same_kind")
    return joined


def _prepared_column(table: Table, declared: InputSchema, name: str, precision: str) -> np.ndarray:
    """[rows, width] of one column; NN419 unless all are finite."""
    column, steps = table.columns[name], declared.steps[name]
    if steps and word_of(steps[0]).accepts == "category":
        categories = column.to_categories()
        distinct = apply_steps(table, column, steps, _names(categories.categories))
        array = np.asarray(distinct.reshape(len(distinct), -1), precision)[categories.codes]
    else:
        assert isinstance(column, NumberColumn)
        array = _apply_in_chunks(table, column, steps, precision)
    finite = np.isfinite(array)
    if not finite.all():
        raise _not_finite(table, name, steps, np.flatnonzero(~finite.all(axis=1)))
    return np.asarray(array)


def _apply_in_chunks(
    table: Table, column: NumberColumn, steps: Sequence[FittedStep], precision: str
) -> np.ndarray:
    """Numbers through their steps; an array column is changed as one run of numbers.

    [rows, width], of a step that makes several numbers of one as many.
    """
    several = numbers_of(steps)
    width = column.width * several
    if column.values.dtype == np.uint8 and column.values.size and several == 1:
        return _apply_to_bytes(table, column, steps, precision)
    array = np.empty((len(column.values), width), dtype=precision)
    size = max(1, _CHUNK_NUMBERS // width)
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is refused after
        for start in range(0, len(array), size):
            chunk = column.values[start : start + size]
            values = apply_steps(table, column, steps, chunk.astype(np.float64).reshape(-1))
            array[start : start + size] = values.reshape(len(chunk), width)
    return array


def _apply_to_bytes(
    table: Table, column: NumberColumn, steps: Sequence[FittedStep], precision: str
) -> np.ndarray:
    """Bytes through their steps: each of the few different numbers once, then looked up."""
    low, high = int(column.values.min()), int(column.values.max())
    answers = np.zeros(256, dtype=precision)
    different = np.arange(low, high + 1, dtype=np.float64)
    answers[low : high + 1] = apply_steps(table, column, steps, different)
    return np.asarray(answers[column.values])


def _not_finite(
    table: Table, name: str, steps: Sequence[FittedStep], rows: np.ndarray
) -> NndslError:
    chain = " -> ".join(step.word for step in steps)
    return error(
        "NN419",
        f"`{name} -> {chain}` gives no finite number in {len(rows)} of {table.rows} rows",
        place=table.place(int(rows[0]), name),
        notes=[f"in {table.row_names(rows)}"],
        help="leave these rows out with `where`, or change the steps",
    )


# --- targets -------------------------------------------------------------------------------


def _fit_target(table: Table, target: TargetSchema, train_rows: np.ndarray) -> TargetSchema:
    if target.kind is TargetKind.CLASSES:
        return target
    column = table.columns[target.name]
    present = train_rows[~column.missing[train_rows]]
    return replace(target, steps=fit_steps(table, column, target.steps, present))


def _target_arrays(table: Table, schema: Schema, precision: str) -> dict[str, np.ndarray]:
    window = window_of(schema)
    return {t.name: _target_array(table, t, precision, window) for t in schema.targets}


def _target_array(table: Table, target: TargetSchema, precision: str, window: int) -> np.ndarray:
    """The target of each row; of a series (`window` rows are seen) what comes after it."""
    array = _own_array(table, target, precision)
    return targets_ahead(array, window, horizon_of(target)) if window else array


def _own_array(table: Table, target: TargetSchema, precision: str) -> np.ndarray:
    column = table.columns[target.name]
    if isinstance(column, TextColumn):
        return windows(column)
    if isinstance(column, ImageColumn):
        if target.kind is TargetKind.CLASSES:
            return class_pictures(column, target.classes)
        return prepared_images(table, column, target.steps, precision)
    if target.kind is TargetKind.CLASSES:
        return _classes(table, target)
    assert isinstance(column, NumberColumn)
    array = _apply_in_chunks(table, column, target.steps, precision)
    wrong = ~np.isfinite(array).all(axis=1) & ~column.missing
    if wrong.any():
        raise _not_finite(table, target.name, target.steps, np.flatnonzero(wrong))
    return array


def _classes(table: Table, target: TargetSchema) -> np.ndarray:
    """Class index of each row, int32 [rows], -1 where missing; NN414 for a class never seen."""
    categories = table.columns[target.name].to_categories()
    known: Mapping[str, int] = {name: index for index, name in enumerate(target.classes)}
    index = np.full(len(categories.categories) + 1, MISSING_CODE, dtype=np.int32)
    for code, text in enumerate(categories.categories):
        if text not in known:
            raise _unseen_class(table, target, text, np.flatnonzero(categories.codes == code))
        index[code] = known[text]
    array: np.ndarray = index[categories.codes]
    return array


def _unseen_class(table: Table, target: TargetSchema, text: str, rows: np.ndarray) -> NndslError:
    classes = first_of([f"`{name}`" for name in target.classes], 6)
    return error(
        "NN414",
        f"`{text}` is no class of the target `{target.name}`",
        place=table.place(int(rows[0]), target.name),
        notes=[f"in {len(rows)} rows: {table.row_names(rows)}", f"the classes: {classes}"],
        help="write the labels as in the data that the network was trained on",
    )


def target_of(target: TargetSchema, values: np.ndarray) -> np.ndarray:
    """Numbers [rows, 1] in the target's own unit as the network is to say them, [rows, k]."""
    changed: Any = values[:, 0]
    for step in target.steps:
        apply = word_of(step).apply
        assert apply is not None
        changed = apply(changed, step.learnt, step.arguments)
    return np.asarray(changed, dtype=np.float64).reshape(len(values), -1)


def invert_pictures(target: TargetSchema, values: np.ndarray) -> np.ndarray:
    """Predicted pictures [rows, channels, height, width] back in the target's own unit, float64."""
    return inverted_images(values, target.steps)
