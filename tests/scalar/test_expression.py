"""Building expressions: identity of equal ones, and the rules of simplification."""

import copy

import numpy as np
import pytest

from nndsl.scalar import functions as f
from nndsl.scalar.evaluation import evaluate, evaluate_all
from nndsl.scalar.expression import ONE, ZERO, Expression, build, constant, variable
from nndsl.scalar.inspection import (
    postorder,
    replace,
    size,
    substitute,
    variables,
)
from nndsl.scalar.primitives import PRIMITIVES
from tests.scalar.samples import random_pair

x, y = variable("x"), variable("y")


def test_equal_expressions_are_one_object() -> None:
    assert f.exp(x + 1) is f.exp(x + 1)
    assert x * 2 is 2 * x
    assert 1 + x is x + 1
    assert constant(0.0) is not constant(-0.0)
    assert copy.deepcopy(f.exp(x)) is f.exp(x)


@pytest.mark.parametrize(
    ("built", "expected"),
    [
        (x + 0, x),
        (0 + x, x),
        (x - 0, x),
        (0 - x, -x),
        (x * 1, x),
        (x * 0, ZERO),
        (x * -1, -x),
        (-build("negate", x), x),
        (x / 1, x),
        (x / 4, 0.25 * x),
        (x / -0.5, -2 * x),
        (x**0, ONE),
        (x**1, x),
        (x**2, x * x),
        (x**-1, 1 / x),
        (x + (-y), x - y),
        (x - (-y), x + y),
        ((-x) + y, y - x),
        ((-x) * (-y), x * y),
        ((-x) * y, -(x * y)),
        ((-x) / y, -(x / y)),
        (2 * (-x), -2 * x),
        (-(2 * x), -2 * x),
        (-(x - y), y - x),
        (x - 2, x + -2.0),
        (constant(2) * 3 + 1, constant(7)),
        (f.where(1, x, y), x),
        (f.where(0, x, y), y),
        (f.where(x > 0, y, y), y),
        (f.where(f.logical_not(x > 0), x, y), f.where(x > 0, y, x)),
        (f.logical_and(1, x > 0), x > 0),
        (f.logical_and(x > 0, 0), ZERO),
        (f.logical_or(0, x > 0), x > 0),
        (f.logical_or(x > 0, 1), ONE),
        (f.exp(constant(0)), ONE),
    ],
)
def test_rules(built: Expression, expected: Expression) -> None:
    assert built is expected


@pytest.mark.parametrize(
    "built", [constant(1) / 0, f.log(constant(-1)), f.exp(constant(1000)), x / 3, x**0.5, x**3]
)
def test_nothing_is_folded_to_infinity_nor_rounded_anew(built: Expression) -> None:
    assert built.arguments


def test_sums_are_not_reassociated() -> None:
    assert (x + 1) + 1 is not x + 2
    assert 2 * (3 * x) is not 6 * x


def test_simplification_changes_no_value(rng: np.random.Generator) -> None:
    """Wherever all steps are finite, the simplified tree gives the bits of the tree as written."""
    values = {"a": rng.normal(size=20), "b": rng.normal(size=20)}
    compared = 0
    for _ in range(400):
        simple, written = random_pair(rng, 4)
        steps = evaluate_all(postorder([written]), values)
        is_finite = np.all([np.broadcast_to(np.isfinite(step), 20) for step in steps], axis=0)
        left = np.broadcast_to(evaluate(simple, values), 20)
        right = np.broadcast_to(steps[-1], 20)
        np.testing.assert_array_equal(left[is_finite], right[is_finite])
        compared += int(is_finite.sum()) * (simple is not written)
    assert compared > 500


def test_maximum_passes_nan_on_and_takes_the_second_branch_at_a_tie() -> None:
    relu = f.maximum(x, 0)
    values = evaluate(relu, {"x": np.array([np.nan, -1.0, 0.0, 2.0])})
    np.testing.assert_array_equal(values, [np.nan, 0.0, 0.0, 2.0])
    clipped = evaluate(f.clip(x, -1, 1), {"x": np.array([np.nan, -3.0, 0.5, 3.0])})
    np.testing.assert_array_equal(clipped, [np.nan, -1.0, 0.5, 1.0])
    np.testing.assert_array_equal(
        evaluate(f.minimum(x, 1), {"x": np.array([np.nan, 2.0])}), [np.nan, 1.0]
    )


def test_inspection() -> None:
    e = f.exp(x + y) * (x + y)
    assert variables(e) == ("x", "y")
    assert size(e) == 3
    assert postorder([e])[-1] is e
    assert substitute(e, {"y": ZERO}) is f.exp(x) * x
    assert replace(e, x + y, x) is f.exp(x) * x


def test_long_chains_need_no_recursion() -> None:
    e = x
    for index in range(5000):
        e = f.sin(e) + index
    assert size(e) > 9000
    assert evaluate(e, {"x": np.float64(0.5)}) > 4998
    assert variables(e) == ("x",)


@pytest.mark.parametrize("name", [n for n, p in PRIMITIVES.items() if p.composition])
def test_compositions_mean_the_same(name: str, rng: np.random.Generator) -> None:
    composition = PRIMITIVES[name].composition
    assert composition is not None
    written = composition(x)
    assert all(
        PRIMITIVES[s.operator].composition is None for s in postorder([written]) if s.arguments
    )
    values = {"x": np.concatenate([rng.normal(size=50) * 5, [0.0, -0.0, 700.0, -700.0]])}
    np.testing.assert_allclose(
        evaluate(written, values), evaluate(Expression(name, (x,)), values), rtol=1e-12, atol=1e-300
    )
