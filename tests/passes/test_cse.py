"""Equal nodes become one; unequal ones do not."""

from nndsl.ir.types import TensorType
from nndsl.ops.map import operand
from nndsl.ops.source import Constant, Random
from nndsl.passes.cse import CommonSubexpressions
from nndsl.passes.differentiate import Differentiate
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

x, y = operand(0), operand(1)
ROW = TensorType(("N", 4))


def test_the_same_twice_is_once(rng, golden):
    build, (a, b) = inputs_and(ROW, ROW)
    once, twice = (build.add(formula(exp(x)), a, name=n) for n in ("once", "twice"))
    other = build.add(formula(exp(x)), b, name="other")
    left, right = (build.add(formula(-x), v, name="turned") for v in (once, twice))
    build.graph.outputs = {"sum": build.add(formula(x + y), left, right), "right": right}
    build.graph.outputs["other"] = other
    after = apply(build.graph, CommonSubexpressions())
    assert [n.outputs[0].name for n in after.nodes] == ["once", "other", "turned", "map"]
    assert after.outputs["right"] is left
    assert_harmless(build.graph, after, rng)
    golden("passes/cse.txt", compared(build.graph, after))


def test_equal_draws_are_one_and_others_are_not(rng):
    build, (a,) = inputs_and(ROW)
    draws = [Random("uniform", ("N", 4), stream) for stream in (1, 1, 2)]
    values = [build.add(draw) for draw in draws]
    build.graph.outputs = {str(i): v for i, v in enumerate([a, *values])}
    after = apply(build.graph, CommonSubexpressions())
    assert len(after.nodes) == 2
    assert_harmless(build.graph, after, rng)


def test_zeros_of_different_sign_are_different(rng):
    build, _ = inputs_and(ROW)
    for name, number in (("plus", 0.0), ("minus", -0.0), ("again", -0.0)):
        build.graph.outputs[name] = build.add(Constant((number,)))
    after = apply(build.graph, CommonSubexpressions())
    assert len(after.nodes) == 2
    assert_harmless(build.graph, after, rng)


def test_the_order_of_operands_matters():
    build, (a, b) = inputs_and(ROW, ROW)
    build.graph.outputs = {
        "ab": build.add(formula(x - y), a, b),
        "ba": build.add(formula(x - y), b, a),
    }
    assert lines(apply(build.graph, CommonSubexpressions())) == lines(build.graph)


def test_a_networks_gradients(rng):
    before = apply(classifier(penalty=0.1), Differentiate())
    after = apply(before, CommonSubexpressions())
    assert_harmless(before, after, rng)
