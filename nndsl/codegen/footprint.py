"""What a training takes of memory, by purpose, known before any of it is taken."""

from __future__ import annotations

from collections.abc import Iterable

from nndsl.codegen.generate import planned
from nndsl.ir.graph import Graph, Role, Value
from nndsl.passes.memory import Area, MemoryPlan, rounded
from nndsl.records import dataclass

EVALUATION_BATCH = 256
"""Rows at a time when nothing is learnt: enough to fill the registers, small enough for caches."""
EVALUATION_BYTES = 1 << 27
"""Temporary values of an evaluation: of large rows so many at a time as these hold."""


@dataclass(frozen=True)
class Share:
    """Bytes that a training takes for one purpose."""

    purpose: str
    bytes: int


@dataclass(frozen=True)
class Footprint:
    """All that a training takes; `plan` is that of its step."""

    shares: tuple[Share, ...]
    plan: MemoryPlan

    @property
    def total(self) -> int:
        """Bytes of all shares."""
        return sum(share.bytes for share in self.shares)


def footprint(
    training: Graph,
    evaluation: Graph,
    precision: str,
    batch: int,
    *,
    keeps: bool,
    tight: bool = False,
    rows: int = 0,
) -> Footprint:
    """The memory of a training with steps of `batch` rows.

    Beside the step: the evaluation, with weights of its own; a copy of weights and states to go
    back to after a divergence; with `keeps` the best weights; the weights as files have them,
    while one is written; and `rows` rows of data.
    """
    ordered, plan = planned(training, precision, batch, tight=tight)
    _, judging = planned(evaluation, precision, evaluation_rows(evaluation, precision))
    weights, state = plan.areas.get(Area.PARAMETERS, 0), plan.areas.get(Area.STATE, 0)
    kept = judging.areas.get(Area.PARAMETERS, 0) + judging.areas.get(Area.STATE, 0)
    given = [plan.places[i.value] for i in ordered.of_role(Role.DATA, Role.TARGET)]
    shares = (
        Share("weights", weights),
        Share("state of the optimizer", state),
        *_temporary(ordered, plan),
        Share("rates and counters", plan.areas.get(Area.CLOCK, 0)),
        Share("evaluation: weights", kept),
        Share("evaluation: values", judging.areas.get(Area.WORKSPACE, 0)),
        Share("copy to go back to", weights + state),
        Share("best weights", kept if keeps else 0),
        Share("weights on the way to a file", weights),
        Share("data", sum(place.bytes // batch * rows for place in given)),
    )
    return Footprint(tuple(share for share in shares if share.bytes), plan)


def evaluation_rows(graph: Graph, precision: str) -> int:
    """How many rows at a time an evaluation does."""
    _, plan = planned(graph, precision, EVALUATION_BATCH)
    return rows_within(plan.areas.get(Area.WORKSPACE, 0))


def rows_within(size: int) -> int:
    """The rows of an evaluation whose values are `size` bytes for the usual number of rows."""
    return max(1, min(EVALUATION_BATCH, EVALUATION_BATCH * EVALUATION_BYTES // max(size, 1)))


def _temporary(graph: Graph, plan: MemoryPlan) -> list[Share]:
    """What the workspace holds at the moment at which it holds the most."""
    end = len(graph.nodes)
    loss = _maker(graph, graph.outputs.get("loss"))
    change = [0] * (end + 3)
    spans = [(first, last, rounded(plan.places[v].bytes)) for v, (first, last) in _lives(plan)]
    for first, last, size in spans:
        change[first + 1] += size
        change[last + 2] -= size
    now, most, moment = 0, 0, 0
    for number, size in enumerate(change):
        now += size
        if now > most:
            most, moment = now, number - 1
    alive = [(first, size) for first, last, size in spans if first <= moment <= last]
    before = sum(size for first, size in alive if first <= loss)
    after = sum(size for first, size in alive if first > loss) + _always_placed(plan)
    rest = max(0, plan.areas.get(Area.WORKSPACE, 0) - before - after)
    return [
        Share("activations", before),
        Share("gradients", after),
        Share("other values of a step", rest),
    ]


def _always_placed(plan: MemoryPlan) -> int:
    """Bytes of the gradients that keep their place, in the order of the parameters."""
    return sum(
        rounded(place.bytes)
        for value, place in plan.places.items()
        if place.area is Area.WORKSPACE and value not in plan.lives and value not in plan.owners
    )


def _lives(plan: MemoryPlan) -> Iterable[tuple[Value, tuple[int, int]]]:
    """The lives of values, of which one that takes another's place begins after it."""
    ends: dict[int, int] = {}
    for value, (first, last) in sorted(plan.lives.items(), key=lambda item: item[1]):
        offset = plan.places[value].offset
        yield value, (first + (ends.get(offset) == first), last)
        ends[offset] = last


def _maker(graph: Graph, value: Value | None) -> int:
    for number, node in enumerate(graph.nodes):
        if value in node.outputs:
            return number
    return len(graph.nodes)
