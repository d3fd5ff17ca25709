"""Gradients of whole networks, against central differences."""

import numpy as np
import pytest

from nndsl.ir.graph import Builder, Graph, Role
from nndsl.ir.types import TensorType
from nndsl.ops.compose import add_map, add_mean
from nndsl.ops.map import operand
from nndsl.ops.movement import Concat, Slice
from nndsl.ops.reduction import Broadcast
from nndsl.passes.differentiate import Differentiate
from nndsl.passes.join import Join
from nndsl.passes.pipeline import CLEANING
from nndsl.runtime.reference import evaluate
from tests.ops.sampling import central_differences
from tests.passes.networks import (
    ROWS,
    apply,
    arrays_for,
    classifier,
    compared,
    formula,
    inputs_and,
)


def assert_gradients(graph: Graph, rng, *passes) -> None:
    derived = apply(graph, *passes)
    arrays = arrays_for(graph, rng)
    found, _ = evaluate(derived, arrays)
    for name, entry in graph.inputs.items():
        if entry.role is Role.PARAMETER:
            expected = central_differences(
                lambda a, name=name: evaluate(graph, {**arrays, name: a})[0]["loss"], arrays[name]
            )
            np.testing.assert_allclose(
                found[f"gradient:{name}"], expected, rtol=1e-6, atol=1e-8, err_msg=name
            )


@pytest.mark.parametrize("penalty", [0.0, 0.1])
@pytest.mark.parametrize(
    "passes", [(), (Join(),), (*CLEANING, Join())], ids=["alone", "joined", "cleaned"]
)
def test_gradients_of_a_classifier(passes, penalty, rng):
    assert_gradients(classifier(penalty), rng, *passes, Differentiate(), *CLEANING)


def test_the_text_of_a_classifiers_gradients(golden):
    before = apply(classifier(), Join(), *CLEANING)
    golden("passes/differentiate.txt", compared(before, apply(before, Differentiate())))


def test_gradients_through_branches_that_meet(rng):
    """One value read three times, repeated, cut and joined: its gradients add up."""
    build = Builder()
    w = build.input("w", TensorType((4,)), Role.PARAMETER)
    build.input("x", TensorType(("N", 4)), Role.DATA)
    wide = build.add(Broadcast((3, 4)), w)
    parts = [build.add(Slice(1, i, i + 2), wide) for i in (0, 2)]
    swapped = build.add(Concat(1), parts[1], parts[0])
    product = add_map(build, operand(0) * operand(1) + operand(2), wide, swapped, w)
    build.graph.outputs["loss"] = add_mean(build, product)
    assert_gradients(build.graph, rng, Differentiate(), *CLEANING)


def test_gradient_nodes_have_the_labels_and_places_of_the_forward_nodes():
    derived = apply(classifier(), Differentiate())
    forward = {n.label: n.span for n in classifier().nodes}
    backward = derived.nodes[len(classifier().nodes) :]
    assert {"dense[1]", "tanh", "dense[2]", "loss"} <= {n.label for n in backward}
    assert all(forward[n.label] is n.span for n in backward if n.label)


def test_only_trainable_parameters_have_gradients():
    graph = classifier()
    graph.inputs["dense[1].weight"].trainable = False
    outputs = apply(graph, Differentiate()).outputs
    assert "gradient:dense[1].weight" not in outputs
    assert "gradient:dense[1].bias" in outputs


def test_nothing_is_computed_for_inputs_that_need_no_gradient():
    derived = apply(classifier(), Join(), Differentiate())
    assert sum(n.operation.name == "matmul" for n in derived.nodes) == 2 + 3


def test_an_unused_parameter_has_a_gradient_of_zeros(rng):
    graph = classifier()
    Builder(graph).input("spare", TensorType((2, 3)), Role.PARAMETER)
    found, _ = evaluate(apply(graph, Differentiate()), arrays_for(graph, rng))
    assert np.array_equal(found["gradient:spare"], np.zeros((2, 3)))


def test_a_loss_of_many_numbers_is_refused():
    build, (a,) = inputs_and(TensorType(("N",)))
    build.graph.outputs["loss"] = build.add(formula(operand(0)), a)
    with pytest.raises(ValueError, match="single number"):
        Differentiate()(build.graph)


def test_a_smaller_batch_needs_no_other_graph(rng):
    derived = apply(classifier(), Join(), Differentiate(), *CLEANING)
    arrays = arrays_for(derived, rng)
    whole, _ = evaluate(derived, arrays)
    halves = []
    for half in (slice(0, 2), slice(2, ROWS)):
        part = {**arrays, "input": arrays["input"][half], "species": arrays["species"][half]}
        halves.append(evaluate(derived, part)[0]["gradient:dense[1].weight"])
    joined = (2 * halves[0] + (ROWS - 2) * halves[1]) / ROWS
    np.testing.assert_allclose(joined, whole["gradient:dense[1].weight"], rtol=1e-12)
