"""Recurrent layers beside loops of their published formulas in NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from nndsl.ir.graph import ShapeError
from nndsl.ir.types import ElementType
from tests.vocab.context import Built

FEATURES, UNITS, ROWS, STEPS = 3, 2, 4, 5


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def weights(made: Built, rng) -> dict[str, np.ndarray]:
    return {name: rng.normal(size=asked["shape"]) for name, asked in made.context.asked.items()}


@pytest.mark.parametrize("reverse", [False, True])
def test_an_lstm_with_peepholes(reverse, rng):
    made = Built("lstm", [("N", "T", FEATURES)], UNITS, peepholes=True, reverse=reverse)
    assert made.shape == ("N", "T", UNITS)
    x, w = rng.normal(size=(ROWS, STEPS, FEATURES)), weights(made, rng)
    h, c, expected = (
        np.zeros((ROWS, UNITS)),
        np.zeros((ROWS, UNITS)),
        np.zeros((ROWS, STEPS, UNITS)),
    )
    for t in reversed(range(STEPS)) if reverse else range(STEPS):
        sums = x[:, t] @ w["input_weight"] + h @ w["state_weight"] + w["bias"]
        i, f, g, o = np.split(sums, 4, axis=1)
        before = c
        c = sigmoid(f + w["peepholes"][1] * before) * before
        c += sigmoid(i + w["peepholes"][0] * before) * np.tanh(g)
        h = sigmoid(o + w["peepholes"][2] * c) * np.tanh(c)
        expected[:, t] = h
    np.testing.assert_allclose(made.run(x, **w), expected, rtol=1e-12)


def test_a_gru_that_resets_before_the_product(rng):
    made = Built("gru", [("N", "T", FEATURES)], UNITS, reset="before")
    assert set(made.context.asked) == {"input_weight", "state_weight", "bias"}
    x, w = rng.normal(size=(ROWS, STEPS, FEATURES)), weights(made, rng)
    h, expected = np.zeros((ROWS, UNITS)), []
    of_r, of_z, of_n = np.split(w["state_weight"], 3, axis=1)
    for t in range(STEPS):
        r, z, n = np.split(x[:, t] @ w["input_weight"] + w["bias"], 3, axis=1)
        r, z = sigmoid(r + h @ of_r), sigmoid(z + h @ of_z)
        n = np.tanh(n + (r * h) @ of_n)
        h = (1 - z) * n + z * h
        expected.append(h)
    np.testing.assert_allclose(made.run(x, **w), np.stack(expected, axis=1), rtol=1e-12)


def test_an_lstm_begins_with_open_forget_gates():
    made = Built("lstm", [("N", "T", FEATURES)], UNITS)
    assert list(made.context.asked["bias"]["values"]) == [0, 0, 1, 1, 0, 0, 0, 0]
    assert made.context.asked["input_weight"]["axes"] == (1, 0)


def test_last_is_what_a_recurrence_remembers(rng):
    made = Built("last", [("N", "T", FEATURES)])
    x = rng.normal(size=(ROWS, STEPS, FEATURES))
    np.testing.assert_array_equal(made.run(x), x[:, -1])


@pytest.mark.parametrize("word", ["rnn", "lstm", "gru"])
def test_a_recurrence_needs_a_sequence_of_numbers(word):
    with pytest.raises(ShapeError, match="takes a sequence"):
        Built(word, [("N", 4)], UNITS)
    with pytest.raises(ShapeError, match="not ids"):
        Built(word, [("N", "T")], UNITS, element=ElementType.INDEX)


@pytest.mark.parametrize(("word", "memories"), [("rnn", 1), ("gru", 1), ("lstm", 2)])
def test_a_recurrence_goes_on_from_what_is_given(word, memories, rng):
    shapes = [("N", "T", FEATURES), *[("N", UNITS)] * memories]
    made = Built(word, shapes, UNITS)
    x, w = rng.normal(size=(ROWS, STEPS, FEATURES)), weights(made, rng)
    starts = [rng.normal(size=(ROWS, UNITS)) for _ in range(memories)]
    found = made.run(x, *starts, **w)
    alone = Built(word, shapes[:1], UNITS)
    zeros = [np.zeros((ROWS, UNITS))] * memories
    np.testing.assert_allclose(made.run(x, *zeros, **w), alone.run(x, **w), rtol=1e-12)
    assert (found[:, 0] != made.run(x, *zeros, **w)[:, 0]).all()


def test_a_memory_of_another_size_is_refused():
    with pytest.raises(ShapeError, match="the memory of `lstm` is 2, what it starts from 3"):
        Built("lstm", [("N", "T", FEATURES), ("N", 3)], UNITS)
