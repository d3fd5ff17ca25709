"""Derivatives of whole expressions, and their form in terms of the output."""

import numpy as np
import pytest

from nndsl.scalar import functions as f
from nndsl.scalar.derivative import differentiate, in_terms_of_output
from nndsl.scalar.evaluation import evaluate
from nndsl.scalar.expression import ZERO, Expression, variable
from nndsl.scalar.text import to_text

x, w = variable("x"), variable("w")


def test_of_one_variable_among_several() -> None:
    assert differentiate(w * x + w, "w") is x + 1
    assert differentiate(w, "x") is ZERO


def test_the_branch_not_taken_does_not_matter() -> None:
    safe = f.where(x > 0, f.sqrt(x), 0)
    slopes = evaluate(differentiate(safe, "x"), {"x": np.array([-1.0, 0.0, 4.0])})
    np.testing.assert_array_equal(slopes, [0.0, 0.0, 0.25])


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (f.sigmoid(x), "y * (1 - y)"),
        (f.tanh(x), "1 - y * y"),
        (f.exp(x), "y"),
        (f.maximum(x, 0), "where(y <= 0, 0, 1)"),
        (f.where(x <= 0, 0.01 * x, x), "where(y <= 0, 0.01, 1)"),
        (f.where(x <= 0, f.expm1(x), x), "where(y <= 0, y + 1, 1)"),
        (f.where(x > 0, x, 0.2 * x), "where(y > 0, 1, 0.2)"),
    ],
)
def test_the_output_is_enough(
    function: Expression, expected: str, rng: np.random.Generator
) -> None:
    found, read = in_terms_of_output(function, differentiate(function, "x"))
    assert to_text(found) == expected
    assert read == ("y",)
    for kind in (np.float32, np.float64):
        numbers = np.concatenate([rng.normal(size=500) * 3, [0.0, -0.0, 1e-45, -1e-45, 1e-38]])
        values = numbers.astype(kind)
        slope = evaluate(differentiate(function, "x"), {"x": values})
        again = evaluate(found, {"y": evaluate(function, {"x": values})})
        np.testing.assert_array_equal(slope, again)


@pytest.mark.parametrize(
    "function",
    [
        x * x,
        x * f.sigmoid(x),
        f.softplus(x),
        f.absolute(x),
        f.where(x <= 0, -0.5 * x, x),  # not monotone: the sign of the output says nothing
        f.where(x <= 1, 0, x),  # compares with 1, not 0
        f.where(x <= 0, w * x, x),  # the sign of w is not known
        f.where(x >= 0, 1 + x, -f.exp(x) * x),
    ],
)
def test_the_output_is_not_enough(function: Expression) -> None:
    derivative = differentiate(function, "x")
    found, read = in_terms_of_output(function, derivative)
    assert found is derivative
    assert "y" not in read


def test_functions_that_read_a_variable_called_y_are_left_alone() -> None:
    loss = f.sigmoid(variable("y"))
    derivative = differentiate(loss, "y")
    assert in_terms_of_output(loss, derivative)[0] is derivative


def test_a_constant_slope_reads_nothing() -> None:
    assert in_terms_of_output(3 * x, differentiate(3 * x, "x"))[1] == ()
