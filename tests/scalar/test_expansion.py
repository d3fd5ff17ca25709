"""The expanded functions in float32 against float64, over a stride of all bit patterns."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nndsl.codegen.target import target
from nndsl.scalar import functions as f
from nndsl.scalar.evaluation import evaluate
from nndsl.scalar.expansion import expand
from nndsl.scalar.expression import Expression, build, constant, variable
from nndsl.scalar.inspection import postorder
from tests.codegen.elementwise import computed
from tests.codegen.processors import TARGETS, supported

X = variable("x")
TINY = 2.0**-126

LIMITS = {
    "exp": 1.0, "expm1": 1.6, "log": 1.0, "log1p": 1.7, "tanh": 2.0, "sigmoid": 2.3,
    "softplus": 2.0, "erf": 2.0, "sin": 1.8, "cos": 1.8,
}  # fmt: skip
"""Units in the last place."""
WITHOUT_FMA = 0.9
"""How much worse it may be where products are rounded before they are added."""


def patterns(step: int = 40_009) -> np.ndarray:
    """Numbers of all sizes, and many near where functions bend."""
    bits = np.arange(0, 2**32, step, dtype=np.uint64).astype(np.uint32).view("float32")
    dense = [np.linspace(low, high, 20_001) for low, high in ((-20, 20), (-1, 1), (-104, 90))]
    special = [0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 88.72, 88.73, 89.0, -87.4, -200.0]
    with np.errstate(invalid="ignore"):
        return np.concatenate([bits, np.array([*np.ravel(dense), *special], "float32")])


def reference(name: str, x: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        wide = x.astype("float64")
        if name == "softplus":
            return np.maximum(wide, 0) + np.log1p(np.exp(-np.abs(wide)))
        if name == "sigmoid":
            return 1 / (1 + np.exp(-wide))
        return np.asarray(evaluate(build(name, X), {"x": wide}))


def units(result: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Errors in units of the last place; what is below the normal numbers counts as 0."""
    with np.errstate(all="ignore"):
        rounded = np.abs(right).astype("float32")
        usual = np.isfinite(rounded) & np.isfinite(result) & (np.abs(right) >= TINY)
        error = np.abs(result.astype("float64") - right) / np.spacing(rounded).astype("float64")
    return np.where(usual, error, 0.0)


@pytest.mark.parametrize("processor", TARGETS)
@pytest.mark.parametrize("name", LIMITS)
def test_accuracy(name, processor):
    x = patterns()
    if name in ("sin", "cos"):
        x = x[np.abs(x) < (5e4 if processor != "plain" else 5e3)]
    if name == "log1p":
        x = x[(np.abs(x) > 2.0**-123) | (x == 0)]
    result, right = computed(build(name, X), {"x": x}, target(processor)), reference(name, x)
    worst = units(result, right)
    limit = LIMITS[name] + (0.0 if target(processor).fma else WITHOUT_FMA)
    assert worst.max() <= limit, f"{worst.max():.2f} units at {x[worst.argmax()]!r}"
    with np.errstate(all="ignore"):
        rounded = right.astype("float32")
    np.testing.assert_array_equal(np.isnan(result), np.isnan(rounded))
    np.testing.assert_array_equal(np.isinf(result), np.isinf(rounded))
    assert (np.abs(result[np.abs(right) < TINY]) < 2 * TINY).all()


@pytest.mark.parametrize(
    ("name", "x", "y"),
    [
        ("exp", [89.0, -200.0, np.inf, -np.inf, 0.0], [np.inf, 0.0, np.inf, 0.0, 1.0]),
        ("expm1", [89.0, -200.0, np.inf, -np.inf, 1e-20], [np.inf, -1, np.inf, -1, 1e-20]),
        ("log", [0.0, -1.0, np.inf, 1.0], [-np.inf, np.nan, np.inf, 0.0]),
        ("log1p", [-1.0, -2.0, np.inf, 1e-20], [-np.inf, np.nan, np.inf, 1e-20]),
        ("tanh", [np.inf, -np.inf, 1e-20, 100.0], [1, -1, 1e-20, 1]),
        ("sigmoid", [np.inf, -np.inf, 0.0, -200.0], [1, 0, 0.5, 0]),
        ("softplus", [np.inf, -np.inf, 200.0], [np.inf, 0, 200]),
        ("erf", [np.inf, -np.inf, 0.0, 9.0], [1, -1, 0, 1]),
        ("sign", [2.0, -3.0, 0.0, np.inf], [1, -1, 0, 1]),
    ],
)
def test_ends(name, x, y):
    values = np.array([*x, np.nan], "float32")
    result = computed(build(name, X), {"x": values}, target("plain"))
    np.testing.assert_array_equal(result, np.array([*y, np.nan], "float32"))


@pytest.mark.parametrize("kind", ["float32", "float64"])
@pytest.mark.parametrize(
    "exponent", [0.0, 1.0, 2.0, 3.0, 7.0, 16.0, -1.0, -3.0, 0.5, -0.5, 1.5, -2.25, 17.0, -20.0]
)
def test_power_of_a_known_exponent(exponent, kind, rng):
    expression = X**exponent
    x = np.concatenate([rng.uniform(-3, -0.1, 2000), rng.uniform(0.1, 3, 2000)]).astype(kind)
    with np.errstate(all="ignore"):
        right = np.power(x.astype("float64"), exponent)
    result = computed(expression, {"x": x}, target("plain"))
    tolerance = 1e-5 if kind == "float32" else 1e-14
    np.testing.assert_allclose(result, right, rtol=tolerance)


@pytest.mark.parametrize("processor", TARGETS)
def test_power_of_an_unknown_exponent(processor, rng):
    x, y = rng.uniform(0, 30, 5000).astype("f4"), rng.uniform(-9, 9, 5000).astype("f4")
    x[:8] = [0, 0, np.inf, np.inf, 1, -2, -2, np.nan]
    y[:8] = [2, -2, 2, -2, 99, 3, 0.5, 1]
    with np.errstate(all="ignore"):
        right = np.power(x.astype("f8"), y.astype("f8"))
    result = computed(X ** variable("y"), {"x": x, "y": y}, target(processor))
    np.testing.assert_allclose(result, right, rtol=5e-7 if processor != "plain" else 5e-6)


def test_the_square_of_a_bell_curve_loses_nothing(rng):
    x = np.concatenate([rng.uniform(-9.3, 9.3, 40_000), [0.0, 1e30, np.inf]]).astype("float32")
    host = target("avx2") if supported("avx2") else target("plain")
    with np.errstate(all="ignore"):
        right = np.exp(-(x.astype("float64") ** 2))
    limit = 1.5 if host.fma else 200
    assert units(computed(f.exp(-(X * X)), {"x": x}, host), right).max() <= limit
    assert np.isnan(computed(f.exp(-(X * X)), {"x": np.float32([np.nan])}, host))


@pytest.mark.parametrize("name", ["sin", "cos"])
def test_of_angles_without_end_the_sine_is_bounded(name):
    x = np.array([1e6, -1e9, 1e20, 3e38, np.inf, -np.inf, np.nan], "float32")
    result = computed(build(name, X), {"x": x}, target("plain"))
    assert (np.abs(result[:4]) <= 1).all()
    assert np.isnan(result[4:]).all()


def test_only_machine_primitives_remain():
    machine = {
        "variable", "constant", "add", "subtract", "multiply", "divide", "negate", "absolute",
        "sqrt", "where", "greater", "less", "greater_equal", "less_equal", "equal", "not_equal",
        "logical_and", "logical_or", "logical_not", "fma", "round_even", "power_of_two",
        "exponent", "mantissa", "copysign",
    }  # fmt: skip
    for name in (*LIMITS, "sign"):
        found = {e.operator for e in postorder([expand(build(name, X), "float32")])}
        assert found <= machine, name
    found = {e.operator for e in postorder([expand(X ** variable("y"), "float32")])}
    assert found <= machine


def test_double_precision_keeps_the_library_calls():
    assert expand(f.exp(X) + f.tanh(X), "float64") is f.exp(X) + f.tanh(X)
    for name in ("sigmoid", "softplus", "sign"):
        operators = {e.operator for e in postorder([expand(build(name, X), "float64")])}
        assert name not in operators


def test_the_meaning_in_numpy_is_the_same(rng):
    """What kernels print, read by NumPy, is the function: the oracle agrees with the compiler."""
    x = rng.uniform(-4, 4, 999).astype("float32")
    for name in ("exp", "tanh", "sigmoid", "softplus", "erf", "sin"):
        with np.errstate(all="ignore"):
            result = evaluate(expand(build(name, X), "float32"), {"x": x})
        np.testing.assert_allclose(result, reference(name, x), rtol=1e-6, atol=1e-7)


def test_expansion_of_leaves_and_nests():
    assert expand(X, "float32") is X
    assert expand(constant(math.pi), "float32") is constant(math.pi)
    nested: Expression = f.exp(f.exp(X))
    operators = [e.operator for e in postorder([expand(nested, "float32")])]
    assert operators.count("power_of_two") == 2
