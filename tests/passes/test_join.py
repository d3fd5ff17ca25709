"""Log-softmax and the choice of a class become one op."""

from nndsl.ir.types import ElementType, TensorType
from nndsl.ops.classes import Pick
from nndsl.ops.rows import LogSoftmax, Softmax
from nndsl.passes.dce import DeadCode
from nndsl.passes.differentiate import Differentiate
from nndsl.passes.join import Join
from nndsl.passes.simplify import Simplify
from tests.passes.networks import (
    apply,
    assert_harmless,
    classifier,
    compared,
    inputs_and,
    lines,
)

ROWS, CLASSES = TensorType(("N", 3)), TensorType(("N",), ElementType.INDEX)


def words(graph):
    return [n.operation.name for n in graph.nodes]


def test_cross_entropy_of_logits(rng, golden):
    before = classifier()
    after = apply(before, Join(), Simplify(), DeadCode())
    assert "softmax_cross_entropy" in words(after)
    assert not {"log_softmax", "pick"} & set(words(after))
    assert_harmless(before, after, rng, ulp=4)
    golden("passes/join.txt", compared(before, after))


def test_gradients_of_the_joint_op(rng):
    apart = apply(classifier(), Differentiate())
    joint = apply(classifier(), Join(), Differentiate())
    assert_harmless(apart, joint, rng, ulp=32)  # sums of gradients over rows and layers


def test_the_new_nodes_stand_for_the_old_ones():
    after = apply(classifier(), Join(), DeadCode())
    (joint,) = [n for n in after.nodes if n.operation.name == "softmax_cross_entropy"]
    assert joint.label == "loss"


def test_log_chances_that_are_an_output_stay(rng):
    graph = classifier()
    graph.outputs["logs"] = next(n for n in graph.nodes if n.label == "loss").outputs[0]
    after = apply(graph, Join(), DeadCode())
    assert {"log_softmax", "softmax_cross_entropy"} <= set(words(after))
    assert_harmless(graph, after, rng, ulp=4)


def test_picking_from_anything_else_stays():
    build, (a, b) = inputs_and(ROWS, CLASSES)
    soft = build.add(Softmax(), a)
    build.graph.outputs = {"soft": build.add(Pick(), soft, b), "plain": build.add(Pick(), a, b)}
    assert lines(apply(build.graph, Join())) == lines(build.graph)


def test_log_softmax_alone_stays():
    build, (a,) = inputs_and(ROWS)
    build.graph.outputs["y"] = build.add(LogSoftmax(), a)
    assert lines(apply(build.graph, Join())) == lines(build.graph)
