"""Canon rows 18 and 26: self-normalising nets, norms; training equal to that of PyTorch."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from nndsl.codegen.generate import generate
from nndsl.passes import pipeline
from nndsl.runtime import weights
from nndsl.runtime.executable import load
from nndsl.train.folder import create_at
from nndsl.train.initial import initial_parameters
from nndsl.train.saved import read_checkpoint
from nndsl.train.session import train
from tests.models.running import MODELS, Stepper, job_of, opened_text, stepper
from tests.train.compiled import compiled_job
from tests.train.test_compiled import StopAfter
from tests.train.test_resume import same

STEPS = 100


@pytest.mark.parametrize("name", ["18_self_normalizing", "26_normalization"])
def test_the_file_trains_and_its_expectations_hold(name: str, nndsl) -> None:
    ended = nndsl("train", MODELS / f"{name}.nn", "--quiet")
    assert (ended.code, ended.err) == (0, "")


# --- row 18 ---------------------------------------------------------------------------------


def statistics(activation: str, init: str) -> np.ndarray:
    """Mean and deviation of what each of 30 layers gives at the start: [layers, 2].

    Each is that of all units and rows together, through the compiled kernels in float32.
    """
    text = (MODELS / "18_self_normalizing.nn").read_text(encoding="utf-8")
    text = text.replace("-> selu", f"-> {activation}").replace("lecun_normal", init)
    found = opened_text(text, depth="30", width="128")
    network, job = found.module.networks["SelfNormalizing"], job_of(found)
    graph = network.graph.copy()
    layers = [part for part in network.parts if part.word == activation]
    graph.outputs = {part.path: part.output for part in layers}
    program = generate(pipeline.run(graph, pipeline.INFERENCE), "float32", 128, watch=None)
    executable = load(program)
    executable.set_parameters(initial_parameters(network, seed=3))
    given = executable.evaluate({"input": job.train["input"]})
    return np.array([(given[p.path].mean(), given[p.path].std()) for p in layers])


def test_selu_keeps_mean_and_deviation_through_thirty_layers() -> None:
    found = statistics("selu", "lecun_normal")
    assert len(found) == 30
    assert np.abs(found[:, 0]).max() < 0.15
    assert np.abs(found[:, 1] - 1.0).max() < 0.15


def test_others_do_not() -> None:
    assert statistics("tanh", "lecun_normal")[-1, 1] < 0.25
    assert statistics("selu", "he_normal")[-1, 1] > 1.4


# --- beside PyTorch -------------------------------------------------------------------------

NETWORK = """data digits = csv("digits.csv", target=digit)
net Net on digits {{
  {layers}
  dense(digits.classes) -> softmax
}}
train Net {{ optimizer = {optimizer}; batch = 32; epochs = 10; penalty = none; keep = last
  precision = float64 }}
"""
OPTIMIZERS = {
    "sgd(0.1)": lambda torch, weights: torch.optim.SGD(weights, 0.1),
    "adam(0.003)": lambda torch, weights: torch.optim.Adam(weights, 0.003),
}
LAYERS = {
    "batch norm": "dense(24, bias=false) -> batch_norm -> relu\n  dense(16) -> batch_norm -> tanh",
    "layer norm": "dense(24) -> layer_norm -> relu\n  dense(16) -> layer_norm(bias=false) -> tanh",
    "group norm": "dense(24) -> group_norm(4) -> relu\n  dense(16) -> rms_norm -> silu",
    "prelu": "dense(24) -> prelu\n  dense(16) -> prelu(0.1, shared=false)",
    "maxout": "maxout(24, pieces=3)\n  dense(16) -> glu",
}


class Peer:
    """The same network of torch.nn's modules, with the run's weights."""

    def __init__(self, run: Stepper) -> None:
        import torch

        self.torch: Any = torch
        self.weights = {
            name: torch.tensor(array.T.copy(), dtype=torch.float64, requires_grad=True)
            for name, array in run.start.items()
        }
        self.running = {name: torch.tensor(array) for name, array in states_of(run).items()}

    def of(self, part: str, name: str) -> Any:
        return self.weights.get(f"{part}.{name}")

    def forward(self, run: Stepper, x: np.ndarray, training: bool = True) -> Any:
        """The network stage by stage; the logits."""
        y = self.torch.from_numpy(x)
        for part in run.job.network.parts[:-1]:
            y = self.stage(part.path, part.word, part.text, y, training)
        return y

    def stage(self, path: str, word: str, text: str, x: Any, training: bool) -> Any:
        nn = self.torch.nn.functional
        weight, bias = self.of(path, "weight"), self.of(path, "bias")
        if word == "dense":
            return nn.linear(x, weight, bias)
        if word == "batch_norm":
            mean, variance = (self.running[f"{path}.running_{s}"] for s in ("mean", "var"))
            return nn.batch_norm(x, mean, variance, weight, bias, training, 0.1, 1e-5)
        if word == "layer_norm":
            return nn.layer_norm(x, x.shape[1:], weight, bias, 1e-5)
        if word == "rms_norm":
            return nn.rms_norm(x, x.shape[1:], weight, 1e-5)
        if word == "group_norm":
            return nn.group_norm(x, 4, weight, bias, 1e-5)
        if word == "prelu":
            return nn.prelu(x, weight)
        if word == "maxout":
            pieces = [
                nn.linear(x, self.of(path, f"weight[{i}]"), self.of(path, f"bias[{i}]"))
                for i in (1, 2, 3)
            ]
            return self.torch.stack(pieces).amax(0)
        return getattr(nn, word)(x)


def states_of(run: Stepper) -> dict[str, np.ndarray]:
    """The running statistics now."""
    states = run.job.training.states()
    return {name: array for name, array in states.items() if ".running_" in name}


@pytest.mark.peers
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("layers", LAYERS)
def test_training_is_pytorchs(layers: str, optimizer: str) -> None:
    text = NETWORK.format(layers=LAYERS[layers], optimizer=optimizer)
    run = stepper(opened_text(text))
    peer = Peer(run)
    torch = peer.torch
    learner = OPTIMIZERS[optimizer](torch, peer.weights.values())
    for step in range(STEPS):
        rows = run.rows(step)
        learner.zero_grad()
        classes = torch.from_numpy(rows["digit"].astype(np.int64))
        loss = torch.nn.functional.cross_entropy(peer.forward(run, rows["input"]), classes)
        loss.backward()
        learner.step()
        assert run.step() == pytest.approx(loss.item(), abs=1e-10)
    for name, found in run.weights.items():
        expected = peer.weights[name].detach().numpy().T
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10, err_msg=name)
    for name, found in states_of(run).items():
        np.testing.assert_allclose(found, peer.running[name].numpy(), rtol=0, atol=1e-10)
    run.job.evaluation.set_parameters(run.weights)
    run.job.evaluation.set_states(states_of(run))
    chances = run.job.evaluation.evaluate(run.job.validation)["output"]
    logits = peer.forward(run, run.job.validation["input"], training=False)
    expected = torch.softmax(logits, 1).detach().numpy()
    np.testing.assert_allclose(chances, expected, rtol=0, atol=1e-10)


# --- states ---------------------------------------------------------------------------------


def test_a_part_at_rest_keeps_its_statistics() -> None:
    text = """data digits = csv("digits.csv", target=digit)
net Net on digits {
  trunk = dense(16) -> batch_norm -> relu
  head = dense(digits.classes) -> softmax
}
train Net.head { epochs = 2; precision = float64 }
"""
    run = stepper(opened_text(text))
    before = run.weights
    run.step(5)
    np.testing.assert_array_equal(run.weights["trunk.batch_norm.weight"],
                                  before["trunk.batch_norm.weight"])  # fmt: skip
    assert not np.array_equal(run.weights["head.dense.weight"], before["head.dense.weight"])
    for name, array in states_of(run).items():
        np.testing.assert_array_equal(array, 1.0 if name.endswith("_var") else 0.0)


NORMS = """data iris = csv("iris.csv", target=species)
net Classifier on iris {
  dense(24, bias=false) -> batch_norm -> relu -> dropout(0.2)
  dense(16) -> layer_norm -> prelu(shared=false) -> group_norm(2)
  dense(iris.classes) -> softmax
}
train Classifier { epochs = 6; batch = 7; %s }
"""


@pytest.mark.parametrize("stop", [1, 20])
def test_a_broken_run_goes_on_to_the_bit(tmp_path, monkeypatch, stop) -> None:
    monkeypatch.setattr("nndsl.train.loop.CHUNK_SECONDS", 1e-12)
    whole = train(compiled_job(text=NORMS))
    with create_at(tmp_path / "run") as folder:
        job = compiled_job(text=NORMS)
        train(replace(job, training=StopAfter(job.training, stop), folder=folder))
    rest = train(compiled_job(threads=2, text=NORMS), checkpoint=read_checkpoint(tmp_path / "run"))
    same(whole, rest)
    assert (whole.states["batch_norm.running_var"] != 1.0).all()


def test_a_job_can_be_trained_again() -> None:
    job = compiled_job(text=NORMS)
    same(train(job), train(job))


def test_a_second_phase_goes_on_with_the_statistics(tmp_path, nndsl) -> None:
    text = """data iris = csv("iris.csv", target=species)
net Net on iris {
  trunk = dense(16, bias=false) -> batch_norm -> relu
  head = dense(iris.classes) -> softmax
}
train Net { epochs = 5; keep = last }
train Net.head { epochs = 5; keep = last }
"""
    (tmp_path / "net.nn").write_text(text)
    shutil.copy(MODELS / "iris.csv", tmp_path)
    assert nndsl("train", "net.nn", "--out", "run", "--quiet").code == 0
    first, _ = weights.load(tmp_path / "run" / "weights-1.safetensors")
    last, _ = weights.load(tmp_path / "run" / "weights.safetensors")
    for name in ("trunk.batch_norm.running_mean", "trunk.batch_norm.weight"):
        np.testing.assert_array_equal(first[name], last[name])
    assert not np.array_equal(first["head.dense.weight"], last["head.dense.weight"])


def test_statistics_are_in_the_run_folder_and_are_read_again(tmp_path, nndsl) -> None:
    out = tmp_path / "run"
    ended = nndsl("train", MODELS / "26_normalization.nn", "--only", "Batch", "--out", out)
    assert ended.code == 0
    tensors, _ = weights.load(out / "weights.safetensors")
    assert tensors["batch_norm[1].running_mean"].shape == (64,)
    assert (tensors["batch_norm[2].running_var"] != 1.0).all()
    (said,) = [line for line in ended.out.splitlines() if line.startswith("test")]
    again = nndsl("evaluate", out, MODELS / "digits.csv")
    assert again.code == 0
    assert "accuracy" in again.out and "accuracy" in said
