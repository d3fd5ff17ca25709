"""Canon rows 19 to 21: convolutions, pooling, a simple CNN; training equal to that of PyTorch."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.models.running import MODELS, Arrays, Stepper, model_text, opened_text, stepper
from tests.models.test_examples import beside_mnist

STEPS = 100
CNN = """data digits = csv("digits.csv", target=digit)
net Three on digits {
  reshape(1x8x8)
  conv(6, 3, pad=same) -> relu -> maxpool(3, stride=2, pad=1)
  conv(8, 3, groups=2, bias=false) -> batch_norm -> tanh
  conv_transpose(4, 2, stride=2) -> elu -> avgpool(3, stride=2, pad=1)
  flatten -> dense(digits.classes) -> softmax
}
train Three { optimizer = %s; batch = 16; epochs = 5; penalty = none; precision = float64 }
"""


def test_pooling_trains_and_its_expectations_hold(nndsl) -> None:
    ended = nndsl("train", MODELS / "20_pooling.nn", "--quiet")
    assert (ended.code, ended.err) == (0, "")


def test_gradients_of_the_simple_network(tmp_path: Path, shared_data: Path, nndsl) -> None:
    beside_mnist(tmp_path, shared_data)
    (tmp_path / "simple.nn").write_text(model_text("21_simple_cnn"))
    ended = nndsl("check", "--grad", "simple.nn")
    assert ended.code == 0, ended.out
    assert ended.out.count("ok      Simple.") == 4


@pytest.mark.slow
def test_the_simple_network_on_mnist(tmp_path: Path, shared_data: Path, nndsl) -> None:
    beside_mnist(tmp_path, shared_data)
    (tmp_path / "simple.nn").write_text(model_text("21_simple_cnn"))
    ended = nndsl("train", "simple.nn", "--quiet")
    assert (ended.code, ended.err) == (0, "")


EVERY_LAYER = """data digits = csv("digits.csv", target=digit)
net Small on digits {
  reshape(4x4x4) -> conv(4, 3, pad=same, bias=false) -> batch_norm -> elu
  maxpool(3, stride=1, pad=1)
  [conv(8, 1, stride=2), conv(2, 3, stride=2, pad=1)] -> concat -> lrn(3)
  group_norm(2) -> upsample(2) -> avgpool(3, stride=1, pad=1, count_pad=false)
  depthwise(3, pad=same, multiplier=2) -> conv_transpose(6, 3, stride=2, groups=2)
  prelu(shared=false) -> crop(1) -> instance_norm -> l2pool(2) -> layer_norm -> pad([1, 0])
  conv(8, 2, dilation=2, groups=2, pad=full) -> tanh -> dropout(0.1) -> channel_dropout(0.1)
  global_avg_pool -> dense(digits.classes) -> softmax
}
net Signal on digits {
  reshape(4x16) -> conv(4, 3, pad=same) -> batch_norm -> relu -> maxpool(2, ceil=true)
  conv(3, 2) -> tanh -> global_max_pool -> dense(digits.classes) -> softmax
}
train Small { epochs = 1; batch = 64 }
train Signal { epochs = 1; batch = 64 }
"""


@pytest.fixture
def every_layer(tmp_path: Path) -> Path:
    shutil.copy(MODELS / "digits.csv", tmp_path)
    path = tmp_path / "every.nn"
    path.write_text(EVERY_LAYER)
    return path


def test_gradients_of_every_layer_over_images(every_layer: Path, nndsl) -> None:
    ended = nndsl("check", "--grad", every_layer)
    assert ended.code == 0, ended.out
    assert "DIFFERS" not in ended.out
    assert ended.out.count(", worst ") > 20


@pytest.mark.slow
def test_threads_do_not_change_a_bit(every_layer: Path, tmp_path: Path, nndsl) -> None:
    found = []
    for threads in (1, 2):
        out = tmp_path / f"run{threads}"
        ended = nndsl("train", every_layer, "--out", out, "--threads", threads, "--quiet")
        assert ended.code == 0, ended.err
        found.append([path.read_bytes() for path in sorted(out.rglob("weights.safetensors"))])
    assert len(found[0]) == 2
    assert found[0] == found[1]


# --- beside PyTorch --------------------------------------------------------------------------


def seen(run: Stepper, arrays: Arrays) -> Arrays:
    """Arrays in the layout that people and PyTorch see."""
    axes = {name: info.axes for name, info in run.job.network.parameters.items()}
    return {
        name: np.ascontiguousarray(array.transpose(axes[name] or range(array.ndim)))
        for name, array in arrays.items()
    }


def logits(torch: Any, w: dict[str, Any], running: dict[str, Any], x: Any, training: bool) -> Any:
    """The network of `CNN`, without its softmax."""
    nn = torch.nn.functional
    y = nn.relu(nn.conv2d(x.reshape(-1, 1, 8, 8), w["conv[1].weight"], w["conv[1].bias"], 1, 1))
    y = nn.conv2d(nn.max_pool2d(y, 3, 2, 1), w["conv[2].weight"], groups=2)
    learnt = w["batch_norm.weight"], w["batch_norm.bias"]
    y = torch.tanh(nn.batch_norm(y, running["mean"], running["var"], *learnt, training))
    transposed = w["conv_transpose.weight"], w["conv_transpose.bias"]
    y = nn.avg_pool2d(nn.elu(nn.conv_transpose2d(y, *transposed, stride=2)), 3, 2, 1)
    return nn.linear(y.flatten(1), w["dense.weight"], w["dense.bias"])


@pytest.mark.peers
@pytest.mark.parametrize("optimizer", ["sgd(0.05)", "adam(0.003)"])
def test_training_is_pytorchs(optimizer: str) -> None:
    import torch

    run = stepper(opened_text(CNN % optimizer))
    weights = {n: torch.tensor(a, requires_grad=True) for n, a in seen(run, run.start).items()}
    running = {"mean": torch.zeros(8).double(), "var": torch.ones(8).double()}
    learner = (
        torch.optim.SGD(weights.values(), 0.05)
        if optimizer.startswith("sgd")
        else torch.optim.Adam(weights.values(), 0.003)
    )
    for step in range(STEPS):
        rows = run.rows(step)
        learner.zero_grad()
        classes = torch.from_numpy(rows["digit"].astype(np.int64))
        found = logits(torch, weights, running, torch.from_numpy(rows["input"]), training=True)
        loss = torch.nn.functional.cross_entropy(found, classes)
        loss.backward()
        learner.step()
        assert run.step() == pytest.approx(loss.item(), abs=1e-10)
    for name, array in seen(run, run.weights).items():
        expected = weights[name].detach().numpy()
        np.testing.assert_allclose(array, expected, rtol=0, atol=1e-10, err_msg=name)
    run.job.evaluation.set_parameters(run.weights)
    run.job.evaluation.set_states(
        {n: a for n, a in run.job.training.states().items() if ".running_" in n}
    )
    chances = run.job.evaluation.evaluate(run.job.validation)["output"]
    given = torch.from_numpy(run.job.validation["input"])
    expected = torch.softmax(logits(torch, weights, running, given, training=False), 1)
    np.testing.assert_allclose(chances, expected.detach().numpy(), rtol=0, atol=1e-10)
