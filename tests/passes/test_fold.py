"""Constants are computed once, when compiling."""

import numpy as np

from nndsl.ir.types import ElementType, TensorType
from nndsl.ops.map import operand
from nndsl.ops.movement import zeros
from nndsl.ops.reduction import Broadcast, Reshape
from nndsl.ops.source import Constant, Random, SizeOf, constant_of
from nndsl.passes.dce import DeadCode
from nndsl.passes.differentiate import Differentiate
from nndsl.passes.fold import Fold
from nndsl.scalar.functions import exp
from tests.passes.networks import (
    apply,
    assert_harmless,
    classifier,
    compared,
    formula,
    inputs_and,
    lines,
)

x, y, z = operand(0), operand(1), operand(2)
ROW = TensorType(("N", 3))


def test_nodes_over_constants_become_constants(rng, golden):
    build, (a,) = inputs_and(ROW)
    row = build.add(constant_of(np.array([1.0, 2.0, 0.1])))
    two = build.add(constant_of(2.0))
    powers = build.add(formula(exp(x) * y), row, two, name="powers")
    column = build.add(Reshape((1, 3)), powers)
    build.graph.outputs["y"] = build.add(formula(x * y + z), a, column, two)
    after = apply(build.graph, Fold(), DeadCode())
    assert [n.operation.name for n in after.nodes] == ["constant", "map"]
    assert_harmless(build.graph, after, rng, ulp=4)
    golden("passes/fold.txt", compared(build.graph, after))


def test_single_constants_are_written_into_formulas(rng):
    build, (a, b) = inputs_and(ROW, ROW)
    half = build.add(constant_of(0.5))
    build.graph.outputs["y"] = build.add(formula(x * y - z), a, half, b)
    after = apply(build.graph, Fold(), DeadCode())
    assert lines(after) == ["%map: real[Nx3] = map[{0.5 * x0 - x1}](%a, %b)"]
    assert_harmless(build.graph, after, rng)


def test_results_of_several_expressions(rng):
    build, _ = inputs_and(ROW)
    half = build.add(constant_of(0.5))
    both = build.add_all(formula(x + 1, x * 3, element=ElementType.DOUBLE), half)
    build.graph.outputs = {str(i): v for i, v in enumerate(both)}
    after = apply(build.graph, Fold(), DeadCode())
    assert [n.operation.numbers for n in after.nodes] == [(1.5,), (1.5,)]
    assert_harmless(build.graph, after, rng)


def test_repetition_is_not_written_out():
    build, _ = inputs_and(ROW)
    build.graph.outputs["y"] = zeros(build, TensorType((300, 400)))
    assert lines(apply(build.graph, Fold())) == lines(build.graph)


def test_what_the_run_decides_is_not_folded():
    build, _ = inputs_and(ROW)
    build.graph.outputs = {
        "noise": build.add(Random("normal", ("N", 3), 1)),
        "rows": build.add(SizeOf("N")),
    }
    assert lines(apply(build.graph, Fold())) == lines(build.graph)


def test_arrays_above_the_limit_stay():
    build, _ = inputs_and(ROW)
    row = build.add(constant_of(np.ones(9)))
    build.graph.outputs["y"] = build.add(formula(x + 1), row)
    assert lines(apply(build.graph, Fold(limit=8))) == lines(build.graph)
    assert len(apply(build.graph, Fold(limit=9), DeadCode()).nodes) == 1


def test_a_formula_keeps_the_shape_that_its_operands_give(rng):
    build, _ = inputs_and(ROW)
    half = build.add(constant_of(0.5))
    wide = build.add(Broadcast(("N", 3)), half)
    build.graph.outputs["y"] = build.add(formula(x * y), wide, half)
    after = apply(build.graph, Fold())
    assert_harmless(build.graph, after, rng)


def test_constants_keep_their_element_type(rng):
    build, _ = inputs_and(ROW)
    classes = build.add(Constant((2.0, 1.0), (2,), ElementType.INDEX))
    build.graph.outputs["y"] = build.add(Reshape((2, 1)), classes)
    after = apply(build.graph, Fold(), DeadCode())
    assert after.outputs["y"].type == TensorType((2, 1), ElementType.INDEX)
    assert_harmless(build.graph, after, rng)


def test_a_networks_gradients(rng):
    before = apply(classifier(penalty=0.1), Differentiate())
    assert_harmless(before, apply(before, Fold(), DeadCode()), rng, ulp=4)
