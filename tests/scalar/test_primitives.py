"""Every primitive of the table: value, element type, derivative, text in Python."""

import math

import numpy as np
import pytest

from nndsl.scalar.derivative import differentiate
from nndsl.scalar.evaluation import evaluate
from nndsl.scalar.expression import Expression, variable
from nndsl.scalar.primitives import PRIMITIVES
from tests.scalar.samples import points

NAMES = list(PRIMITIVES)


def call(name: str) -> Expression:
    return Expression(name, tuple(variable(f"x{i}") for i in range(PRIMITIVES[name].arity)))


INTRINSICS = {
    "fma": lambda a, b, c: a * b + c,
    "round_even": lambda a: float(round(a)),
    "power_of_two": lambda n: 2.0**n,
    "exponent": lambda a: float(PRIMITIVES["exponent"].meaning(a)),
    "mantissa": lambda a: float(PRIMITIVES["mantissa"].meaning(a)),
    "where": lambda c, a, b: a if c else b,
    "absolute": abs,
    "sqrt": math.sqrt,
    "copysign": math.copysign,
    "math": math,
}


@pytest.mark.parametrize("name", NAMES)
def test_python_text_computes_the_meaning(name: str, rng: np.random.Generator) -> None:
    primitive = PRIMITIVES[name]
    text = primitive.python.format(*(f"x{i}" for i in range(primitive.arity)))
    values = points(name, 20, rng)
    if name == "power_of_two":
        values = {"x0": np.round(values["x0"])}
    if name.startswith("logical_"):
        values = {key: (column > 0).astype(float) for key, column in values.items()}
    expected = evaluate(call(name), values)
    for row in range(20):
        scope = {key: float(column[row]) for key, column in values.items()}
        if name.startswith("logical_"):
            scope = {key: value > 0 for key, value in scope.items()}
        found = eval(text, dict(INTRINSICS), scope)  # our own text, in a test
        if PRIMITIVES[name].is_condition:
            found = bool(found)
        assert found == pytest.approx(expected[row], rel=1e-14, abs=1e-15)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_element_type_is_kept(name: str, kind: type, rng: np.random.Generator) -> None:
    values = {key: column.astype(kind) for key, column in points(name, 5, rng).items()}
    assert np.asarray(evaluate(call(name), values)).dtype == kind


@pytest.mark.parametrize("name", [n for n in NAMES if n != "power_of_two"])
def test_derivatives_against_central_differences(name: str, rng: np.random.Generator) -> None:
    values = points(name, 50, rng)
    if PRIMITIVES[name].is_condition:
        values = {key: column + 3 * i for i, (key, column) in enumerate(values.items())}
    if name == "where":
        values["x0"] = np.where(values["x0"] > 0, 1.0, 0.0)
    for key in values:
        if name == "where" and key == "x0":
            continue
        exact = evaluate(differentiate(call(name), key), values)
        h = 1e-6
        above = evaluate(call(name), {**values, key: values[key] + h})
        below = evaluate(call(name), {**values, key: values[key] - h})
        np.testing.assert_allclose(
            np.broadcast_to(exact, 50), (above - below) / (2 * h), rtol=1e-6, atol=1e-8
        )


@pytest.mark.parametrize("name", NAMES)
def test_every_column_of_the_table_is_filled(name: str) -> None:
    primitive = PRIMITIVES[name]
    operands = ["A", "B", "C"][: primitive.arity]
    assert primitive.name == name
    for template in (primitive.python, primitive.cuda, primitive.latex):
        assert all(operand in template.format(*operands) for operand in operands)
    assert len(primitive.derivative(call(name), *call(name).arguments)) == primitive.arity


def test_stable_functions_at_extremes() -> None:
    extremes = {"x0": np.array([-1e308, -800.0, -40.0, 0.0, 40.0, 800.0, 1e308])}
    sigmoid = evaluate(call("sigmoid"), extremes)
    np.testing.assert_allclose(sigmoid, [0, 0, math.exp(-40), 0.5, 1, 1, 1], rtol=1e-12, atol=0)
    softplus = evaluate(call("softplus"), extremes)
    np.testing.assert_allclose(
        softplus, [0, 0, math.exp(-40), math.log(2), 40, 800, 1e308], rtol=1e-12, atol=0
    )
    assert np.isnan(evaluate(call("sigmoid"), {"x0": np.array([np.nan])})).all()


def test_mantissa_and_exponent_make_the_number_again(rng: np.random.Generator) -> None:
    values = {"x0": np.exp(rng.uniform(-50, 50, 200))}
    mantissa, exponent = (evaluate(call(n), values) for n in ("mantissa", "exponent"))
    np.testing.assert_array_equal(mantissa * 2.0**exponent, values["x0"])
    assert np.all((mantissa >= math.sqrt(0.5)) & (mantissa < math.sqrt(2)))


def test_fma_rounds_once() -> None:
    a = np.float32(1 + 2**-12)
    found = evaluate(call("fma"), {"x0": a, "x1": a, "x2": np.float32(-(1 + 2**-11))})
    assert found == np.float32(2**-24)
