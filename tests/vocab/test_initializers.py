"""Initialisers: variance, mean, bounds, and that the same stream gives the same weights."""

import numpy as np
import pytest

from nndsl.random import Stream
from nndsl.vocab.arguments import bind_arguments
from nndsl.vocab.kinds import Initializer
from nndsl.vocab.registry import words

NAMES = list(words("initializer"))
MEANS = {"ones": 1.0, "constant": 0.1, "identity": 1 / 300}
NOT_DRAWN = {"zeros", "ones", "constant", "identity"}
FAN_IN, FAN_OUT = 300, 200
VARIANCE = {
    "zeros": 0.0,
    "ones": 0.0,
    "constant": 0.0,
    "normal": 0.01**2,
    "uniform": 0.1**2 / 12,
    "truncated_normal": 0.01**2 * 0.7737413,
    "identity": 1 / FAN_IN - 1 / FAN_IN**2,
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


def test_every_initializer_has_its_variance_here() -> None:
    assert set(VARIANCE) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_variance(name: str) -> None:
    weights = draw(name)
    assert weights.shape == (FAN_IN, FAN_OUT)
    assert weights.dtype == np.float64
    assert np.var(weights) == pytest.approx(VARIANCE[name], rel=0.02, abs=1e-30)
    deviation = 0.0 if name in NOT_DRAWN else np.sqrt(VARIANCE[name] / weights.size)
    assert abs(np.mean(weights) - MEANS.get(name, 0.0)) <= 4 * deviation + 1e-15


@pytest.mark.parametrize("name", NAMES)
def test_same_stream_same_weights(name: str) -> None:
    np.testing.assert_array_equal(draw(name), draw(name))
    if name not in NOT_DRAWN:
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


def test_identity_has_ones_on_its_diagonal() -> None:
    np.testing.assert_array_equal(draw("identity", shape=(3, 2), gain=2.0), 2 * np.eye(3, 2))
    np.testing.assert_array_equal(draw("identity", shape=(5, 3, 3))[4], np.eye(3))


def test_the_truncated_normal_ends_at_its_cut() -> None:
    weights = draw("truncated_normal", std=1.0, mean=1.0, cut=1.5)
    assert 1.49 < np.abs(weights - 1).max() <= 1.5
    # the density at the cut, and the share between the cuts
    density, share = np.exp(-1.125) / np.sqrt(2 * np.pi), 0.8663855975
    assert np.var(weights) == pytest.approx(1 - 3 * density / share, rel=0.02)
