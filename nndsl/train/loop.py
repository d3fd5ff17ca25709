"""The training loop: chunks of steps, an epoch's figures, the best weights, when to stop.

One epoch of a tiny network takes some microseconds of machine code, so what Python does in an epoch
is kept to a few calls. Steps run in chunks of about `CHUNK_SECONDS`, between which Ctrl-C, time
limits and checkpoints are looked at. What a step does depends on its number and the state alone, so
where chunks begin and end changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from nndsl.train import stopping
from nndsl.train.checkpoint import Checkpoint
from nndsl.train.events import EpochEnded, Observer, Progressed
from nndsl.train.history import History
from nndsl.train.interruption import Interruption
from nndsl.train.job import GRADIENT_NORM, TrainingJob, inference_states
from nndsl.train.keeping import Best, Snapshot, Snapshots
from nndsl.train.losses_seen import LossesSeen
from nndsl.train.plan import Plan, learning_rates
from nndsl.train.plateaus import levels_of
from nndsl.train.replay import do_steps
from nndsl.train.scoring import LOSS, Scorer

CHUNK_SECONDS = 0.1
PROGRESS_SECONDS = 0.1
INTERRUPTED = "interrupted"
MANY_WEIGHTS = 1 << 22
"""Weights from which on memory holds no second copy of the best ones, for going back."""


class DivergenceError(Exception):
    """The loss was not finite, but `loss`, at step `step`, counted from 0 over the run."""

    def __init__(self, step: int, loss: float) -> None:
        super().__init__(step, loss)
        self.step, self.loss = step, loss


class Loop:
    """Runs a job from its present state until a reason to stop; the state is then in the fields."""

    def __init__(
        self,
        job: TrainingJob,
        plan: Plan,
        observer: Observer,
        interruption: Interruption,
    ) -> None:
        self.job, self.plan = job, plan
        self.save: Callable[[Snapshot], None] | None = None  # called about every `save_seconds`
        self.step = 0
        self.seconds_before = 0.0  # of the earlier parts of a resumed run
        self._observer, self._interruption = observer, interruption
        self.scorer = Scorer(job.evaluation, job.recipe, job.outputs)
        self.history = History(self._columns())
        self.best = self._kept()
        held = job.training.states() if job.recipe.plateaus else {}
        self._levels = levels_of(
            [p for p in job.recipe.plateaus if p.name in held],
            self.history.columns,
            self.scorer.higher_is_better,
            job.training.memory,
        )
        self._rates = self._learning_rates()
        self._conditions = stopping.conditions(
            job.recipe.stop,
            self.history.columns,
            self.scorer.higher_is_better,
            self._norm,
            self._mistakes,
        )
        self._time_limit = stopping.time_limit(job.recipe.stop)
        self.inference_states = inference_states(job.network)
        self._known = [*job.network.parameters, *self.inference_states]
        self._has_many_weights = job.network.parameter_count > MANY_WEIGHTS
        self._losses = LossesSeen(job, plan)
        self._chunk = 1
        self._started = self._reported = self._saved = time.perf_counter()
        self.snapshots = Snapshots(self.picture(), job.training.is_finite)

    def _learning_rates(self) -> list[float]:
        """The rate at the end of each epoch, as long as no plateau changes."""
        rates: list[float] = learning_rates(
            self.job.recipe, self.plan, self._levels.values()
        ).tolist()
        return rates

    def _columns(self) -> list[str]:
        columns = ["epoch", "step", "learning_rate", "train_loss"]
        columns += [f"train_{turn.figure}" for turn in self.job.recipe.turns]
        if self.job.validation:
            columns += ["val_loss", *(f"val_{name}" for name in self.scorer.names)]
        return columns

    def _kept(self) -> Best | None:
        """What to keep the best of; nothing when the figure needs validation rows and none are."""
        keep = self.job.recipe.keep
        if keep is None or (keep == "val_loss" and not self.job.validation):
            return None
        stopping.check_figure(keep, self.history.columns, self.job.recipe.span)
        return Best(keep, self.scorer.higher_is_better(keep))

    def _norm(self) -> float:
        return float(self.job.training.output(GRADIENT_NORM))

    def _mistakes(self) -> int:
        self.job.evaluation.take(self.job.training, self._known)
        return self.scorer.mistakes(self.job.train)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint instead of from the start."""
        self.job.training.set_parameters(checkpoint.parameters)
        self.job.training.set_states(checkpoint.states)
        if self.job.feed is not None:
            self.job.feed.set_state(checkpoint.feed)
        self.step = checkpoint.step
        self.history = checkpoint.history.first(len(checkpoint.history))
        self.seconds_before = checkpoint.seconds
        if self.best is not None and checkpoint.best_epoch is not None:
            value = self.history.column(self.best.figure)[checkpoint.best_epoch - 1]
            self.best.take(checkpoint.best_epoch, value, dict(checkpoint.best))
        self._levels.follow(self.history)
        self._rates = self._learning_rates()
        self.snapshots = Snapshots(self.picture(), self.job.training.is_finite)

    @property
    def seconds(self) -> float:
        """Time trained so far, all parts of a resumed run together."""
        return self.seconds_before + time.perf_counter() - self._started

    def picture(self) -> Snapshot:
        """The present state, copied."""
        training = self.job.training
        best = replace(self.best) if self.best is not None else None
        feed = self.job.feed.state() if self.job.feed is not None else {}
        return Snapshot(
            self.step, len(self.history), training.parameters(), training.states(), best, feed
        )

    def run(self) -> str:
        """Train until the end, a condition, or a signal; why it ended. Or `DivergenceError`."""
        reason = None
        while reason is None and self.step < self.plan.total_steps:
            reason = self._run_epoch()
        if self.plan.epochs == 1:
            return reason or "the epoch is done"
        return reason or f"all {self.plan.epochs} epochs are done"

    def _run_epoch(self) -> str | None:
        """Do (the rest of) an epoch; a reason to stop, if one came."""
        first = len(self.history) * self.plan.steps_per_epoch
        end = min(first + self.plan.steps_per_epoch, self.plan.total_steps)
        if self.step == first:
            self._losses.clear()
        while self.step < end:
            self._run_chunk(min(self._chunk, end - self.step))
            if self.step < end and (reason := self._look_around()):
                return reason
        self._finish_epoch(first)
        for condition in self._conditions:
            if reason := condition.met(self.history):
                return reason
        return self._look_around() if self.step < self.plan.total_steps else None

    def _run_chunk(self, steps: int) -> None:
        """Do some steps, and choose how many fit into the next chunk."""
        before = time.perf_counter()
        done = do_steps(self.job, self.plan, self.step, steps)
        if done < steps or not self._losses.is_finite:
            raise DivergenceError(self.step + done - 1, float(self.job.training.output(LOSS)))
        self.step += done
        seconds = time.perf_counter() - before
        if steps == self._chunk:
            self._chunk = max(1, min(2 * steps, int(CHUNK_SECONDS / max(seconds, 1e-9) * steps)))

    def _train_loss(self) -> float:
        """Mean loss of this epoch's rows so far."""
        first = len(self.history) * self.plan.steps_per_epoch
        return self._losses.mean(first, self.step - first)

    def _finish_epoch(self, first: int) -> None:
        epoch = len(self.history) + 1
        figures = {
            "epoch": epoch,
            "step": self.step,
            "learning_rate": self._rates[epoch - 1],
            "train_loss": self._train_loss(),
        }
        losses = self._losses.by_update(first, self.step - first)
        figures |= {f"train_{name}": loss for name, loss in losses.items()}
        metrics = {}
        if self.job.validation:
            self.job.evaluation.take(self.job.training, self._known)
            scores = self.scorer.score(self.job.validation)
            figures["val_loss"] = scores.loss
            metrics = dict(scores.metrics)
            for name, value in metrics.items():
                figures[f"val_{name}"] = value
        self.history.append(figures)
        if self._levels.follow(self.history):
            self._rates = self._learning_rates()
            self.snapshots.take(self.picture)  # to go back over a change would undo it
        is_best = self._keep_if_best(figures, epoch)
        event = EpochEnded(
            epoch,
            self.plan.epochs,
            self.step,
            figures["train_loss"],
            figures.get("val_loss"),
            metrics,
            figures["learning_rate"],
            is_best,
            self.best.epoch if self.best is not None else None,
            self.seconds,
            losses,
        )
        self._observer.on_epoch(event)

    def _keep_if_best(self, figures: dict[str, float], epoch: int) -> bool:
        best = self.best
        if best is None or not best.beaten_by(figures[best.figure]):
            return False

        def kept() -> Snapshot:
            best.weights = {}  # forgotten before the next ones are copied
            best.take(epoch, figures[best.figure], self.weights())
            return self.picture()

        if self._has_many_weights:
            self.snapshots.take(kept)  # which then has the same ones
        else:
            best.take(epoch, figures[best.figure], self.weights())
        return True

    def weights(self) -> dict[str, np.ndarray]:
        """Copies of the parameters, and of the states that inference needs."""
        return self.job.training.copies(self._known)

    def hand_over(self, weights: Mapping[str, np.ndarray]) -> None:
        """Give the evaluation some weights."""
        evaluation = self.job.evaluation
        evaluation.set_parameters({name: weights[name] for name in self.job.network.parameters})
        evaluation.set_states({name: weights[name] for name in self.inference_states})

    def _look_around(self) -> str | None:
        """Between chunks: signals and the time limit end the run; save and report at times."""
        if self._interruption.signal is not None:
            return INTERRUPTED
        now = time.perf_counter()
        if self._time_limit is not None and self.seconds > self._time_limit:
            return f"{self._time_limit / 60:g} minutes are over"
        if self.snapshots.is_due(now):
            self.snapshots.take(self.picture)
        if self.save is not None and now - self._saved > self.job.save_seconds:
            self.save(self.snapshots.take(self.picture))
            self._saved = time.perf_counter()
        if now - self._reported > PROGRESS_SECONDS:
            self._reported = now
            self._report()
        return None

    def _report(self) -> None:
        first = len(self.history) * self.plan.steps_per_epoch
        if self.step == first:
            return
        self._observer.on_progress(
            Progressed(
                len(self.history) + 1,
                self.step - first,
                self.plan.steps_per_epoch,
                self._train_loss(),
                self.seconds,
            )
        )
