"""What a scan keeps for the way back: one tensor, written over the sums and under the gradients."""

import numpy as np

from nndsl.ir.graph import Builder, Role
from nndsl.ir.types import TensorType
from nndsl.ir.verify import verify
from nndsl.ops.compose import add_map
from nndsl.ops.map import operand
from nndsl.ops.matmul import MatMul
from nndsl.ops.movement import Concat
from nndsl.ops.scan import Scan
from nndsl.ops.split import Split
from nndsl.ops.step_order import overwritable
from nndsl.passes.keep_together import KeepTogether
from nndsl.passes.memory import plan
from nndsl.passes.pipeline import CLEANING, SCANS
from nndsl.runtime.reference import evaluate
from tests.passes.recurrent import PASSES, STEPS, UNITS, arrays, gated

ROWS = TensorType(("N", 2))


def scans_of(graph):
    return [node for node in graph.nodes if isinstance(node.operation, Scan)]


def test_gates_are_one_tensor_and_results_are_bit_equal(rng):
    graph = gated()
    for step in (*PASSES["lifted"], *CLEANING, *SCANS[:-1]):
        graph = step(graph)
    together = KeepTogether()(graph)
    verify(together)
    forward, back = scans_of(together)
    (gates,) = set(forward.outputs) & set(back.inputs[:1])
    assert gates.type.shape == ("N", STEPS, 4 * UNITS)
    assert len(back.inputs) == len(scans_of(graph)[1].inputs) - 3
    given = arrays(graph, rng)
    for name, expected in evaluate(graph, given)[0].items():
        assert np.array_equal(evaluate(together, given)[0][name], expected), name


def test_sums_gates_and_their_gradients_have_one_memory():
    graph = gated()
    for step in PASSES["planned"]:
        graph = step(graph)
    forward, back = scans_of(graph)
    places = plan(graph, 8).places
    gates, gradients = back.inputs[0], back.outputs[-1]
    assert places[forward.inputs[0]] == places[gates] == places[gradients]


def test_the_new_memory_is_made_again_rather_than_kept():
    graph = gated()
    for step in PASSES["planned"]:
        graph = step(graph)
    _, back = scans_of(graph)
    assert [v.type.shape[-1] for v in back.inputs[:3]] == [4 * UNITS, UNITS, UNITS]


def test_a_graph_without_a_way_back_stays_as_it_is():
    graph = gated()
    assert KeepTogether()(graph) is graph


def body():
    """A step that cuts its sequence in two."""
    build = Builder()
    x = build.input("x", ROWS, Role.DATA)
    return build, x, build.add_all(Split(1, (1, 1)), x)


def test_columns_may_be_written_once_they_are_read():
    build, x, (a, b) = body()
    first = add_map(build, operand(0) + operand(1), a, b)
    second = add_map(build, operand(0) * operand(0), first)
    kept = build.add(Concat(1), first, second)
    assert overwritable(build.graph, x, kept)
    late = add_map(build, operand(0) + operand(1), first, b)
    assert overwritable(build.graph, x, build.add(Concat(1), first, late))
    assert not overwritable(build.graph, x, build.add(Concat(1), late, first))


def test_a_product_is_not_written_over_what_it_multiplies():
    build = Builder()
    x, w = (build.input(n, ROWS, Role.DATA) for n in ("x", "w"))
    square = build.input("square", TensorType((2, 2)), Role.DATA)
    product = build.add(MatMul(), x, square)
    assert not overwritable(build.graph, x, product)
    total = add_map(build, operand(0) + operand(1), product, w)
    assert overwritable(build.graph, x, total)
    assert overwritable(build.graph, w, total)


def test_what_a_step_begins_with_or_hands_on_is_not_written_over():
    build, x, _ = body()
    kept = add_map(build, operand(0) * operand(0), x)
    assert not overwritable(build.graph, x, x)
    build.graph.outputs["next"] = x
    assert not overwritable(build.graph, x, kept)
