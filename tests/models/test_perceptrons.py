"""Canon rows 9 and 10: multilayer perceptrons trained by back-propagation."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from nndsl.train.session import train
from tests.models.running import (
    MODELS,
    Arrays,
    Stepper,
    answers,
    model_text,
    opened,
    opened_text,
    stepper,
)


@pytest.mark.parametrize("name", ["09_xor", "09_deep_mlp", "09_approximation", "10_lecture"])
def test_the_file_trains_and_its_expectations_hold(name: str, nndsl) -> None:
    ended = nndsl("train", MODELS / f"{name}.nn", "--quiet")
    assert (ended.code, ended.err) == (0, "")


def test_xor_is_solved() -> None:
    run = stepper(opened("09_xor", precision="float64"))
    assert run.step(run.plan.total_steps) < 1e-3


def test_hidden_units_in_another_order_leave_outputs_equal(rng: np.random.Generator) -> None:
    points = 3 * rng.standard_normal((200, 2))
    found = opened("09_symmetry")
    expected = answers(found, "Original", points)
    np.testing.assert_allclose(answers(found, "Permuted", points), expected, rtol=0, atol=1e-14)
    np.testing.assert_allclose(answers(found, "Flipped", points), expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("sizes", ["[5]", "[4, 3]", "[8, 7, 6, 5, 4, 3]"])
def test_any_depth(sizes: str) -> None:
    found = opened("09_deep_mlp", sizes=sizes, precision="float64")
    widths = [2, *map(int, sizes.strip("[]").split(",")), 2]
    count = sum((before + 1) * after for before, after in itertools.pairwise(widths))
    assert found.module.networks["Mlp"].parameter_count == count
    run = stepper(found)
    first = run.step()
    assert run.step(600) < first


@pytest.mark.parametrize("seed", ["1", "2"])
def test_two_rings_are_told_apart(seed: str) -> None:
    run = stepper(opened("09_deep_mlp", seed=seed, precision="float64"))
    result = train(run.job)
    assert result.metrics["test_accuracy"] > 0.95


def test_the_error_of_an_approximation_falls_by_width() -> None:
    widths = (4, 8, 16, 32)
    runs = [stepper(opened("09_approximation", width=str(w), precision="float64")) for w in widths]
    errors = [run.step(run.plan.total_steps) for run in runs]
    assert all(after < before / 2 for before, after in itertools.pairwise(errors))


# --- the lecture's network, against a loop ---------------------------------------------------


def elu(x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, np.expm1(x))


def slope_of_elu(x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, 1.0, np.exp(x))


def gradients(weights: Arrays, x: np.ndarray, t: np.ndarray) -> tuple[float, Arrays]:
    """Loss and gradients of dense(6) elu, dense(4) elu, dense softmax, by hand."""
    w = [weights[f"dense[{k}].weight"] for k in (1, 2, 3)]
    b = [weights[f"dense[{k}].bias"] for k in (1, 2, 3)]
    first = x @ w[0] + b[0]
    second = elu(first) @ w[1] + b[1]
    logits = elu(second) @ w[2] + b[2]
    logits = logits - logits.max(axis=1, keepdims=True)
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    rows = np.arange(len(t))
    loss = float(-np.log(p[rows, t]).mean())
    delta = p.copy()
    delta[rows, t] -= 1
    delta /= len(t)
    found = {"dense[3].weight": elu(second).T @ delta, "dense[3].bias": delta.sum(axis=0)}
    delta = (delta @ w[2].T) * slope_of_elu(second)
    found |= {"dense[2].weight": elu(first).T @ delta, "dense[2].bias": delta.sum(axis=0)}
    delta = (delta @ w[1].T) * slope_of_elu(first)
    return loss, found | {"dense[1].weight": x.T @ delta, "dense[1].bias": delta.sum(axis=0)}


def lecture() -> Stepper:
    return stepper(opened("10_lecture", precision="float64"))


def test_the_start_is_that_of_the_lecture() -> None:
    start = lecture().start
    assert {tuple(a.shape) for n, a in start.items() if n.endswith("bias")} == {(6,), (4,), (3,)}
    assert all((array == 0.1).all() for name, array in start.items() if name.endswith("bias"))
    # He: variance 2/inputs, seen on a wide layer of the same kind
    text = model_text("10_lecture").replace("dense(6)", "dense(4000)")
    wide = stepper(opened_text(text, precision="float64")).start["dense[1].weight"]
    assert wide.var() == pytest.approx(2 / wide.shape[0], rel=0.05)


def test_the_first_200_steps_are_those_of_the_formulas() -> None:
    """v <- 0.9 v - lr g, p <- p + v, with lr = 0.05 * 0.1^(t / 500)."""
    run = lecture()
    weights = {name: array.copy() for name, array in run.start.items()}
    velocity = {name: np.zeros_like(array) for name, array in weights.items()}
    for step in range(200):
        rows = run.rows(step)
        loss, slopes = gradients(weights, rows["input"], rows["species"])
        lr = 0.05 * 0.1 ** (step / 500)
        for name, slope in slopes.items():
            velocity[name] = 0.9 * velocity[name] - lr * slope
            weights[name] = weights[name] + velocity[name]
        assert run.step() == pytest.approx(loss, abs=1e-10)
    for name, found in run.weights.items():
        np.testing.assert_allclose(found, weights[name], rtol=0, atol=1e-10)


@pytest.mark.parametrize("seed", ["1", "2", "3"])
def test_the_lectures_network_knows_penguins(seed: str) -> None:
    result = train(stepper(opened("10_lecture", seed=seed, precision="float64")).job)
    assert result.metrics["test_accuracy"] > 0.95
