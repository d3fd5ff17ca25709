"""A thousand steps of whole training graphs in float64 against PyTorch."""

import numpy as np
import pytest

from nndsl.ir.graph import Role
from nndsl.lower.result import OptimizerUse
from nndsl.ops.base import Clock
from nndsl.runtime.reference import evaluate
from nndsl.vocab.arguments import call
from nndsl.vocab.registry import words
from tests.passes.networks import arrays_for
from tests.passes.test_update import NAMES, clocks, step_graph

pytestmark = pytest.mark.peers
STEPS = 1000
CASES = {
    "sgd": ("sgd", {"lr": 0.05}, "SGD", {"lr": 0.05}),
    "sgd with momentum": (
        "sgd",
        {"lr": 0.05, "momentum": 0.9, "decay": 1e-4},
        "SGD",
        {"lr": 0.05, "momentum": 0.9, "weight_decay": 1e-4},
    ),
    "nesterov": (
        "sgd",
        {"lr": 0.05, "momentum": 0.9, "nesterov": True},
        "SGD",
        {"lr": 0.05, "momentum": 0.9, "nesterov": True},
    ),
    "momentum of the lectures": (
        "momentum",
        {"lr": 0.05, "beta": 0.9},
        "SGD",
        {"lr": 0.05, "momentum": 0.9},
    ),
    "nesterov of the lectures": (
        "nesterov",
        {"lr": 0.05, "beta": 0.9},
        "SGD",
        {"lr": 0.05, "momentum": 0.9, "nesterov": True},
    ),
    "adam": ("adam", {"lr": 0.003}, "Adam", {"lr": 0.003}),
    "adamw": ("adamw", {"lr": 0.003}, "AdamW", {"lr": 0.003}),
}


def trained(graph, arrays):
    """The parameters after the steps, from states of zero."""
    states = [n for n, i in graph.inputs.items() if i.role is Role.STATE]
    arrays = {**arrays, **{n: np.zeros_like(arrays[n]) for n in states}}
    for step in range(STEPS):
        _, updates = evaluate(graph, {**arrays, **clocks(step)}, Clock(step=step))
        arrays = {**arrays, **updates}
    return arrays


def trained_by_torch(torch, arrays, optimizer, numbers):
    leaves = {n: torch.tensor(arrays[n], requires_grad=True) for n in NAMES}
    x, t = torch.tensor(arrays["input"]), torch.tensor(arrays["species"])
    steps = getattr(torch.optim, optimizer)(leaves.values(), **numbers)
    for _ in range(STEPS):
        hidden = torch.tanh(x @ leaves["dense[1].weight"] + leaves["dense[1].bias"])
        logits = hidden @ leaves["dense[2].weight"] + leaves["dense[2].bias"]
        loss = torch.nn.functional.cross_entropy(logits, t)
        steps.zero_grad()
        loss.backward()
        steps.step()
    return {n: leaf.detach().numpy() for n, leaf in leaves.items()}


@pytest.mark.parametrize(("word", "ours", "optimizer", "theirs"), CASES.values(), ids=CASES)
def test_a_thousand_steps_are_those_of_torch(word, ours, optimizer, theirs, rng):
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)
    graph = step_graph(OptimizerUse(call(words("optimizer")[word], **ours), {}, NAMES))
    arrays = arrays_for(graph, rng, rows=20)
    found = trained(graph, arrays)
    expected = trained_by_torch(torch, arrays, optimizer, theirs)
    for name in NAMES:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-12, atol=1e-12)
