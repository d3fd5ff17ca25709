"""Several programs whose steps make a round: the updates of a training with several objectives.

Each update is a program of its own on the same weights and running statistics, which lie in the
memory of the first program that has them. What else a program keeps (an optimizer's moments, the
sum of losses) is its own and has the update's name before its own. In round r, counted from 0, an
update with `times` and `every` does its steps `times * (r // every)` and the `times - 1` after it,
in one round of every `every`. A step depends on its number alone, so a round can be done again, and
an update with `times = 2` sees two batches in a round.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np

from nndsl.lower.result import PLATEAU, Turn
from nndsl.passes.update import GRADIENT_NORM, LOSS_SUM
from nndsl.runtime.executable import Executable

Array = np.ndarray


class Rounds:
    """The executables of the updates in turn: one step of it is a round (see `Executable`)."""

    def __init__(
        self, turns: Sequence[Turn], executables: Sequence[Executable], common: Collection[str]
    ) -> None:
        self._turns, self._executables = tuple(turns), tuple(executables)
        self._places: dict[str, tuple[Executable, str]] = {}
        self._parameters: list[str] = []
        self._of = dict(zip(turns, executables, strict=True))
        for turn, executable in self._of.items():
            for name in executable.program.parameters:
                if name not in self._places:
                    self._parameters.append(name)
                self._places.setdefault(name, (executable, name))
            for name in executable.program.states:
                shared = name in common or name.startswith(PLATEAU)
                known = name if shared else f"{turn.name}/{name}"
                self._places.setdefault(known, (executable, name))
        self._states = [name for name in self._places if name not in self._parameters]
        self._last = self._executables[0]
        self._bound: dict[str, Array] = {}
        self.compiled = sum(executable.compiled for executable in executables)
        self.program = self._executables[0].program

    # --- rows ---------------------------------------------------------------------------------

    def bind(self, name: str, array: Array) -> None:
        """Use these rows for an input, in every update that reads it."""
        self._bound[name] = array
        for executable in self._executables:
            if name in executable.program.inputs:
                executable.bind(name, array)

    def run(
        self,
        first_step: int,
        steps: int,
        *,
        seed: int = 0,
        shuffle: bool = False,
        rows: int | None = None,
        epoch_rows: int | None = None,
        total_steps: int | None = None,
        steps_per_epoch: int | None = None,
    ) -> int:
        """Do rounds; fewer when a loss was not finite: the last one done is then not whole.

        Of rows that are part of a longer epoch (`steps_per_epoch` is given) every update sees the
        round's batch.
        """
        total = total_steps or first_step + steps
        for done in range(steps):
            size = rows
            if steps_per_epoch is not None:
                size = self._bind_batch(done)
            for turn, first, count in self._steps(first_step + done, steps_per_epoch is not None):
                self._last = self._of[turn]
                self._last.run(
                    first,
                    count,
                    seed=seed,
                    shuffle=shuffle,
                    rows=size,
                    epoch_rows=epoch_rows,
                    total_steps=turn.steps_before(total),
                    steps_per_epoch=steps_per_epoch,
                )
                if self._last.stopped:
                    return done + 1
        return steps

    def _steps(self, number: int, singly: bool) -> Iterator[tuple[Turn, int, int]]:
        """The updates of a round, with their first step in it and how many."""
        for turn in self._turns:
            first = turn.steps_before(number)
            count = turn.steps_before(number + 1) - first
            if not singly:
                yield from [(turn, first, count)] if count else []
                continue
            for step in range(first, first + count):
                yield turn, step, 1

    def _bind_batch(self, number: int) -> int:
        """Let all updates see one batch of the rows bound; how many rows it has."""
        batch, size = self.program.batch, 0
        whole = dict(self._bound)
        for name, array in whole.items():
            part = array[number * batch : (number + 1) * batch]
            self.bind(name, part)
            size = len(part)
        self._bound = whole
        return size

    @property
    def stopped(self) -> bool:
        """Whether the last `run` ended because a loss was not finite."""
        return self._last.stopped

    @property
    def stopped_in(self) -> Turn:
        """The update that was done last."""
        return next(turn for turn, e in self._of.items() if e is self._last)

    # --- parameters and states ----------------------------------------------------------------

    def parameters(self) -> dict[str, Array]:
        """Copies of the learnt arrays."""
        return self.copies(self._parameters)

    def states(self) -> dict[str, Array]:
        """Copies of what is kept from round to round."""
        return self.copies(self._states)

    def set_parameters(self, values: Mapping[str, Array]) -> None:
        """Write learnt arrays. KeyError or ValueError for a name or shape that is not there."""
        for name, value in values.items():
            executable, own = self._places[name]
            executable.set_parameters({own: value})

    def set_states(self, values: Mapping[str, Array]) -> None:
        """Write states. KeyError or ValueError for a name or shape that is not there."""
        for name, value in values.items():
            executable, own = self._places[name]
            executable.set_states({own: value})

    def copies(self, names: Collection[str]) -> dict[str, Array]:
        """Copies of some parameters and states by name."""
        found = {}
        for name in names:
            executable, own = self._places[name]
            found[name] = executable.copies([own])[own]
        return found

    def holder(self, name: str) -> Executable:
        """The executable whose memory a parameter or a running statistic lies in."""
        return self._places[name][0]

    def memory(self, name: str) -> Array:
        """The memory of a state; the sum of all losses is no memory of its own."""
        if name == LOSS_SUM:
            return np.array(sum(e.memory(LOSS_SUM).item() for e in self._executables))
        executable, own = self._places[name]
        return executable.memory(own)

    def is_finite(self) -> bool:
        """Whether no parameter and no state holds NaN or infinity."""
        return all(executable.is_finite() for executable in self._executables)

    def output(self, name: str) -> Array:
        """An output of the update done last; of the norm of gradients that of all together."""
        if name == GRADIENT_NORM:
            return np.array(math.hypot(*(float(e.output(name)) for e in self._executables)))
        return self._last.output(name)

    def close(self) -> None:
        """End the threads."""
        for executable in self._executables:
            executable.close()
