"""Losses inferred and written: values by the oracle against closed forms, in float64."""

from __future__ import annotations

import numpy as np
import pytest

from nndsl.ir.graph import Graph, Role
from nndsl.lower.result import Recipe
from nndsl.runtime.reference import evaluate
from tests.lower.helpers import codes, lowered

HEAD = {
    "named": 'data named = csv("iris.csv", target=species) { input x = numeric }\n',
    "iris": 'data iris = csv("iris.csv", target=species)\n',
    "class": 'data class = csv("pass_class.csv", target=passed)\n',
    "oaks": 'data oaks = csv("oaks.csv", target=diameter)\n',
    "both": 'data both = csv("iris.csv", target=[petal_length, petal_width]) { drop = species }\n',
}


def recipe(data: str, net: str, train: str = "", blocks: str = "") -> Recipe:
    text = f"{HEAD[data]}{blocks}net A on {data} {{ {net} }}\ntrain A {{ penalty = none; {train} }}"
    (found,) = lowered(text).recipes
    return found


def run(graph: Graph, rng: np.random.Generator, rows: int = 6) -> tuple[dict, dict]:
    """Outputs of a graph on random rows, and the arrays it was given."""
    arrays = {}
    for name, entry in graph.inputs.items():
        shape = tuple(rows if d == "N" else d for d in entry.value.type.shape)
        if entry.role is Role.TARGET and entry.value.type.element.name == "INDEX":
            arrays[name] = rng.integers(0, 2, shape)
        else:
            arrays[name] = rng.normal(size=shape)
    return evaluate(graph, arrays)[0], arrays


def logits(arrays: dict) -> np.ndarray:
    return arrays["input"] @ arrays["dense.weight"] + arrays["dense.bias"]


def log_softmax(z: np.ndarray) -> np.ndarray:
    shifted = z - z.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def softplus(z: np.ndarray) -> np.ndarray:
    return np.logaddexp(0, z)


def test_classes_with_softmax(rng: np.random.Generator) -> None:
    found = recipe("iris", "dense(3) -> softmax")
    assert found.loss == ("cross_entropy",)
    outputs, arrays = run(found.graph, rng)
    logs = log_softmax(logits(arrays))
    expected = -logs[np.arange(6), arrays["species"]].mean()
    np.testing.assert_allclose(outputs["loss"], expected, rtol=1e-12)
    np.testing.assert_allclose(outputs["output"], np.exp(logs), rtol=1e-12)


def test_the_loss_takes_the_logits() -> None:
    found = recipe("iris", "dense(3) -> softmax")
    softmax = [n for n in found.graph.nodes if n.operation.name == "softmax"]
    assert len(softmax) == 1
    assert not found.graph.users().get(softmax[0].outputs[0])


def test_logits_get_their_softmax_when_people_see_them(rng: np.random.Generator) -> None:
    found = recipe("iris", "dense(3)")
    outputs, arrays = run(found.graph, rng)
    np.testing.assert_allclose(outputs["output"], logits(arrays))
    assert found.evaluation is not None
    shown, arrays = run(found.evaluation, rng)
    np.testing.assert_allclose(shown["output"].sum(axis=1), 1)
    assert any(note.taken == "softmax" for note in found.inferred)
    text = f"{HEAD['iris']}net A on iris {{ dense(3) }}\ntrain A {{ }}"
    network = lowered(text).networks["A"]
    assert network.graph.outputs["output"].node.operation.name == "softmax"
    assert [i.role for i in network.graph.inputs.values()] == [
        Role.DATA, Role.PARAMETER, Role.PARAMETER,
    ]  # fmt: skip


@pytest.mark.parametrize("ending", [" -> sigmoid", ""])
def test_two_classes_and_one_output(ending: str, rng: np.random.Generator) -> None:
    found = recipe("class", f"dense(1){ending}")
    assert found.loss == ("bce",)
    outputs, arrays = run(found.graph, rng)
    z, t = logits(arrays)[:, 0], arrays["passed"]
    np.testing.assert_allclose(outputs["loss"], (softplus(z) - t * z).mean(), rtol=1e-12)
    assert found.evaluation is not None
    shown, arrays = run(found.evaluation, rng)
    np.testing.assert_allclose(shown["output"], 1 / (1 + np.exp(-logits(arrays))), rtol=1e-12)


def test_the_steepness_of_a_sigmoid_is_part_of_the_loss(rng: np.random.Generator) -> None:
    found = recipe("class", "dense(1) -> sigmoid(4)")
    outputs, arrays = run(found.graph, rng)
    z, t = 4 * logits(arrays)[:, 0], arrays["passed"]
    np.testing.assert_allclose(outputs["loss"], (softplus(z) - t * z).mean(), rtol=1e-12)
    np.testing.assert_allclose(outputs["output"][:, 0], 1 / (1 + np.exp(-z)), rtol=1e-12)


def test_numbers(rng: np.random.Generator) -> None:
    found = recipe("oaks", "dense(1)")
    assert found.loss == ("mse",)
    outputs, arrays = run(found.graph, rng)
    difference = logits(arrays) - arrays["diameter"].reshape(-1, 1)
    np.testing.assert_allclose(outputs["loss"], (difference**2).mean(), rtol=1e-12)


def test_half_squared_error_is_a_sum_over_the_outputs(rng: np.random.Generator) -> None:
    found = recipe("both", "dense(2)", "loss = half_squared_error")
    outputs, arrays = run(found.graph, rng)
    targets = np.concatenate([arrays["petal_length"], arrays["petal_width"]], axis=1)
    expected = (0.5 * (logits(arrays) - targets) ** 2).sum(axis=1).mean()
    np.testing.assert_allclose(outputs["loss"], expected, rtol=1e-12)
    assert found.targets == {"output": ("petal_length", "petal_width")}


def test_squared_error_on_classes_sees_one_hot_rows(rng: np.random.Generator) -> None:
    found = recipe("iris", "dense(3) -> sigmoid", "loss = mse")
    outputs, arrays = run(found.graph, rng)
    y = 1 / (1 + np.exp(-logits(arrays)))
    np.testing.assert_allclose(
        outputs["loss"], ((y - np.eye(3)[arrays["species"]]) ** 2).mean(), rtol=1e-12
    )


def test_squared_error_on_two_classes_sees_their_number(rng: np.random.Generator) -> None:
    found = recipe("class", "dense(1) -> sigmoid", "loss = mse")
    outputs, arrays = run(found.graph, rng)
    y = 1 / (1 + np.exp(-logits(arrays)[:, 0]))
    np.testing.assert_allclose(outputs["loss"], ((y - arrays["passed"]) ** 2).mean(), rtol=1e-12)


def test_weighted_sums(rng: np.random.Generator) -> None:
    found = recipe("oaks", "dense(1)", "loss = 0.5 * mse + mae / 4")
    assert found.loss == ("0.5 * mse + 0.25 * mae",)
    outputs, arrays = run(found.graph, rng)
    e = logits(arrays) - arrays["diameter"].reshape(-1, 1)
    expected = 0.5 * (e**2).mean() + 0.25 * np.abs(e).mean()
    np.testing.assert_allclose(outputs["loss"], expected, rtol=1e-12)


def test_label_smoothing(rng: np.random.Generator) -> None:
    found = recipe("iris", "dense(3) -> softmax", "loss = cross_entropy(smooth=0.3)")
    outputs, arrays = run(found.graph, rng)
    q = 0.7 * np.eye(3)[arrays["species"]] + 0.1
    expected = -(q * log_softmax(logits(arrays))).sum(axis=1).mean()
    np.testing.assert_allclose(outputs["loss"], expected, rtol=1e-12)


@pytest.mark.parametrize("given", ["[setosa=2, virginica=0.5]", "[2, 1, 0.5]"])
def test_weights_of_classes(given: str, rng: np.random.Generator) -> None:
    """A row's loss times the weight of its class; a class left out has the weight 1."""
    loss = f"loss = cross_entropy(smooth=0.3, weights={given})"
    found = recipe("iris", "dense(3) -> softmax", loss)
    outputs, arrays = run(found.graph, rng)
    t = arrays["species"]
    q = 0.7 * np.eye(3)[t] + 0.1
    rows = -(q * log_softmax(logits(arrays))).sum(axis=1)
    np.testing.assert_allclose(
        outputs["loss"], (np.array([2, 1, 0.5])[t] * rows).mean(), rtol=1e-12
    )


def test_weights_of_two_classes_and_one_output(rng: np.random.Generator) -> None:
    found = recipe("class", "dense(1)", "loss = bce(weights=[yes=3])")
    outputs, arrays = run(found.graph, rng)
    z, t = logits(arrays)[:, 0], arrays["passed"]
    rows = np.where(t == 1, 3, 1) * (softplus(z) - t * z)
    np.testing.assert_allclose(outputs["loss"], rows.mean(), rtol=1e-12)


@pytest.mark.parametrize("name", ["hinge", "perceptron"])
def test_losses_of_signs_see_two_classes_as_minus_one_and_one(
    name: str, rng: np.random.Generator
) -> None:
    found = recipe("class", "dense(1)", f"loss = {name}")
    outputs, arrays = run(found.graph, rng)
    z, t = logits(arrays)[:, 0], 2 * arrays["passed"] - 1
    margin = 1 if name == "hinge" else 0
    np.testing.assert_allclose(outputs["loss"], np.maximum(0, margin - t * z).mean(), rtol=1e-12)
    assert found.evaluation is not None
    shown, arrays = run(found.evaluation, rng)
    np.testing.assert_array_equal(shown["output"], logits(arrays) >= 0)


def test_hinge_of_several_classes_is_each_against_the_rest(rng: np.random.Generator) -> None:
    found = recipe("iris", "dense(3)", "loss = hinge")
    outputs, arrays = run(found.graph, rng)
    signs = 2 * np.eye(3)[arrays["species"]] - 1
    expected = np.maximum(0, 1 - signs * logits(arrays)).mean()
    np.testing.assert_allclose(outputs["loss"], expected, rtol=1e-12)
    assert any(note.taken == "softmax" for note in found.inferred)


def test_a_step_at_the_end_learns_by_the_perceptron_rule(rng: np.random.Generator) -> None:
    found = recipe("class", "dense(1) -> step")
    assert found.loss == ("perceptron",)
    outputs, arrays = run(found.graph, rng)
    z, t = logits(arrays)[:, 0], 2 * arrays["passed"] - 1
    np.testing.assert_allclose(outputs["loss"], np.maximum(0, -t * z).mean(), rtol=1e-12)


def test_divergence_of_shares(rng: np.random.Generator) -> None:
    head = (
        'data both = csv("iris.csv") { target = [petal_length, petal_width] -> keep; '
        "drop = species }\n"
    )
    text = f"{head}net A on both {{ dense(2) }}\ntrain A {{ loss = kl; penalty = none }}"
    (found,) = lowered(text).recipes
    assert any(note.taken == "softmax" for note in found.inferred)
    graph = found.graph
    arrays = {n: rng.normal(size=[6 if d == "N" else d for d in i.value.type.shape])
              for n, i in graph.inputs.items()}  # fmt: skip
    shares = rng.dirichlet(np.ones(2), 6)
    arrays |= {"petal_length": shares[:, :1], "petal_width": shares[:, 1:]}
    outputs, _ = evaluate(graph, arrays)
    expected = (shares * (np.log(shares) - log_softmax(logits(arrays)))).sum(axis=1).mean()
    np.testing.assert_allclose(outputs["loss"], expected, rtol=1e-10)


def test_a_loss_of_ones_own(rng: np.random.Generator) -> None:
    block = "block (y, t) -> quartic { mean((y - t)^4) }\n"
    found = recipe("oaks", "dense(1)", "loss = 2 * quartic", block)
    outputs, arrays = run(found.graph, rng)
    e = logits(arrays) - arrays["diameter"].reshape(-1, 1)
    np.testing.assert_allclose(outputs["loss"], 2 * (e**4).mean(), rtol=1e-12)


def test_several_outputs(rng: np.random.Generator) -> None:
    net = "a = x -> dense(3) -> softmax\n b = x -> dense(3) -> softmax\n (a, b)"
    found = recipe("named", net, "loss = (cross_entropy, 0.2 * cross_entropy)")
    assert found.loss == ("cross_entropy", "0.2 * cross_entropy")
    outputs, arrays = run(found.graph, rng)
    rows, t = np.arange(6), arrays["species"]
    losses = [
        -log_softmax(arrays["x"] @ arrays[f"{n}.dense.weight"] + arrays[f"{n}.dense.bias"])[
            rows, t
        ].mean()
        for n in "ab"
    ]
    np.testing.assert_allclose(outputs["loss"], losses[0] + 0.2 * losses[1], rtol=1e-12)
    assert any("no further target" in note.why for note in found.inferred)


def test_penalties_are_in_the_loss_and_not_in_the_data_loss(rng: np.random.Generator) -> None:
    text = f"{HEAD['oaks']}net A on oaks {{ dense(1) }}\ntrain A {{ penalty = l2(0.5) + l1(0.25) }}"
    (found,) = lowered(text).recipes
    outputs, arrays = run(found.graph, rng)
    w = arrays["dense.weight"]
    expected = 0.25 * (w**2).sum() + 0.25 * np.abs(w).sum()
    np.testing.assert_allclose(outputs["loss"] - outputs["data_loss"], expected, rtol=1e-9)


WRONG = [
    ("iris", "dense(2) -> softmax", "", "NN305"),
    ("iris", "dense(1)", "", "NN305"),
    ("iris", "dense(iris.classes) -> sigmoid", "", "NN306"),
    ("class", "dense(1) -> softmax", "", "NN306"),
    ("class", "dense(1) -> sigmoid", "loss = cross_entropy", "NN306"),
    ("oaks", "dense(1) -> softmax", "", "NN306"),
    ("oaks", "dense(2)", "", "NN306"),
    ("oaks", "dense(1)", "loss = cross_entropy", "NN306"),
    ("both", "dense(3)", "", "NN306"),
    ("iris", "dense(3) -> sigmoid", "loss = cross_entropy", "NN306"),
    ("iris", "dense(3)", "loss = cross_entropy(weights=[rose=2])", "NN301"),
    ("iris", "dense(3)", "loss = cross_entropy(weights=[1, 2])", "NN305"),
    ("iris", "dense(3)", "loss = cross_entropy(weights=[setosa=-1])", "NN314"),
    ("oaks", "dense(1)", "loss = hinge", "NN306"),
    ("both", "dense(2)", "loss = kl", "NN306"),
    ("class", "dense(1)", "loss = focal", "NN306"),
    ("iris", "dense(iris.classes) -> relu", "", "NN802"),
    ("class", "dense(1) -> softplus", "", "NN802"),
    ("both", "dense(2) -> softmax", "", "NN802"),
]


@pytest.mark.parametrize(("data", "net", "train", "code"), WRONG)
def test_data_against_network(data: str, net: str, train: str, code: str) -> None:
    assert codes(f"{HEAD[data]}net A on {data} {{ {net} }}\ntrain A {{ {train} }}") == [code]
