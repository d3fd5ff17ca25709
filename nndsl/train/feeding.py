"""Rows made beside the training: decoded and distorted by a thread, a piece of an epoch ahead.

What a row becomes depends on the seed, the epoch and the row alone. Pieces are cut at fixed places,
so it makes no difference when a piece is ready, or how many steps are done at a time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING

import numpy as np

from nndsl.data.images.distorter import Beside, Distorter, Levels
from nndsl.data.images.lazy import lazy, middle
from nndsl.lower.result import Augment
from nndsl.random import permutation
from nndsl.records import dataclass
from nndsl.schema import TargetKind
from nndsl.train.job import (
    LOSS_SUM,
    Arrays,
    Feeding,
    Output,
    Stepping,
    TrainingJob,
    row_count,
)
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
    what is to be predicted, `beside` has the targets that are pictures and are moved alike.
    """

    rows: Arrays
    seed: int
    augment: Augment
    picture: str = ""
    distorter: Distorter | None = None
    follow: Follow | None = None
    beside: Mapping[str, Beside] = field(default_factory=dict)

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
        for name, how in self.beside.items():
            found[name] = self.distorter.before_mixing(found[name], elements, epoch, how)
        if self.distorter.mixes:
            x = self._mixed(found, x, elements, epoch)
        x = self.distorter.after_mixing(x, elements, epoch)
        for name, how in self.beside.items():
            found[name] = self.distorter.after_mixing(found[name], elements, epoch, how)
        if self.follow is not None:
            name = self.follow.target
            target = self.distorter.followed(self.follow.numbers[numbers], elements, epoch)
            found[name] = self.follow.prepare(target).astype(found[name].dtype)
        if self.augment.copies > 1:
            first = elements < count
            x[first] = self._plain(given[first])
            for name in found.keys() - {self.picture}:
                found[name][first] = self._plain(self.rows[name][numbers[first]])
        found[self.picture] = x
        return found

    def _plain(self, rows: np.ndarray) -> np.ndarray:
        """Rows as they are; of pictures the middle, where the others are made smaller."""
        size = self.augment.size
        return rows if size is None or rows.ndim != 4 else middle(rows, size)

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
                other = self.rows[name][numbers]
                if name in self.beside:
                    how = self.beside[name]
                    other = self.distorter.before_mixing(other, others, epoch, how)
                found[name] = blend(array, other, share)
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


def run_rows(
    executable: Stepping, plan: Plan, seed: int, rows: Piece, first: int, steps: int
) -> tuple[int, bool]:
    """Do some steps of one epoch on rows in their order: how many, and whether all was finite."""
    for name, array in rows.items():
        executable.bind(name, array)
    did = executable.run(
        first,
        steps,
        seed=seed,
        total_steps=plan.total_steps,
        steps_per_epoch=plan.steps_per_epoch,
    )
    return did, did == steps and math.isfinite(executable.memory(LOSS_SUM).item())


def feed_of(job: TrainingJob) -> Feeding | None:
    """What makes the rows of a training, None where they are simply there."""
    wanted = job.recipe.replay
    if wanted is not None:
        from nndsl.train.buffer import Buffer  # seldom used

        return Buffer(source_of(job), wanted, job)
    late = any(lazy(array) for array in job.train.values())
    return Feed(source_of(job), job.shuffle) if job.recipe.augment.chain or late else None


def source_of(job: TrainingJob) -> Source:
    """The training rows of a job as its network sees them."""
    rows, augment = job.train, job.recipe.augment
    if not augment.chain:
        return Source(rows, job.seed, augment)
    name = next(name for name, array in rows.items() if len(array.shape) == 4)
    shape = rows[name].shape[1:]
    levels = job.levels.get(name) or _extremes(rows[name])
    from nndsl.runtime.pictures import picture_kernels  # other trainings do without

    kernels = picture_kernels(job.recipe.precision)
    distorter = Distorter(augment.chain, shape, levels, job.seed, kernels)
    follow = _follow(job) if distorter.moves_target else None
    beside = {o.target: _beside(job, o) for o in job.outputs if o.pictures and o.target in rows}
    return Source(rows, job.seed, augment, name, distorter, follow, beside)


def _beside(job: TrainingJob, output: Output) -> Beside:
    """Of classes the first one comes in from outside, of numbers what is darkest."""
    if output.kind is TargetKind.CLASSES:
        return Beside(np.zeros(1), True)
    levels = job.levels.get(output.target) or _extremes(job.train[output.target])
    return Beside(levels.black, False)


def _follow(job: TrainingJob) -> Follow:
    (output, *_) = job.outputs
    assert output.restore is not None and output.prepare is not None  # the recipe has seen to it
    return Follow(output.target, output.restore(job.train[output.target]), output.prepare)


def _extremes(array: np.ndarray) -> Levels:
    """The least and the greatest number as black and white, where nothing is known of them."""
    channels = array.shape[1]
    low, high = float(array.min()), float(array.max())
    return Levels(np.full(channels, low), np.full(channels, high if high > low else low + 1))
