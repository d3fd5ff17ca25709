"""Recurrent layers beside PyTorch's, forward and gradient, in float64: oracle and kernels."""

from __future__ import annotations

import numpy as np
import pytest

from nndsl.codegen.generate import generate
from nndsl.ir.graph import Graph, Role
from nndsl.ops.binding import bind
from nndsl.ops.compose import add_map
from nndsl.ops.map import operand
from nndsl.ops.reduction import Reduce
from nndsl.passes.differentiate import Differentiate
from nndsl.passes.pipeline import CLEANING, PLANNING, SCANS
from nndsl.passes.scans import LiftFromScans
from nndsl.runtime.cache import Cache
from nndsl.runtime.executable import load
from nndsl.runtime.reference import evaluate
from nndsl.vocab.arguments import call
from nndsl.vocab.registry import words
from tests.codegen.programs import feed
from tests.vocab.context import Built

pytestmark = pytest.mark.peers

CLOSE = {"rtol": 1e-10, "atol": 1e-10}
FEATURES, UNITS, ROWS = 3, 4, 5
CELLS = [
    ("rnn", {}, "RNN", {}),
    ("rnn", {"activation": "relu"}, "RNN", {"nonlinearity": "relu"}),
    ("lstm", {}, "LSTM", {}),
    ("lstm", {"bias": False}, "LSTM", {"bias": False}),
    ("gru", {}, "GRU", {}),
    ("gru", {"bias": False}, "GRU", {"bias": False}),
]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Cache(tmp_path_factory.mktemp("code") / "cache")


def built(word, options, reverse) -> Built:
    """The layer, and the loss sum(output * d) whose gradients are wanted."""
    given = {
        n: call(words("activation")[v]) if n == "activation" else v for n, v in options.items()
    }
    made = Built(word, [("N", "T", FEATURES)], UNITS, reverse=reverse, **given)
    build = made.context.build
    weight = build.input("d", made.output.type, Role.DATA)
    product = add_map(build, operand(0) * operand(1), made.output, weight)
    build.graph.outputs["loss"] = build.add(Reduce("sum", (0, 1, 2)), product)
    return made


def derived(graph: Graph, steps: int) -> Graph:
    """Values and gradients, ready for kernels, for sequences of a length."""
    bind(graph, {"T": steps})
    for step in (LiftFromScans(), Differentiate(), *CLEANING, *SCANS, *PLANNING):
        graph = step(graph)
    return graph


def theirs(kind, options, reverse, arrays, d):
    """Output and gradients by name, of PyTorch's layer with the same weights."""
    import torch

    layer = getattr(torch.nn, kind)(FEATURES, UNITS, batch_first=True, **options).double()
    x = torch.tensor(arrays["input0"], requires_grad=True)
    gates = arrays["input_weight"].shape[1] // UNITS
    with torch.no_grad():
        layer.weight_ih_l0.copy_(torch.tensor(arrays["input_weight"].T))
        layer.weight_hh_l0.copy_(torch.tensor(arrays["state_weight"].T))
        if "bias" in arrays:
            layer.bias_ih_l0.copy_(torch.tensor(arrays["bias"]))
            layer.bias_hh_l0.zero_()
        if "state_bias" in arrays:
            layer.bias_hh_l0[2 * UNITS :].copy_(torch.tensor(arrays["state_bias"]))
    flip = [1] if reverse else []
    y = torch.flip(layer(torch.flip(x, flip))[0], flip)
    (y * torch.tensor(d)).sum().backward()
    found = {
        "input_weight": layer.weight_ih_l0.grad.T,
        "state_weight": layer.weight_hh_l0.grad.T,
    }
    if "bias" in arrays:
        found["bias"] = layer.bias_ih_l0.grad
    if "state_bias" in arrays:
        found["state_bias"] = layer.bias_hh_l0.grad[(gates - 1) * UNITS :]
    return y.detach().numpy(), {name: g.numpy() for name, g in found.items()}


@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize("steps", [1, 6])
@pytest.mark.parametrize("cell", CELLS, ids=lambda c: "-".join([c[0], *map(str, c[1].values())]))
def test_a_layer_equals_pytorchs(cell, steps, reverse, rng, store):
    word, options, kind, other = cell
    made = built(word, options, reverse)
    shapes = {n: i.value.type.shape for n, i in made.context.build.graph.inputs.items()}
    sizes = {"N": ROWS, "T": steps}
    arrays = {n: rng.normal(size=[sizes.get(d, d) for d in s]) for n, s in shapes.items()}
    y, gradients = theirs(kind, other, reverse, arrays, arrays["d"])
    graph = derived(made.context.build.graph, steps)
    compiled = feed(load(generate(graph, "float64", ROWS), store=store), graph, arrays)
    for found in (evaluate(graph, arrays)[0], compiled):
        np.testing.assert_allclose(found["output"], y, **CLOSE)
        for name, gradient in gradients.items():
            np.testing.assert_allclose(found[f"gradient:{name}"], gradient, err_msg=name, **CLOSE)
