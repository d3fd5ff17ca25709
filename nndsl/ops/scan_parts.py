"""What a scan is made of, by the inputs and outputs of its body."""

from __future__ import annotations

from typing import Protocol

from nndsl.ir.body import Body
from nndsl.ir.graph import Node
from nndsl.ops.base import Op


class Recurrence(Protocol):
    """What is asked of a scan: see `nndsl.ops.scan.Scan`."""

    @property
    def body(self) -> Body:
        """One step."""

    @property
    def sequences(self) -> int:
        """Number of operands over time."""

    @property
    def states(self) -> int:
        """Number of operands that the steps hand on."""

    @property
    def times(self) -> int:
        """How often the body is done where no sequence says it, else 0."""

    def another(self, body: Body, sequences: int, states: int, *, back: bool = False) -> Op:
        """A scan with another body, in this or (`back`) the other direction."""


class ScanParts:
    """A scan taken apart; `given` are the operands by the inputs of the body."""

    def __init__(self, node: Node, scan: Recurrence) -> None:
        self.node, self.scan = node, scan
        self.body = scan.body.graph
        inputs = [entry.value for entry in self.body.inputs.values()]
        first, last = scan.sequences, scan.sequences + scan.states
        self.sequences, self.states = inputs[:first], inputs[first:last]
        self.constants = inputs[last:]
        self.given = dict(zip(inputs, node.inputs, strict=True))
        results = list(self.body.outputs.values())
        self.next, self.kept = results[: len(self.states)], results[len(self.states) :]
