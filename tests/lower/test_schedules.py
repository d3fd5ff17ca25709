"""Schedules against their formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nndsl.ir.graph import CLOCK_NAMES
from nndsl.scalar.evaluation import evaluate
from nndsl.scalar.expression import Expression
from nndsl.scalar.inspection import variables
from tests.lower.helpers import lowered, problems

PER_EPOCH, EPOCHS = 3, 100
TOTAL = PER_EPOCH * EPOCHS
STEPS = np.arange(TOTAL, dtype=np.float64)


def rates(settings: str, number: str = "lr") -> np.ndarray:
    text = (
        'data iris = csv("iris.csv", target=species)\nnet A on iris { dense(3) -> softmax }\n'
        f"train A {{ epochs = {EPOCHS}; {settings} }}"
    )
    (recipe,) = lowered(text).recipes
    value = recipe.optimizers[0].numbers[number]
    if not isinstance(value, Expression):
        return np.full(TOTAL, value)
    assert set(variables(value)) <= set(CLOCK_NAMES)
    clock = {
        "step": STEPS,
        "epoch": np.floor(STEPS / PER_EPOCH),
        "total_steps": np.full(TOTAL, float(TOTAL)),
        "steps_per_epoch": np.full(TOTAL, float(PER_EPOCH)),
    }
    return np.broadcast_to(evaluate(value, clock), (TOTAL,))


def cosine(step: np.ndarray, length: float) -> np.ndarray:
    return 0.5 * (1 + np.cos(math.pi * np.minimum(step / length, 1)))


CASES = {
    "optimizer = sgd(0.1)": np.full(TOTAL, 0.1),
    "optimizer = sgd(0.1); schedule = exponential(0.1, steps=50)": 0.1 * 0.1 ** (STEPS / 50),
    "optimizer = sgd(0.1 * exponential(0.5, over=10 epochs))": 0.1 * 0.5 ** (STEPS / 30),
    "optimizer = sgd(0.05 * inverse_time(1, 100 steps))": 0.05 / (1 + STEPS / 100),
    "optimizer = sgd(1); schedule = cosine": cosine(STEPS, TOTAL),
    "optimizer = sgd(1); schedule = cosine(50)": cosine(STEPS, 150),
    "optimizer = sgd(2 * cosine + 1)": 2 * cosine(STEPS, TOTAL) + 1,
    "optimizer = sgd(1); schedule = linear(end=0.5)": 1 - 0.5 * STEPS / TOTAL,
    "optimizer = sgd(hold(0.03, 5 epochs) -> hold(1e-4, 30 epochs))": np.where(
        STEPS < 15, 0.03, 1e-4
    ),
    "optimizer = sgd(1); schedule = warmup(10%) -> cosine": np.where(
        STEPS < 30, (STEPS + 1) / 30, cosine(STEPS - 30, TOTAL - 30)
    ),
    "optimizer = sgd(1); schedule = warmup(5) -> hold(1, 15 steps) -> linear(10)": np.where(
        STEPS < 15,
        (STEPS + 1) / 15,
        np.where(STEPS < 30, 1, 1 - np.minimum((STEPS - 30) / 30, 1)),
    ),
}


@pytest.mark.parametrize("settings", CASES)
def test_rates(settings: str) -> None:
    np.testing.assert_allclose(rates(settings), CASES[settings], rtol=1e-12, atol=1e-15)


def test_other_numbers_of_an_optimizer() -> None:
    settings = "optimizer = momentum(0.1, beta=0.95 - 0.1 * cosine)"
    np.testing.assert_allclose(rates(settings, "beta"), 0.95 - 0.1 * cosine(STEPS, TOTAL))


def test_a_let_may_be_a_schedule() -> None:
    text = (
        "let curve = warmup(5 epochs) -> cosine\n"
        'data iris = csv("iris.csv", target=species)\nnet A on iris { dense(3) -> softmax }\n'
        "train A { optimizer = sgd(0.5 * curve); steps = 40 }"
    )
    (recipe,) = lowered(text).recipes
    assert isinstance(recipe.optimizers[0].numbers["lr"], Expression)


def test_bare_lengths_count_what_ends_the_run() -> None:
    text = (
        'data iris = csv("iris.csv", target=species)\nnet A on iris { dense(3) -> softmax }\n'
        "train A { optimizer = sgd(1); schedule = hold(2, 7) -> hold(3); steps = 40 }"
    )
    (recipe,) = lowered(text).recipes
    rate = recipe.optimizers[0].numbers["lr"]
    assert isinstance(rate, Expression)
    clock = {"step": STEPS, "total_steps": np.full(TOTAL, 40.0),
             "steps_per_epoch": np.full(TOTAL, 3.0)}  # fmt: skip
    np.testing.assert_array_equal(evaluate(rate, clock), np.where(STEPS < 7, 2, 3))


def test_plateaus_are_numbers_that_training_keeps() -> None:
    text = (
        'data iris = csv("iris.csv", target=species)\nnet A on iris { dense(3) -> softmax }\n'
        "train A {\n  optimizer = momentum(plateau(0.5, 3), beta=0.9 * plateau(0.5, 3 epochs))\n"
        "  schedule = warmup(5) -> plateau(metric=val_auc)\n  epochs = 9\n}"
    )
    (recipe,) = lowered(text).recipes
    first, second = recipe.plateaus
    assert (first.metric, first.patience, first.factor) == ("val_loss", 3, 0.5)
    assert (second.metric, second.patience, second.factor) == ("val_auc", 10, 0.1)
    numbers = recipe.optimizers[0].numbers
    assert isinstance(numbers["lr"], Expression)
    assert {first.name, second.name} <= set(variables(numbers["lr"]))
    assert "auc" in [metric.name for metric in recipe.metrics]


@pytest.mark.parametrize(
    ("schedule", "code", "place"),
    [
        ("plateau(metric=val_los)", "NN301", "val_los"),
        ("plateau(0.5, 30 steps)", "NN309", "plateau(0.5, 30 steps)"),
        ("plateau(2)", "NN314", "2"),
    ],
)
def test_mistakes_in_a_plateau(schedule: str, code: str, place: str) -> None:
    (problem,) = problems(
        'data iris = csv("iris.csv", target=species)\nnet A on iris { dense(3) -> softmax }\n'
        f"train A {{ optimizer = sgd(0.1 * {schedule}) }}"
    )
    assert problem.code == code
    assert problem.primary is not None
    assert problem.primary.span.text == place


@pytest.mark.parametrize(
    ("schedule", "place"),
    [
        ("(1, 20 epochs) -> hold(0.1, 15 epochs) -> hold(0.01)", "(1, 20 epochs)"),
        ("(10%) -> cosine", "(10%)"),
        ("[0.1, 0.2]", "[0.1, 0.2]"),
    ],
)
def test_what_is_no_schedule_is_one_error_at_its_place(schedule: str, place: str) -> None:
    text = (
        "data d = table(x=[1, 2, 3], y=[2, 4, 6]) { target = y; split = all }\n"
        f"net A on d {{ dense(1) }}\ntrain A {{ schedule = {schedule} }}"
    )
    (found,) = problems(text)
    assert found.primary is not None
    assert (found.code, found.primary.span.text) == ("NN309", place)
