"""Relu after max pooling: the same bits, values and gradients."""

from __future__ import annotations

import numpy as np
import pytest

from nndsl.ir.graph import Builder, Role
from nndsl.ir.types import TensorType
from nndsl.ops.base import Clock
from nndsl.ops.compose import add_map, add_mean
from nndsl.ops.map import Map, operand
from nndsl.ops.padding import Pad
from nndsl.ops.pooling import MaxPool
from nndsl.passes.differentiate import Differentiate
from nndsl.passes.pipeline import run
from nndsl.passes.pool_first import PoolFirst
from nndsl.runtime.reference import evaluate
from nndsl.scalar.functions import maximum
from tests.passes.networks import apply

POOLS = {
    "apart": ((2, 2), (2, 2), 0),
    "overlapping": ((3, 3), (2, 2), 0),
    "padded": ((3, 3), (2, 2), 1),
}
SIZES = TensorType((3, 6, 6, 2))


def network(size, stride, pad, extra_reader=False):
    """relu, padding, pooling of a learnt image: its gradient is that of the image."""
    build = Builder()
    x = build.input("x", SIZES, Role.PARAMETER)
    relu = add_map(build, maximum(operand(0), 0.0), x, name="relu")
    padded = relu
    if pad:
        edges = (0, pad, pad, 0)
        padded = build.add(Pad(edges, edges, float("-inf")), relu)
    y, _ = build.add_all(MaxPool(size, stride), padded, name="pool")
    w = build.input("w", y.type, Role.STATE)
    graph = build.graph
    graph.outputs = {"y": y, "loss": add_mean(build, add_map(build, operand(0) * operand(1), y, w))}
    if extra_reader:
        graph.outputs["relu"] = relu
    return graph


@pytest.mark.parametrize("pool", POOLS)
def test_values_and_gradients_are_bit_equal(pool, rng):
    before = network(*POOLS[pool])
    after = apply(before, PoolFirst())
    sizes = [
        n.outputs[0].type for n in after.nodes if n.operation == Map((maximum(operand(0), 0),))
    ]
    assert sizes == [after.outputs["y"].type]
    x = rng.integers(-2, 3, SIZES.shape).astype(float)  # many equal, and windows of nothing above 0
    x[0, 0, 0, 0] = np.nan
    arrays = {"x": x, "w": rng.normal(size=before.outputs["y"].type.shape)}
    results = [
        evaluate(run(graph, (Differentiate(),)), arrays, Clock())[0] for graph in (before, after)
    ]
    for name, value in results[0].items():
        np.testing.assert_array_equal(value, results[1][name])
    assert np.isnan(results[0]["y"]).any()


@pytest.mark.parametrize("pool", POOLS)
def test_a_relu_that_others_read_stays(pool):
    graph = network(*POOLS[pool], extra_reader=True)
    after = PoolFirst()(graph)
    assert [n.operation for n in after.nodes] == [n.operation for n in graph.nodes]


def test_other_activations_and_other_paddings_stay():
    build = Builder()
    x = build.input("x", TensorType(("N", 4, 4, 1)), Role.DATA)
    edges = (0, 1, 1, 0)
    relu = add_map(build, maximum(operand(0), 0.0), x)
    first, _ = build.add_all(MaxPool((2, 2), (2, 2)), build.add(Pad(edges, edges, 1.0), relu))
    leaky = add_map(build, maximum(operand(0), 0.1 * operand(0)), first)
    build.graph.outputs["y"], _ = build.add_all(MaxPool((2, 2), (2, 2)), leaky)
    after = PoolFirst()(build.graph)
    assert [n.operation for n in after.nodes] == [n.operation for n in build.graph.nodes]
