"""Rows made beside the training: decoded and distorted by a thread, a piece of an epoch ahead.

What a row becomes depends on the seed, the epoch and the row alone. Pieces are cut at fixed places,
so it makes no difference when a piece is ready, or how many steps are done at a time.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from nndsl.data.images.distorter import Distorter, Levels
from nndsl.data.images.lazy import lazy, middle
from nndsl.lower.result import Augment
from nndsl.random import permutation
from nndsl.records import dataclass
from nndsl.train.job import LOSS_SUM, Arrays, Executable, TrainingJob, row_count
from nndsl.train.plan import Plan
from nndsl.vocab.distorting import blend

if TYPE_CHECKING:
    from concurrent.futures import Future

PIECE_NUMBERS = 1 << 19
"""About so many numbers of pictures are made in one piece."""
LEAST_STEPS = 4

Piece = dict[str, np.ndarray]
Place = tuple[int, int]
"""An epoch, and the number of a piece in it."""


@dataclass(frozen=True, eq=False)
class Follow:
    """The target that changes with the pictures: its numbers [rows, 1] in their own unit, and what
    makes of such numbers what the network is to say.
    """

    target: str
    numbers: np.ndarray
    prepare: Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Source:
    """The rows of each epoch as a network sees them.

    `rows` are those of the data, each shown `copies` times in an epoch: once as it is, if there are
    several. `picture` names the input that is distorted, `follow` is for distortions that change
    what is to be predicted.
    """

    rows: Arrays
    seed: int
    augment: Augment
    picture: str = ""
    distorter: Distorter | None = None
    follow: Follow | None = None

    @property
    def count(self) -> int:
        """Rows of an epoch."""
        return row_count(self.rows) * self.augment.copies

    def made(self, elements: np.ndarray, epoch: int) -> Piece:
        """These elements (row + copy * rows) in this epoch."""
        count = row_count(self.rows)
        numbers = elements % count
        found = {n: np.ascontiguousarray(a[numbers]) for n, a in self.rows.items()}
        if self.distorter is None:
            return found
        given = found[self.picture]
        x = self.distorter.before_mixing(given, elements, epoch)
        if self.distorter.mixes:
            x = self._mixed(found, x, elements, epoch)
        x = self.distorter.after_mixing(x, elements, epoch)
        if self.follow is not None:
            name = self.follow.target
            target = self.distorter.followed(self.follow.numbers[numbers], elements, epoch)
            found[name] = self.follow.prepare(target).astype(found[name].dtype)
        if self.augment.copies > 1:
            first = elements < count
            size = self.augment.size
            x[first] = given[first] if size is None else middle(given[first], size)
            for name in found.keys() - {self.picture}:
                found[name][first] = self.rows[name][numbers[first]]
        found[self.picture] = x
        return found

    def _mixed(self, found: Piece, x: np.ndarray, elements: np.ndarray, epoch: int) -> np.ndarray:
        """Each picture with a share of its partner, which is distorted as it is for itself."""
        assert self.distorter is not None
        classes = any(array.dtype.kind == "i" for array in found.values())
        others, share = self.distorter.partners(elements, epoch, self.count, classes)
        numbers = others % row_count(self.rows)
        partner = np.ascontiguousarray(self.rows[self.picture][numbers])
        partner = self.distorter.before_mixing(partner, others, epoch)
        for name, array in found.items():
            if name != self.picture and array.dtype.kind == "f":
                found[name] = blend(array, self.rows[name][numbers], share)
        return blend(x, partner, share)


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

    def run(self, executable: Executable, plan: Plan, first: int, steps: int) -> int:
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
            for name, array in part.items():
                executable.bind(name, array)
            did = executable.run(
                first + done,
                count,
                seed=self.source.seed,
                total_steps=plan.total_steps,
                steps_per_epoch=plan.steps_per_epoch,
            )
            done += did
            if did < count or not math.isfinite(executable.memory(LOSS_SUM).item()):
                break
        return done

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


def feed_of(job: TrainingJob) -> Feed | None:
    """What makes the rows of a training, None where they are simply there."""
    rows, augment = job.train, job.recipe.augment
    if not augment.chain:
        late = any(lazy(array) for array in rows.values())
        return Feed(Source(rows, job.seed, augment), job.shuffle) if late else None
    name = next(name for name, array in rows.items() if len(array.shape) == 4)
    shape = rows[name].shape[1:]
    levels = job.levels.get(name) or _extremes(rows[name])
    from nndsl.runtime.pictures import picture_kernels  # other trainings do without

    kernels = picture_kernels(job.recipe.precision)
    distorter = Distorter(augment.chain, shape, levels, job.seed, kernels)
    follow = _follow(job) if distorter.moves_target else None
    return Feed(Source(rows, job.seed, augment, name, distorter, follow), job.shuffle)


def _follow(job: TrainingJob) -> Follow:
    (output, *_) = job.outputs
    assert output.restore is not None and output.prepare is not None  # the recipe has seen to it
    return Follow(output.target, output.restore(job.train[output.target]), output.prepare)


def _extremes(array: np.ndarray) -> Levels:
    """The least and the greatest number as black and white, where nothing is known of them."""
    channels = array.shape[1]
    low, high = float(array.min()), float(array.max())
    return Levels(np.full(channels, low), np.full(channels, high if high > low else low + 1))
