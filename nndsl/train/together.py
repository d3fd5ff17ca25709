"""Several trained networks of one recipe that answer as one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from nndsl.lower.result import Recipe
from nndsl.schema import TargetKind
from nndsl.train.job import Arrays, Executable, Output
from nndsl.vocab.ensembles import TOGETHER, mean_of, votes_of, votes_of_pixels

Join = Callable[[np.ndarray], np.ndarray]
"""What the members say, [members, rows, ...], as what they say together, [rows, ...]."""


class Together:
    """Evaluates rows with each member's weights in turn, and joins the outputs.

    `members` are parameters and states of each; `outputs` those of the network that are joined as
    `recipe` says. Whatever else is computed, such as the loss, is the mean over the members.
    """

    def __init__(
        self,
        executable: Executable,
        members: Sequence[tuple[Arrays, Arrays]],
        recipe: Recipe,
        outputs: Sequence[Output],
    ) -> None:
        self._executable, self._members = executable, members
        self._joins = {output.name: join_of(recipe, output) for output in outputs}

    def evaluate(self, arrays: Arrays) -> dict[str, np.ndarray]:
        """Outputs for all rows, in their order."""
        found: list[dict[str, np.ndarray]] = []
        for parameters, states in self._members:
            self._executable.set_parameters(parameters)
            self._executable.set_states(states)
            found.append(self._executable.evaluate(arrays))
        return {
            name: self._joins.get(name, mean_of)(np.stack([one[name] for one in found]))
            for name in found[0]
        }


def join_of(recipe: Recipe, output: Output) -> Join:
    """How the members of a recipe's ensemble answer together; numbers have no votes."""
    assert recipe.ensemble is not None
    if output.kind is TargetKind.NUMBERS:
        return mean_of
    join = TOGETHER[recipe.ensemble.arguments["answer"]]
    return votes_of_pixels if join is votes_of and output.pictures else join
