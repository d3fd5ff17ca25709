"""Random expressions and points for the tests of the scalar language."""

from __future__ import annotations

import numpy as np

from nndsl.scalar.expression import Expression, build, constant, variable
from nndsl.scalar.primitives import PRIMITIVES

# where each function may be evaluated, away from kinks and poles
DOMAINS = {
    "divide": [(-2, 2), (0.5, 2)],
    "power": [(0.5, 2), (-2, 2)],
    "log": [(0.2, 3)],
    "log1p": [(-0.8, 3)],
    "sqrt": [(0.1, 4)],
    "floor": [(0.1, 0.9)],
    "round_even": [(0.6, 1.4)],
    "absolute": [(0.1, 2)],
    "sign": [(0.1, 2)],
    "copysign": [(0.1, 2), (-2, -0.1)],
    "exponent": [(0.8, 1.3)],
    "mantissa": [(1.5, 2.7)],
    "power_of_two": [(-3, 3)],
}


def points(name: str, count: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Values of the operands x0, x1, ... within the primitive's domain."""
    arity = PRIMITIVES[name].arity
    ranges = DOMAINS.get(name, [(-2, 2)] * arity)
    return {f"x{i}": rng.uniform(*ranges[i], count) for i in range(arity)}


def random_expression(rng: np.random.Generator, depth: int) -> Expression:
    """An expression over a, b and small constants; may be undefined at some points."""
    return random_pair(rng, depth)[0]


def random_pair(rng: np.random.Generator, depth: int) -> tuple[Expression, Expression]:
    """A random expression, simplified as it is built, and the same without any rule."""
    if depth == 0 or rng.random() < 0.15:
        if rng.random() < 0.5:
            leaf = variable(str(rng.choice(["a", "b"])))
        else:
            leaf = constant(float(rng.choice([-2.0, -1.0, 0.0, 0.5, 1.0, 3.0, 1e-3, 0.1])))
        return leaf, leaf
    name = str(rng.choice([n for n in PRIMITIVES if n != "copysign"]))  # sees the sign of a zero
    pairs = [random_pair(rng, depth - 1) for _ in range(PRIMITIVES[name].arity)]
    simple, written = zip(*pairs, strict=True)
    return build(name, *simple), Expression(name, written)
