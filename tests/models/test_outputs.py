"""Canon rows 11 and 12: probabilities, and the three pairs of output and loss."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from nndsl.codegen.generate import generate
from nndsl.lower.result import Recipe
from nndsl.passes import pipeline
from nndsl.passes.differentiate import PREFIX, Differentiate
from nndsl.passes.join import Join
from nndsl.passes.simplify import Simplify
from nndsl.runtime.executable import load
from tests.models.running import MODELS, Arrays, opened, opened_text

ROWS = 21


def test_the_class_is_passed_with_a_probability(tmp_path: Path, nndsl) -> None:
    assert nndsl("train", MODELS / "11_pass_class.nn", "--out", "run", "--quiet").code == 0
    (tmp_path / "new.csv").write_text("lectures,project_hours\n1,1\n9,25\n5,12\n")
    assert nndsl("predict", "run", "new.csv", "-o", "answers.csv").code == 0
    with (tmp_path / "answers.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["lectures"] for row in rows] == ["1", "9", "5"]
    yes = np.array([float(row["probability_yes"]) for row in rows])
    no = np.array([float(row["probability_no"]) for row in rows])
    np.testing.assert_allclose(yes + no, 1, atol=1e-6)
    assert yes[0] < 0.5 < yes[1]
    named = [row["predicted_passed"] for row in rows]
    assert named == ["yes" if p > 0.5 else "no" for p in yes]


def test_all_four_pairs_train(nndsl) -> None:
    ended = nndsl("train", MODELS / "12_outputs_and_losses.nn", "--quiet")
    assert (ended.code, ended.err) == (0, "")


# --- gradients in closed form ----------------------------------------------------------------


def data_gradients(recipe: Recipe, weights: Arrays, arrays: Arrays) -> Arrays:
    """Gradients of the loss without penalties by the compiled float64 kernels."""
    passes = (Simplify(), Join(), Differentiate("data_loss"), *pipeline.CLEANING,
              *pipeline.PLANNING)  # fmt: skip
    graph = pipeline.run(recipe.graph, passes)
    executable = load(generate(graph, "float64", ROWS, watch=None))
    executable.set_parameters(weights)
    found = executable.evaluate(arrays)
    return {n.removeprefix(PREFIX): a for n, a in found.items() if n.startswith(PREFIX)}


def softmax_error(z: np.ndarray, t: np.ndarray) -> np.ndarray:
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    return (p - np.eye(z.shape[1])[t]) / len(z)


def sigmoid_error(z: np.ndarray, t: np.ndarray) -> np.ndarray:
    return (1 / (1 + np.exp(-z)) - t.reshape(z.shape)) / len(z)


def squared_error(z: np.ndarray, t: np.ndarray) -> np.ndarray:
    return 2 * (z - t.reshape(z.shape)) / len(z)


def half_squared_error(z: np.ndarray, t: np.ndarray) -> np.ndarray:
    return (z - t.reshape(z.shape)) / len(z)


@pytest.mark.parametrize(
    ("net", "classes", "error"),
    [
        ("Many", 3, softmax_error),
        ("One", 2, sigmoid_error),
        ("Real", 0, squared_error),
        ("Half", 0, half_squared_error),
    ],
)
def test_gradients_are_the_closed_forms(net, classes, error, rng: np.random.Generator) -> None:
    """The error at the inner potential is (p - t)/n; the weights get x^T error, biases its sum."""
    found = opened("12_outputs_and_losses", precision="float64")
    (recipe,) = [r for r in found.module.recipes if r.net == net]
    shapes = {n: i.shape for n, i in found.module.networks[net].parameters.items()}
    weights = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
    x = rng.standard_normal((ROWS, shapes["dense.weight"][0]))
    t = rng.integers(0, classes, ROWS).astype(np.int32) if classes else rng.normal(size=(ROWS, 1))
    (target,) = recipe.targets["output"]
    slopes = data_gradients(recipe, weights, {"input": x, target: t})
    delta = error(x @ weights["dense.weight"] + weights["dense.bias"], t)
    np.testing.assert_allclose(slopes["dense.weight"], x.T @ delta, rtol=0, atol=1e-12)
    np.testing.assert_allclose(slopes["dense.bias"], delta.sum(axis=0), rtol=0, atol=1e-12)


def test_the_mean_and_the_half_sum_of_several_outputs(rng: np.random.Generator) -> None:
    """Of k outputs: mse has 2 (y - t)/(k n), the half-sum (y - t)/n."""
    text = (
        "data d = table(x=grid(0..1, 30), u=grid(1..2, 30), v=grid(3..1, 30)) "
        "{ target = [u, v]; split = all }\n"
        "net N on d { dense(2) }\ntrain N { loss = LOSS }\n"
    )
    weights = {"dense.weight": rng.normal(size=(1, 2)), "dense.bias": rng.normal(size=2)}
    arrays = {"input": rng.normal(size=(ROWS, 1)), "u": rng.normal(size=(ROWS, 1)),
              "v": rng.normal(size=(ROWS, 1))}  # fmt: skip
    error = arrays["input"] @ weights["dense.weight"] + weights["dense.bias"]
    error -= np.concatenate((arrays["u"], arrays["v"]), axis=1)
    for loss, factor in (("mse", 2 / (2 * ROWS)), ("half_squared_error", 1 / ROWS)):
        found = opened_text(text.replace("LOSS", loss), precision="float64")
        slopes = data_gradients(found.module.recipes[0], weights, arrays)
        np.testing.assert_allclose(
            slopes["dense.bias"], factor * error.sum(axis=0), rtol=0, atol=1e-12
        )
