"""`nndsl.load`: weights, predictions, gradients, steps and training from Python."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

import nndsl
from nndsl.diagnostics import NndslError

SOURCE = """data iris = csv("iris.csv", target="species")
net Classifier on iris {
  dense(6) -> tanh
  dense(iris.classes) -> softmax
}
train Classifier { optimizer = momentum(0.1); penalty = l2(0.01); epochs = 3 }
"""
FIRST = "dense[1].weight"


@pytest.fixture
def place(tmp_path: Path, root: Path) -> Path:
    (tmp_path / "m.nn").write_text(SOURCE)
    shutil.copy(root / "models" / "iris.csv", tmp_path)
    return tmp_path / "m.nn"


@pytest.fixture
def model(place: Path) -> nndsl.Model:
    return nndsl.load(place, precision="float64")


@pytest.fixture
def batch(rng) -> tuple[np.ndarray, np.ndarray]:
    return rng.normal(size=(12, 4)), np.arange(12) % 3


def test_weights_are_a_mapping_in_pytorchs_layout(model):
    assert list(model.weights) == [
        FIRST, "dense[1].bias", "dense[2].weight", "dense[2].bias"
    ]  # fmt: skip
    assert model.weights[FIRST].shape == (6, 4)
    assert FIRST in model.weights
    assert "dense" not in model.weights
    assert len(model.weights) == 4


def test_reading_and_assigning_copy(model, rng):
    array = rng.normal(size=(6, 4))
    model.weights[FIRST] = array
    array[:] = 0
    model.weights[FIRST][:] = 0
    assert np.abs(model.weights[FIRST]).min() > 0


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("dense[1].weights", np.zeros((6, 4)), "NN070"),
        (FIRST, np.zeros((4, 6)), "NN071"),
        (FIRST, np.full((6, 4), np.nan), "NN072"),
        (FIRST, np.full((6, 4), "a"), "NN072"),
    ],
)
def test_wrong_weights_are_refused(model, name, value, code):
    before = {n: model.weights[n] for n in model.weights}
    with pytest.raises(NndslError) as problem:
        model.weights[name] = value
    assert problem.value.diagnostics[0].code == code
    assert all(np.array_equal(before[n], model.weights[n]) for n in before)


def test_an_unknown_weight_is_a_key_error(model):
    with pytest.raises(KeyError):
        model.weights["dens[1].weight"]
    assert model.weights.get("nothing") is None


def test_predictions_follow_the_weights(model, batch):
    x, _ = batch
    hidden = np.tanh(x @ model.weights[FIRST].T + model.weights["dense[1].bias"])
    logits = hidden @ model.weights["dense[2].weight"].T + model.weights["dense[2].bias"]
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.predict(x), shares, rtol=1e-12)


def test_gradients_against_finite_differences(model, batch):
    loss, gradients = model.loss_and_gradients(*batch)
    weight = model.weights[FIRST]
    moved = weight.copy()
    moved[2, 3] += 1e-6
    model.weights[FIRST] = moved
    above = model.loss_and_gradients(*batch)[0]
    assert (above - loss) / 1e-6 == pytest.approx(gradients[FIRST][2, 3], rel=1e-4)


def test_a_step_is_the_optimizers(model, batch):
    loss, gradients = model.loss_and_gradients(*batch)
    before = {name: model.weights[name] for name in model.weights}
    assert model.train_step(*batch) == pytest.approx(loss, rel=1e-14)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(model.weights[name], before[name] - 0.1 * gradient, atol=1e-14)
    second = model.loss_and_gradients(*batch)[1]
    middle = {name: model.weights[name] for name in model.weights}
    model.train_step(*batch)
    for name, gradient in second.items():
        velocity = 0.9 * -0.1 * gradients[name] - 0.1 * gradient
        np.testing.assert_allclose(model.weights[name], middle[name] + velocity, atol=1e-13)


def test_batches_may_differ_in_size(place, batch):
    x, y = batch
    small, large = nndsl.load(place), nndsl.load(place)
    for rows in (5, 12, 7):
        first = small.train_step(x[:rows], y[:rows])
        large.loss_and_gradients(x, y)
        assert large.train_step(x[:rows], y[:rows]) == first
    assert small.steps == 3
    assert all(np.array_equal(small.weights[n], large.weights[n]) for n in small.weights)


def test_tables_are_prepared_as_in_training(model, place):
    from_file = model.predict(place.parent / "iris.csv")
    assert from_file.shape == (150, 3)
    columns = {
        "sepal_length": [5.1], "sepal_width": [3.5], "petal_length": [1.4], "petal_width": [0.2]
    }  # fmt: skip
    np.testing.assert_array_equal(model.predict(columns)[0], from_file[0])
    assert model.loss_and_gradients(place.parent / "iris.csv")[0] > 0


def test_fit_is_the_training_of_the_command_line(place, tmp_path):
    from nndsl.cli.main import run

    assert run(["train", str(place), "--out", str(tmp_path / "run"), "--quiet"]) == 0
    trained = nndsl.load(tmp_path / "run")
    model = nndsl.load(place)
    result = model.fit()
    assert result.epochs == 3
    for name in trained.weights:
        assert np.array_equal(model.weights[name], trained.weights[name])
    table = place.parent / "iris.csv"
    assert np.array_equal(model.predict(table), trained.predict(table))


def test_fit_on_rows_given(place, rng):
    x = rng.normal(size=(60, 4))
    y = (x[:, 0] > 0).astype(int)
    model = nndsl.load(place)
    before = model.loss_and_gradients(x, y)[0]
    model.fit(x, y, validation=(x, y), epochs=20)
    assert model.loss_and_gradients(x, y)[0] < before


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (np.zeros((3, 5)), np.zeros(3, int)),
        (np.zeros((3, 4)), np.array([0, 1, 3])),
        (np.zeros((3, 4)), np.array([0, 1, -1])),
        (np.zeros((3, 4)), np.array([0, 1])),
        (np.full((3, 4), np.inf), np.zeros(3, int)),
        (np.zeros((0, 4)), np.zeros(0, int)),
        ({"other": np.zeros((3, 4)), "input": np.zeros((3, 4))}, np.zeros(3, int)),
    ],
)
def test_rows_that_do_not_fit_are_refused(model, x, y):
    with pytest.raises(NndslError) as problem:
        model.train_step(x, y)
    assert problem.value.diagnostics[0].code == "NN073"


def test_what_is_not_there_is_said(place, tmp_path):
    with pytest.raises(NndslError, match="NN074"):
        nndsl.load(place, precision="float16")
    with pytest.raises(NndslError, match="NN014"):
        nndsl.load(place, net="Other")
    (tmp_path / "bare.nn").write_text("net Bare { input x: [2]; dense(1) }\n")
    bare = nndsl.load(tmp_path / "bare.nn")
    assert bare.predict(np.zeros((4, 2))).shape == (4, 1)
    with pytest.raises(NndslError, match="NN013"):
        bare.train_step(np.zeros((4, 2)), np.zeros(4))


def test_a_mistake_says_where_and_what_to_do(place):
    path = place.with_name("wrong.nn")
    path.write_text(place.read_text().replace("tanh", "tahn"))
    with pytest.raises(nndsl.NndslError) as caught:
        nndsl.load(path)
    first, where, remedy = str(caught.value).splitlines()
    assert first == "NN301: nothing is called `tahn`"
    assert where.startswith(" --> ") and where.endswith("wrong.nn:3:15")
    assert remedy == "  = help: did you mean `tanh`?"


def test_a_loss_that_is_not_finite_is_said(place, tmp_path):
    wild = tmp_path / "wild.nn"
    wild.write_text(SOURCE.replace("momentum(0.1)", "sgd(1e30)"))
    model = nndsl.load(wild)
    x = np.ones((4, 4))
    with pytest.raises(NndslError, match="NN075"):
        for _ in range(5):
            model.train_step(x, np.arange(4) % 3)


def test_a_predictor_is_the_fast_way_for_a_few_rows(place):
    model = nndsl.load(place)
    x = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    predict = model.predictor(3)
    np.testing.assert_array_equal(predict(x), model.predict(x))
    model.weights["dense[1].bias"] = model.weights["dense[1].bias"] + 1
    assert not np.array_equal(predict(x), model.predict(x))  # the weights of that moment
    with pytest.raises(NndslError, match="NN073"):
        model.predictor(10**6)
