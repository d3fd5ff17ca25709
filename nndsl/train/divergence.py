"""Explaining a loss that is no number: the steps before are done again, the oracle does this one.

Steps are repeatable to the bit, so the state right before the first non-finite number is found by
going on from a snapshot. There the graph's NumPy meanings show which value was the first.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nndsl.data.images.lazy import lazy
from nndsl.diagnostics import NndslError, Span, error
from nndsl.ir.graph import CLOCK_NAMES, Graph, Node, Role
from nndsl.ir.types import BATCH
from nndsl.ops.base import Clock, computed
from nndsl.random import permutation
from nndsl.records import dataclass
from nndsl.runtime.rounds import Rounds
from nndsl.train.job import Arrays, TrainingJob
from nndsl.train.keeping import Snapshot
from nndsl.train.plan import Plan
from nndsl.train.replay import do_steps, replay


@dataclass(frozen=True)
class Cause:
    """Where the first non-finite value stood, in words, the place of the source, and a note."""

    text: str
    span: Span | None = None
    note: str = ""


def divergence(
    job: TrainingJob,
    plan: Plan,
    snapshot: Snapshot,
    step: int,
    loss: float,
    notes: tuple[str, ...] = (),
) -> NndslError:
    """The error NN701 for a loss that was not finite at step `step` (from 0 over the run)."""
    epoch, inside = divmod(step, plan.steps_per_epoch)
    became = "NaN" if loss != loss else "infinite"
    update = _update(job)
    cause = find_cause(job, plan, snapshot, step)
    rate = job.recipe.optimizers[0].numbers.get("lr") if job.recipe.optimizers else None
    now = f", now {rate:g}" if isinstance(rate, int | float) else ""
    help = f"lower the learning rate (`lr`{now})"
    if job.recipe.clip is None:
        help += " or add `clip = norm(1.0)`"
    span = cause.span or job.recipe.span
    texts = (update, cause.note, *notes)
    texts = texts if span is not None else (cause.text, *texts)
    return error(
        "NN701",
        f"the loss became {became} at epoch {epoch + 1}, step {inside + 1}",
        span,
        cause.text,
        notes=[text for text in texts if text],
        help=help,
    )


def _update(job: TrainingJob) -> str:
    """Which update stopped a round; empty where there is one objective."""
    if not isinstance(job.training, Rounds):
        return ""
    return f"it was the update of `{job.training.stopped_in.name}`"


def find_cause(job: TrainingJob, plan: Plan, snapshot: Snapshot, step: int) -> Cause:
    """The first non-finite value at or shortly before a step."""
    bad_row = _bad_data(job.train)
    if bad_row is not None:
        return bad_row
    state, start = _last_finite(job, plan, snapshot, step)
    largest = max((float(np.abs(a).max()) for a in state.values() if a.size), default=0.0)
    size = f"the largest weight was {largest:.2g} before this step"
    if job.graph is None:
        return Cause("this section was training", note=size)
    inputs = _inputs(job, job.graph, plan, start)
    for node, is_gradient in _trace(job.graph, inputs, _clock(job, start)):
        what = "gradient" if is_gradient else "output"
        part = f" of `{node.label}`" if node.label else ""
        return Cause(f"first non-finite value: the {what}{part}", node.span, size)
    return Cause("this section was training", note=size)


def _bad_data(arrays: Arrays) -> Cause | None:
    for name, array in arrays.items():
        if array.dtype.kind != "f" or lazy(array) or np.isfinite(array).all():
            continue
        row = int(np.argwhere(~np.isfinite(array.reshape(len(array), -1)).all(axis=1))[0][0])
        return Cause(f"training row {row + 1} of `{name}` holds a value that is no number")
    return None


def _last_finite(job: TrainingJob, plan: Plan, snapshot: Snapshot, step: int) -> tuple[Arrays, int]:
    """Parameters right before the step that made something non-finite, and that step's number.

    The executable is left in this state. The weights may have been ruined by an update some steps
    before the loss shows it.
    """
    back = 0
    while True:
        start = max(snapshot.step, step - back)
        replay(job, plan, snapshot, start)
        if start == snapshot.step or job.training.is_finite():
            break
        back = 2 * back + 1
    while start < step:
        do_steps(job, plan, start, 1)
        if not job.training.is_finite():
            break
        start += 1
    replay(job, plan, snapshot, start)
    return job.training.parameters(), start


def _clock(job: TrainingJob, step: int) -> Clock:
    return Clock(job.seed, step, None, job.recipe.precision)


def _inputs(job: TrainingJob, graph: Graph, plan: Plan, step: int) -> dict[str, np.ndarray]:
    """Arrays of all inputs of the graph for one step, from the executable's present state."""
    epoch, inside = divmod(step, plan.steps_per_epoch)
    count = plan.data_rows
    order = permutation(count, job.seed, epoch) if job.shuffle else np.arange(count)
    rows = order[inside * plan.batch : (inside + 1) * plan.batch]
    given = job.feed.batch(plan, step) if job.feed is not None else None
    clock = (step, epoch, plan.total_steps, plan.steps_per_epoch)
    known: dict[str, np.ndarray] = {
        **{name: np.array(float(value)) for name, value in zip(CLOCK_NAMES, clock, strict=True)},
        **(given or {name: array[rows] for name, array in job.train.items()}),
        **{name: np.array(value) for name, value in graph.settings().items()},
        **job.training.parameters(),
        **job.training.states(),
    }
    return {name: known[name] for name in graph.inputs}


def _trace(
    graph: Graph, inputs: dict[str, np.ndarray], clock: Clock
) -> Iterator[tuple[Node, bool]]:
    """Nodes with a non-finite result, in order, and whether they come after the loss."""
    batch = next((len(inputs[name]) for name, i in graph.inputs.items() if i.role is Role.DATA), 1)
    clock = Clock(clock.seed, clock.step, {BATCH: batch}, clock.precision)
    values = {
        i.value: np.asarray(inputs[name], dtype=clock.dtype(i.value.type.element))
        for name, i in graph.inputs.items()
    }
    loss = graph.outputs.get("data_loss")
    after = False
    with np.errstate(all="ignore"):
        for node in computed(graph, values, clock):
            if not all(np.isfinite(values[value]).all() for value in node.outputs):
                yield node, after
            after = after or loss in node.outputs
