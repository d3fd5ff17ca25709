"""Doing steps, for the first time or again: a step depends on its number and the state alone."""

from __future__ import annotations

from nndsl.train.job import TrainingJob
from nndsl.train.keeping import Snapshot
from nndsl.train.plan import Plan


def do_steps(job: TrainingJob, plan: Plan, first: int, steps: int) -> int:
    """Do steps of a job; the number done, fewer when the loss was not finite at the last."""
    if job.feed is not None:
        return job.feed.run(job.training, plan, first, steps)
    return job.training.run(
        first,
        steps,
        seed=job.seed,
        shuffle=job.shuffle,
        rows=plan.data_rows,
        epoch_rows=plan.rows,
        total_steps=plan.total_steps,
    )


def replay(job: TrainingJob, plan: Plan, snapshot: Snapshot, step: int) -> None:
    """Bring the executable to the state right before `step`, from a snapshot before it."""
    snapshot.restore(job.training)
    if job.feed is not None:
        job.feed.set_state(snapshot.feed)
    if step > snapshot.step:
        do_steps(job, plan, snapshot.step, step - snapshot.step)
