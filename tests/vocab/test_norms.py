"""Norms against the notes' four steps, written out in NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from nndsl.ir.graph import ShapeError
from nndsl.ir.types import ElementType
from nndsl.vocab.kinds import Layer
from nndsl.vocab.registry import words
from tests.vocab.context import Built

EPSILON = 1e-5
RUNNING = {"running_mean": np.array([0.5, -1.0, 2.0]), "running_var": np.array([1.0, 4.0, 0.25])}
LEARNT = {"weight": np.array([1.5, -0.5, 2.0]), "bias": np.array([0.1, 0.2, -0.3])}


def four_steps(x: np.ndarray, axes: tuple[int, ...], gamma=1.0, beta=0.0) -> np.ndarray:
    """The lecture: mean, variance, standardise, scale and shift."""
    mean = x.sum(axes, keepdims=True) / np.prod([x.shape[a] for a in axes])
    variance = ((x - mean) ** 2).sum(axes, keepdims=True) / np.prod([x.shape[a] for a in axes])
    standardised = (x - mean) / np.sqrt(variance + EPSILON)
    return gamma * standardised + beta


def test_batch_norm_in_training(rng: np.random.Generator) -> None:
    layer = Built("batch_norm", [("N", 3)], training=True)
    x = rng.normal(2.0, 3.0, (7, 3))
    y, after = layer.both(x, **LEARNT, **RUNNING)
    expected = four_steps(x, (0,), LEARNT["weight"], LEARNT["bias"])
    np.testing.assert_allclose(y, expected, rtol=1e-12)
    mean = 0.9 * RUNNING["running_mean"] + 0.1 * x.mean(axis=0)
    variance = 0.9 * RUNNING["running_var"] + 0.1 * x.var(axis=0, ddof=1)
    np.testing.assert_allclose(after["running_mean"], mean, rtol=1e-12)
    np.testing.assert_allclose(after["running_var"], variance, rtol=1e-12)


def test_options_of_the_running_statistics(rng: np.random.Generator) -> None:
    layer = Built("batch_norm", [("N", 3)], 0.5, training=True, variance="biased")
    x = rng.normal(size=(7, 3))
    _, after = layer.both(x, **LEARNT, **RUNNING)
    variance = 0.5 * RUNNING["running_var"] + 0.5 * x.var(axis=0)
    np.testing.assert_allclose(after["running_var"], variance, rtol=1e-12)


def test_a_batch_of_one_row_is_finite() -> None:
    layer = Built("batch_norm", [("N", 3)], training=True)
    y, after = layer.both(np.ones((1, 3)), **LEARNT, **RUNNING)
    np.testing.assert_array_equal(y, LEARNT["bias"][None])
    np.testing.assert_allclose(after["running_var"], 0.9 * RUNNING["running_var"])


def test_batch_norm_at_inference(rng: np.random.Generator) -> None:
    layer = Built("batch_norm", [("N", 3)])
    x = rng.normal(size=(4, 3))
    y, after = layer.both(x, **LEARNT, **RUNNING)
    moved = (x - RUNNING["running_mean"]) / np.sqrt(RUNNING["running_var"] + EPSILON)
    np.testing.assert_allclose(y, LEARNT["weight"] * moved + LEARNT["bias"], rtol=1e-12)
    assert after == {}


def test_states_start_as_if_nothing_had_to_be_done() -> None:
    for training in (False, True):
        graph = Built("batch_norm", [("N", 3)], training=training).context.build.graph
        assert graph.starts() == {"running_var": 1.0}


@pytest.mark.parametrize("shape", [("N", 3, 4, 5), ("N", 3, 6), ("N", "T", 3)], ids=str)
def test_batch_norm_takes_all_axes_but_the_features(shape, rng: np.random.Generator) -> None:
    layer = Built("batch_norm", [shape], training=True)
    x = rng.normal(size=(2, *(4 if d == "T" else d for d in shape[1:])))
    y, after = layer.both(x, **LEARNT, **RUNNING)
    if "T" not in shape:  # channels first
        x, y = np.moveaxis(x, 1, -1), np.moveaxis(y, 1, -1)
    axes = tuple(range(x.ndim - 1))
    np.testing.assert_allclose(y, four_steps(x, axes, **_steps()), rtol=1e-10)
    flat = x.reshape(-1, 3)
    variance = 0.9 * RUNNING["running_var"] + 0.1 * flat.var(axis=0, ddof=1)
    np.testing.assert_allclose(after["running_var"], variance, rtol=1e-12)


def _steps() -> dict[str, np.ndarray]:
    return {"gamma": LEARNT["weight"], "beta": LEARNT["bias"]}


@pytest.mark.parametrize("training", [False, True])
def test_layer_norm(training: bool, rng: np.random.Generator) -> None:
    x = rng.normal(1.0, 2.0, (6, 3))
    layer = Built("layer_norm", [("N", 3)], training=training)
    np.testing.assert_allclose(layer.run(x, **LEARNT), four_steps(x, (1,), **_steps()), rtol=1e-12)


def test_rms_norm(rng: np.random.Generator) -> None:
    x = rng.normal(1.0, 2.0, (6, 3))
    root = np.sqrt((x * x).mean(axis=1, keepdims=True) + EPSILON)
    y = Built("rms_norm", [("N", 3)]).run(x, weight=LEARNT["weight"])
    np.testing.assert_allclose(y, LEARNT["weight"] * x / root, rtol=1e-12)


@pytest.mark.parametrize("shape", [(6,), (6, 4, 2), (6, 5)], ids=str)
def test_group_norm(shape, rng: np.random.Generator) -> None:
    layer = Built("group_norm", [("N", *shape)], 2)
    x = rng.normal(1.0, 2.0, (5, *shape))
    given = {"weight": rng.normal(size=6), "bias": rng.normal(size=6)}
    parted = x.reshape(5, 2, 3, -1)
    expected = four_steps(parted, (2, 3)).reshape(x.shape)
    inner = [-1] + [1] * (len(shape) - 1)
    expected = given["weight"].reshape(inner) * expected + given["bias"].reshape(inner)
    np.testing.assert_allclose(layer.run(x, **given), expected, rtol=1e-10)


def test_groups_must_be_of_equal_size() -> None:
    with pytest.raises(ShapeError, match="cut 7 features into 2 groups"):
        Built("group_norm", [("N", 7)], 2)


NORMS = {"batch_norm": (), "layer_norm": (), "rms_norm": (), "group_norm": (3,)}


@pytest.mark.parametrize("name", NORMS)
def test_scale_and_bias_may_be_left_out(name: str, rng: np.random.Generator) -> None:
    arguments = NORMS[name]
    plain = Built(name, [("N", 3)], *arguments, training=True, scale=False, bias=False)
    assert plain.context.asked == {}
    both = Built(name, [("N", 3)], *arguments, training=True, scale=True, bias=True)
    assert {n: asked["values"] for n, asked in both.context.asked.items()} == {
        "weight": 1.0,
        "bias": 0.0,
    }
    assert not any(asked["decays"] for asked in both.context.asked.values())
    x = rng.normal(size=(5, 3))
    states = RUNNING if name == "batch_norm" else {}
    neutral = {"weight": np.ones(3), "bias": np.zeros(3)}
    np.testing.assert_allclose(plain.run(x, **states), both.run(x, **neutral, **states))


@pytest.mark.parametrize("name", NORMS)
def test_norms_take_rows_of_numbers(name: str) -> None:
    for shape, element in ((("N",), ElementType.REAL), (("N", 3), ElementType.INDEX)):
        with pytest.raises(ShapeError, match="takes rows of numbers") as caught:
            Built(name, [shape], *NORMS[name], element=element)
        assert caught.value.code == "NN202"
    word = words("layer")[name]
    assert isinstance(word, Layer) and word.transparent
