"""Compiled recurrences beside the oracle."""

import pytest

from tests.codegen.programs import compare
from tests.passes.recurrent import PASSES, gated


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("reverse", [False, True])
def test_compiled_gradients_through_time_equal_the_oracle(precision, reverse, rng, store):
    graph = gated(reverse)
    for step in PASSES["planned"]:
        graph = step(graph)
    compare(graph, rng, store, precision)
