"""The tile of a plain sum: the left matrix is one row of ones, and is not read.

A single chain of additions would wait for each of them; so steps of the depth are dealt out to
`CHAINS` sums, which are added at the end. That order is the same wherever the tile stands.
"""

from __future__ import annotations

from nndsl.codegen.assembly import Value, integer
from nndsl.codegen.contraction.frame import Frame, Place, load_strided
from nndsl.codegen.contraction.tiles import Panel

CHAINS = 4


class SumTile:
    """One row of results: the sums of a panel's columns."""

    def __init__(self, frame: Frame, panel: Panel, place: Place) -> None:
        self.frame = frame
        self.writer = frame.writer
        self.parts = panel.parts
        self.place = place
        self.masks = [frame.mask(part, place) for part in panel.parts]

    def write(self) -> None:
        """The whole tile: chains, their sum, epilogue, stores."""
        problem, frame = self.frame.problem, self.frame
        right = frame.address(frame.right, (self.place.column, problem.right_column))
        count = len(self.parts)
        start = frame.load_sums(1, self.parts, self.place)
        zeros = [frame.shape(part).constant(0) for part in self.parts]
        chains = [*start, *(zeros * (CHAINS - 1))]

        def dealt(k: Value, sums: list[Value], steps: int) -> list[Value]:
            base = frame.address(right, (k, problem.right_depth))
            added = [self._added(base, step, sums) for step in range(steps)]
            return [*(v for values in added for v in values), *sums[steps * count :]]

        k, chains = self.writer.loop(
            integer(0), frame.depth, CHAINS, chains, lambda k, sums: dealt(k, sums, CHAINS)
        )
        _, chains = self.writer.loop(k, frame.depth, 1, chains, lambda k, sums: dealt(k, sums, 1))
        while len(chains) > count:
            half = len(chains) // 2
            chains = [self._sum(*pair) for pair in zip(chains[:half], chains[half:], strict=True)]
        frame.finish([chains], self.parts, self.place)

    def _added(self, base: Value, step: int, sums: list[Value]) -> list[Value]:
        """The chain of a step with that step's numbers added, register by register."""
        problem, writer, scalar = self.frame.problem, self.writer, self.frame.scalar
        values = []
        for index, (part, mask) in enumerate(zip(self.parts, self.masks, strict=True)):
            offset = step * problem.right_depth + part.offset * problem.right_column
            address = writer.offset(base, scalar, integer(offset))
            shape = self.frame.shape(part)
            register = load_strided(writer, shape, address, problem.right_column, part, mask)
            values.append(self._sum(sums[step * len(self.parts) + index], register))
        return values

    def _sum(self, one: Value, other: Value) -> Value:
        return self.writer.define(one.type, f"fadd {one}, {other.name}")
