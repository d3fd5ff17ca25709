"""How long a training lasts: steps, epochs, and the rate at each of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nndsl.lower.result import Number, Recipe
from nndsl.params import TimeLength
from nndsl.records import dataclass


@dataclass(frozen=True)
class Plan:
    """Numbers fixed before the first step. The last epoch of a run counted in steps may be cut.

    `rows` of the `data_rows` training rows are used in an epoch: with `drop_last` as many as fill
    whole batches, others in each epoch.
    """

    data_rows: int
    rows: int
    batch: int
    steps_per_epoch: int
    total_steps: int

    @property
    def epochs(self) -> int:
        """Epochs, the last of which may be cut."""
        return -(-self.total_steps // self.steps_per_epoch)

    def rows_in(self, first_step: int, steps: int) -> int:
        """Rows seen by `steps` steps of one epoch, of which `first_step` (of the run) is first."""
        start = first_step % self.steps_per_epoch * self.batch
        return min(start + steps * self.batch, self.rows) - start


def plan(recipe: Recipe, rows: int) -> Plan:
    """The plan of a recipe for so many training rows (at least one)."""
    batch = min(recipe.batch or rows, rows)
    used = rows // batch * batch if recipe.drop_last else rows
    steps = -(-used // batch)
    return Plan(rows, used, batch, steps, total_steps(recipe.length, steps))


def total_steps(length: TimeLength, steps_per_epoch: int) -> int:
    """A length counted in epochs or steps, in steps; at least one."""
    if length.unit == "step":
        return max(1, round(length.value))
    if length.unit in ("epoch", ""):
        return max(1, round(length.value * steps_per_epoch))
    raise ValueError(f"a training cannot last {length.value:g} {length.unit}")


def learning_rates(
    recipe: Recipe, plan: Plan, levels: Mapping[str, float] | None = None
) -> np.ndarray:
    """The first optimizer's rate at the last step of each epoch, float64 [epochs].

    `levels` are the numbers of plateaus, as if they stayed.
    """
    last = np.minimum((np.arange(plan.epochs) + 1) * plan.steps_per_epoch, plan.total_steps) - 1
    if not recipe.optimizers:
        return np.full(plan.epochs, np.nan)
    use = recipe.optimizers[0]
    return use.rate * _over_time(use.numbers["lr"], last.astype(np.float64), plan, levels or {})


def _over_time(
    number: Number, steps: np.ndarray, plan: Plan, levels: Mapping[str, float]
) -> np.ndarray:
    if isinstance(number, int | float):
        return np.full(len(steps), float(number))
    from nndsl.scalar.evaluation import evaluate

    clock = {
        "step": steps,
        "epoch": np.floor(steps / plan.steps_per_epoch),
        "total_steps": np.full(len(steps), float(plan.total_steps)),
        "steps_per_epoch": np.full(len(steps), float(plan.steps_per_epoch)),
        **levels,
    }
    return np.broadcast_to(evaluate(number, clock), steps.shape)
