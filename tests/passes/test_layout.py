"""Channels last between operations: the same results, and no turns left inside a network."""

from __future__ import annotations

import numpy as np
import pytest

from nndsl.ir.graph import Builder, Role
from nndsl.ir.types import TensorType
from nndsl.ops.base import Clock
from nndsl.ops.compose import add_map
from nndsl.ops.map import operand
from nndsl.ops.movement import Concat, Slice, Transpose
from nndsl.ops.padding import Crop, Pad
from nndsl.ops.reduction import Reduce
from nndsl.ops.standardize import Standardize
from nndsl.passes.dce import DeadCode
from nndsl.passes.layout import ChannelsLast
from nndsl.passes.pipeline import CLEANING, INFERENCE, run, training
from nndsl.runtime.reference import evaluate
from nndsl.scalar.functions import maximum
from tests.lower.helpers import lowered
from tests.networks import without
from tests.passes.networks import apply, arrays_for, assert_harmless

FIRST, LAST = (0, 3, 1, 2), (0, 2, 3, 1)
x0, x1 = operand(0), operand(1)

BLOCKS = """data digits = csv("digits.csv", target=digit)
block conv_bn(c, k=3, stride=1) { conv(c, k, stride=stride, pad=same, bias=false) -> batch_norm }
block x -> residual(c, stride=1) {
  body = x -> conv_bn(c, stride=stride) -> relu -> conv_bn(c)
  skip = x -> conv_bn(c, k=1, stride=stride) if stride > 1 or x.channels != c else x
  body + skip -> relu
}
net Small on digits {
%s
  dense(digits.classes) -> softmax
}
train Small { epochs = 1 }
"""
NETWORKS = {
    "residual": """
  reshape(4x4x4) -> conv_bn(4) -> relu -> maxpool(3, stride=1, pad=1)
  residual(4)
  [residual(8, stride=2), conv(2, 3, stride=2, pad=1) -> dropout(0.2)] -> concat -> lrn(3)
  group_norm(2) -> upsample(2) -> avgpool(3, stride=1, pad=1) -> channel_dropout(0.1)
  global_avg_pool""",
    "signal": """
  reshape(4x16) -> conv(4, 3, pad=same) -> batch_norm -> relu -> maxpool(2)
  conv(3, 2) -> tanh -> global_max_pool""",
    "turned": """
  reshape(1x8x8) -> conv(3, 3, pad=1) -> relu -> flatten -> dense(4)
  reshape(1x2x2) -> conv_transpose(2, 2, stride=2) -> layer_norm -> flatten""",
    "mixed": """
  x = reshape(4x4x4)
  x + (x -> conv(4, 3, pad=same)) -> softmax -> crop([1, 0])
  pad([1, 0]) -> instance_norm -> prelu(shared=false) -> l2pool(2) -> flatten""",
}


def network(name: str):
    """The training graph of a network, and the passes that make a step of it."""
    (recipe,) = lowered(BLOCKS % NETWORKS[name]).recipes
    return recipe.graph, training(recipe.optimizers)


def turns(graph) -> int:
    """Copies of images: transpositions of more than two axes."""
    return sum(
        isinstance(n.operation, Transpose) and len(n.operation.axes) > 2 for n in graph.nodes
    )


@pytest.mark.parametrize("name", NETWORKS)
def test_results_are_those_without_the_pass(name, rng):
    graph, _ = network(name)
    after = apply(graph, ChannelsLast())
    assert turns(after) < turns(graph)
    assert_harmless(graph, after, rng, ulp=4096)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_training_step_is_that_without_the_pass(name, rng):
    graph, passes = network(name)
    steps = [run(graph, passes), run(graph, without(passes, ["channels_last"]))]
    arrays = arrays_for(steps[0], rng, rows=3) | {"step": 7.0}
    arrays |= {n: a * a for n, a in arrays.items() if n.endswith(":s")}  # mean squares
    found = [evaluate(step, arrays, Clock(seed=3, step=7))[1] for step in steps]
    assert found[0].keys() == found[1].keys() != set()
    for key in found[0]:
        np.testing.assert_allclose(found[0][key], found[1][key], rtol=1e-9, atol=1e-11)


def test_no_turn_is_left_inside_a_residual_network():
    """Only the image itself is turned, once, however deep the network is."""
    graph, passes = network("residual")
    assert turns(graph) > 30
    step = run(graph, passes)
    assert turns(step) == 1
    assert turns(run(graph, INFERENCE)) == 1


def test_one_channel_is_turned_for_nothing():
    graph, _ = network("turned")
    assert turns(run(graph, INFERENCE)) == 2  # before and after `flatten` to and from plain lists


@pytest.fixture
def turned():
    build = Builder()
    x = build.input("x", TensorType(("N", 4, 5, 3)), Role.DATA)
    return build, x, build.add(Transpose(FIRST), x)


CASES = {
    "formula of two": lambda b, t: add_map(b, x0 * x1, t, t),
    "one number for each channel": lambda b, t: add_map(b, x0 * x1, t, column(b)),
    "sum over places": lambda b, t: b.add(Reduce("sum", (2, 3)), t),
    "sum over channels": lambda b, t: b.add(Reduce("sum", (1,)), t),
    "sum over the height": lambda b, t: b.add(Reduce("sum", (2,)), t),
    "greatest, axes kept": lambda b, t: b.add(Reduce("max", (1, 3), keep=True), t),
    "standardised": lambda b, t: b.add_all(Standardize((0, 2, 3), 1e-5), t)[0],
    "joined": lambda b, t: b.add(Concat(1), t, t),
    "a part": lambda b, t: b.add(Slice(3, 1, 3), t),
    "padded": lambda b, t: b.add(Pad((0, 0, 1, 2), (0, 1, 0, 0), 2.0), t),
    "cropped": lambda b, t: b.add(Crop((0, 1, 0, 2), (0, 0, 1, 0)), t),
    "of another tensor": lambda b, t: add_map(b, maximum(x0, x1), t, other(b)),
}


def column(build):
    return build.input("c", TensorType((3, 1, 1)), Role.PARAMETER)


def other(build):
    return build.input("o", TensorType(("N", 3, 4, 5)), Role.DATA)


@pytest.mark.parametrize("case", CASES)
def test_operations_are_computed_on_the_turned_tensor(case, turned, rng):
    build, x, first = turned
    result = CASES[case](build, first)
    shown = build.add(Transpose(LAST), result) if result.type.rank == 4 else result
    build.graph.outputs = {"y": result, "z": shown}
    after = apply(build.graph, ChannelsLast(), DeadCode())
    assert_harmless(build.graph, after, rng, ulp=16)
    maker = after.outputs["z"].node
    assert maker is not None
    if case != "of another tensor" and result.type.rank == 4:
        assert not isinstance(maker.operation, Transpose)
        assert x in maker.inputs


def test_turns_of_whole_batches_and_matrices_stay():
    build = Builder()
    x = build.input("x", TensorType((4, 3)), Role.DATA)
    build.graph.outputs["y"] = add_map(build, x0 * 2.0, build.add(Transpose((1, 0)), x))
    after = ChannelsLast()(build.graph)
    assert [n.operation for n in after.nodes] == [n.operation for n in build.graph.nodes]


def test_nothing_is_done_where_more_would_be_turned():
    build = Builder()
    x = build.input("x", TensorType(("N", 4, 5, 3)), Role.DATA)
    others = [build.input(f"o{i}", TensorType(("N", 3, 4, 5)), Role.DATA) for i in range(2)]
    first = build.add(Transpose(FIRST), x)
    build.graph.outputs["y"] = add_map(build, x0 + x1 * operand(2), first, *others)
    assert turns(run(build.graph, (ChannelsLast(), *CLEANING))) == 1
