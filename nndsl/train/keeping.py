"""The best weights so far, and states that a run can go back to."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import field

import numpy as np

from nndsl.records import dataclass
from nndsl.train.job import Arrays, Stepping

SNAPSHOT_SECONDS = 0.5
SNAPSHOT_SHARE = 0.02
"""Snapshots come at most so often, and take at most about this share of the time."""


@dataclass
class Best:
    """The weights of the epoch with the best value of one figure; the first of equals."""

    figure: str
    higher: bool
    epoch: int | None = None
    value: float = math.nan
    weights: dict[str, np.ndarray] = field(default_factory=dict)

    def beaten_by(self, value: float) -> bool:
        """Whether a value is better than the best so far. NaN and infinity never are."""
        if not math.isfinite(value):
            return False
        if self.epoch is None:
            return True
        return value > self.value if self.higher else value < self.value

    def take(self, epoch: int, value: float, weights: dict[str, np.ndarray]) -> None:
        """Remember the weights of an epoch as the best."""
        self.epoch, self.value, self.weights = epoch, value, weights


@dataclass(frozen=True)
class Snapshot:
    """All that a run needs to go on before step `step`; every number in it is finite.

    `best` is the best epoch's as of then, `epochs` the number of whole epochs done, `feed` what the
    one who makes the rows has to know.
    """

    step: int
    epochs: int
    parameters: Arrays
    states: Arrays
    best: Best | None = None
    feed: Arrays = field(default_factory=dict)

    def restore(self, executable: Stepping) -> None:
        """Put the executable back to this moment."""
        executable.set_parameters(self.parameters)
        executable.set_states(self.states)


class Snapshots:
    """Keeps the newest finite snapshot, at little cost whatever the size of the network.

    A loss can be finite in the very step whose update ruins the weights; such a state, of which
    `is_finite` tells, is not taken. Memory holds one snapshot at a time.
    """

    def __init__(self, first: Snapshot, is_finite: Callable[[], bool]) -> None:
        self.newest = first
        self._is_finite = is_finite
        self._cost = 0.0
        self._taken = time.perf_counter()

    def is_due(self, now: float) -> bool:
        """Whether it is time for another snapshot."""
        return now - self._taken > max(SNAPSHOT_SECONDS, self._cost / SNAPSHOT_SHARE)

    def take(self, picture: Callable[[], Snapshot]) -> Snapshot:
        """Make a snapshot; the newest finite one."""
        before = time.perf_counter()
        if self._is_finite():
            del self.newest  # before the next one is made
            self.newest = picture()
        self._taken = time.perf_counter()
        self._cost = self._taken - before
        return self.newest


def is_finite(arrays: Arrays) -> bool:
    """Whether no array holds NaN or infinity."""
    return all(bool(np.isfinite(array).all()) for array in arrays.values())
