"""Every activation: value against NumPy, derivative against differences, behaviour at extremes."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from nndsl.scalar.derivative import differentiate, in_terms_of_output
from nndsl.scalar.evaluation import evaluate
from nndsl.scalar.expression import Expression, constant
from nndsl.scalar.inspection import substitute, variables
from nndsl.scalar.text import parse_text, to_text
from nndsl.vocab.arguments import bind_arguments
from nndsl.vocab.kinds import Activation
from nndsl.vocab.registry import words

NAMES = list(words("activation"))

erf = np.vectorize(math.erf, otypes=[float])


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


# the same words written a second time, in NumPy; a new word need not be here
EXPECTED: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "identity": lambda x: x,
    "id": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "leaky_relu": lambda x: np.maximum(x, 0.01 * x),
    "elu": lambda x: np.where(x > 0, x, np.exp(x) - 1),
    "selu": lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * (np.exp(x) - 1)),
    "celu": lambda x: np.maximum(x, 0) + np.minimum(0, np.exp(x) - 1),
    "sigmoid": sigmoid,
    "tanh": np.tanh,
    "scaled_tanh": lambda x: 1.7159 * np.tanh(2 * x / 3),
    "bipolar_sigmoid": lambda x: (1 - np.exp(-x)) / (1 + np.exp(-x)),
    "log_sigmoid": lambda x: np.log(sigmoid(x)),
    "step": lambda x: np.heaviside(x, 1.0),
    "sign": np.sign,
    "saturate": lambda x: np.clip(x, 0, 1),
    "hard_sigmoid": lambda x: np.clip(x + 3, 0, 6) / 6,
    "hard_tanh": lambda x: np.clip(x, -1, 1),
    "hard_swish": lambda x: x * np.clip(x + 3, 0, 6) / 6,
    "relu6": lambda x: np.clip(x, 0, 6),
    "softplus": lambda x: np.log(1 + np.exp(x)),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "silu": lambda x: x * sigmoid(x),
    "mish": lambda x: x * np.tanh(np.log(1 + np.exp(x))),
    "gelu": lambda x: x * 0.5 * (1 + erf(x / np.sqrt(2))),
    "gelu_tanh": lambda x: 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))),
    "swish": lambda x: x * sigmoid(x),
    "squareplus": lambda x: (x + np.sqrt(x**2 + 4)) / 2,
    "thresholded_relu": lambda x: np.where(x > 1, x, 0),
    "hard_shrink": lambda x: np.where(np.abs(x) > 0.5, x, 0),
    "soft_shrink": lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.5, 0),
    "shrink": lambda x: np.where(np.abs(x) > 0.5, x, 0),
    "tanh_shrink": lambda x: x - np.tanh(x),
    "sparse_sigmoid": lambda x: np.clip((x + 1) / 2, 0, 1),
    "sparse_plus": lambda x: np.where(x < -1, 0, np.where(x > 1, x, (x + 1) ** 2 / 4)),
    "squared_relu": lambda x: np.maximum(x, 0) ** 2,
    "erf": erf,
    "gaussian": lambda x: np.exp(-(x**2)),
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "square": np.square,
    "abs": np.abs,
    "sin": np.sin,
    "cos": np.cos,
}


def definition(name: str) -> Activation:
    word = words("activation")[name]
    assert isinstance(word, Activation)
    return word


def formula(name: str, **arguments: float) -> Expression:
    """The activation with its arguments written in."""
    bound = bind_arguments(definition(name), (), arguments)
    return substitute(definition(name).expression, {k: constant(v) for k, v in bound.items()})


def only_positive(name: str) -> bool:
    """Whether numbers below 0 have no value."""
    return bool(np.isnan(evaluate(formula(name), {"x": -1.0})))


def inputs(name: str, rng: np.random.Generator) -> np.ndarray:
    """Points in [-5, 5], at least 1e-3 from kinks."""
    x = rng.uniform(0.2 if only_positive(name) else -5, 5, 400)
    for kink in definition(name).kinks:
        x = x[np.abs(x - kink) > 1e-3]
    return x


@pytest.mark.parametrize("name", EXPECTED)
def test_value_against_numpy(name: str, rng: np.random.Generator) -> None:
    x = inputs(name, rng)
    found = evaluate(formula(name), {"x": x})
    np.testing.assert_allclose(found, EXPECTED[name](x), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_derivative_against_central_differences(name: str, rng: np.random.Generator) -> None:
    x = inputs(name, rng)
    f = formula(name)
    exact = np.broadcast_to(evaluate(differentiate(f, "x"), {"x": x}), x.shape)
    # fourth-order differences: the rounding error of a wider step stays below 1e-8
    h = 1e-3 if not definition(name).kinks else 2e-4
    steps = {k: evaluate(f, {"x": x + k * h}) for k in (-2, -1, 1, 2)}
    numeric = (8 * (steps[1] - steps[-1]) - (steps[2] - steps[-2])) / (12 * h)
    np.testing.assert_allclose(exact, numeric, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_no_nan_at_extremes(name: str, kind: type) -> None:
    greatest = float(np.finfo(kind).max)
    x = np.array([0.0, -0.0, 1e-30, -1e-30, 50, -50, 1000, -1000, greatest, -greatest], dtype=kind)
    if only_positive(name):
        x = np.abs(x)
    values = evaluate(formula(name), {"x": x})
    assert not np.isnan(values).any()
    assert np.asarray(values).dtype == kind
    moderate = np.abs(x) <= 1000
    slopes = np.broadcast_to(evaluate(differentiate(formula(name), "x"), {"x": x}), x.shape)
    assert not np.isnan(slopes[moderate]).any()


@pytest.mark.parametrize("name", NAMES)
def test_nan_is_passed_on(name: str) -> None:
    assert np.isnan(evaluate(formula(name), {"x": np.array([np.nan])})).all()


@pytest.mark.parametrize("name", NAMES)
def test_the_output_form_of_the_derivative_is_the_same(name: str, rng: np.random.Generator) -> None:
    f = formula(name)
    derivative = differentiate(f, "x")
    short, read = in_terms_of_output(f, derivative)
    x = inputs(name, rng)
    values = {"x": x, "y": evaluate(f, {"x": x})}
    assert set(read) <= {"x"} or set(read) <= {"y"}
    np.testing.assert_allclose(
        evaluate(short, values), evaluate(derivative, values), rtol=1e-12, atol=1e-15
    )


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "elu", "sigmoid", "tanh", "exp", "step"])
def test_common_activations_keep_only_their_output(name: str) -> None:
    f = formula(name)
    assert "x" not in in_terms_of_output(f, differentiate(f, "x"))[1]


@pytest.mark.parametrize("name", NAMES)
def test_definitions_are_written_in_x_and_their_arguments(name: str) -> None:
    word = definition(name)
    assert set(variables(word.expression)) == {"x", *word.parameters}
    assert word.initializer in words("initializer")
    assert parse_text(to_text(word.expression)) is word.expression


def test_relu_has_slope_0_at_0() -> None:
    for name in ("relu", "leaky_relu", "relu6"):
        slope = evaluate(differentiate(formula(name), "x"), {"x": np.array([0.0])})
        assert slope == (0.01 if name == "leaky_relu" else 0.0)


def test_arguments_matter() -> None:
    x = np.array([-1.0, 0.25])
    np.testing.assert_allclose(evaluate(formula("leaky_relu", alpha=0.2), {"x": x}), [-0.2, 0.25])
    np.testing.assert_allclose(
        evaluate(formula("sigmoid", steepness=4.0), {"x": x}), sigmoid(4 * x)
    )
    np.testing.assert_allclose(
        evaluate(formula("saturate", low=-0.5, high=0.1), {"x": x}), [-0.5, 0.1]
    )
    softplus = evaluate(formula("softplus", steepness=3.0), {"x": x})
    np.testing.assert_allclose(softplus, np.log1p(np.exp(3 * x)) / 3)
    swish = evaluate(formula("swish", steepness=1.702), {"x": x})
    np.testing.assert_allclose(swish, x * sigmoid(1.702 * x))
    keras = evaluate(formula("hard_sigmoid", slope=0.2), {"x": x})
    np.testing.assert_allclose(keras, [0.3, 0.55])
    shrunk = evaluate(formula("shrink", threshold=0.2, bias=0.1), {"x": x})
    np.testing.assert_allclose(shrunk, [-0.9, 0.15])
