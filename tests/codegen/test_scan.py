"""Compiled recurrences beside the oracle."""

import numpy as np
import pytest

from nndsl.codegen.generate import generate
from nndsl.runtime.executable import load
from tests.codegen.programs import arrays_of, compare, feed
from tests.passes.recurrent import PASSES, gated


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("reverse", [False, True])
def test_compiled_gradients_through_time_equal_the_oracle(precision, reverse, rng, store):
    graph = gated(reverse)
    for step in PASSES["planned"]:
        graph = step(graph)
    compare(graph, rng, store, precision)


def test_two_threads_compute_the_same_bits(rng, store):
    graph = gated()
    for step in PASSES["planned"]:
        graph = step(graph)
    program = generate(graph, "float32", 24)
    given = arrays_of(graph, rng, 21, "float32")
    one, two = (feed(load(program, threads, store=store), graph, given) for threads in (1, 2))
    for name, value in one.items():
        assert np.array_equal(value, two[name]), name


def test_steps_need_no_meeting_of_threads():
    graph = gated()
    for step in PASSES["planned"]:
        graph = step(graph)
    calls = generate(graph, "float32", 24).calls
    assert sum(call.barrier for call in calls) < 12 < len(calls)
