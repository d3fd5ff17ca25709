"""Schedules against their formulas."""

import math

import numpy as np
import pytest

from nndsl.params import TimeLength
from nndsl.scalar.evaluation import evaluate
from nndsl.scalar.inspection import variables
from nndsl.vocab.arguments import bind_arguments
from nndsl.vocab.kinds import Schedule
from nndsl.vocab.registry import words
from nndsl.vocab.schedules import LEVEL

NAMES = [name for name in words("schedule") if name != "plateau"]  # which no formula tells
STEPS_PER_EPOCH = 50
LENGTH = 400


def value(name: str, step: float, **arguments: object) -> float:
    """The schedule's number at a step; lengths in epochs are of 50 steps."""
    word = words("schedule")[name]
    assert isinstance(word, Schedule)
    bound = bind_arguments(word, (), arguments)
    numbers = {k: _steps(v) for k, v in bound.items() if v is not None}
    numbers = {"length": float(LENGTH), **numbers, "step": float(step)}
    return float(evaluate(word.expression, numbers))


def _steps(value: object) -> float:
    if isinstance(value, TimeLength):
        return value.value * (STEPS_PER_EPOCH if value.unit == "epoch" else 1)
    return float(value)  # type: ignore[arg-type]


@pytest.mark.parametrize("step", [0, 1, 37, 200, 399, 400, 1000])
def test_against_the_formula(step: int) -> None:
    share = min(step / LENGTH, 1.0)
    expected = {
        "hold": 1.0,
        "exponential": 0.1 ** (step / 50),
        "staircase": 0.1 ** (step // 50),
        "inverse_time": 1 / (1 + step),
        "cosine_restarts": 0.5 * (1 + math.cos(math.pi * (step % 500) / 500)),
        "triangular": 0.1 + 0.9 * (1 - abs(step % 500 / 250 - 1)),
        "one_cycle": np.interp(share, [0, 0.45, 0.9, 1], [0.1, 1, 0.1, 1e-4]),
        "cosine": 0.5 * (1 + math.cos(math.pi * share)),
        "linear": 1 - share,
        "polynomial": (1 - share) ** 2,
        "warmup": min((step + 1) / LENGTH, 1.0),
    }
    for name, number in expected.items():
        assert value(name, step) == pytest.approx(number, rel=1e-12, abs=1e-15), name


def test_arguments() -> None:
    assert value("exponential", 1000, factor=0.1, steps=500) == pytest.approx(0.01)
    assert value("exponential", 100, factor=0.5, over=TimeLength(2, "epoch")) == pytest.approx(0.5)
    assert value("inverse_time", 99, decay=1e-6) == pytest.approx(1 / (1 + 99e-6))
    half = value("inverse_time", 100, decay=1, over=TimeLength(100, "step"))
    assert half == pytest.approx(0.5)
    assert value("cosine", LENGTH, low=0.2) == pytest.approx(0.2)
    assert value("hold", 3, value=0.03) == 0.03
    assert value("warmup", 0, length=TimeLength(4, "step")) == 0.25


@pytest.mark.parametrize("name", words("schedule"))
def test_every_schedule_may_have_a_length(name: str) -> None:
    word = words("schedule")[name]
    assert isinstance(word, Schedule)
    assert "length" in word.parameters
    legal = {"step", "length", "steps_per_epoch", LEVEL, *word.parameters}
    assert set(variables(word.expression)) <= legal


@pytest.mark.parametrize("name", NAMES)
def test_never_nan(name: str) -> None:
    numbers = [value(name, step) for step in (0, 1, 10**6, 10**9)]
    assert np.all(np.isfinite(numbers))
