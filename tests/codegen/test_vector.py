"""Every primitive in registers against its NumPy meaning."""

from __future__ import annotations

import numpy as np
import pytest

from nndsl.codegen.target import target
from nndsl.scalar import functions as f
from nndsl.scalar.evaluation import evaluate
from nndsl.scalar.expression import Expression, build, variable
from nndsl.scalar.primitives import PRIMITIVES
from tests.codegen.elementwise import computed
from tests.codegen.processors import TARGETS

NAMES = ("x", "y", "z")
RANGES = {
    "power_of_two": (-60.0, 60.0),
    "log": (0.01, 9.0),
    "log1p": (-0.9, 9.0),
    "sqrt": (0.0, 9.0),
    "power": (0.1, 3.0),
    "exponent": (1e-30, 1e30),
    "mantissa": (1e-30, 1e30),
}


def inputs(operator: str, kind: str, rng: np.random.Generator) -> dict[str, np.ndarray]:
    low, high = RANGES.get(operator, (-4.0, 4.0))
    values = {name: rng.uniform(low, high, 101).astype(kind) for name in NAMES}
    if operator == "power_of_two":
        values = {name: np.round(value) for name, value in values.items()}
    if PRIMITIVES[operator].is_condition:
        values = {name: np.round(value) for name, value in values.items()}
    return values


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("kind", ["float32", "float64"])
@pytest.mark.parametrize("operator", sorted(PRIMITIVES))
def test_primitive(operator, kind, name, rng):
    arity = PRIMITIVES[operator].arity
    expression = build(operator, *map(variable, NAMES[:arity]))
    values = inputs(operator, kind, rng)
    wide = {name: value.astype("float64") for name, value in values.items()}
    tolerance = 2e-6 if kind == "float32" else 1e-14
    result = computed(expression, values, target(name))
    np.testing.assert_allclose(result, evaluate(expression, wide), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("lanes", [1, 2, 4, 16])
def test_any_number_of_lanes(lanes, rng):
    x = variable("x")
    expression = f.where(f.logical_not(x > 0), f.exp(x), (x > 1) + f.floor(x))
    values = {"x": rng.uniform(-3, 3, 48).astype("float32")}
    result = computed(expression, values, target("plain"), lanes)
    np.testing.assert_allclose(result, evaluate(expression, values), rtol=1e-6)


def test_number_as_condition(rng):
    x, y = variable("x"), variable("y")
    expression = f.logical_or(x, f.logical_and(y, 1.0)) * 3.0
    values = {"x": np.array([0, 0, 2, np.nan], "f4"), "y": np.array([0, 5, 0, 0], "f4")}
    result = computed(expression, values, target("plain"))
    np.testing.assert_array_equal(result, [0, 3, 3, 3])


@pytest.mark.parametrize("name", TARGETS)
def test_rounding_is_to_even_and_keeps_large_numbers(name):
    x = np.array([0.5, 1.5, 2.5, -0.5, -1.5, 1e30, -(2.0**24) - 2, np.inf, np.nan], "float32")
    for operator, meaning in (("round_even", np.rint), ("floor", np.floor)):
        result = computed(build(operator, variable("x")), {"x": x}, target(name))
        np.testing.assert_array_equal(result, meaning(x))


@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_exponent_and_mantissa_multiply_to_the_number(kind):
    x = np.concatenate([2.0 ** np.arange(-60, 60), np.sqrt(0.5) * 2.0 ** np.arange(-9, 9)])
    x = np.concatenate([x, np.nextafter(x, 0), np.nextafter(x, np.inf)]).astype(kind)
    m = computed(build("mantissa", variable("x")), {"x": x}, target("plain"))
    n = computed(build("exponent", variable("x")), {"x": x}, target("plain"))
    np.testing.assert_array_equal(np.ldexp(m, n.astype(int)), x)
    assert m.min() >= np.sqrt(0.5) - 1e-6
    assert m.max() < np.sqrt(2) + 1e-6


def test_a_shared_subexpression_is_computed_once():
    from nndsl.codegen.assembly import Shape, Value, Writer
    from nndsl.codegen.vector import VectorCode

    shared: Expression = f.sqrt(variable("x"))
    writer = Writer()
    code = VectorCode(writer, Shape("float", 4), target("plain"), {"x": Value("<4 x float>", "%x")})
    code.number(shared * shared + shared)
    assert sum("llvm.sqrt" in line for line in writer.lines) == 1
