"""Updates as early as they can be: the same results, and gradients that are soon forgotten."""

import numpy as np
import pytest

from nndsl.codegen import generate as generation
from nndsl.codegen.generate import generate, planned
from nndsl.passes import memory
from nndsl.passes.order import UpdateEarly
from nndsl.passes.pipeline import run, training
from nndsl.runtime.executable import load
from tests.networks import optimizer, perceptron

SIZES = (40, 30, 20, 3)


def step(word="adam"):
    graph = perceptron(SIZES, "relu", "classes")
    return run(graph, training(optimizer(graph, word, lr=0.1)))


def workspace(graph, *, tight):
    plan = memory.plan(graph, 16, gathers=True, tight=tight)
    return plan.areas[memory.Area.WORKSPACE], plan


def test_values_are_made_before_they_are_read():
    graph = UpdateEarly()(step())
    known = {i.value for i in graph.inputs.values()}
    for node in graph.nodes:
        assert known >= set(node.inputs)
        known |= set(node.outputs)


def test_gradients_are_forgotten_early():
    late, _ = workspace(step(), tight=True)
    early, plan = workspace(UpdateEarly()(step()), tight=True)
    assert early < late
    assert plan.copies == ()  # still written over the old values


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("word", ["sgd", "adam"])
def test_large_steps_give_the_same_bits(word, threads, monkeypatch):
    graph = step(word)
    random = np.random.default_rng(3)
    rows = random.normal(size=(50, 40)).astype(np.float32)
    classes = random.integers(0, 3, 50).astype(np.int32)
    found = []
    for large in (1 << 40, 0):
        monkeypatch.setattr(generation, "LARGE", large)
        executable = load(generate(graph, "float32", 16), threads)
        given = np.random.default_rng(5)
        start = {n: given.normal(size=a.shape) * 0.3 for n, a in executable.parameters().items()}
        executable.set_parameters(start)
        executable.poison()
        for name, array in zip(("x", "t"), (rows, classes), strict=True):
            executable.bind(name, array)
        executable.run(0, 9, seed=1, shuffle=True)
        found.append(executable.parameters())
        executable.close()
    for name, array in found[0].items():
        np.testing.assert_array_equal(array, found[1][name])


def test_what_is_planned_is_what_runs(monkeypatch):
    monkeypatch.setattr(generation, "LARGE", 0)
    _, plan = planned(step(), "float32", 16)
    regions = generate(step(), "float32", 16).region_bytes
    for area, size in plan.areas.items():
        name = next(region for region in regions if region.value == area.value)
        assert 0 <= regions[name] - size <= 64  # the order of the rows comes on top
