"""Products before lookups: the same numbers, with less work."""

import numpy as np
import pytest

from nndsl.ir.graph import Builder, Role
from nndsl.ir.types import ElementType, TensorType
from nndsl.ops.compose import add_map, add_mean
from nndsl.ops.embedding import Lookup
from nndsl.ops.map import operand
from nndsl.ops.matmul import MatMul
from nndsl.passes.differentiate import Differentiate
from nndsl.passes.product_first import ProductFirst
from nndsl.runtime.reference import evaluate


def network(vocabulary, flipped):
    build = Builder()
    ids = build.input("ids", TensorType(("N", 6), ElementType.INDEX), Role.DATA)
    table = build.input("table", TensorType((vocabulary, 3)), Role.PARAMETER)
    shape = (4, 3) if flipped else (3, 4)
    w = build.input("w", TensorType(shape), Role.PARAMETER)
    rows = build.add(Lookup(), table, ids)
    product = build.add(MatMul(transpose_b=flipped), rows, w)
    square = add_map(build, operand(0) * operand(0), product)
    build.graph.outputs = {"product": product, "loss": add_mean(build, square)}
    return build.graph


@pytest.mark.parametrize("flipped", [False, True])
def test_rows_of_a_product_are_the_product_of_rows(flipped, rng):
    graph = network(5, flipped)
    changed = ProductFirst()(graph)
    assert [n.operation.name for n in changed.nodes[:2]] == ["matmul", "lookup"]
    given = {n: rng.normal(size=i.value.type.shape) for n, i in graph.inputs.items() if n != "ids"}
    given["ids"] = rng.integers(0, 5, (4, 6))
    before, after = (evaluate(Differentiate()(g), given)[0] for g in (graph, changed))
    assert np.array_equal(before["product"], after["product"])
    for name in ("gradient:table", "gradient:w"):
        np.testing.assert_allclose(after[name], before[name], rtol=1e-12)


def test_a_large_table_stays_as_it_is():
    graph = network(6 * 8 + 1, flipped=False)
    assert [n.operation.name for n in ProductFirst()(graph).nodes[:2]] == ["lookup", "matmul"]


@pytest.mark.parametrize("twice", [False, True])
def test_a_formula_is_done_on_the_table_where_nobody_else_reads_the_rows(twice, rng):
    build = Builder()
    ids = build.input("ids", TensorType(("N", 6), ElementType.INDEX), Role.DATA)
    table = build.input("table", TensorType((5, 3)), Role.PARAMETER)
    bias = build.input("bias", TensorType((3,)), Role.PARAMETER)
    rows = build.add(Lookup(), table, ids)
    total = add_map(build, operand(0) + operand(1), rows, bias)
    square = add_map(build, operand(0) * operand(1), total, rows if twice else total)
    graph = build.graph
    graph.outputs["loss"] = add_mean(build, square)
    changed = ProductFirst()(graph)
    first = "lookup" if twice else "map"
    assert changed.nodes[0].operation.name == first
    given = {n: rng.normal(size=i.value.type.shape) for n, i in graph.inputs.items() if n != "ids"}
    given["ids"] = rng.integers(0, 5, (4, 6))
    before, after = (evaluate(Differentiate()(g), given)[0] for g in (graph, changed))
    for name, expected in before.items():
        np.testing.assert_allclose(after[name], expected, rtol=1e-12)
