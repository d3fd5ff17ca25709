"""Numbers of schedules that fall when a figure no longer gets better: `plateau(0.5, 5 epochs)`.

A number is a function of the history alone, so a resumed run goes on with the same ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field

import numpy as np

from nndsl.lower.result import Plateau
from nndsl.records import dataclass
from nndsl.train.history import History
from nndsl.train.stopping import check_figure


@dataclass
class Level:
    """One number over the epochs."""

    plateau: Plateau
    higher: bool
    value: float = 1.0
    _seen: int = 0
    _best: float | None = None
    _waited: int = 0

    def follow(self, history: History) -> float:
        """The number after all epochs of the history, each of which is looked at once."""
        position = history.columns.index(self.plateau.metric)
        for row in history.rows[self._seen :]:
            self._see(row[position])
        self._seen = len(history)
        return self.value

    def _see(self, figure: float) -> None:
        if self._is_better(figure):
            self._best, self._waited = figure, 0
            return
        self._waited += 1
        if self._waited >= self.plateau.patience:
            self.value = max(self.value * self.plateau.factor, self.plateau.least)
            self._waited = 0

    def _is_better(self, figure: float) -> bool:
        if self._best is None:
            return figure == figure
        margin = self.plateau.threshold * abs(self._best)
        return figure > self._best + margin if self.higher else figure < self._best - margin


@dataclass
class Levels:
    """All plateaus of a run, with the memory in which its steps find their numbers."""

    levels: list[Level] = field(default_factory=list)
    memories: list[np.ndarray] = field(default_factory=list)

    def values(self) -> dict[str, float]:
        """The numbers by the names of their states."""
        return {level.plateau.name: level.value for level in self.levels}

    def follow(self, history: History) -> bool:
        """Write the numbers after the last epoch; whether one of them changed."""
        before = self.values()
        for level, memory in zip(self.levels, self.memories, strict=True):
            memory[...] = level.follow(history)
        return self.values() != before


def levels_of(
    plateaus: Sequence[Plateau],
    columns: Sequence[str],
    higher: Callable[[str], bool],
    memory: Callable[[str], np.ndarray],
) -> Levels:
    """The plateaus of a recipe at 1. Raises NN391 for a figure that is not computed."""
    found = Levels()
    for plateau in plateaus:
        check_figure(plateau.metric, columns, plateau.span)
        found.levels.append(Level(plateau, higher(plateau.metric)))
        found.memories.append(memory(plateau.name))
        found.memories[-1][...] = 1.0
    return found
