"""Losses: values against NumPy, gradients against the closed forms of the courses."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from nndsl.ir.graph import Builder, Role
from nndsl.ir.types import ElementType, TensorType
from nndsl.ops.compose import add_mean
from nndsl.passes.differentiate import Differentiate
from nndsl.runtime.reference import evaluate as run
from nndsl.scalar.derivative import differentiate
from nndsl.scalar.evaluation import evaluate
from nndsl.scalar.expression import constant
from nndsl.scalar.inspection import substitute, variables
from nndsl.vocab.arguments import bind_arguments
from nndsl.vocab.kinds import Loss
from nndsl.vocab.registry import words

EXPECTED: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "mse": lambda y, t: (y - t) ** 2,
    "half_squared_error": lambda y, t: (y - t) ** 2 / 2,
    "mae": lambda y, t: np.abs(y - t),
    "huber": lambda y, t: np.where(np.abs(y - t) < 1, (y - t) ** 2 / 2, np.abs(y - t) - 0.5),
    "log_cosh": lambda y, t: np.log(np.cosh(y - t)),
    "pinball": lambda y, t: np.abs(y - t) / 2,
    "poisson": lambda y, t: np.exp(y) - t * y,
    "bce": lambda y, t: (
        -t * np.log(1 / (1 + np.exp(-y))) - (1 - t) * np.log(1 - 1 / (1 + np.exp(-y)))
    ),
    "binary_focal": lambda y, t: (
        -((1 - 1 / (1 + np.exp(-t * y))) ** 2) * np.log(1 / (1 + np.exp(-t * y)))
    ),
    "perceptron": lambda y, t: np.maximum(0, -t * y),
    "hinge": lambda y, t: np.maximum(0, 1 - t * y),
    "squared_hinge": lambda y, t: np.maximum(0, 1 - t * y) ** 2,
}
ROWS = [n for n, w in words("loss").items() if isinstance(w, Loss) and w.rows is not None]
SCALAR = [n for n, w in words("loss").items() if isinstance(w, Loss) and w.expression is not None]


def formula(name: str):
    word = words("loss")[name]
    assert isinstance(word, Loss)
    assert word.expression is not None
    numbers = {k: constant(v) for k, v in bind_arguments(word).items() if k != "weights"}
    return substitute(word.expression, numbers)


def targets_for(name: str, rng: np.random.Generator, count: int) -> np.ndarray:
    """Shares of class 1, or signs where the loss is of signs."""
    word = words("loss")[name]
    assert isinstance(word, Loss)
    return rng.choice([-1.0, 1.0], count) if word.targets == "signs" else rng.uniform(0, 1, count)


@pytest.mark.parametrize("name", SCALAR)
def test_value_and_gradient(name: str, rng: np.random.Generator) -> None:
    y, t = rng.normal(size=200) * 2, targets_for(name, rng, 200)
    away = (np.abs(y - t) > 1e-3) & (np.abs(np.abs(y - t) - 1) > 1e-3) & (np.abs(y) > 1e-3)
    y, t = y[away], t[away]
    e = formula(name)
    np.testing.assert_allclose(evaluate(e, {"y": y, "t": t}), EXPECTED[name](y, t), rtol=1e-10)
    exact = evaluate(differentiate(e, "y"), {"y": y, "t": t})
    h = 1e-5
    numeric = [evaluate(e, {"y": y + s * h, "t": t}) for s in (1, -1)]
    np.testing.assert_allclose(exact, (numeric[0] - numeric[1]) / (2 * h), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", SCALAR)
def test_read_prediction_target_and_arguments_only(name: str) -> None:
    word = words("loss")[name]
    assert isinstance(word, Loss)
    assert word.expression is not None
    assert set(variables(word.expression)) == {"y", "t", *word.parameters} - {"weights"}
    assert word.over in ("mean", "sum")


@pytest.mark.parametrize("name", ["bce", "mse", "huber", "log_cosh", "mae", "binary_focal"])
def test_finite_for_large_predictions(name: str) -> None:
    e = formula(name)
    values = {"y": np.array([-1e4, 1e4, 0.0]), "t": np.array([1.0, 0.0, 1.0])}
    assert np.all(np.isfinite(evaluate(e, values)))
    assert np.all(np.isfinite(evaluate(differentiate(e, "y"), values)))


def test_closed_forms_of_gradients() -> None:
    y, t = np.array([-3.0, 0.2, 5.0]), np.array([0.0, 1.0, 1.0])
    values = {"y": y, "t": t}
    bce = evaluate(differentiate(formula("bce"), "y"), values)
    np.testing.assert_allclose(bce, 1 / (1 + np.exp(-y)) - t, rtol=1e-12)
    half = evaluate(differentiate(formula("half_squared_error"), "y"), values)
    np.testing.assert_array_equal(half, y - t)
    np.testing.assert_array_equal(evaluate(differentiate(formula("mse"), "y"), values), 2 * (y - t))


def by_row(name: str, arguments: dict[str, Any], logits: np.ndarray, targets: np.ndarray):
    """Losses of the rows, and the slope of their mean in the logits, by the oracle."""
    word = words("loss")[name]
    assert isinstance(word, Loss)
    assert word.rows is not None
    build = Builder()
    # the logits as a parameter, so that the pass gives their gradient
    x = build.input("x", TensorType(logits.shape), Role.PARAMETER)
    element = ElementType.INDEX if word.targets == "classes" else ElementType.REAL
    t = build.input("t", TensorType(targets.shape, element), Role.TARGET)
    rows = word.rows(build, x, t, bind_arguments(word, (), arguments))
    build.graph.outputs["rows"] = rows
    build.graph.outputs["loss"] = add_mean(build, rows)
    outputs, _ = run(Differentiate()(build.graph), {"x": logits, "t": targets})
    return outputs["rows"], outputs["gradient:x"]


@pytest.mark.parametrize("smooth", [0.0, 0.1])
def test_cross_entropy(smooth: float, rng: np.random.Generator) -> None:
    logits, targets = rng.normal(size=(6, 4)) * 3, rng.integers(0, 4, 6)
    rows, slope = by_row("cross_entropy", {"smooth": smooth}, logits, targets)
    share = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    aim = (1 - smooth) * np.eye(4)[targets] + smooth / 4
    np.testing.assert_allclose(rows, -(aim * np.log(share)).sum(axis=1), rtol=1e-10)
    np.testing.assert_allclose(slope, (share - aim) / 6, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ROWS)
def test_finite_for_large_logits(name: str, rng: np.random.Generator) -> None:
    logits, classes = rng.normal(size=(6, 4)) * 1e4, rng.integers(0, 4, 6)
    word = words("loss")[name]
    assert isinstance(word, Loss)
    targets = np.eye(4)[classes] if word.targets == "shares" else classes
    rows, slope = by_row(name, {}, logits, targets)
    assert np.all(np.isfinite(rows))
    assert np.all(np.isfinite(slope))


def test_bce_with_soft_targets() -> None:
    word = words("loss")["bce"]
    assert isinstance(word, Loss)
    assert word.expression is not None
    y, t = np.array([-1.0, 2.0]), np.array([0.0, 1.0])
    found = evaluate(substitute(word.expression, {"smooth": constant(0.2)}), {"y": y, "t": t})
    soft = np.array([0.1, 0.9])
    np.testing.assert_allclose(found, np.log1p(np.exp(y)) - soft * y, rtol=1e-12)


# --- against PyTorch -------------------------------------------------------------------------

SCALAR_PEERS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "mse": lambda f, y, t: f.mse_loss(y, t, reduction="none"),
    "mae": lambda f, y, t: f.l1_loss(y, t, reduction="none"),
    "huber": lambda f, y, t: f.huber_loss(y, t, reduction="none"),
    "poisson": lambda f, y, t: f.poisson_nll_loss(y, t, reduction="none"),
    "bce": lambda f, y, t: f.binary_cross_entropy_with_logits(y, t, reduction="none"),
    "hinge": lambda f, y, t: f.relu(1 - t * y),
    "squared_hinge": lambda f, y, t: f.relu(1 - t * y) ** 2,
    "perceptron": lambda f, y, t: f.relu(-t * y),
    "binary_focal": lambda f, y, t: (1 - (t * y).sigmoid()) ** 2 * f.softplus(-t * y),
}
ROW_PEERS: dict[str, tuple[dict[str, Any], Callable[[Any, Any, Any], Any]]] = {
    "cross_entropy": (
        {"smooth": 0.1},
        lambda f, y, t: f.cross_entropy(y, t, label_smoothing=0.1, reduction="none"),
    ),
    "focal": (
        {"gamma": 1.5},
        lambda f, y, t: (
            (1 - (-f.cross_entropy(y, t, reduction="none")).exp()) ** 1.5
            * f.cross_entropy(y, t, reduction="none")
        ),
    ),
    "multi_hinge": (
        {"margin": 0.7},
        lambda f, y, t: f.multi_margin_loss(y, t, margin=0.7, reduction="none"),
    ),
    "kl": ({}, lambda f, y, t: f.kl_div(f.log_softmax(y, 1), t, reduction="none").sum(1)),
}


@pytest.mark.peers
@pytest.mark.parametrize("name", SCALAR_PEERS)
def test_values_and_gradients_of_torch(name: str, rng: np.random.Generator) -> None:
    import torch

    y, t = rng.normal(size=200) * 2, targets_for(name, rng, 200)
    x = torch.tensor(y, requires_grad=True)
    rows = SCALAR_PEERS[name](torch.nn.functional, x, torch.tensor(t))
    rows.sum().backward()
    e, values = formula(name), {"y": y, "t": t}
    np.testing.assert_allclose(evaluate(e, values), rows.detach(), rtol=1e-12, atol=1e-14)
    slope = evaluate(differentiate(e, "y"), values)
    np.testing.assert_allclose(slope, x.grad, rtol=1e-12, atol=1e-14)


@pytest.mark.peers
@pytest.mark.parametrize("name", ROW_PEERS)
def test_rows_and_gradients_of_torch(name: str, rng: np.random.Generator) -> None:
    import torch

    arguments, peer = ROW_PEERS[name]
    logits = rng.normal(size=(50, 4)) * 2
    targets = rng.dirichlet(np.ones(4), 50) if name == "kl" else rng.integers(0, 4, 50)
    x = torch.tensor(logits, requires_grad=True)
    expected = peer(torch.nn.functional, x, torch.tensor(targets))
    expected.mean().backward()
    rows, slope = by_row(name, arguments, logits, targets)
    np.testing.assert_allclose(rows, expected.detach(), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(slope, x.grad, rtol=1e-11, atol=1e-14)
