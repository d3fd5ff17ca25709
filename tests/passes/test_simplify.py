"""Each exact rule, what it must leave alone, and equality to the bit."""

import numpy as np
import pytest

from nndsl.ir.types import ElementType, TensorType
from nndsl.ops.map import operand
from nndsl.ops.matmul import MatMul
from nndsl.ops.movement import Concat, Slice, Transpose
from nndsl.ops.reduction import Broadcast, Reduce, Reshape
from nndsl.passes.dce import DeadCode
from nndsl.passes.differentiate import Differentiate
from nndsl.passes.simplify import Simplify
from tests.passes.networks import (
    apply,
    assert_harmless,
    classifier,
    compared,
    formula,
    inputs_and,
    lines,
)

x, y = operand(0), operand(1)
MATRIX, ROW, NUMBER = TensorType((3, 4)), TensorType((4,)), TensorType(())


def chain(types, *operations):
    """Operations one after the other on the first input; the others are further operands."""
    build, values = inputs_and(*types)
    value = values[0]
    for operation, *others in operations:
        value = build.add(operation, value, *(values[i] for i in others))
    build.graph.outputs["y"] = value
    return build.graph


SIMPLER = {
    "two reshapes": (chain([MATRIX], (Reshape((12,)),), (Reshape((2, 6)),)), 1),
    "reshape and back": (chain([MATRIX], (Reshape((12,)),), (Reshape((3, 4)),)), 0),
    "two transpositions": (chain([MATRIX], (Transpose((1, 0)),), (Transpose((1, 0)),)), 0),
    "three axes": (
        chain([TensorType((2, 3, 4))], (Transpose((1, 2, 0)),), (Transpose((1, 2, 0)),)),
        1,
    ),
    "slice of a slice": (chain([MATRIX], (Slice(1, 1, 4),), (Slice(1, 1, 2),)), 1),
    "the whole": (chain([MATRIX], (Slice(1, 0, 4),)), 0),
    "repeated twice": (chain([NUMBER], (Broadcast((4,)),), (Broadcast((3, 4)),)), 1),
    "repeated number, reshaped": (chain([NUMBER], (Broadcast((4,)),), (Reshape((2, 2)),)), 1),
    "reshaped number, repeated": (chain([NUMBER], (Reshape((1,)),), (Broadcast((3, 4)),)), 1),
    "turned twice": (chain([MATRIX], (formula(-x),), (formula(-x),)), 0),
    "handed on": (chain([MATRIX], (formula(x),)), 0),
    "sum over nothing": (chain([MATRIX], (Reduce("sum", ()),)), 0),
    "one joined": (chain([MATRIX], (Concat(0),)), 0),
    "elementwise after repetition": (
        chain([ROW, MATRIX], (Broadcast((3, 4)),), (formula(x * y), 1)),
        1,
    ),
}


@pytest.mark.parametrize(("graph", "left"), SIMPLER.values(), ids=SIMPLER)
def test_what_does_nothing_goes(graph, left, rng):
    after = apply(graph, Simplify(), DeadCode())
    assert len(after.nodes) == left
    assert_harmless(graph, after, rng)


def test_a_transposed_weight_is_read_transposed(rng):
    build, (a, b) = inputs_and(MATRIX, MATRIX)
    turned = build.add(Transpose((1, 0)), b)
    build.graph.outputs["y"] = build.add(MatMul(), a, turned)
    after = apply(build.graph, Simplify(), DeadCode())
    assert lines(after) == ["%matmul: real[3x3] = matmul[transpose_b=true](%a, %b)"]
    arrays = {"a": rng.normal(size=(3, 4)), "b": rng.normal(size=(3, 4))}
    from nndsl.runtime.reference import evaluate

    for graph in (build.graph, after):
        np.testing.assert_allclose(evaluate(graph, arrays)[0]["y"], arrays["a"] @ arrays["b"].T)


KEPT = {
    "conversion": chain([MATRIX], (formula(x, element=ElementType.DOUBLE),)),
    "different axes": chain([MATRIX], (Slice(1, 1, 4),), (Slice(0, 1, 2),)),
    "rounding between": chain([MATRIX], (formula(x + 1),), (formula(x - 1),)),
    "repetition makes the shape": chain([ROW], (Broadcast((3, 4)),), (formula(-x),)),
    "repetition is summed": chain([ROW], (Broadcast((3, 4)),), (Reduce("sum", (0,)),)),
    "transposition moves": chain([MATRIX], (Transpose((1, 0)),), (Reshape((12,)),)),
    "read by two": chain([MATRIX, MATRIX], (formula(-x),), (formula(x + y), 1)),
}


@pytest.mark.parametrize("graph", KEPT.values(), ids=KEPT)
def test_what_does_something_stays(graph, rng):
    after = apply(graph, Simplify(), DeadCode())
    assert lines(after) == lines(graph)


def test_an_output_that_is_an_input(rng):
    build, (a,) = inputs_and(MATRIX)
    build.graph.outputs["y"] = build.add(formula(x), a)
    after = apply(build.graph, Simplify())
    assert after.outputs["y"] is a
    assert_harmless(build.graph, after, rng)


def test_gradients_before_and_after(golden, rng):
    before = apply(classifier(penalty=0.1), Differentiate())
    after = apply(before, Simplify(), DeadCode())
    assert_harmless(before, after, rng)
    golden("passes/simplify.txt", compared(before, after))
