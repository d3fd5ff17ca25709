"""A training from its first step, or from a checkpoint, to its result and its run folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from nndsl.diagnostics import NndslError, error
from nndsl.records import dataclass
from nndsl.runtime.durable import Content
from nndsl.runtime.weights import encode
from nndsl.train import folder as names
from nndsl.train import record as records
from nndsl.train.checkpoint import Checkpoint
from nndsl.train.events import Ended, Noted, Observer, Saved, Started
from nndsl.train.feeding import feed_of
from nndsl.train.history import History
from nndsl.train.initial import drawn_one_by_one, to_file_layout
from nndsl.train.interruption import Interruption
from nndsl.train.job import RunResult, TrainingJob, Verdict, part_rows, record_of, row_count
from nndsl.train.keeping import Snapshot
from nndsl.train.loop import INTERRUPTED, DivergenceError, Loop
from nndsl.train.plan import Plan, plan
from nndsl.train.replay import replay
from nndsl.train.resuming import check_resumable, job_fingerprints
from nndsl.train.scoring import final_figures
from nndsl.train.streams import in_streams


@dataclass
class Session:
    """One training in progress, with what it writes."""

    job: TrainingJob
    observer: Observer
    interruption: Interruption
    plan: Plan
    loop: Loop
    fingerprints: dict[str, str] | None = None

    def save(self, snapshot: Snapshot) -> None:
        """Write a checkpoint on the way; when that fails, training goes on and says so."""
        try:
            self._write("running", "", snapshot)
        except NndslError as problem:
            found = problem.diagnostics[0]
            text = f"{found.title}; training goes on, the last checkpoint is as it was"
            self.observer.on_note(Noted(text, found.code))

    def _write(self, status: str, reason: str, snapshot: Snapshot) -> None:
        folder = self.job.folder
        if folder is None:
            return
        history = self.loop.history.first(snapshot.epochs)
        checkpoint = self._checkpoint(snapshot, history)
        states = {name: snapshot.states[name] for name in self.loop.inference_states}
        weights = checkpoint.best or {**snapshot.parameters, **states}
        contents = self._documents()
        contents[names.WEIGHTS] = self._weight_file(dict(weights))
        contents[names.HISTORY] = history.to_csv().encode()
        contents[names.RECORD] = self._record(status, reason, history, {}, snapshot.step)
        contents[names.CHECKPOINT] = checkpoint.encode()
        folder.write(contents)
        self.observer.on_save(Saved(folder.path, snapshot.epochs, snapshot.step))

    def _checkpoint(self, snapshot: Snapshot, history: History) -> Checkpoint:
        if self.fingerprints is None:
            self.fingerprints = job_fingerprints(self.job)
        best = snapshot.best
        return Checkpoint(
            snapshot.step,
            snapshot.parameters,
            snapshot.states,
            history,
            best.weights if best is not None else {},
            best.epoch if best is not None else None,
            self.loop.seconds,
            self.fingerprints,
            snapshot.feed,
        )

    def _documents(self) -> dict[str, Content]:
        documents = {} if self.job.is_member else self.job.documents
        return {name: text.encode() for name, text in documents.items()}

    def _weight_file(self, weights: dict[str, np.ndarray]) -> Content:
        tensors = to_file_layout(self.job.network, weights)
        return encode(tensors, {"kind": "weights", "network": self.job.network.name})

    def _record(
        self,
        status: str,
        reason: str,
        history: History,
        metrics: Mapping[str, float],
        step: int,
    ) -> bytes:
        filled = record_of(
            self.job,
            status,
            stopped=reason,
            epochs=len(history),
            steps=step,
            best_epoch=self.loop.best.epoch if self.loop.best is not None else None,
            metrics=records.finite(metrics),
            seconds=round(self.loop.seconds, 3),
        )
        return records.to_text(filled).encode()

    def announce(self, resumed: int | None) -> None:
        """Tell the observer what is about to be trained."""
        rows = part_rows(self.job)
        self.observer.on_start(
            Started(
                self.job.network.name,
                rows["train"],
                rows["validation"],
                rows["test"],
                self.job.network.parameter_count,
                self.plan.batch,
                self.plan.epochs,
                self.plan.steps_per_epoch,
                self.job.seed,
                self.job.threads,
                self.job.recipe.precision,
                self.job.folder.path if self.job.folder is not None else None,
                resumed,
                self.plan.total_steps
                if self.plan.total_steps % self.plan.steps_per_epoch
                else None,
            )
        )
        for note in self.job.notes if resumed is None else ():
            self.observer.on_note(Noted(note.title, note.code))

    def interrupt(self) -> RunResult:
        """Save and return what there is after a signal."""
        self._write("interrupted", INTERRUPTED, self.loop.snapshots.take(self.loop.picture))
        return self._result("interrupted", INTERRUPTED, self._best_weights(), {}, None)

    def finish(self, reason: str) -> RunResult:
        """Restore the best weights, score all parts, write the folder."""
        weights = self._best_weights()
        self.loop.hand_over(weights)
        metrics, judgement = final_figures(self.job, self.loop.scorer)
        self._tell_mistakes()
        folder = self.job.folder
        if folder is not None:
            contents = self._documents()
            contents[names.WEIGHTS] = self._weight_file(weights)
            contents[names.HISTORY] = self.loop.history.to_csv().encode()
            contents[names.RECORD] = self._record(
                "finished", reason, self.loop.history, metrics, self.loop.step
            )
            folder.write(contents)
            folder.remove(names.CHECKPOINT)
        return self._result("finished", reason, weights, metrics, judgement)

    def diverged(self, problem: DivergenceError) -> Exception:
        """The error that explains a divergence, after the state of the last epoch was saved."""
        from nndsl.train.divergence import divergence  # seldom needed: keeps a start short

        snapshot = self._back_to_epoch()
        notes: tuple[str, ...] = ()
        if self.job.folder is not None and snapshot.epochs > 0:
            self._write("diverged", "the loss was not finite", snapshot)
            notes = (f"the state after epoch {snapshot.epochs} is in `{self.job.folder.path}`",)
        return divergence(self.job, self.plan, snapshot, problem.step, problem.loss, notes)

    def _back_to_epoch(self) -> Snapshot:
        """The state at the end of the last whole epoch, or the newest finite one before it."""
        loop = self.loop
        newest = loop.snapshots.newest
        target = len(loop.history) * self.plan.steps_per_epoch
        if newest.step >= target:
            return newest
        replay(self.job, self.plan, newest, target)
        loop.step = target
        return loop.snapshots.take(loop.picture)

    def _best_weights(self) -> dict[str, np.ndarray]:
        best = self.loop.best
        if best is not None and best.epoch is not None:
            return dict(best.weights)
        return self.loop.weights()

    def _tell_mistakes(self) -> None:
        """Say what remains where training was to go on until no training row is misclassified."""
        if not any(stop.word == "no_mistakes" for stop in self.job.recipe.stop):
            return
        left = self.loop.scorer.mistakes(self.job.train)
        if left:
            rows, epochs = row_count(self.job.train), len(self.loop.history)
            text = f"still {left} of {rows} training rows are misclassified after {epochs} epochs"
            self.observer.on_note(Noted(text, "NN830"))

    def _result(
        self,
        status: str,
        reason: str,
        weights: dict[str, np.ndarray],
        metrics: dict[str, float],
        judgement: Verdict | None,
    ) -> RunResult:
        loop = self.loop
        best_epoch = loop.best.epoch if loop.best is not None else None
        seconds = loop.seconds
        path = self.job.folder.path if self.job.folder is not None else None
        self.observer.on_end(Ended(reason, len(loop.history), best_epoch, seconds, metrics, path))
        known = self.job.network.parameters
        return RunResult(
            status,
            reason,
            loop.history,
            {name: array for name, array in weights.items() if name in known},
            {name: array for name, array in weights.items() if name not in known},
            metrics,
            len(loop.history),
            loop.step,
            best_epoch,
            seconds,
            judgement,
            self.interruption.exit_code if status == "interrupted" else 0,
            self.interruption.exit_code,
        )


def train(
    job: TrainingJob, observer: Observer | None = None, checkpoint: Checkpoint | None = None
) -> RunResult:
    """Train a job to its end, or until a signal; with a checkpoint, go on from there.

    Raises NN701 when the loss is not finite (after the last finite state was saved), NN610-NN612
    when the folder cannot be written, NN391 when a figure to watch is not computed.
    """
    observer = observer or Observer()
    if job.recipe.carry and row_count(job.train):
        job = in_streams(job)
    job = replace(job, feed=feed_of(job))
    rows = job.feed.count if job.feed is not None else row_count(job.train)
    if rows == 0:
        raise error("NN392", "there are no training rows", job.recipe.span)
    with Interruption() as interruption:
        for name, array in job.train.items() if job.feed is None else ():
            job.training.bind(name, array)
        planned = plan(job.recipe, rows)
        _set_start(job, checkpoint)
        loop = Loop(job, planned, observer, interruption)
        session = Session(job, observer, interruption, planned, loop)
        if job.folder is not None:
            loop.save = session.save
        if checkpoint is not None:
            check_resumable(job, checkpoint)
            loop.restore(checkpoint)
        session.announce(len(loop.history) if checkpoint is not None else None)
        _say_what_is_kept(job, loop, observer)
        try:
            reason = loop.run()
        except DivergenceError as problem:
            raise session.diverged(problem) from None
        return session.interrupt() if reason == INTERRUPTED else session.finish(reason)


def _set_start(job: TrainingJob, checkpoint: Checkpoint | None) -> None:
    """The weights and states before the first step (a checkpoint brings its own)."""
    if checkpoint is not None:
        return
    known, given = job.network.parameters, dict[str, np.ndarray]()
    for name, array in (job.initial or {}).items() or drawn_one_by_one(job.network, job.seed):
        if name in known:
            job.training.set_parameters({name: array})
        else:
            given[name] = array
    starts = job.network.graph.starts()
    states = {
        name: np.full_like(array, starts.get(name, 0.0))
        for name, array in job.training.states().items()
    }
    job.training.set_states({**states, **given})


def _say_what_is_kept(job: TrainingJob, loop: Loop, observer: Observer) -> None:
    if job.recipe.keep is not None and loop.best is None:
        observer.on_note(Noted("no validation rows: the weights of the last epoch are kept"))
