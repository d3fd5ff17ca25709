"""Text and back; temporaries for shared subexpressions."""

import math

import numpy as np
import pytest

from nndsl.scalar import functions as f
from nndsl.scalar.evaluation import evaluate
from nndsl.scalar.expression import Expression, constant, variable
from nndsl.scalar.inspection import postorder, substitute
from nndsl.scalar.text import TextError, let_form, parse_text, to_text
from tests.scalar.samples import random_expression

x, y = variable("x"), variable("y")


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (x + y * 2, "x + 2 * y"),
        ((x + y) * 2, "2 * (x + y)"),
        (x - (y - x), "x - (y - x)"),
        (x / (y / x), "x / (y / x)"),
        (x**y**2, "x ** (y * y)"),
        (-x * y, "-(x * y)"),
        (constant(-2) * x, "-2 * x"),
        (f.where(x <= 0, 0, x), "where(x <= 0, 0, x)"),
        (f.exp(-x), "exp(-x)"),
        (f.equal(x, y), "x == y"),
        (f.logical_and(x > 0, y > 0), "logical_and(x > 0, y > 0)"),
        (x + 1e-8, "x + 1e-08"),
        (x + 0.1, "x + 0.1"),
    ],
)
def test_people_can_read_it(expression: Expression, text: str) -> None:
    assert to_text(expression) == text
    assert parse_text(text) is expression


def test_round_trip_of_random_expressions(rng: np.random.Generator) -> None:
    for _ in range(400):
        expression = random_expression(rng, 5)
        assert parse_text(to_text(expression)) is expression


@pytest.mark.parametrize("value", [0.0, -0.0, math.inf, -math.inf, math.nan, 1e300, 5e-324, 0.1])
def test_round_trip_of_numbers(value: float) -> None:
    number = constant(value)
    for expression in (
        number,
        Expression("negate", (number,)),
        Expression("power", (number, number)),
        Expression("subtract", (number, number)),
    ):
        assert parse_text(to_text(expression)) is expression


@pytest.mark.parametrize(
    "text", ["", "x +", "f(x)", "where(x, y)", "(x", "x)", "x $ y", "1 2", "import(x)"]
)
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(TextError):
        parse_text(text)


def test_shared_subexpressions_become_temporaries() -> None:
    e = f.exp(x + y)
    lets = let_form([e * e, e + 1])
    assert [(name, to_text(t)) for name, t in lets.temporaries] == [("t0", "exp(x + y)")]
    assert [to_text(r) for r in lets.results] == ["t0 * t0", "t0 + 1"]


def test_temporaries_avoid_names_that_are_taken() -> None:
    e = f.exp(variable("t0"))
    assert let_form([e * e]).temporaries[0][0] == "t1"


def test_a_text_that_reads_an_operand_twice_names_it() -> None:
    lets = let_form([f.softplus(x + 1)])
    assert len(lets.temporaries) == 1


def test_let_form_means_the_same(rng: np.random.Generator) -> None:
    values = {"a": rng.normal(size=9), "b": rng.normal(size=9)}
    for _ in range(100):
        roots = [random_expression(rng, 5) for _ in range(2)]
        lets = let_form(roots)
        known = dict(values)
        for name, temporary in lets.temporaries:
            known[name] = evaluate(temporary, known)
        for root, result in zip(roots, lets.results, strict=True):
            np.testing.assert_array_equal(evaluate(result, known), evaluate(root, values))
        used = [s for r in lets.results for s in postorder([r])]
        assert len({n for n, _ in lets.temporaries}) == len(lets.temporaries)
        assert used


def test_substitution_simplifies() -> None:
    assert substitute(x * y + 1, {"y": constant(0)}) is constant(1)
