"""Initialisers: start values of weights, drawn from numbers of the parameter's own stream.

A unit with n inputs of variance 1 and weights of variance v has a sum of variance n v; the
classical choices keep that near 1 through the layers: v = 1/n (LeCun), 2/n (He, for ReLU, which
loses half), 2/(inputs + outputs) (Glorot, for the gradients too).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from nndsl.params import Parameter, Real
from nndsl.scalar.expression import Expression, constant, variable
from nndsl.scalar.functions import sqrt
from nndsl.vocab.kinds import Draw, Initializer
from nndsl.vocab.registry import register

Sample = Callable[[Draw, tuple[int, ...], int, int, Mapping[str, Any]], np.ndarray]
Variance = Callable[[Any, Any], Any]
"""Of fan_in and fan_out: a number of numbers, a formula of variables."""


def initializer(
    name: str,
    sample: Sample,
    doc: str,
    see: str = "",
    law: tuple[str, *tuple[Expression, ...]] = ("",),
    **parameters: Parameter,
) -> None:
    """Define an initialiser by its way of drawing; `law` is its distribution for formulas."""
    register(Initializer(name, parameters, doc, see, sample, law[0], law[1:]))


def by_variance(name: str, variance: Variance, doc: str, see: str) -> None:
    """Define `<name>_uniform` and `<name>_normal` of the variance that the fans ask for."""

    def uniform(
        draw: Draw, shape: tuple[int, ...], fan_in: int, fan_out: int, arguments: Mapping[str, Any]
    ) -> np.ndarray:
        limit = math.sqrt(3.0 * variance(fan_in, fan_out))
        return _uniform(draw, shape, -limit, limit)

    def normal(
        draw: Draw, shape: tuple[int, ...], fan_in: int, fan_out: int, arguments: Mapping[str, Any]
    ) -> np.ndarray:
        return math.sqrt(variance(fan_in, fan_out)) * _normal(draw, shape)

    spread = variance(variable("fan_in"), variable("fan_out"))
    around_0 = ("U", -sqrt(3.0 * spread), sqrt(3.0 * spread))
    initializer(f"{name}_uniform", uniform, f"Uniform numbers of variance {doc}.", see, around_0)
    law = ("N", constant(0.0), spread)
    initializer(f"{name}_normal", normal, f"Normal numbers of variance {doc}.", see, law)


def _uniform(draw: Draw, shape: tuple[int, ...], low: float, high: float) -> np.ndarray:
    return low + (high - low) * draw.uniform(math.prod(shape)).reshape(shape)


def _normal(draw: Draw, shape: tuple[int, ...]) -> np.ndarray:
    return draw.normal(math.prod(shape)).reshape(shape)


def _truncated_normal(draw: Draw, shape: tuple[int, ...], cut: float) -> np.ndarray:
    """Standard normal numbers, those beyond `cut` drawn again."""
    count = math.prod(shape)
    kept = np.empty(0)
    while len(kept) < count:
        numbers = draw.normal(count)
        kept = np.concatenate([kept, numbers[np.abs(numbers) <= cut]])
    return kept[:count].reshape(shape)


def _identity(shape: tuple[int, ...], gain: float) -> np.ndarray:
    """Unit i sees input i alone: ones on the diagonal of the last two axes."""
    rows, columns = shape[-2:]
    return np.broadcast_to(gain * np.eye(rows, columns), shape).copy()


def _orthogonal(draw: Draw, shape: tuple[int, ...], gain: float) -> np.ndarray:
    """Rows or columns, whichever are fewer, of length `gain` and at right angles."""
    rows, columns = math.prod(shape[:-1]), shape[-1]
    flat = _normal(draw, (max(rows, columns), min(rows, columns)))
    directions, upper = np.linalg.qr(flat)
    # the sign makes the directions uniform over all rotations
    directions = directions * np.where(np.diagonal(upper) < 0, -1.0, 1.0)
    return gain * (directions if rows >= columns else directions.T).reshape(shape)


initializer("zeros", lambda d, shape, i, o, a: np.zeros(shape), "All 0.")
initializer("ones", lambda d, shape, i, o, a: np.ones(shape), "All 1.")
initializer(
    "constant",
    lambda d, shape, i, o, a: np.full(shape, a["value"]),
    "One number for all.",
    value=Real(doc="the number"),
)
initializer(
    "normal",
    lambda d, shape, i, o, a: a["mean"] + a["std"] * _normal(d, shape),
    "Normal numbers of the mean and standard deviation given.",
    law=("N", variable("mean"), variable("std") * variable("std")),
    std=Real(0.01, "standard deviation", ge=0),
    mean=Real(0.0, "mean"),
)
initializer(
    "truncated_normal",
    lambda d, shape, i, o, a: a["mean"] + a["std"] * _truncated_normal(d, shape, a["cut"]),
    "Normal numbers, those further from the mean than `cut` times `std` drawn again.",
    "keras.initializers.TruncatedNormal",
    std=Real(0.01, "standard deviation before the cut", ge=0),
    mean=Real(0.0, "mean"),
    cut=Real(2.0, "greatest distance from the mean, in standard deviations", ge=0.1),
)
initializer(
    "uniform",
    lambda d, shape, i, o, a: _uniform(d, shape, a["low"], a["high"]),
    "Uniform numbers between low and high.",
    law=("U", variable("low"), variable("high")),
    low=Real(-0.05, "least number"),
    high=Real(0.05, "greatest number", above="low"),
)
initializer(
    "identity",
    lambda d, shape, i, o, a: _identity(shape, a["gain"]),
    "Unit i begins with input i alone: 1 on the diagonal of the weights, else 0.",
    "Le, Jaitly & Hinton 2015, Initializing recurrent networks of rectified linear units",
    gain=Real(1.0, "the number on the diagonal"),
)
initializer(
    "orthogonal",
    lambda d, shape, i, o, a: _orthogonal(d, shape, a["gain"]),
    "Directions at right angles: lengths of vectors are kept.",
    "Saxe, McClelland & Ganguli 2013, arXiv:1312.6120",
    gain=Real(1.0, "length of each direction", gt=0),
)

by_variance(
    "glorot",
    lambda fan_in, fan_out: 2.0 / (fan_in + fan_out),
    "2 / (inputs + outputs)",
    "Glorot & Bengio 2010, Understanding the difficulty of training deep networks",
)
by_variance(
    "he",
    lambda fan_in, fan_out: 2.0 / fan_in,
    "2 / inputs, for ReLU and its kin",
    "He et al. 2015, Delving deep into rectifiers, arXiv:1502.01852",
)
by_variance(
    "lecun",
    lambda fan_in, fan_out: 1.0 / fan_in,
    "1 / inputs",
    "LeCun et al. 1998, Efficient BackProp",
)
