"""Canon rows 13 and 14: the examples of the Keras guide, their loss curves beside PyTorch's."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nndsl.data import split_rows
from nndsl.ops.source import Random
from nndsl.random import uniform_block
from nndsl.train.session import train
from tests.models.running import MODELS, Stepper, model_text, opened, opened_text, stepper

STEPS = 300
RATE = 0.5


@pytest.mark.parametrize("name", ["13_keras_mlp", "14_two_branches"])
def test_the_file_trains_and_its_expectations_hold(name: str, nndsl) -> None:
    ended = nndsl("train", MODELS / f"{name}.nn", "--quiet")
    assert (ended.code, ended.err) == (0, "")


def test_both_outputs_of_the_branches_are_judged() -> None:
    run = stepper(opened("14_two_branches", precision="float64"))
    result = train(run.job)
    assert result.metrics["test_accuracy"] > 0.95
    assert result.metrics["test_first.accuracy"] > 0.9


def beside_mnist(folder: Path, images: Path) -> None:
    for name in ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"):
        shutil.copy(images / name, folder)


def test_the_last_images_are_held_out(tmp_path: Path, shared_data: Path, nndsl) -> None:
    beside_mnist(tmp_path, shared_data)
    (tmp_path / "mnist.nn").write_text(model_text("14_mnist"))
    ended = nndsl("check", "--grad", "mnist.nn")
    assert ended.code == 0, ended.out
    assert ended.out.count("ok      Plain.") == 6
    found = opened_text(model_text("14_mnist"), tmp_path)
    (specification,) = found.specifications.values()
    split = split_rows(found.tables["mnist"], found.module.schemas["mnist"], specification, 0)
    np.testing.assert_array_equal(split.test, np.arange(50_000, 60_000))
    assert len(split.train) == 45_000


@pytest.mark.slow
def test_rmsprop_on_mnist(tmp_path: Path, shared_data: Path, nndsl) -> None:
    beside_mnist(tmp_path, shared_data)
    text = model_text("14_mnist").replace("> 0.97", ">= 0.975")
    (tmp_path / "mnist.nn").write_text(text)
    ended = nndsl("train", "mnist.nn", "--quiet")
    assert (ended.code, ended.err) == (0, "")


# --- loss curves -----------------------------------------------------------------------------


class Peer:
    """The learnt arrays of a run as PyTorch's parameters, [outputs, inputs]."""

    def __init__(self, run: Stepper) -> None:
        import torch

        self.torch: Any = torch
        self.parameters = {
            name: torch.tensor(np.array(array.T), dtype=torch.float64, requires_grad=True)
            for name, array in run.start.items()
        }

    def dense(self, x: Any, layer: str) -> Any:
        weight, bias = self.parameters[f"{layer}.weight"], self.parameters[f"{layer}.bias"]
        return self.torch.nn.functional.linear(x, weight, bias)

    def cross_entropy(self, logits: Any, classes: np.ndarray) -> Any:
        classes = self.torch.from_numpy(classes.astype(np.int64))
        return self.torch.nn.functional.cross_entropy(logits, classes)

    def input(self, array: np.ndarray) -> Any:
        return self.torch.from_numpy(array)

    def curve(
        self,
        run: Stepper,
        loss: Callable[[int], Any],
        optimizer: Any,
        rate: Callable[[int], float],
    ) -> Sequence[float]:
        losses = []
        for step in range(STEPS):
            optimizer.param_groups[0]["lr"] = rate(step)
            optimizer.zero_grad()
            value = loss(step)
            value.backward()
            optimizer.step()
            losses.append(value.item())
        return losses

    def assert_weights(self, run: Stepper) -> None:
        """Rounding grows with the steps, in weights more than in their loss."""
        for name, found in run.weights.items():
            expected = self.parameters[name].detach().numpy().T
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-8, err_msg=name)


def masks(run: Stepper, width: int) -> Callable[[int, int], np.ndarray]:
    """What dropout multiplies by in a step, from the random numbers it is defined by."""
    operations = [node.operation for node in run.job.recipe.graph.nodes]
    (stream,) = [o.stream for o in operations if isinstance(o, Random)]

    def mask(step: int, rows: int) -> np.ndarray:
        chances = uniform_block(run.job.seed, stream, step, rows * width).reshape(rows, width)
        return np.where(chances < RATE, 0.0, 1 / (1 - RATE))

    return mask


@pytest.mark.peers
@pytest.mark.parametrize("dropout", [True, False], ids=["dropout", "no dropout"])
def test_the_keras_example_has_pytorchs_loss_curve(dropout: bool) -> None:
    """Nesterov momentum 0.9, rate 0.1 / (1 + 1e-6 t), batch 16, the same masks."""
    text = model_text("13_keras_mlp")
    text = text if dropout else text.replace(" -> dropout(0.5)", "")
    run = stepper(opened_text(text, precision="float64"))
    peer = Peer(run)
    torch = peer.torch
    mask = masks(run, 64) if dropout else lambda step, rows: np.ones((rows, 64))

    def loss(step: int) -> Any:
        rows = run.rows(step)
        first = torch.tanh(peer.dense(peer.input(rows["input"]), "dense[1]"))
        first = first * peer.input(mask(step, len(first)))
        second = torch.tanh(peer.dense(first, "dense[2]"))
        return peer.cross_entropy(peer.dense(second, "dense[3]"), rows["digit"])

    optimizer = torch.optim.SGD(peer.parameters.values(), 0.1, momentum=0.9, nesterov=True)
    expected = peer.curve(run, loss, optimizer, lambda step: 0.1 / (1 + 1e-6 * step))
    found = [run.step() for _ in range(STEPS)]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)
    peer.assert_weights(run)


@pytest.mark.peers
def test_the_branches_have_pytorchs_loss_curve() -> None:
    """RMSProp 1e-3 with a smoothing of 0.99, two losses of which the second counts a fifth."""
    run = stepper(opened("14_two_branches", precision="float64", penalty="none"))
    peer = Peer(run)
    torch = peer.torch

    def loss(step: int) -> Any:
        rows = run.rows(step)
        hidden = torch.relu(peer.dense(peer.input(rows["body"]), "hidden.dense"))
        joined = torch.cat([hidden, peer.input(rows["place"])], dim=1)
        second = torch.relu(peer.dense(joined, "dense[1]"))
        third = torch.relu(peer.dense(second, "dense[2]"))
        main = peer.cross_entropy(peer.dense(third, "main.dense"), rows["species"])
        first = peer.cross_entropy(peer.dense(hidden, "first.dense"), rows["species"])
        return main + 0.2 * first

    optimizer = torch.optim.RMSprop(peer.parameters.values(), 1e-3, alpha=0.99, eps=1e-8)
    expected = peer.curve(run, loss, optimizer, lambda step: 1e-3)
    found = [run.step() for _ in range(STEPS)]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)
    peer.assert_weights(run)
