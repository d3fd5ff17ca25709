"""Fusion: what becomes of chains, shared values, products; and that nothing else changes."""

import pytest

from nndsl.ir.graph import Builder, Role
from nndsl.ir.types import ElementType, TensorType
from nndsl.ops.base import Fusion
from nndsl.ops.map import Map, operand
from nndsl.ops.matmul import MatMul
from nndsl.ops.reduction import Reduce
from nndsl.passes.fuse import FuseEpilogues, FuseMaps
from nndsl.passes.pipeline import CLEANING, run, training
from nndsl.scalar import functions as f
from tests.networks import optimizer, perceptron
from tests.passes.networks import apply, assert_harmless, classifier

x0, x1 = operand(0), operand(1)


def operations(graph):
    return [node.operation.name for node in graph.nodes]


def start():
    build = Builder()
    x = build.input("x", TensorType(("N", 4)), Role.DATA)
    y = build.input("y", TensorType(("N", 4)), Role.DATA)
    return build, x, y


def test_a_chain_becomes_one_map(rng):
    build, x, y = start()
    a = build.add(Map((x0 + x1,)), x, y)
    b = build.add(Map((f.tanh(x0),)), a)
    build.graph.outputs = {"c": build.add(Map((x0 * x1,)), b, x)}
    fused = apply(build.graph, FuseMaps())
    assert operations(fused) == ["map"]
    assert len(fused.nodes[0].inputs) == 2
    assert_harmless(build.graph, fused, rng)


def test_a_value_read_later_becomes_a_result(rng):
    build, x, y = start()
    a = build.add(Map((x0 + x1,)), x, y)
    b = build.add(Map((f.tanh(x0),)), a)
    total = build.add(Reduce("sum", (0, 1)), b)
    c = build.add(Map((x0 * x1,)), a, y)
    build.graph.outputs = {"total": total, "c": c}
    fused = apply(build.graph, FuseMaps())
    assert operations(fused) == ["map", "reduce", "map"]
    assert [len(node.outputs) for node in fused.nodes] == [2, 1, 1]
    assert_harmless(build.graph, fused, rng)


def test_a_value_read_in_between_stays_where_it_is(rng):
    build, x, _ = start()
    a = build.add(Map((x0 + 1.0,)), x)
    greatest = build.add(Reduce("max", (1,), True), a)
    build.graph.outputs = {"b": build.add(Map((x0 - x1,)), a, greatest)}
    fused = apply(build.graph, FuseMaps())
    assert operations(fused) == ["map", "reduce", "map"]
    assert_harmless(build.graph, fused, rng)


def test_a_number_is_computed_where_it_is_used(rng):
    build, x, y = start()
    total = build.add(Reduce("sum", (0, 1)), y)
    number = build.add(Map((1.0 / (x0 * x0 + 1.0),)), total)
    build.graph.outputs = {
        "a": build.add(Map((x0 * x1,)), x, number),
        "b": build.add(Map((x0 + x1,)), y, number),
    }
    fused = apply(build.graph, FuseMaps())
    assert operations(fused) == ["reduce", "map", "map"]
    assert_harmless(build.graph, fused, rng)


def test_numbers_of_another_type_are_not_computed_again():
    build, x, _ = start()
    rate = build.input("rate", TensorType((), ElementType.DOUBLE), Role.STATE)
    number = build.add(Map((1.0 - x0,), ElementType.DOUBLE), rate)
    build.graph.outputs = {"a": build.add(Map((x0 * x1,)), x, number)}
    assert operations(apply(build.graph, FuseMaps())) == ["map", "map"]


def test_a_product_takes_bias_and_activation_in(rng):
    build, x, _ = start()
    weight = build.input("w", TensorType((4, 3)), Role.PARAMETER)
    bias = build.input("b", TensorType((3,)), Role.PARAMETER)
    product = build.add(MatMul(), x, weight)
    z = build.add(Map((x0 + x1,)), product, bias)
    build.graph.outputs = {"z": z, "a": build.add(Map((f.sigmoid(x0),)), z)}
    fused = apply(build.graph, FuseMaps(), FuseEpilogues())
    assert operations(fused) == ["fused_matmul"]
    assert [v.name for v in fused.nodes[0].outputs] == ["map", "map.2"]
    assert_harmless(build.graph, fused, rng, ulp=4)


def test_a_product_that_others_read_is_a_result(rng):
    build, x, _ = start()
    weight = build.input("w", TensorType((4, 4)), Role.PARAMETER)
    product = build.add(MatMul(), x, weight)
    activated = build.add(Map((f.tanh(x0),)), product)
    second = build.add(MatMul(), activated, weight)
    build.graph.outputs = {"p": product, "s": second}
    fused = apply(build.graph, FuseEpilogues())
    assert operations(fused) == ["fused_matmul", "matmul"]
    assert_harmless(build.graph, fused, rng, ulp=4)


def test_what_cannot_be_read_in_registers_stays_outside(rng):
    build, x, _ = start()
    weight = build.input("w", TensorType((4, 3)), Role.PARAMETER)
    product = build.add(MatMul(), x, weight)
    number = build.add(Reduce("sum", (0, 1)), x)
    build.graph.outputs = {"a": build.add(Map((x0 * x1,)), product, number)}
    fused = apply(build.graph, FuseEpilogues())
    assert operations(fused) == ["matmul", "reduce", "map"]


def test_updates_stay_loops_of_their_own():
    graph = perceptron((4, 5, 3), "relu", "classes")
    graph = run(graph, training(optimizer(graph, "adam", lr=0.01)))
    updates = set(graph.updates.values())
    makers = [n for n in graph.nodes if updates & set(n.outputs)]
    assert {n.operation.fusion for n in makers} == {Fusion.ELEMENTWISE}


@pytest.mark.parametrize(
    "steps", [(FuseMaps(),), (FuseEpilogues(),), (FuseMaps(), FuseEpilogues())]
)
def test_a_network_keeps_its_meaning(steps, rng):
    graph = apply(classifier(0.1), *CLEANING)
    assert_harmless(graph, apply(graph, *steps), rng, ulp=16)


def test_a_training_step_of_a_dense_network():
    graph = perceptron((4, 6, 3), "elu", "classes")
    graph = run(graph, training(optimizer(graph, "sgd", lr=0.1, momentum=0.9)))
    names = operations(graph)
    assert names.count("fused_matmul") == 3
    assert names.count("matmul") == 2
    assert names.count("map") == 7  # mean, its gradient at the logits, four updates, sum of losses


def test_labels_and_places_stay():
    graph = apply(classifier(), *CLEANING, FuseMaps(), FuseEpilogues())
    products = [n for n in graph.nodes if n.operation.fusion is Fusion.CONTRACTION]
    assert [n.label for n in products] == ["tanh", "dense[2]"]
    assert all(n.span is not None for n in products)
