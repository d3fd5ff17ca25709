"""The rows of an epoch as a network sees them: which they are, distorted and mixed.

What a row becomes depends on the seed, the epoch and the row alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import field

import numpy as np

from nndsl.data.images.distorter import Beside, Distorter, Levels
from nndsl.data.images.lazy import middle
from nndsl.lower.result import Augment
from nndsl.records import dataclass
from nndsl.schema import TargetKind
from nndsl.train.job import LOSS_SUM, Arrays, Output, Stepping, TrainingJob, row_count
from nndsl.train.plan import Plan
from nndsl.vocab.distorting import blend

Piece = dict[str, np.ndarray]


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
