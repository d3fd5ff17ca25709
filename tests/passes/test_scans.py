"""Scans: the same results whatever is done inside, outside, or once for all steps."""

import numpy as np
import pytest

from nndsl.ir.text import print_graph
from nndsl.ir.verify import verify
from nndsl.ops.scan import Scan
from nndsl.runtime.reference import evaluate
from tests.ops.sampling import central_differences
from tests.passes.recurrent import PASSES, arrays, gated


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("passes", PASSES.values(), ids=PASSES)
def test_gradients_through_time_are_those_of_differences(passes, reverse, rng):
    graph = gated(reverse)
    given = arrays(graph, rng)
    derived = graph
    for step in passes:
        derived = step(derived)
        verify(derived)
    found, _ = evaluate(derived, given)
    for name in ("w", "u", "b"):
        expected = central_differences(
            lambda a, name=name: evaluate(graph, {**given, name: a})[0]["loss"], given[name]
        )
        np.testing.assert_allclose(found[f"gradient:{name}"], expected, rtol=1e-6, atol=1e-8)


def test_the_text_of_a_gradient_through_time(golden):
    graph = gated()
    for step in PASSES["planned"]:
        graph = step(graph)
    golden("passes/through_time.txt", print_graph(graph).replace("\\n", "\n    "))


def test_products_with_the_input_and_weight_gradients_are_done_once():
    graph = gated()
    for step in PASSES["planned"]:
        graph = step(graph)
    outside = [n.operation.name for n in graph.nodes]
    inside = [
        inner.operation.name
        for node in graph.nodes
        if isinstance(node.operation, Scan)
        for inner in node.operation.body.graph.nodes
    ]
    assert outside.count("scan") == 2
    assert sum("matmul" in name for name in outside) == 3  # x w; gradients of w and u
    assert sum("matmul" in name for name in inside) == 2  # h u and its gradient


def test_a_fixed_matrix_is_transposed_once_not_at_every_step():
    graph = gated()
    for step in PASSES["planned"]:
        graph = step(graph)
    scans = [n.operation.body.graph for n in graph.nodes if isinstance(n.operation, Scan)]
    products = [n.operation for body in scans for n in body.nodes if "matmul" in n.operation.name]
    plain = [getattr(operation, "product", operation) for operation in products]
    assert not any(product.transpose_b for product in plain)
    assert [n.operation.name for n in graph.nodes].count("transpose") == 1
