"""Recurrences and cycles in an exported file: loops that give what the oracle does."""

from __future__ import annotations

import numpy as np
import pytest

from nndsl.export.numpy_source import Sources, lines_of
from nndsl.runtime.reference import evaluate
from tests.export.test_numpy_file import runnable
from tests.lower.helpers import lowered

CELL = "cell (x, h: [n]) -> slow(n) { 0.5 * h + ((x, h) -> dense(n) -> tanh) }\n"


@pytest.mark.parametrize(
    "line",
    [
        "both(lstm(3, peepholes=true)) -> last",
        "gru(3) -> rnn(2)",
        "gru(3, reset=before) -> last",
        "slow(2) -> last -> settle(dense(2) -> saturate, limit=7)",
    ],
)
def test_a_loop_over_the_steps(line: str, rng) -> None:
    text = f"{CELL}net A {{\n  input x: [T, 2]\n  {line}\n}}\n"
    graph = lowered(text).networks["A"].graph
    given = {
        name: rng.normal(size=[{"N": 3, "T": 4}.get(d, d) for d in entry.value.type.shape])
        for name, entry in graph.inputs.items()
    }
    expected, _ = evaluate(graph, given)
    sources = Sources()
    names = {entry.value: f"g{i}" for i, entry in enumerate(graph.inputs.values())}
    lines = lines_of(graph, names, sources)
    scope = runnable(sources) | {"rows": 3, "T": 4}
    scope |= {names[entry.value]: given[name] for name, entry in graph.inputs.items()}
    exec("\n".join(lines), scope)
    for name, value in graph.outputs.items():
        np.testing.assert_allclose(scope[names[value]], expected[name], rtol=1e-12)
