"""A thousand compiled steps of every optimizer in float64: against NumPy loops and PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nndsl.codegen.generate import generate
from nndsl.ir.graph import Builder, Graph, Role
from nndsl.ir.types import ElementType, TensorType
from nndsl.lower.result import OptimizerUse
from nndsl.ops.map import Map, operand
from nndsl.ops.reduction import Reduce
from nndsl.ops.source import Constant
from nndsl.passes import pipeline
from nndsl.runtime.executable import load
from nndsl.scalar.expression import variable
from nndsl.scalar.functions import cos
from nndsl.vocab.arguments import call
from nndsl.vocab.registry import words
from tests.vocab.optimizing import STEPS, TORCH, gradient, start
from tests.vocab.test_optimizers import LOOPS

COSINE = 0.5 + 0.5 * cos(np.pi * variable("step") / variable("total_steps"))


def bowl() -> Graph:
    """The bumpy bowl whose slope is `gradient`: 0.15 p^2 - cos(3 p)/3 + 0.1 p cos(0.7 step + i)."""
    build = Builder()
    weights = build.input("p", TensorType((7,)), Role.PARAMETER)
    step = build.input("step", TensorType((), ElementType.DOUBLE), Role.CLOCK)
    places = build.add(Constant(tuple(map(float, range(7))), (7,)), name="places")
    p, s, i = operand(0), operand(1), operand(2)
    height = 0.15 * p * p - cos(3 * p) / 3 + 0.1 * p * cos(0.7 * s + i)
    each = build.add(Map((height,)), weights, step, places)
    loss = build.add(Reduce("sum", (0,)), each)
    build.graph.outputs = {"loss": loss, "data_loss": loss}
    return build.graph


def compiled(name: str, arguments: dict[str, Any], scheduled: bool = False) -> np.ndarray:
    """The weights after the steps, by machine code; `scheduled` multiplies the rate by COSINE."""
    numbers = {"lr": arguments["lr"] * COSINE} if scheduled else {}
    use = OptimizerUse(call(words("optimizer")[name], **arguments), numbers, ("p",))
    graph = pipeline.run(bowl(), pipeline.training((use,)))
    executable = load(generate(graph, "float64", 1))
    executable.set_parameters({"p": start()})
    assert executable.run(0, STEPS, total_steps=STEPS) == STEPS
    return executable.parameters()["p"]


@pytest.mark.parametrize("name", list(words("optimizer")))
def test_against_a_plain_loop(name: str) -> None:
    arguments, loop = LOOPS[name]
    np.testing.assert_allclose(compiled(name, arguments), loop(), rtol=0, atol=1e-12)


@pytest.mark.peers
@pytest.mark.parametrize("scheduled", [False, True], ids=["constant", "scheduled"])
@pytest.mark.parametrize(("name", "arguments", "peer", "settings"), TORCH)
def test_against_torch(
    name: str, arguments: dict[str, Any], peer: str, settings: dict[str, Any], scheduled: bool
) -> None:
    import torch

    torch.set_num_threads(1)
    p = torch.tensor(start(), dtype=torch.float64, requires_grad=True)
    optimizer = getattr(torch.optim, peer)([p], **settings)
    for step in range(STEPS):
        if scheduled:
            rate = settings["lr"] * (0.5 + 0.5 * np.cos(np.pi * step / STEPS))
            optimizer.param_groups[0]["lr"] = rate
        p.grad = torch.from_numpy(gradient(p.detach().numpy(), step))
        optimizer.step()
    found = compiled(name, arguments, scheduled)
    np.testing.assert_allclose(found, p.detach().numpy(), rtol=0, atol=1e-12)
