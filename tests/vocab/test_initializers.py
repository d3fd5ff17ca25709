"""Initialisers: variance, mean, bounds, and that the same stream gives the same weights."""

import numpy as np
import pytest

from nndsl.random import Stream
from nndsl.vocab.arguments import bind_arguments
from nndsl.vocab.kinds import Initializer
from nndsl.vocab.registry import words

NAMES = list(words("initializer"))
FAN_IN, FAN_OUT = 300, 200
VARIANCE = {
    "zeros": 0.0,
    "ones": 0.0,
    "constant": 0.0,
    "normal": 0.01**2,
    "uniform": 0.1**2 / 12,
    "orthogonal": 1 / FAN_IN,
    "glorot_uniform": 2 / (FAN_IN + FAN_OUT),
    "glorot_normal": 2 / (FAN_IN + FAN_OUT),
    "he_uniform": 2 / FAN_IN,
    "he_normal": 2 / FAN_IN,
    "lecun_uniform": 1 / FAN_IN,
    "lecun_normal": 1 / FAN_IN,
}


def draw(name: str, seed: int = 0, shape: tuple[int, ...] = (FAN_IN, FAN_OUT), **arguments: float):
    word = words("initializer")[name]
    assert isinstance(word, Initializer)
    assert word.sample is not None
    given = {"value": 0.1} if name == "constant" else {}
    bound = bind_arguments(word, (), {**given, **arguments})
    return word.sample(Stream(seed, 3), shape, FAN_IN, FAN_OUT, bound)


@pytest.mark.parametrize("name", NAMES)
def test_variance(name: str) -> None:
    weights = draw(name)
    assert weights.shape == (FAN_IN, FAN_OUT)
    assert weights.dtype == np.float64
    assert np.var(weights) == pytest.approx(VARIANCE[name], rel=0.02, abs=1e-30)
    if name not in ("ones", "constant"):
        assert abs(np.mean(weights)) <= 4 * np.sqrt(VARIANCE[name] / weights.size)


@pytest.mark.parametrize("name", NAMES)
def test_same_stream_same_weights(name: str) -> None:
    np.testing.assert_array_equal(draw(name), draw(name))
    if VARIANCE[name] > 0:
        assert not np.array_equal(draw(name), draw(name, seed=1))


@pytest.mark.parametrize("shape", [(40, 40), (60, 20), (20, 60), (2, 3, 30)])
def test_orthogonal(shape: tuple[int, ...]) -> None:
    flat = draw("orthogonal", shape=shape, gain=2.0).reshape(-1, shape[-1])
    smaller = flat if flat.shape[0] <= flat.shape[1] else flat.T
    np.testing.assert_allclose(smaller @ smaller.T, 4 * np.eye(len(smaller)), atol=1e-12)


def test_arguments() -> None:
    assert np.all(draw("constant", value=0.3) == 0.3)
    assert np.std(draw("normal", std=2.0, mean=5.0)) == pytest.approx(2.0, rel=0.02)
    weights = draw("uniform", low=1.0, high=2.0)
    assert weights.min() >= 1.0
    assert weights.max() < 2.0
    assert draw("he_uniform", shape=(0, 5)).shape == (0, 5)
