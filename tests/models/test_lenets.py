"""Canon rows 22 and 23: LeNets that refuse, and a committee on moved images."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

import nndsl as library
from nndsl.params import TimeLength
from tests.models.running import model_text, opened_text
from tests.models.test_examples import beside_mnist

IMAGES, LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"
SIDE = 28


def few_images(folder: Path, images: Path, count: int) -> None:
    """The first of the images with their labels, as IDX files of the same names."""
    for name, head, size in ((IMAGES, 16, SIDE * SIDE), (LABELS, 8, 1)):
        with gzip.open(images / name) as file:
            content = bytearray(file.read(head + size * count))
        content[4:8] = count.to_bytes(4, "big")
        (folder / name).write_bytes(gzip.compress(bytes(content), 1))


def test_the_lenets_refuse_what_they_do_not_know(tmp_path, shared_data, nndsl) -> None:
    few_images(tmp_path, shared_data, 1500)
    text = model_text("22_lenet").replace("45000, 5000, 10000", "1000, 200, 300")
    (tmp_path / "lenet.nn").write_text(text)
    assert nndsl("train", "lenet.nn", "--set", "epochs=3", "--quiet", "--out", "run").code in (0, 1)
    for net, parameters in (("LeNet1", 3_246), ("LeNet5", 61_706)):
        model = library.load(tmp_path / "run" / net)
        assert sum(array.size for array in model.weights.values()) == parameters
        figures = json.loads((tmp_path / "run" / net / "run.json").read_text())["metrics"]
        assert 0 < figures["test_refused"] < 0.6
        assert figures["test_accuracy"] > 0.85


def test_the_committee_in_small(tmp_path, shared_data, nndsl) -> None:
    few_images(tmp_path, shared_data, 500)
    text = model_text("23_committee").replace("45000, 5000, 10000", "200, 100, 200")
    (tmp_path / "cnn.nn").write_text(text.replace("committee(5,", "committee(2,"))
    assert nndsl("train", "cnn.nn", "--set", "epochs=1", "--quiet", "--out", "run").code in (0, 1)
    model = library.load(tmp_path / "run")
    sizes = [sum(array.size for array in one.weights.values()) for one in model.members]
    assert sizes == [1_672_570] * 2
    weights = [one.weights["dense[1].weight"] for one in model.members]
    assert not np.array_equal(*weights)


def test_the_lecture_s_recipe_is_two_settings_away(tmp_path, shared_data) -> None:
    few_images(tmp_path, shared_data, 500)
    text = model_text("23_committee").replace("45000, 5000, 10000", "200, 100, 200")
    settings = {"epochs": "40", "schedule": "hold(1)"}
    (recipe,) = opened_text(text, tmp_path, **settings).module.recipes
    (use,) = recipe.optimizers
    assert (use.optimizer.name, str(use.numbers["lr"])) == ("sgd", "0.03")
    assert (recipe.batch, recipe.keep, recipe.length) == (10, None, TimeLength(40, "epoch"))
    assert recipe.ensemble is not None
    assert recipe.ensemble.arguments["members"] == 5
    assert recipe.augment.copies == 5


@pytest.mark.slow
def test_the_lenets_on_mnist(tmp_path, shared_data, nndsl) -> None:
    """A minute of one core; the gradients beside it."""
    beside_mnist(tmp_path, shared_data)
    (tmp_path / "lenet.nn").write_text(model_text("22_lenet"))
    assert nndsl("check", "--grad", "lenet.nn").code == 0
    ended = nndsl("train", "lenet.nn", "--quiet")
    assert (ended.code, ended.err) == (0, "")


@pytest.mark.slow
def test_the_committee_on_mnist(tmp_path, shared_data, nndsl) -> None:
    """The whole file: nineteen minutes of one core."""
    beside_mnist(tmp_path, shared_data)
    (tmp_path / "committee.nn").write_text(model_text("23_committee"))
    ended = nndsl("train", "committee.nn", "--quiet", "--out", "run")
    assert (ended.code, ended.err) == (0, "")
