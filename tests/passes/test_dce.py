"""What nothing reads goes; what anything reads stays."""

from nndsl.ir.types import TensorType
from nndsl.ops.classes import SoftmaxCrossEntropy
from nndsl.ops.map import operand
from nndsl.passes.dce import DeadCode
from tests.passes.networks import (
    apply,
    assert_harmless,
    classifier,
    compared,
    formula,
    inputs_and,
    lines,
)

x = operand(0)


def test_chains_that_no_result_needs_are_taken_out(rng, golden):
    before = classifier()
    del before.outputs["loss"], before.outputs["data_loss"]
    after = apply(before, DeadCode())
    assert [n.label for n in after.nodes] == ["dense[1]"] * 2 + ["tanh"] + ["dense[2]"] * 2
    assert list(after.inputs) == list(before.inputs)
    assert_harmless(before, after, rng)
    golden("passes/dce.txt", compared(before, after))


def test_what_an_update_needs_stays():
    graph = classifier()
    graph.outputs = {}
    maker = graph.nodes[1]
    graph.updates["dense[1].bias"] = maker.outputs[0]
    assert apply_unverified(graph) == graph.nodes[:2]


def apply_unverified(graph):
    return DeadCode()(graph).nodes


def test_a_node_with_one_result_in_use_stays():
    graph = classifier()
    build, (logits,) = inputs_and(TensorType(("N", 3)))
    target = graph.inputs["species"].value
    build.graph.inputs["species"] = graph.inputs["species"]
    build.graph.outputs["y"] = build.add_all(SoftmaxCrossEntropy(), logits, target)[1]
    assert len(apply(build.graph, DeadCode()).nodes) == 1


def test_nothing_to_do():
    build, (a,) = inputs_and(TensorType(("N",)))
    build.graph.outputs["y"] = build.add(formula(-x), a)
    assert lines(apply(build.graph, DeadCode())) == lines(build.graph)
