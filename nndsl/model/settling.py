"""How networks with cycles came to rest: after how many steps, or in which cycle of states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from math import prod

import numpy as np

from nndsl.diagnostics import Diagnostic, Label, Severity
from nndsl.ir.graph import Graph
from nndsl.lower.result import Network, Settling
from nndsl.records import dataclass

MOST_ROWS = 1_000
"""So many rows of a table are looked at."""


@dataclass(frozen=True)
class Rest:
    """For each row: the steps until nothing changed (`limit`: it still did), and where it still
    did, after how many steps a state returns (0: it has not).
    """

    steps: np.ndarray
    periods: np.ndarray
    moves: np.ndarray


@dataclass
class Rests:
    """What came to rest while a command ran, by net and `settle`."""

    found: dict[tuple[str, str], tuple[Settling, list[Rest]]] = field(default_factory=dict)

    def add(
        self,
        network: Network,
        weights: Mapping[str, np.ndarray],
        arrays: Mapping[str, np.ndarray],
        precision: str = "float64",
    ) -> None:
        """Look at the first rows, which the oracle computes once more."""
        for settling, rest in rests_of(network, weights, arrays, precision):
            entry = self.found.setdefault((network.name, settling.path), (settling, []))
            entry[1].append(rest)

    def told(self) -> list[Diagnostic]:
        """NN813 for each `settle`: a note where all rows came to rest, else a warning."""
        return [
            _told(f"{net}.{path}", settling, rests)
            for (net, path), (settling, rests) in self.found.items()
        ]


def rests_of(
    network: Network,
    weights: Mapping[str, np.ndarray],
    arrays: Mapping[str, np.ndarray],
    precision: str = "float64",
) -> list[tuple[Settling, Rest]]:
    """Each `settle` of a network on the first rows; weights and arrays in the graph's layout."""
    if not network.settlings:
        return []
    graph = network.graph.copy()
    graph.outputs = {
        f"{number}.{place}.{side}": value
        for number, settling in enumerate(network.settlings)
        for place, pair in enumerate(settling.states)
        for side, value in zip(("before", "after"), pair, strict=True)
    }
    graph = _without_unread(graph)
    known = {name: array[:MOST_ROWS] for name, array in arrays.items()}
    wanted = {**weights, **known}
    given = {name: wanted[name] for name in graph.inputs}
    from nndsl.runtime import reference  # few networks settle

    states, _ = reference.evaluate(graph, given, precision=precision)
    found = []
    for number, settling in enumerate(network.settlings):
        pairs = [
            (states[f"{number}.{place}.before"], states[f"{number}.{place}.after"])
            for place in range(len(settling.states))
        ]
        before, after = (np.concatenate([_flat(p[i], settling) for p in pairs], axis=2)
                         for i in (0, 1))  # fmt: skip
        found.append((settling, _rest(before, after, settling.tolerance)))
    return found


def _without_unread(graph: Graph) -> Graph:
    """The graph without nodes and inputs that its outputs do not need."""
    from nndsl.passes.dce import DeadCode

    graph = DeadCode()(graph)
    read = {v for node in graph.nodes for v in node.inputs} | set(graph.outputs.values())
    graph.inputs = {name: entry for name, entry in graph.inputs.items() if entry.value in read}
    return graph


def _flat(states: np.ndarray, settling: Settling) -> np.ndarray:
    """[rows, steps, numbers]; each step of a recurrence around it is a row."""
    numbers = prod(states.shape[2 + settling.within :])
    return states.reshape(-1, settling.limit, numbers)


def _rest(before: np.ndarray, after: np.ndarray, tolerance: float) -> Rest:
    """From the states before and behind all steps, [rows, steps, numbers]."""
    limit = before.shape[1]
    counted = np.arange(1, limit + 1)
    with np.errstate(invalid="ignore"):  # infinite states differ from themselves
        moved = ~(np.abs(after - before).max(axis=2) <= tolerance)
        same = np.abs(after[:, -1:] - before).max(axis=2) <= tolerance
    steps = np.where(moved, counted, 0).max(axis=1)
    latest = np.where(same, counted, 0).max(axis=1)  # a state before step t is that behind t - 1
    moves = moved[:, -1]
    periods = np.where(moves & (latest > 0), limit + 1 - latest, 0)
    return Rest(steps, periods, moves)


def _told(name: str, settling: Settling, rests: list[Rest]) -> Diagnostic:
    steps, periods, moves = (
        np.concatenate([getattr(rest, part) for rest in rests])
        for part in ("steps", "periods", "moves")
    )
    if not moves.any():
        title = f"`{name}` stands still after {_between(steps)}{_of_rows(len(steps))}"
        return Diagnostic("NN813", title, severity=Severity.NOTE)
    label = Label(settling.span) if settling.span is not None else None
    cycles = periods[moves & (periods > 0)]
    rows = (
        f": {moves.sum()} of {len(moves)} rows still change" if len(moves) > 1 else " still changes"
    )
    title = f"`{name}`{rows} after {settling.limit} steps"
    help: tuple[str, ...] = (f"a greater limit: limit={2 * settling.limit}",)
    if len(cycles):
        which = f", {len(cycles)} of them" if len(cycles) < moves.sum() else ""
        title += f"{which}, in a cycle of {_between(cycles, 'state')}"
        help = (
            "no greater limit stops a cycle: the weights, or the state at the start, lead there",
        )
    return Diagnostic("NN813", title, label, help=help, severity=Severity.WARNING)


def _between(numbers: np.ndarray, noun: str = "step") -> str:
    """`3 steps`, `2 to 9 steps`."""
    low, high = int(numbers.min()), int(numbers.max())
    text = f"{low}" if low == high else f"{low} to {high}"
    return f"{text} {noun}{'' if high == 1 else 's'}"


def _of_rows(count: int) -> str:
    return f" ({count:,} rows)" if count > 1 else ""
