"""Training from a buffer of examples, `replay = buffer(200)`: what is in it in each epoch.

Examples arrive numbered from 0: row after row in a new random order on each way through the data,
each row with all its copies. What an example is depends on the seed and its number alone, so that
the numbers held in an epoch are all that a checkpoint must know of the buffer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from nndsl.random import permutation, stream_of, uniforms_of
from nndsl.schema import TargetKind
from nndsl.train.examples import Piece, Source, run_rows
from nndsl.train.job import Arrays, Output, Stepping, TrainingJob, inference_states, row_count
from nndsl.train.plan import Plan
from nndsl.train.scoring import by_pixel, probabilities
from nndsl.vocab.registry import WordCall
from nndsl.vocab.replay import LEAVING

_STREAM = stream_of("replay")


class Buffer:
    """Does the steps of a training on the examples that the buffer holds."""

    def __init__(self, source: Source, wanted: WordCall, job: TrainingJob) -> None:
        self.source, self._job = source, job
        self.count = min(wanted.arguments["size"], source.count)
        fresh = wanted.arguments["fresh"] or source.augment.copies
        self._fresh = min(fresh, self.count)
        self._leaving = LEAVING[wanted.arguments["replace"]]
        self._known = [*job.network.parameters, *inference_states(job.network)]
        self._epoch = 0
        self._held = np.arange(self.count)
        self._rows: Piece = {}
        self._shown: Piece = {}

    def run(self, executable: Stepping, plan: Plan, first: int, steps: int) -> int:
        """Do steps from number `first` on; fewer when the loss was not finite at the last."""
        done = 0
        while done < steps:
            epoch, inside = divmod(first + done, plan.steps_per_epoch)
            self._reach(epoch)
            count = min(steps - done, plan.steps_per_epoch - inside)
            last = min((inside + count) * plan.batch, plan.rows)
            part = {n: a[inside * plan.batch : last] for n, a in self._shown.items()}
            did, finite = run_rows(executable, plan, self.source.seed, part, first + done, count)
            done += did
            if not finite:
                break
        return done

    def batch(self, plan: Plan, step: int) -> Piece:
        """The rows of one step."""
        epoch, inside = divmod(step, plan.steps_per_epoch)
        self._reach(epoch)
        rows = slice(inside * plan.batch, min((inside + 1) * plan.batch, plan.rows))
        return {name: array[rows] for name, array in self._shown.items()}

    def state(self) -> dict[str, np.ndarray]:
        """The epoch, and the numbers of the examples held in it."""
        return {"epoch": np.array(self._epoch), "held": self._held.copy()}

    def set_state(self, values: Arrays) -> None:
        """Hold what was held at another time."""
        self._epoch, self._held = int(values["epoch"]), np.array(values["held"], np.int64)
        self._rows = self._shown = {}

    def _reach(self, epoch: int) -> None:
        """Hold the examples of an epoch. It is the present one or the next."""
        if not self._rows:
            self._rows = self._examples(self._held)
        while self._epoch < epoch:
            self._exchange()
        if not self._shown:
            seed, count = self.source.seed, self.count
            order = permutation(count, seed, epoch) if self._job.shuffle else np.arange(count)
            self._shown = {n: np.ascontiguousarray(a[order]) for n, a in self._rows.items()}

    def _exchange(self) -> None:
        """Let new examples take the places of some, before the next epoch."""
        u = uniforms_of(self.source.seed, _STREAM, self._epoch, np.arange(self.count), 1)[:, 0]
        order = np.lexsort((self._held, self._leaving(self._held, self._errors, u)))
        places = order[: self._fresh]
        first = self.count + self._epoch * self._fresh
        self._held[places] = np.arange(first, first + self._fresh)
        for name, array in self._examples(self._held[places]).items():
            self._rows[name][places] = array
        self._epoch, self._shown = self._epoch + 1, {}

    def _errors(self) -> np.ndarray:
        """How wrong the network is on each example now."""
        evaluation = self._job.evaluation
        evaluation.take(self._job.training, self._known)
        said = evaluation.evaluate(self._rows)
        return errors(self._job.outputs, said, self._rows, self._job.recipe.targets)

    def _examples(self, numbers: np.ndarray) -> Piece:
        """The examples of these numbers, in their order."""
        copies, rows = self.source.augment.copies, row_count(self.source.rows)
        passes, places = np.divmod(numbers, rows * copies)
        made: Piece = {}
        for epoch in np.unique(passes).tolist():
            chosen = np.flatnonzero(passes == epoch)
            order = permutation(rows, self.source.seed, epoch) if self._job.shuffle else None
            row, copy = np.divmod(places[chosen], copies)
            element = (row if order is None else order[row]) + copy * rows
            for name, array in self.source.made(element, epoch).items():
                whole = made.setdefault(
                    name, np.empty((len(numbers), *array.shape[1:]), array.dtype)
                )
                whole[chosen] = array
        return made


def errors(
    outputs: Sequence[Output], said: Arrays, rows: Arrays, joined: Mapping[str, tuple[str, ...]]
) -> np.ndarray:
    """How wrong each row's answers are, float64 [n]: the sum over the outputs.

    Of numbers the mean squared difference from what the network is to say, of classes the share
    that the right one is short of; of pictures the mean over the pixels, of sequences over the
    places. `joined` are the targets of outputs that have several.
    """
    total = np.zeros(row_count(rows))
    for output in outputs:
        values, targets = said[output.name], rows[output.target]
        if len(names := joined.get(output.name, ())) > 1:
            targets = np.concatenate([rows[name] for name in names], axis=1)
        if output.pictures:
            values, targets = by_pixel(replace(output, restore=None), values, targets)
        if output.sequence:
            values = values.reshape(targets.size, -1)
        if output.kind is TargetKind.CLASSES:
            shares, right = probabilities(values), targets.reshape(-1)
            wrong = 1 - shares[np.arange(len(right)), right].astype(np.float64)
        else:
            away = values.reshape(len(values), -1) - targets.reshape(len(values), -1)
            wrong = (away.astype(np.float64) ** 2).mean(axis=1)
        total += wrong.reshape(len(total), -1).mean(axis=1)
    return total
