"""A network of every kernel that works on images: training equals the oracle, for any threads."""

import numpy as np
import pytest

from nndsl.codegen.generate import generate
from nndsl.ir.graph import Builder, Graph, Role
from nndsl.ir.types import BATCH, TensorType
from nndsl.ops.compose import add_map, add_mean
from nndsl.ops.convolution import Convolution
from nndsl.ops.map import operand
from nndsl.ops.matmul import MatMul
from nndsl.ops.padding import Pad
from nndsl.ops.pooling import MaxPool, SumPool
from nndsl.ops.reduction import Reshape
from nndsl.passes import pipeline
from nndsl.runtime.executable import load
from nndsl.scalar import functions as f
from tests.codegen.test_generate import assert_close, oracle, trained
from tests.networks import optimizer, without

x0, x1 = operand(0), operand(1)


def network() -> Graph:
    """A strided, a grouped, a depthwise and a pointwise convolution, two kinds of pooling."""
    build = Builder()
    value = build.input("x", TensorType((BATCH, 9, 10, 3)), Role.DATA)
    for number, (operation, shape) in enumerate(
        (
            (Convolution((1, 2)), (3, 3, 3, 8)),
            (Convolution((1, 1), (2, 1), 2), (2, 2, 4, 12)),
            (Convolution(groups=12), (3, 3, 1, 12)),
            (Convolution(), (1, 1, 12, 6)),
        )
    ):
        kernel = build.input(f"k{number}", TensorType(shape), Role.PARAMETER)
        bias = build.input(f"c{number}", TensorType(shape[-1:]), Role.PARAMETER)
        value = build.add(Pad((0, 1, 1, 0), (0, 1, 0, 0)), value)
        value = build.add(operation, value, kernel)
        value = add_map(build, f.maximum(x0 + x1, 0.01 * (x0 + x1)), value, bias)
    value = build.add_all(MaxPool((3, 3), (2, 2)), value)[0]
    value = build.add(SumPool((2, 1), (1, 1)), value)
    _, height, width, channels = value.type.shape
    flat = build.add(Reshape((BATCH, height * width * channels)), value)
    weight = build.input("w", TensorType((*flat.type.shape[1:], 2)), Role.PARAMETER)
    result = build.add(MatMul(), flat, weight)
    target = build.input("t", result.type, Role.TARGET)
    loss = add_mean(build, add_map(build, (x0 - x1) * (x0 - x1), result, target))
    build.graph.outputs = {"y": result, "loss": loss, "data_loss": loss}
    return build.graph


def training_graph(left_out=()) -> Graph:
    graph = network()
    passes = pipeline.training(optimizer(graph, "momentum", lr=0.01))
    return pipeline.run(graph, without(passes, left_out))


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_training_equals_the_oracle(precision, store):
    graph = training_graph()
    assert "fused_convolution" in {node.operation.name for node in graph.nodes}
    assert_close(trained(graph, precision, store), oracle(graph, precision), precision)


def test_without_fusion(store):
    expected = oracle(training_graph(), "float64")
    graph = training_graph(("fuse_maps", "fuse_epilogues"))
    assert_close(trained(graph, "float64", store), expected, "float64")


def test_threads_give_the_same_bits(store):
    graph = training_graph()
    one, loss = trained(graph, "float32", store)
    for threads in (2, 3):
        other, other_loss = trained(graph, "float32", store, threads)
        assert other_loss == loss
        for array, again in zip(one.values(), other.values(), strict=True):
            np.testing.assert_array_equal(array, again)


def test_shares_are_single_rows(store):
    """A row of the batch is work enough for a share: the rest of the step follows."""
    program = generate(training_graph(), "float32", 8)
    by_rows = [call for call in program.calls if call.extent.symbol == BATCH]
    assert all(call.align == call.extent.factor for call in by_rows)
    load(program, store=store).close()
