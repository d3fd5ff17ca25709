"""The mean loss of an epoch so far: of the one objective, or of each update of a round."""

from __future__ import annotations

import math

from nndsl.lower.result import Turn
from nndsl.train.job import LOSS_SUM, TrainingJob
from nndsl.train.plan import Plan


class LossesSeen:
    """Sums of losses that the training adds up in its states, and what they are means of."""

    def __init__(self, job: TrainingJob, plan: Plan) -> None:
        self._plan = plan
        turns = job.recipe.turns
        names = {turn.figure: f"{turn.name}/{LOSS_SUM}" for turn in turns} or {"loss": LOSS_SUM}
        self._sums = {figure: job.training.memory(name) for figure, name in names.items()}
        self._turns = {turn.figure: turn for turn in turns}

    def clear(self) -> None:
        """Begin an epoch."""
        for total in self._sums.values():
            total[...] = 0.0

    @property
    def is_finite(self) -> bool:
        """Whether all sums are finite."""
        return all(math.isfinite(total.item()) for total in self._sums.values())

    def mean(self, first: int, steps: int) -> float:
        """The mean loss over the rows of `steps` steps from `first` on; of several their sum."""
        if not self._turns:
            (total,) = self._sums.values()
            return float(total.item() / self._plan.rows_in(first, steps))
        known = self.by_update(first, steps).values()
        return math.fsum(loss for loss in known if not math.isnan(loss))

    def by_update(self, first: int, steps: int) -> dict[str, float]:
        """The mean loss of each update in these rounds; NaN for one that was not done in them."""
        found = {}
        for figure, turn in self._turns.items():
            rows = _rows_before(turn, first + steps, self._plan)
            rows -= _rows_before(turn, first, self._plan)
            found[figure] = self._sums[figure].item() / rows if rows else math.nan
        return found


def _rows_before(turn: Turn, rounds: int, plan: Plan) -> int:
    """The rows that an update sees in the first rounds of a run."""
    epochs, inside = divmod(turn.steps_before(rounds), plan.steps_per_epoch)
    return epochs * plan.rows + min(inside * plan.batch, plan.rows)
