"""A training step compiled for several lengths of sequences: a batch takes the shortest it fits.

The programs differ in the length of their sequences alone. Weights, and all that is kept from step
to step, lie in the memory of the longest. Which rows a batch holds, and so which program does a
step, depends on the seed and the step's number.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np

from nndsl.records import dataclass
from nndsl.row_orders import bucketed_order
from nndsl.runtime.executable import Executable

Array = np.ndarray


@dataclass(frozen=True)
class Bucket:
    """The program for sequences of at most these lengths, by the names of inputs and targets."""

    executable: Executable
    lengths: Mapping[str, int]


class Buckets:
    """Executables that take turns as the lengths of rows want it (see `Executable`).

    `buckets` go from short to long, `fitting` gives for each row the number of the first that it
    fits.
    """

    def __init__(
        self, buckets: Sequence[Bucket], fitting: Callable[[Mapping[str, Array]], Array]
    ) -> None:
        self._buckets, self._fitting = tuple(buckets), fitting
        self._longest = self._last = buckets[-1].executable
        self.program = self._longest.program
        self.compiled = sum(bucket.executable.compiled for bucket in buckets)
        self._rows: dict[str, Array] = {}
        self._numbers: Array | None = None
        self._order: tuple[tuple[int, int, int | None], Array] | None = None

    # --- rows ---------------------------------------------------------------------------------

    def bind(self, name: str, array: Array) -> None:
        """Use these rows for an input from now on."""
        self._rows[name] = array
        self._numbers = self._order = None

    def order(self, seed: int, epoch: int, rows: int | None = None) -> Array:
        """The rows of an epoch in their order."""
        wanted = (seed, epoch, rows)
        if self._order is None or self._order[0] != wanted:
            lengths = self._bucket_of_rows()
            batch = self.program.batch
            self._order = wanted, bucketed_order(lengths, batch, seed, epoch, rows)
        return self._order[1]

    def _bucket_of_rows(self) -> Array:
        if self._numbers is None:
            self._numbers = self._fitting(self._rows)
        return self._numbers

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
        """Do steps on the rows bound; fewer when the loss was not finite at the last."""
        batch = self.program.batch
        count = epoch_rows or rows or len(next(iter(self._rows.values())))
        per_epoch = -(-count // batch)
        for done in range(steps):
            epoch, inside = divmod(first_step + done, per_epoch)
            chosen = self.order(seed, epoch, count)[inside * batch : (inside + 1) * batch]
            self._step(
                first_step + done, chosen, seed, total_steps or first_step + steps, per_epoch
            )
            if self._last.stopped:
                return done + 1
        return steps

    def _step(self, step: int, rows: Array, seed: int, total_steps: int, per_epoch: int) -> None:
        bucket = self._buckets[int(self._bucket_of_rows()[rows].max())]
        self._last = bucket.executable
        for name, array in self._rows.items():
            length = bucket.lengths.get(name)
            part = array[rows] if length is None else array[rows, :length]
            self._last.bind(name, np.ascontiguousarray(part))
        self._last.run(step, 1, seed=seed, total_steps=total_steps, steps_per_epoch=per_epoch)

    @property
    def stopped(self) -> bool:
        """Whether the last `run` ended because the loss was not finite."""
        return self._last.stopped

    # --- parameters and states: those of the longest, which all others use --------------------

    def parameters(self) -> dict[str, Array]:
        """Copies of the learnt arrays."""
        return self._longest.parameters()

    def states(self) -> dict[str, Array]:
        """Copies of what is kept from step to step."""
        return self._longest.states()

    def set_parameters(self, values: Mapping[str, Array]) -> None:
        """Write learnt arrays."""
        self._longest.set_parameters(values)

    def set_states(self, values: Mapping[str, Array]) -> None:
        """Write states."""
        self._longest.set_states(values)

    def copies(self, names: Collection[str]) -> dict[str, Array]:
        """Copies of some parameters and states by name."""
        return self._longest.copies(names)

    def holder(self, name: str) -> Executable:
        """The executable whose memory a parameter or a state lies in."""
        return self._longest

    def memory(self, name: str) -> Array:
        """The memory of a state."""
        return self._longest.memory(name)

    def is_finite(self) -> bool:
        """Whether no parameter and no state holds NaN or infinity."""
        return self._longest.is_finite()

    def output(self, name: str) -> Array:
        """An output of the last step."""
        return self._last.output(name)

    def close(self) -> None:
        """End the threads."""
        for bucket in self._buckets:
            bucket.executable.close()
