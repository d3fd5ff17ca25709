"""Gradients beside finite differences, of trained networks and of those that nothing trains."""

from __future__ import annotations

import numpy as np
import pytest

import nndsl
from nndsl import driver
from nndsl.cli.main import run
from nndsl.model.gradient_check import check_gradients, check_gradients_of_outputs

SERIES = "t,y,e\n" + "".join(f"{i},{i % 5},{i % 3}\n" for i in range(60))
FORECAST = """data s = csv("s.csv", time=t) { target = y -> standardize; window = 5 }
net A on s { gru(4, reset=before) -> last -> dense(1) }
train A { epochs = 1 }
"""
STATE = "gru.state_weight"


def opened(folder, text):
    (folder / "s.csv").write_text(SERIES, encoding="utf-8")
    (folder / "net.nn").write_text(text, encoding="utf-8")
    return driver.open_file(folder / "net.nn")


def test_gradients_of_parts_of_weights_within_a_recurrence(tmp_path) -> None:
    module = opened(tmp_path, FORECAST).module
    checked = list(check_gradients(module.recipes[0], module.networks["A"]))
    assert len(checked) == 5
    assert all(one.agrees for one in checked), checked


def test_the_gradients_that_python_gets_are_those_of_training(tmp_path) -> None:
    opened(tmp_path, FORECAST)
    model = nndsl.load(tmp_path / "net.nn", precision="float64")
    random = np.random.default_rng(0)
    batch = random.normal(size=(9, 5, 2)), random.normal(size=(9, 1))
    loss, gradients = model.loss_and_gradients(*batch)
    moved = model.weights[STATE].copy()
    moved[0, 1] += 1e-6
    model.weights[STATE] = moved
    above = model.loss_and_gradients(*batch)[0]
    assert (above - loss) / 1e-6 == pytest.approx(gradients[STATE][0, 1], rel=1e-4)


def test_a_net_without_training_is_checked_by_its_outputs(tmp_path, capsys) -> None:
    text = """net Two {
  input x: [T, 3]
  h = lstm(2) -> dense(4)
  (h -> softmax, h -> last)
}
net Same { input x: [2]; relu }
"""
    module = opened(tmp_path, text).module
    checked = list(check_gradients_of_outputs(module.networks["Two"]))
    assert [one.parameter for one in checked][:2] == ["h.lstm.input_weight", "h.lstm.state_weight"]
    assert all(one.agrees and one.worst > 0 for one in checked)
    assert list(check_gradients_of_outputs(module.networks["Same"])) == []
    assert run(["check", "--grad", str(tmp_path / "net.nn")]) == 0
    assert "ok      Two.h.dense.bias" in capsys.readouterr().out
