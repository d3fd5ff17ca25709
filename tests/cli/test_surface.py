"""The error surface of XOR: drawn from a run, smallest near the trained weights."""

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from nndsl.model.running import load_run
from nndsl.model.surface import error_surface

WEIGHTS = ("dense[1].weight[1,1]", "dense[2].weight[1,2]")


@pytest.fixture
def xor(nndsl, root, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert nndsl("train", str(root / "models/09_xor.nn"), "--out", "xor", "--quiet").code == 0
    return tmp_path


def test_the_surface_is_drawn(nndsl, xor):
    assert nndsl("surface", "xor", *WEIGHTS, "-o", "s.svg").code == 0
    picture = ElementTree.fromstring((xor / "s.svg").read_text("utf-8"))
    assert len(picture) > 61 * 61


def test_a_picture_of_another_form_is_refused(nndsl, xor):
    ended = nndsl("surface", "xor", *WEIGHTS, "-o", "s.png")
    assert (ended.code, (xor / "s.png").exists()) == (2, False)
    assert "NN015" in ended.err


def test_losses_are_those_of_the_network(xor):
    loaded = load_run(xor / "xor")
    found = error_surface(loaded, None, WEIGHTS, -10, 10)
    weights = loaded.executable.parameters()
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float)
    inputs = (x - 0.5) / 0.5
    changed = {name: array.astype(float) for name, array in weights.items()}
    changed["dense[1].weight"][0, 0] = found.values[7]
    changed["dense[2].weight"][1, 0] = found.values[40]

    def sigmoid(z):
        return 1 / (1 + np.exp(-z))

    hidden = sigmoid(inputs @ changed["dense[1].weight"] + changed["dense[1].bias"])
    y = sigmoid(hidden @ changed["dense[2].weight"] + changed["dense[2].bias"])
    expected = np.mean((y[:, 0] - [0, 1, 1, 0]) ** 2)
    assert found.losses[7, 40] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    "name", ["dens[1].weight[1,1]", "dense[1].weight[3,1]", "x", "dense[1].bias"]
)
def test_a_weight_that_is_not_there(nndsl, xor, name):
    ended = nndsl("surface", "xor", name, WEIGHTS[1])
    assert ended.code == 2
    assert "NN018" in ended.err
