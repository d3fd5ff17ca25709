"""Cells of many kinds: their compiled values and gradients equal the oracle's."""

from __future__ import annotations

import numpy as np
import pytest

from nndsl.codegen.generate import generate
from nndsl.ir.graph import Builder, Role
from nndsl.ops.binding import bind
from nndsl.ops.compose import add_map
from nndsl.ops.map import operand
from nndsl.ops.reduction import Reduce
from nndsl.passes.differentiate import Differentiate
from nndsl.passes.pipeline import CLEANING, INFERENCE, PLANNING, SCANS
from nndsl.passes.scans import LiftFromScans
from nndsl.runtime.executable import load
from nndsl.runtime.reference import evaluate
from tests.codegen.programs import arrays_of, feed
from tests.lower.helpers import lowered

CELLS = {
    "norm": "cell (x, h: [n]) -> a(n) { (x, h) -> dense(n) -> layer_norm -> tanh }",
    "softmax": "cell (x, h: [n]) -> a(n) {\n  g = (x, h) -> dense(n) -> softmax\n"
    "  g * h + (x -> dense(n))\n}",
    "parts": "cell (x, h: [n]) -> a(n) {\n  (p, q) = (x, h) -> dense(2 * n) -> split(2)\n"
    "  [p * q, h] -> concat -> dense(n) -> elu\n}",
    "gated": "cell (x, h: [n]) -> a(n) { [x, h] -> concat -> dense(2 * n) -> glu }",
    "sum": "cell (x, h: [n], k: [1]) -> a(n) {\n"
    "  m = (x, h) -> dense(n) -> relu\n  (m * k + h, k + 1)\n}",
    "swap": "cell (x, h: [n], k: [n]) -> a(n) { y = x -> dense(n); (k + y, h) }",
    "old": "cell (x, h: [n], k: [n]) -> a(n) { y = (x, h) -> dense(n) -> sin; (y + k, h) }",
    "deep": "block x -> two(n) { x -> dense(n) -> tanh -> dense(n) }\n"
    "cell (x, h: [n]) -> a(n) { y = (x, h) -> dense(n); y + (y -> two(n)) }",
    "shared": "cell (x, h: [n]) -> a(n) {\n  share f = dense(n)\n  y = x -> dense(n) -> f\n"
    "  y + (h -> f) -> tanh\n}",
    "learnt": "cell (x, h: [n]) -> a(n) { (x, h) -> dense(n) -> prelu }",
    "nothing": "cell (x, h: [n]) -> a(n) { h + 0 * (x -> dense(n)) + 1 }",
    "max": "cell (x, h: [n]) -> a(n) { [x, h] -> concat -> maxout(n) -> rms_norm }",
    "nested": "cell (x, h: [n]) -> in_it(n) { (x, h) -> dense(n) -> tanh }\n"
    "cell (x, h: [n]) -> a(n) { [x, h] -> concat -> settle(in_it(n), limit=3) }",
}


WAYS = {"one way": "a(3)", "stacked": "a(3) -> a(2)", "both ways": "both(a(2)) -> last"}


def graph_of(cell: str, way: str):
    """The network of a cell, and sum(output * d), whose gradients are wanted."""
    text = f"{cell}\nnet A {{\n  input x: [T, 3]\n  {way}\n}}\n"
    graph = lowered(text).networks["A"].graph
    build = Builder(graph)
    output = graph.outputs["output"]
    weight = build.input("d", output.type, Role.DATA)
    product = add_map(build, operand(0) * operand(1), output, weight)
    axes = tuple(range(output.type.rank))
    graph.outputs["loss"] = build.add(Reduce("sum", axes), product)
    bind(graph, {"T": 4})
    return graph


@pytest.mark.parametrize(
    ("cell", "way"),
    [*((cell, "one way") for cell in CELLS), ("parts", "stacked"), ("norm", "both ways")],
)
def test_a_cell_equals_the_oracle(cell, way, rng, store):
    graph = graph_of(CELLS[cell], WAYS[way])
    given = arrays_of(graph, rng, 5, "float64")
    plain = Differentiate()(graph)
    expected, _ = evaluate(plain, given)
    for step in (LiftFromScans(), Differentiate(), *CLEANING, *SCANS, *PLANNING):
        graph = step(graph)
    found = feed(load(generate(graph, "float64", 8), store=store), graph, given)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-10, atol=1e-12, err_msg=name)


def test_kept_values_side_by_side_are_read_by_kernels_of_whole_rows(rng, store):
    """Nothing is trimmed: `concat` is kept of all steps, far apart, and read by a softmax."""
    cell = "cell (x, h: [n]) -> a(n) { [x, h] -> concat -> softmax -> dense(n) -> tanh }"
    graph = graph_of(cell, "a(3)")
    given = arrays_of(graph, rng, 5, "float64")
    expected, _ = evaluate(graph, given)
    graph = LiftFromScans()(graph)
    found = feed(load(generate(graph, "float64", 8), store=store), graph, given)
    np.testing.assert_allclose(found["output"], expected["output"], rtol=1e-10, atol=1e-12)


def test_a_constant_in_a_step_is_no_kernel(rng):
    """It would have no memory: passes take it out."""
    graph = Differentiate()(graph_of(CELLS["nested"], "a(3)"))
    with pytest.raises(ValueError, match="LiftFromScans"):
        generate(graph, "float64", 8)


@pytest.mark.parametrize("cell", [CELLS["parts"], CELLS["swap"], CELLS["norm"]])
def test_a_cell_without_its_gradients(cell, rng, store):
    graph = graph_of(cell, "a(3)")
    given = arrays_of(graph, rng, 5, "float32")
    expected, _ = evaluate(graph, given)
    for step in INFERENCE:
        graph = step(graph)
    found = feed(load(generate(graph, "float32", 8), store=store), graph, given)
    np.testing.assert_allclose(found["output"], expected["output"], rtol=1e-4, atol=1e-5)
