"""Ensembles: several networks from one recipe, trained one after the other in one run.

Member k has the seed of the run plus k - 1, and is what a training with that seed on the same rows
gives. It has the folder `member-<k>` of the run with its weights, history and record, and with its
checkpoint while it is at work. The run's own history is the mean of theirs; its own checkpoint
holds only what all depend on: a run that was stopped goes on with the first member that is not
finished.
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace

import numpy as np

from nndsl.data.images.lazy import taken
from nndsl.diagnostics import NndslError
from nndsl.lower.result import Recipe
from nndsl.random import BEFORE_TRAINING, MASK, random_bits, stream_of
from nndsl.train import folder as names
from nndsl.train.checkpoint import Checkpoint, check_fingerprints
from nndsl.train.events import (
    Ended,
    EpochEnded,
    MemberEnded,
    MemberStarted,
    Noted,
    Observer,
    Progressed,
    Saved,
    Started,
)
from nndsl.train.history import History
from nndsl.train.job import RunResult, TrainingJob, Verdict, inference_states, record_of, row_count
from nndsl.train.loop import INTERRUPTED
from nndsl.train.record import finite, to_text
from nndsl.train.resuming import job_fingerprints
from nndsl.train.saved import (
    fitting_weights,
    read_checkpoint,
    read_history,
    read_member,
    read_record,
)
from nndsl.train.scoring import Scorer, final_figures
from nndsl.train.session import train
from nndsl.train.together import Together
from nndsl.vocab.ensembles import Ensemble

SAMPLE_STREAM = stream_of("bootstrap sample")


def train_job(
    job: TrainingJob, observer: Observer | None = None, checkpoint: Checkpoint | None = None
) -> RunResult:
    """Train a job to its end or until a signal: one network, or all members of an ensemble.

    With a checkpoint, go on from there. Errors are those of `session.train`.
    """
    if job.recipe.ensemble is None:
        return train(job, observer, checkpoint)
    return _Training(job, observer or Observer()).run(checkpoint)


def member_seed(seed: int, number: int) -> int:
    """The seed of member `number`, counted from 1."""
    return (seed + number - 1) & MASK


def bootstrap_sample(seed: int, rows: int) -> np.ndarray:
    """As many row numbers as there are rows, drawn with replacement: int64 [rows]."""
    bits = random_bits(seed, SAMPLE_STREAM, BEFORE_TRAINING, rows)
    return (bits * np.uint64(rows) >> np.uint64(32)).astype(np.int64)


def member_recipe(recipe: Recipe, number: int) -> Recipe:
    """The recipe by which member `number`, counted from 1, is trained."""
    return replace(recipe, ensemble=None, seed=member_seed(recipe.seed, number))


class _Training:
    """The members of one job, trained in their order."""

    def __init__(self, job: TrainingJob, observer: Observer) -> None:
        self.job, self.observer = job, observer
        ensemble = job.recipe.ensemble
        assert ensemble is not None
        assert isinstance(ensemble.word, Ensemble)
        self.count = int(ensemble.arguments["members"])
        self.samples = ensemble.word.samples
        self.done: list[RunResult] = []
        self.announced = False

    def run(self, checkpoint: Checkpoint | None) -> RunResult:
        """Train the members that are left, judge all of them together, write the folder."""
        if checkpoint is None and row_count(self.job.train):  # without rows nothing is begun
            self._write("running", "")
        if checkpoint is not None:
            path = self.job.folder.path if self.job.folder is not None else ""
            check_fingerprints(checkpoint.fingerprints, job_fingerprints(self.job), str(path))
        for number in range(1, self.count + 1):
            try:
                result = self._finished(number) or self._trained(number)
            except NndslError as problem:
                if problem.diagnostics[0].code == "NN701":
                    self._write("diverged", f"the loss of member {number} was not finite")
                raise
            code = result.exit_code or (result.signalled if number < self.count else 0)
            if result.status == "finished":
                self.done.append(result)
                self._tell(number, result)
            if code:
                self._write("interrupted", INTERRUPTED)
                return self._result("interrupted", INTERRUPTED, {}, None, code)
        return self._finish()

    def _trained(self, number: int) -> RunResult:
        job, folder = self.job, self.job.folder
        seed = member_seed(job.seed, number)
        self.observer.on_member_start(MemberStarted(number, self.count, seed))
        with nullcontext() if folder is None else folder.inner(names.member(number)) as own:
            going_on = own is not None and (own.path / names.CHECKPOINT).exists()
            member = replace(
                job,
                recipe=member_recipe(job.recipe, number),
                train=self._rows(seed),
                seed=seed,
                folder=own,
                is_member=True,
                notes=job.notes if number == 1 else (),
            )
            told = _MemberObserver(self.observer, job, first=not self.announced)
            self.announced = True
            found = read_checkpoint(own.path) if own is not None and going_on else None
            return train(member, told, found)

    def _rows(self, seed: int) -> dict[str, np.ndarray]:
        """The training rows of a member."""
        if not self.samples:
            return dict(self.job.train)
        drawn = bootstrap_sample(seed, row_count(self.job.train))
        return {name: taken(array, drawn) for name, array in self.job.train.items()}

    def _finished(self, number: int) -> RunResult | None:
        """What a member that an earlier part of this run has finished came to."""
        folder, network = self.job.folder, self.job.network
        if folder is None or not (folder.path / names.member(number) / names.RECORD).exists():
            return None
        record = read_record(folder.path / names.member(number))
        if record.status != "finished":
            return None
        known = inference_states(network)
        states = {n: a for n, a in self.job.evaluation.states().items() if n in known}
        saved = read_member(folder.path, number)
        weights = fitting_weights(saved, network, states, self.job.recipe.precision)
        return RunResult(
            "finished", record.stopped, read_history(saved.path), *weights, dict(record.metrics),
            record.epochs, record.steps, record.best_epoch, record.seconds,
        )  # fmt: skip

    def _tell(self, number: int, result: RunResult) -> None:
        seed = member_seed(self.job.seed, number)
        self.observer.on_member(
            MemberEnded(number, self.count, seed, result.metrics, result.seconds)
        )

    def _finish(self) -> RunResult:
        job = self.job
        weights = [(result.parameters, result.states) for result in self.done]
        together = Together(job.evaluation, weights, job.recipe, job.outputs)
        metrics, judgement = final_figures(job, Scorer(together, job.recipe, job.outputs))
        reason = f"all {self.count} members are trained"
        self._write("finished", reason, metrics)
        return self._result("finished", reason, metrics, judgement, 0)

    def _write(self, status: str, reason: str, metrics: dict[str, float] | None = None) -> None:
        """The run's own files: what it is, how far it is, and a table when it is over."""
        job, folder, over = self.job, self.job.folder, metrics is not None
        if folder is None:
            return
        record = record_of(
            job,
            status,
            stopped=reason,
            epochs=sum(result.epochs for result in self.done),
            steps=sum(result.steps for result in self.done),
            metrics=finite(metrics or {}),
            seconds=round(self._seconds, 3),
        )
        contents = {name: text.encode() for name, text in job.documents.items()}
        if over:
            contents[names.MEMBERS] = self._table().encode()
            contents[names.HISTORY] = self._history.to_csv().encode()
        contents[names.RECORD] = to_text(record).encode()
        folder.write(contents)
        if over:
            folder.remove(names.CHECKPOINT)
        else:
            folder.write({names.CHECKPOINT: self._checkpoint().encode()})

    def _checkpoint(self) -> Checkpoint:
        depends_on = job_fingerprints(self.job)
        return Checkpoint(0, {}, {}, History([]), {}, None, self._seconds, depends_on)

    def _table(self) -> str:
        """One line a member: its number, seed, epochs, and every figure."""
        figures = list(self.done[0].metrics)
        lines = [",".join(["member", "seed", "epochs", "best_epoch", *figures])]
        for number, result in enumerate(self.done, 1):
            best = "" if result.best_epoch is None else result.best_epoch
            values = [repr(result.metrics.get(name, float("nan"))) for name in figures]
            seed = member_seed(self.job.seed, number)
            lines.append(",".join(map(str, [number, seed, result.epochs, best, *values])))
        return "\n".join(lines) + "\n"

    @property
    def _history(self) -> History:
        return History.mean_of([result.history for result in self.done])

    @property
    def _seconds(self) -> float:
        return sum(result.seconds for result in self.done)

    def _result(
        self,
        status: str,
        reason: str,
        metrics: dict[str, float],
        judgement: Verdict | None,
        exit_code: int,
    ) -> RunResult:
        epochs = sum(result.epochs for result in self.done)
        path = self.job.folder.path if self.job.folder is not None else None
        self.observer.on_end(Ended(reason, epochs, None, self._seconds, metrics, path))
        return RunResult(
            status,
            reason,
            self._history,
            {},
            {},
            metrics,
            epochs,
            sum(result.steps for result in self.done),
            None,
            self._seconds,
            judgement,
            exit_code,
            exit_code or (self.done[-1].signalled if self.done else 0),
            tuple(self.done),
        )


class _MemberObserver(Observer):
    """Passes on what concerns the run as a whole: its beginning once, its end not at all."""

    def __init__(self, outer: Observer, job: TrainingJob, *, first: bool) -> None:
        self._outer, self._job, self._first = outer, job, first

    def on_start(self, event: Started) -> None:
        """The run's, for the first member at work."""
        folder = self._job.folder.path if self._job.folder is not None else None
        if self._first:
            self._outer.on_start(replace(event, seed=self._job.seed, folder=folder))

    def on_progress(self, event: Progressed) -> None:
        """Passed on."""
        self._outer.on_progress(event)

    def on_epoch(self, event: EpochEnded) -> None:
        """Passed on."""
        self._outer.on_epoch(event)

    def on_save(self, event: Saved) -> None:
        """Passed on."""
        self._outer.on_save(event)

    def on_note(self, event: Noted) -> None:
        """Passed on."""
        self._outer.on_note(event)
