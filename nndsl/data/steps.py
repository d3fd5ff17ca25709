"""Steps of preprocessing on the values of one column: learning, applying, naming a wrong row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from nndsl.data.inference import word_of
from nndsl.data.table import NumberColumn, Table, TableColumn
from nndsl.diagnostics import error
from nndsl.schema import FittedStep
from nndsl.vocab.kinds import Preprocessing
from nndsl.vocab.preprocessing import OutsideDomainError

LEARN_NUMBERS = 1 << 22
"""Numbers of a column of arrays that its statistics are taken from."""


def fit_values(
    table: Table, column: TableColumn, steps: Sequence[FittedStep], values: np.ndarray
) -> tuple[FittedStep, ...]:
    """The steps with what each learnt from these values, one after the other."""
    fitted = []
    for step in steps:
        word = word_of(step)
        assert word.fit is not None
        learnt = word.fit(values, step.arguments)
        fitted.append(replace(step, learnt=learnt))
        if len(fitted) < len(steps):
            values = _apply_word(table, column, word, values, fitted[-1])
    return tuple(fitted)


def apply_steps(
    table: Table, column: TableColumn, steps: Sequence[FittedStep], values: np.ndarray
) -> np.ndarray:
    """The values after all steps; NN419 where one has no meaning."""
    for step in steps:
        values = _apply_word(table, column, word_of(step), values, step)
    return values


def spread(rows: np.ndarray, width: int) -> np.ndarray:
    """So many of the rows, evenly spread, that they hold at most `LEARN_NUMBERS` numbers."""
    most = max(1, LEARN_NUMBERS // width)
    if len(rows) <= most:
        return rows
    return np.asarray(rows[np.linspace(0, len(rows) - 1, most).astype(np.int64)])


def _apply_word(
    table: Table, column: TableColumn, word: Preprocessing, values: np.ndarray, step: FittedStep
) -> np.ndarray:
    assert word.apply is not None
    try:
        return np.asarray(word.apply(values, step.learnt, step.arguments))
    except OutsideDomainError as problem:
        row = _first_outside(column, word, step)
        raise error(
            "NN419",
            f"column `{column.name}`: {problem}",
            place=table.place(row, column.name),
            notes=[] if row is None else [f"first in {table.row_name(row)}"],
            help=f"leave these rows out with `where`, or take another step than `{step.word}`",
        ) from None


def _first_outside(column: TableColumn, word: Preprocessing, step: FittedStep) -> int | None:
    """The first row whose own number a step refuses; None when an earlier step made it so."""
    assert word.apply is not None
    if not isinstance(column, NumberColumn) or column.width > 1:
        return None
    low, high = 0, len(column.values)
    while low < high:  # the shortest beginning of the column that is refused ends in that row
        middle = (low + high) // 2
        try:
            word.apply(column.values[: middle + 1], step.learnt, step.arguments)
            low = middle + 1
        except OutsideDomainError:
            high = middle
    return low if low < len(column.values) else None
