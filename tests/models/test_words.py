"""Canon rows 34, 35, 36: schedules, start values, activations."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nndsl.train.initial import initial_parameters, to_file_layout
from nndsl.train.session import train
from nndsl.vocab.kinds import Activation
from nndsl.vocab.registry import words
from tests.models.running import MODELS, job_of, opened, opened_text

EPOCHS, PER_EPOCH = 40, 14
STEPS = EPOCHS * PER_EPOCH


# --- row 34 ---------------------------------------------------------------------------------


def cosine(s: float, first: int, epochs: int) -> float:
    return 0.5 * (1 + math.cos(math.pi * (s - first * PER_EPOCH) / (epochs * PER_EPOCH)))


def restarts(s: int) -> float:
    first, epochs = (0, 5) if s < 5 * PER_EPOCH else (5, 10) if s < 15 * PER_EPOCH else (15, 25)
    return cosine(s, first, epochs)


RATES: dict[str, Callable[[int], float]] = {
    "Constant": lambda s: 1.0,
    "Pieces": lambda s: 1.0 if s < 20 * PER_EPOCH else 0.1 if s < 35 * PER_EPOCH else 0.01,
    "Exponential": lambda s: 0.1 ** (s / 300),
    "Stairs": lambda s: 0.5 ** (s // (10 * PER_EPOCH)),
    "Inverse": lambda s: 1 / (1 + s / 100),
    "Power": lambda s: (s + 1) / 100 if s < 100 else (s / 100) ** -0.5,
    "Polynomial": lambda s: (1 - s / STEPS) ** 2,
    "Straight": lambda s: 1 - 0.9 * s / STEPS,
    "Cosine": lambda s: (s + 1) / 56 if s < 56 else cosine(s, 4, 36),
    "Restarts": restarts,
    "Triangles": lambda s: 1 - 0.9 * abs(s / 56 % 2 - 1),
    "Cycle": lambda s: 2 * np.interp(s / STEPS, [0, 0.45, 0.9, 1], [0.1, 1, 0.1, 1e-4]),
}


def test_every_schedule_trains_at_the_rates_of_its_formula(nndsl, tmp_path: Path) -> None:
    ended = nndsl("train", MODELS / "34_schedules.nn", "--quiet", "--out", tmp_path / "run")
    assert (ended.code, ended.err) == (0, "")
    found = {}
    for folder in (tmp_path / "run").iterdir():
        with (folder / "history.csv").open() as file:
            found[folder.name] = [float(row["learning_rate"]) for row in csv.DictReader(file)]
    last = [epoch * PER_EPOCH - 1 for epoch in range(1, EPOCHS + 1)]
    for name, formula in RATES.items():
        expected = [0.05 * formula(step) for step in last]
        np.testing.assert_allclose(found.pop(name), expected, rtol=1e-12, err_msg=name)
    ((name, plateau),) = found.items()
    assert name == "Plateau"
    assert set(np.log2(0.05 / np.array(plateau))) <= {0, 1, 2, 3, 4, 5}


# --- row 35 ---------------------------------------------------------------------------------

INPUTS, UNITS = 300, 200
VARIANCES = {
    "glorot_uniform": 2 / (INPUTS + UNITS),
    "he_normal": 2 / INPUTS,
    "lecun_normal": 1 / INPUTS,
}


@pytest.mark.parametrize("name", words("activation"))
def test_left_out_the_activation_chooses_the_start(name: str) -> None:
    word = words("activation")[name]
    assert isinstance(word, Activation)
    needed = ", ".join("1" for p in word.parameters.values() if p.required)
    call = f"{name}({needed})" if needed else name
    found = opened_text(f"net N {{ input x: [{INPUTS}]; dense({UNITS}) -> {call} }}")
    network = found.module.networks["N"]
    assert network.parameters["dense.weight"].initializer.name == word.initializer
    weights = initial_parameters(network, 0)["dense.weight"]
    assert np.var(weights) == pytest.approx(VARIANCES[word.initializer], rel=0.02)
    assert abs(weights.mean()) < 4 * weights.std() / math.sqrt(weights.size)


def test_the_starts_are_those_written() -> None:
    job = job_of(opened("35_initializers"), "Written")
    start = initial_parameters(job.network, 0)
    biases = [start[f"dense[{layer}].bias"] for layer in (1, 2, 3, 4, 5, 6, 8)]
    assert [set(bias) for bias in biases] == [{0.01}, {0.1}, {0.01}, {0}, {0.01}, {0.01}, {0.01}]
    np.testing.assert_array_equal(start["dense[7].weight"], np.eye(16))
    straight = start["dense[5].weight"]
    np.testing.assert_allclose(straight.T @ straight, 1.4**2 * np.eye(16), atol=1e-12)
    assert np.abs(start["dense[6].weight"]).max() <= 0.4


def test_given_weights_are_where_training_begins() -> None:
    job = job_of(opened("35_initializers"), "Given")
    start = to_file_layout(job.network, initial_parameters(job.network, 0))
    np.testing.assert_array_equal(
        start["dense[1].weight"], [[1, 1, 0, 0], [0, 0, 1, 1], [1, -1, 1, -1]]
    )
    np.testing.assert_array_equal(start["dense[1].bias"], [0, 0, 0.5])
    result = train(job)
    assert not np.array_equal(result.parameters["dense[1].weight"].T, start["dense[1].weight"])


def test_units_that_begin_alike_stay_alike() -> None:
    result = train(job_of(opened("35_initializers"), "Alike"))
    weights = result.parameters["dense[1].weight"]
    assert np.ptp(weights, axis=1).max() == 0
    assert np.ptp(weights, axis=0).max() > 0.1


def test_every_start_trains(nndsl) -> None:
    ended = nndsl("train", MODELS / "35_initializers.nn", "--quiet")
    assert (ended.code, ended.err) == (0, "")


# --- row 36 ---------------------------------------------------------------------------------


def test_activations_have_their_values_and_train(nndsl) -> None:
    """The table of values is written in the file, as expectations."""
    ended = nndsl("train", MODELS / "36_activations.nn", "--quiet")
    assert (ended.code, ended.err) == (0, "")
    text = (MODELS / "36_activations.nn").read_text()
    assert text.count("expect ") == 1 + text.count("{ input x: [5];")
