"""Canon rows 29 to 31: autoencoders, adversarial networks, towers that share weights."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from nndsl.cli.main import run as command
from nndsl.model import running
from nndsl.model.inner_nets import inner_net, samples
from tests.models.running import MODELS


def pixels() -> np.ndarray:
    with (MODELS / "digits.csv").open(newline="") as file:
        rows = list(csv.reader(file))[1:]
    return np.array([row[:64] for row in rows], float) / 16


def figures(run: Path) -> dict[str, float]:
    return json.loads((run / "run.json").read_text())["metrics"]


@pytest.fixture(scope="module")
def coders(tmp_path_factory) -> Path:
    run = tmp_path_factory.mktemp("runs") / "coders"
    assert command(["train", str(MODELS / "29_autoencoders.nn"), "--out", str(run), "--quiet"]) == 0
    return run


def reconstructed(run: Path) -> tuple[np.ndarray, dict]:
    loaded = running.load_run(run)
    return loaded.evaluate({"input": pixels().astype(np.float32)})["output"], loaded.members[0][0]


def test_autoencoders_make_the_digits_again(coders) -> None:
    x = pixels()
    spread = np.mean((x - x.mean(axis=0)) ** 2)
    for name in ("Plain", "Denoising", "Sparse"):
        answers, _ = reconstructed(coders / name)
        assert np.mean((answers - x) ** 2) < 0.4 * spread
        assert figures(coders / name)["test_loss"] < 0.4 * spread


def test_a_sparse_code_is_mostly_asleep(coders) -> None:
    _, weights = reconstructed(coders / "Sparse")
    code = pixels() @ weights["code.dense.weight"] + weights["code.dense.bias"]
    awake = 1 / (1 + np.exp(-code))
    assert awake.mean() < 0.2
    assert (awake > 0.5).any(axis=0).sum() > 10


def test_a_variational_autoencoder_draws_digits(tmp_path, nndsl) -> None:
    ended = nndsl("train", MODELS / "29_vae.nn", "--out", "run", "--quiet", "--set", "epochs=60")
    assert ended.code == 0
    assert figures(tmp_path / "run")["test_loss"] < 28  # 64 ln 2 = 44 is chance
    decoder = inner_net(running.load_run(tmp_path / "run"), "Decoder")
    assert alike(samples(decoder, 500)["output"]) > 0.9


def alike(made: np.ndarray) -> float:
    """The correlation of the covariances of made pictures and of digits."""
    first, second = (np.cov(x.reshape(len(x), -1).T).ravel() for x in (made, pixels()))
    return float(np.corrcoef(first, second)[0, 1])


def test_a_generator_learns_from_its_critic(tmp_path, nndsl) -> None:
    ended = nndsl("train", MODELS / "30_gan.nn", "--out", "run", "--set", "epochs=60")
    assert ended.code == 0
    (last,) = [line for line in ended.out.splitlines() if line.startswith("epoch 60/60")]
    assert "Critic.loss" in last and "Generator.loss" in last
    found = figures(tmp_path / "run")
    assert 1.0 < found["test_Critic.loss"] < 1.6  # 2 ln 2: real and made ones look the same
    generator = inner_net(running.load_run(tmp_path / "run"), "Generator")
    made = samples(generator, 500)["output"]
    assert alike(made) > 0.5  # 0.2 before it has learnt, 0.9 after all epochs of the file
    assert np.abs(made.mean(axis=0) - pixels().mean(axis=0)).mean() < 0.08


def test_several_inputs_and_outputs(tmp_path, nndsl) -> None:
    path = MODELS / "31_many_inputs_outputs.nn"
    assert nndsl("train", path, "--out", "run", "--quiet").code == 0
    found = figures(tmp_path / "run")
    assert found["test_r2"] > 0.8 and found["test_species.accuracy"] > 0.95
    ended = nndsl("predict", "run", MODELS / "penguins.csv", "-o", "p.csv")
    assert ended.code == 0
    with (tmp_path / "p.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    right = [row["species"] == row["predicted_species"] for row in rows]
    assert np.mean(right) > 0.95


def test_towers_that_share_their_weights(tmp_path, nndsl) -> None:
    assert nndsl("train", MODELS / "31_siamese.nn", "--out", "run", "--quiet").code == 0
    loaded = running.load_run(tmp_path / "run" / "Distance")
    assert set(loaded.network.parameters) == {
        f"tower.dense[{i}].{name}" for i in (1, 2) for name in ("weight", "bias")
    }
    answers = running.answer(loaded, str(MODELS / "iris_pairs.csv"))
    with (MODELS / "iris_pairs.csv").open(newline="") as file:
        same = np.array([row["same"] == "1" for row in csv.DictReader(file)])
    far = answers.predictions[0].values
    assert np.mean((far < 0.25) == same) > 0.9
    assert figures(tmp_path / "run" / "Same")["test_accuracy"] > 0.85
