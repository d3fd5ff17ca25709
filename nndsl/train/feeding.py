"""Rows made beside the training: decoded and distorted by a thread, a piece of an epoch ahead.

What a row becomes depends on the seed, the epoch and the row alone. Pieces are cut at fixed places,
so it makes no difference when a piece is ready, or how many steps are done at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nndsl.data.images.lazy import lazy
from nndsl.random import permutation
from nndsl.train.examples import Piece, Source, run_rows, source_of
from nndsl.train.job import Arrays, Feeding, Stepping, TrainingJob, row_count
from nndsl.train.plan import Plan

if TYPE_CHECKING:
    from concurrent.futures import Future

PIECE_NUMBERS = 1 << 19
"""About so many numbers of pictures are made in one piece."""
LEAST_STEPS = 4

Place = tuple[int, int]
"""An epoch, and the number of a piece in it."""


class Feed:
    """Does the steps of a training on rows that are made ahead of it."""

    def __init__(self, source: Source, shuffle: bool = True) -> None:
        self.source, self._shuffle = source, shuffle
        self._size = sum(int(np.prod(a.shape[1:])) for a in source.rows.values())
        from concurrent.futures import ThreadPoolExecutor  # other trainings do without

        self._maker = ThreadPoolExecutor(1, "pictures")
        self._made: dict[Place, Future[Piece]] = {}
        self._order: tuple[int, np.ndarray] = (-1, np.empty(0, np.int64))

    @property
    def count(self) -> int:
        """Rows of an epoch."""
        return self.source.count

    def run(self, executable: Stepping, plan: Plan, first: int, steps: int) -> int:
        """Do steps from number `first` on; fewer when the loss was not finite at the last."""
        done = 0
        while done < steps:
            epoch, inside = divmod(first + done, plan.steps_per_epoch)
            number, skipped = divmod(inside, self._steps(plan))
            rows = self._piece((epoch, number), plan)
            size = row_count(rows)
            begin = skipped * plan.batch
            count = min(steps - done, -(-(size - begin) // plan.batch))
            part = {n: a[begin : min(begin + count * plan.batch, size)] for n, a in rows.items()}
            did, finite = run_rows(executable, plan, self.source.seed, part, first + done, count)
            done += did
            if not finite:
                break
        return done

    def state(self) -> dict[str, np.ndarray]:
        """Nothing: rows depend on the seed and their place alone."""
        return {}

    def set_state(self, values: Arrays) -> None:
        """Nothing."""

    def batch(self, plan: Plan, step: int) -> Piece:
        """The rows of one step."""
        epoch, inside = divmod(step, plan.steps_per_epoch)
        rows = self._elements(epoch)[: plan.rows][inside * plan.batch :][: plan.batch]
        return self.source.made(rows, epoch)

    def _steps(self, plan: Plan) -> int:
        """Steps of a piece."""
        return max(LEAST_STEPS, PIECE_NUMBERS // max(1, self._size * plan.batch))

    def _piece(self, place: Place, plan: Plan) -> Piece:
        """The rows of a piece; the one that comes after it is begun."""
        following = self._following(place, plan)
        for wanted in (place, following):
            if wanted is not None and wanted not in self._made:
                self._made[wanted] = self._maker.submit(self._make, wanted, plan)
        for old in [known for known in self._made if known not in (place, following)]:
            self._made.pop(old).cancel()
        return self._made[place].result()

    def _following(self, place: Place, plan: Plan) -> Place | None:
        epoch, number = place
        if (number + 1) * self._steps(plan) < plan.steps_per_epoch:
            return epoch, number + 1
        return (epoch + 1, 0) if epoch + 1 < plan.epochs else None

    def _make(self, place: Place, plan: Plan) -> Piece:
        epoch, number = place
        size = self._steps(plan) * plan.batch
        rows = self._elements(epoch)[: plan.rows][number * size :][:size]
        return self.source.made(rows, epoch)

    def _elements(self, epoch: int) -> np.ndarray:
        """The elements of an epoch in their order."""
        known, order = self._order
        if known != epoch:
            seed, count = self.source.seed, self.count
            order = permutation(count, seed, epoch) if self._shuffle else np.arange(count)
            self._order = epoch, order
        return order


def feed_of(job: TrainingJob) -> Feeding | None:
    """What makes the rows of a training, None where they are simply there."""
    wanted = job.recipe.replay
    if wanted is not None:
        from nndsl.train.buffer import Buffer  # seldom used

        return Buffer(source_of(job), wanted, job)
    late = any(lazy(array) for array in job.train.values())
    return Feed(source_of(job), job.shuffle) if job.recipe.augment.chain or late else None
