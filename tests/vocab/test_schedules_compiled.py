"""Every schedule over 10,000 compiled steps against its formula in plain float64.

The text of a `train` section goes through lowering, the update pass and the code generator, and the
steps are those of training: a weight of 0 whose gradient is -1 becomes the rate in one step.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from nndsl.codegen.generate import generate
from nndsl.ir.graph import Builder, Role
from nndsl.ir.types import TensorType
from nndsl.lower.result import OptimizerUse
from nndsl.ops.compose import add_map
from nndsl.ops.map import operand
from nndsl.ops.reduction import Reduce
from nndsl.passes import pipeline
from nndsl.runtime.cache import Cache
from nndsl.runtime.executable import Executable, load
from nndsl.vocab.registry import words
from tests.lower.helpers import lowered

STEPS, PER_EPOCH = 10_000, 50
EXACT = 1e-15


def executable(optimizer: str, store: Cache) -> Executable:
    """A training step of the one weight `p`, with the optimizer as lowered from its text."""
    text = (
        'data iris = csv("iris.csv", target=species)\nnet A on iris { dense(3) -> softmax }\n'
        f"train A {{ optimizer = {optimizer}; epochs = {STEPS // PER_EPOCH} }}"
    )
    (recipe,) = lowered(text).recipes
    (use,) = recipe.optimizers
    build = Builder()
    weight = build.input("p", TensorType((1,)), Role.PARAMETER)
    loss = build.add(Reduce("sum", (0,)), add_map(build, -operand(0), weight))
    build.graph.outputs = {"loss": loss}
    here = OptimizerUse(use.optimizer, use.numbers, ("p",))
    graph = pipeline.run(build.graph, pipeline.training((here,)))
    return load(generate(graph, "float64", 1), store=store)


def weights(optimizer: str, store: Cache, velocity: float | None = None) -> np.ndarray:
    """The weight after each step, if it was 0 before; and the velocity as given."""
    step = executable(optimizer, store)
    weight, found = step.memory("p"), np.empty(STEPS)
    for number in range(STEPS):
        weight[0] = 0.0
        if velocity is not None:
            step.memory("p:v")[0] = velocity
        step.run(number, 1, total_steps=STEPS, steps_per_epoch=PER_EPOCH)
        found[number] = weight[0]
    return found


def half_wave(share: float) -> float:
    return 0.5 * (1 + math.cos(math.pi * share))


def one_cycle(s: float) -> float:
    share = s / STEPS
    if share < 0.45:
        return 0.1 + (1 - 0.1) * share / 0.45
    if share < 0.9:
        return 1 - (1 - 0.1) * (share - 0.45) / 0.45
    return 0.1 + (1e-4 - 0.1) * (share - 0.9) / (1 - 0.9)


def restarts(s: float) -> float:
    """Periods of 10, 20, 40, 80 and 50 epochs."""
    begin = 0
    for epochs in (10, 20, 40, 80, 50):
        if s < begin + epochs * PER_EPOCH:
            break
        begin += epochs * PER_EPOCH
    return half_wave((s - begin) / (epochs * PER_EPOCH))


CASES: dict[str, Callable[[int], float]] = {
    "hold(0.03)": lambda s: 0.03,
    "hold(0.03, 50 epochs) -> hold(0.001, 50 epochs) -> hold(1e-5)": lambda s: (
        0.03 if s < 2500 else 0.001 if s < 5000 else 1e-5
    ),
    "0.1 * exponential(0.1, steps=500)": lambda s: 0.1 * 0.1 ** (s / 500),
    "exponential(0.9, over=1 epochs)": lambda s: 0.9 ** (s / 50),
    "staircase(0.5, over=30 epochs)": lambda s: 0.5 ** (s // 1500),
    "inverse_time(1, 100 steps)": lambda s: 1 / (1 + s / 100),
    "warmup(400 steps) -> inverse_time(over=400 steps, power=0.5)": lambda s: (
        (s + 1) / 400 if s < 400 else (1 + (s - 400) / 400) ** -0.5
    ),
    "polynomial(start=0.1, end=0.01, power=3)": lambda s: (
        0.01 + (0.1 - 0.01) * (1 - s / STEPS) ** 3
    ),
    "linear(20%, 0.1, 0.7)": lambda s: 0.1 + (0.7 - 0.1) * min(s / 2000, 1),
    "cosine(low=0.01)": lambda s: 0.01 + (1 - 0.01) * half_wave(s / STEPS),
    "warmup(10%) -> cosine": lambda s: (s + 1) / 1000 if s < 1000 else half_wave((s - 1000) / 9000),
    "cosine_restarts": lambda s: half_wave(s / 500 - s // 500),
    "cosine(10) -> cosine(20) -> cosine(40) -> cosine(80) -> cosine(50)": restarts,
    "triangular": lambda s: 1 - 0.9 * abs(2 * (s / 500 - s // 500) - 1),
    "one_cycle": one_cycle,
    "0.1 * one_cycle + 0.001": lambda s: 0.1 * one_cycle(s) + 0.001,
    "plateau": lambda s: 1.0,
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    return Cache(tmp_path_factory.mktemp("code") / "cache")


@pytest.mark.parametrize("schedule", CASES)
def test_rates_over_10000_steps(schedule: str, store: Cache) -> None:
    expected = np.array([CASES[schedule](step) for step in range(STEPS)])
    found = weights(f"sgd({schedule})", store)
    np.testing.assert_allclose(found, expected, rtol=EXACT, atol=0)


def test_every_schedule_is_among_them() -> None:
    for name in words("schedule"):
        assert any(name in schedule for schedule in CASES), name


def test_momentum_falls_while_the_rate_rises(store: Cache) -> None:
    found = weights("momentum(0, beta=0.95 - 0.1 * one_cycle)", store, velocity=1.0)
    expected = np.array([0.95 - 0.1 * one_cycle(step) for step in range(STEPS)])
    np.testing.assert_allclose(found, expected, rtol=EXACT, atol=0)
    assert found.min() == found[4500] == pytest.approx(0.85)
