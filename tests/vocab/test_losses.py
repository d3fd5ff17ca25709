"""Losses: values against NumPy, gradients against the closed forms of the courses."""

from collections.abc import Callable

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
}
SCALAR = [n for n, w in words("loss").items() if isinstance(w, Loss) and w.expression is not None]


def formula(name: str):
    word = words("loss")[name]
    assert isinstance(word, Loss)
    assert word.expression is not None
    numbers = {k: constant(v) for k, v in bind_arguments(word).items()}
    return substitute(word.expression, numbers)


@pytest.mark.parametrize("name", SCALAR)
def test_value_and_gradient(name: str, rng: np.random.Generator) -> None:
    y, t = rng.normal(size=200) * 2, rng.uniform(0, 1, 200)
    away = (np.abs(y - t) > 1e-3) & (np.abs(np.abs(y - t) - 1) > 1e-3)
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
    assert set(variables(word.expression)) == {"y", "t", *word.parameters}
    assert word.over in ("mean", "sum")


@pytest.mark.parametrize("name", ["bce", "mse", "huber", "log_cosh", "mae"])
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


@pytest.mark.parametrize("smooth", [0.0, 0.1])
def test_cross_entropy(smooth: float, rng: np.random.Generator) -> None:
    word = words("loss")["cross_entropy"]
    assert isinstance(word, Loss)
    assert word.rows is not None
    logits, targets = rng.normal(size=(6, 4)) * 3, rng.integers(0, 4, 6)
    build = Builder()
    # the logits as a parameter, so that the pass gives their gradient
    x = build.input("x", TensorType((6, 4)), Role.PARAMETER)
    t = build.input("t", TensorType((6,), ElementType.INDEX), Role.TARGET)
    rows = word.rows(build, x, t, {"smooth": smooth})
    build.graph.outputs["rows"] = rows
    build.graph.outputs["loss"] = add_mean(build, rows)
    outputs, _ = run(Differentiate()(build.graph), {"x": logits, "t": targets})
    share = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    aim = (1 - smooth) * np.eye(4)[targets] + smooth / 4
    np.testing.assert_allclose(outputs["rows"], -(aim * np.log(share)).sum(axis=1), rtol=1e-10)
    np.testing.assert_allclose(outputs["gradient:x"], (share - aim) / 6, rtol=1e-9, atol=1e-12)
    far, _ = run(build.graph, {"x": logits * 1e4, "t": targets})
    assert np.all(np.isfinite(far["rows"]))
