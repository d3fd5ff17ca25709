"""The figures of each epoch: one row an epoch, one column a figure, exact to the last bit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np


class History:
    """Columns `epoch`, `step`, `learning_rate`, `train_loss`, `val_loss`, then the metrics.

    `val_loss` and the metrics (`val_accuracy`) exist only where there are validation rows.
    Nothing in it depends on the clock on the wall, so equal runs have equal histories.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        self.columns = tuple(columns)
        self.rows: list[tuple[float, ...]] = []

    def __len__(self) -> int:
        return len(self.rows)

    def append(self, figures: Mapping[str, float]) -> None:
        """Add an epoch; every column must be given."""
        self.rows.append(tuple(float(figures[name]) for name in self.columns))

    def first(self, epochs: int) -> History:
        """A history of its own of the first epochs."""
        short = History(self.columns)
        short.rows = self.rows[:epochs]
        return short

    def column(self, name: str) -> list[float]:
        """One figure over the epochs."""
        position = self.columns.index(name)
        return [row[position] for row in self.rows]

    def array(self) -> np.ndarray:
        """All figures as float64 [epochs, columns]."""
        return np.array(self.rows, dtype=np.float64).reshape(len(self.rows), len(self.columns))

    @staticmethod
    def from_array(columns: Sequence[str], array: np.ndarray) -> History:
        """The opposite of `array`; ValueError when the sizes do not agree."""
        history = History(columns)
        if array.ndim != 2 or array.shape[1] != len(columns) or array.dtype != np.float64:
            raise ValueError("the history does not fit its columns")
        history.rows = [tuple(row) for row in array.tolist()]
        return history

    @staticmethod
    def mean_of(histories: Sequence[History]) -> History:
        """The mean of several trainings' figures, at each epoch of those that came so far."""
        joined = History(histories[0].columns if histories else ())
        for epoch in range(max(map(len, histories), default=0)):
            rows = [history.rows[epoch] for history in histories if epoch < len(history)]
            joined.rows.append(tuple(np.mean(rows, axis=0).tolist()))
        return joined

    @staticmethod
    def from_csv(text: str) -> History:
        """The opposite of `to_csv`; ValueError for a text that is no such table."""
        lines = text.splitlines()
        history = History(lines[0].split(",") if lines else ())
        history.rows = [tuple(map(float, line.split(","))) for line in lines[1:]]
        if any(len(row) != len(history.columns) for row in history.rows):
            raise ValueError("a line has other columns")
        return history

    def to_csv(self) -> str:
        """A header and one line an epoch; numbers are written so that they read back exactly."""
        lines = [",".join(self.columns)]
        lines += [",".join(_number(value) for value in row) for row in self.rows]
        return "\n".join(lines) + "\n"


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
