"""Runs of several nets, and of objectives of one's own, brought back to life."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from nndsl.diagnostics import NndslError, Source
from nndsl.driver import open_source
from nndsl.model import running
from nndsl.model.api import load
from nndsl.model.inner_nets import as_images, inner_names, inner_net, samples, scaled
from nndsl.model.sections import train_file
from nndsl.model.training import Options
from nndsl.train.events import Observer
from tests.models.running import MODELS
from tests.train.test_rounds import GAN

CODER = """data iris = csv("iris.csv", target=species)
net Decoder { input z: [2]; dense(4) }
net Coder on iris { code = dense(2)
 Decoder }
train Coder { minimize mse(Coder.output, iris.inputs) + 0.01 * mean(abs(Coder.code)); epochs = 4 }
"""


def trained(text: str, folder: Path) -> Path:
    found = open_source(Source("m.nn", text), MODELS)
    train_file(found, "run", Options(out=folder), Observer())
    return folder


@pytest.fixture(scope="module")
def gan(tmp_path_factory) -> Path:
    return trained(GAN % "", tmp_path_factory.mktemp("runs") / "gan")


@pytest.fixture(scope="module")
def coder(tmp_path_factory) -> Path:
    return trained(CODER, tmp_path_factory.mktemp("runs") / "coder")


def test_each_net_answers_for_itself(gan):
    loaded = running.load_run(gan)
    assert inner_names(loaded) == ["Maker", "Critic"]
    maker = inner_net(loaded, "Maker")
    made = samples(maker, 10)["output"]
    assert made.shape == (10, 4)
    np.testing.assert_array_equal(made, samples(maker, 10)["output"])
    assert not np.array_equal(made, samples(maker, 10, seed=1)["output"])
    parameters, states = maker.members[0]
    assert "batch_norm.running_mean" in states
    np.testing.assert_array_equal(
        parameters["dense[1].weight"], loaded.members[0][0]["Maker.dense[1].weight"]
    )


def test_a_critic_looks_at_the_rows_of_a_file(gan):
    critic = inner_net(running.load_run(gan), "Critic")
    answers = running.answer(critic, str(MODELS / "iris.csv"))
    (one,) = answers.predictions
    assert one.values.shape == (150,)
    assert answers.metrics == {}


def test_the_objectives_are_judged_on_a_file(gan, coder):
    answers = running.answer(running.load_run(gan), str(MODELS / "iris.csv"))
    assert set(answers.metrics) == {"loss", "Critic.loss", "Maker.loss"}
    answers = running.answer(running.load_run(coder), str(MODELS / "iris.csv"))
    outputs = np.stack([one.values for one in answers.predictions], axis=1)
    assert outputs.shape == (150, 4)
    assert set(answers.metrics) == {"loss"}


def test_a_net_inside_another_has_its_weights(coder):
    loaded = running.load_run(coder)
    assert inner_names(loaded) == ["Decoder"]
    decoder = inner_net(loaded, "Decoder")
    z = np.array([[0.5, -1.0]], np.float32)
    weight, bias = (loaded.members[0][0][f"Decoder.dense.{n}"] for n in ("weight", "bias"))
    found = decoder.executable.evaluate({"input": z})["output"]
    np.testing.assert_allclose(found, z @ weight + bias, rtol=1e-5)


def test_a_net_that_is_not_there_is_told(gan):
    with pytest.raises(NndslError) as problem:
        inner_net(running.load_run(gan), "Makr")
    (found,) = problem.value.diagnostics
    assert (found.code, found.help) == ("NN023", ("--net Maker",))


def test_rows_as_images():
    assert as_images(np.zeros((3, 25))).shape == (3, 5, 5)
    assert as_images(np.zeros((3, 7))) is None
    assert as_images(np.zeros((3, 12)), (3, 2, 2)).shape == (3, 2, 2, 3)
    (one,) = scaled(np.array([-1.0, 1.0]))
    np.testing.assert_array_equal(one, [0.0, 1.0])


def test_objectives_in_python() -> None:
    rows = np.random.default_rng(0).random((60, 4), dtype=np.float32)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "m.nn"
        shutil.copy(MODELS / "iris.csv", folder)
        path.write_text(CODER)
        coder = load(path)
        before, gradients = coder.loss_and_gradients(rows)
        assert before > 0 and set(gradients) == set(coder.weights)
        result = coder.fit(rows, epochs=2)
        assert coder.loss_and_gradients(rows)[0] < before
        assert coder.predict(rows).shape == (60, 4)
        assert len(result.history) == 2
        path.write_text(GAN % "")
        gan = load(path)
        result = gan.fit(rows, epochs=2)
        assert "train_Maker.loss" in result.history.columns
        with pytest.raises(NndslError) as problem:
            gan.train_step(rows)
        assert problem.value.diagnostics[0].code == "NN390"
