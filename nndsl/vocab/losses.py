"""Losses: how wrong a prediction `y` is, given the target `t`.

`mse` and its like are a line of mathematics; losses over classes build one number a row. Losses
that go with softmax or sigmoid are written in the logits, where they are stable.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from nndsl.ir.graph import Builder, Value
from nndsl.ops.classes import Pick, SoftmaxCrossEntropy
from nndsl.ops.map import Map, operand
from nndsl.ops.rows import LogSoftmax
from nndsl.params import Parameter, Real
from nndsl.scalar.expression import Expression, variable
from nndsl.scalar.functions import absolute, exp, maximum, softplus, where
from nndsl.vocab.kinds import Loss
from nndsl.vocab.registry import register

y = variable("y")
t = variable("t")
delta = variable("delta")
quantile = variable("quantile")
error = y - t


def loss(
    name: str,
    expression: Expression,
    doc: str,
    see: str = "",
    *,
    over: str = "mean",
    joint: str = "",
    **parameters: Parameter,
) -> None:
    """Define a loss of each number of the output, taken over the numbers of a row."""
    register(Loss(name, parameters, doc, see, expression=expression, over=over, joint=joint))


BISHOP = "Bishop 2006, Pattern Recognition and Machine Learning"

loss("mse", error * error, "Squared error, the mean over the outputs.", f"{BISHOP}, 3.1")
loss(
    "half_squared_error",
    0.5 * (error * error),
    "Half of the squared error, the sum over the outputs; its gradient is y - t.",
    f"{BISHOP}, 5.2",
    over="sum",
)
loss("mae", absolute(error), "Absolute error, the mean over the outputs.")
loss(
    "huber",
    where(
        absolute(error) <= delta,
        0.5 * (error * error),
        delta * (absolute(error) - 0.5 * delta),
    ),
    "Half the squared error up to delta, linear beyond.",
    "Huber 1964, Robust estimation of a location parameter",
    delta=Real(1.0, "error from which it grows linearly", gt=0),
)
loss(
    "log_cosh",
    absolute(error) + softplus(-2 * absolute(error)) - math.log(2),
    "log(cosh(y - t)): like half the squared error for small errors, like |y - t| for large.",
)
loss(
    "pinball",
    maximum((quantile - 1) * (t - y), quantile * (t - y)),
    "The prediction is the number that a given share of targets lies below.",
    "Koenker & Bassett 1978, Regression quantiles",
    quantile=Real(0.5, "share of targets below the prediction", gt=0, lt=1),
)
loss(
    "poisson",
    exp(y) - t * y,
    "Negative log-likelihood of counts t, for an output that is the logarithm of their mean.",
    "torch.nn.PoissonNLLLoss",
)
loss(
    "bce",
    softplus(y) - t * y,
    "Binary cross-entropy -t log p - (1 - t) log(1 - p) with p = sigmoid(y), from the logits y.",
    f"{BISHOP}, 4.3.2",
    joint="sigmoid",
)


def _cross_entropy(
    build: Builder, logits: Value, targets: Value, arguments: Mapping[str, Any]
) -> Value:
    """One number a row: -sum over classes of q log softmax(logits).

    q is 1 - smooth for the target class, plus smooth / classes for every class.
    """
    smooth = float(arguments.get("smooth", 0.0))
    if smooth > 0.0:
        return build.add_all(SoftmaxCrossEntropy(smooth), logits, targets, name="cross_entropy")[0]
    logs = build.add(LogSoftmax(), logits)
    picked = build.add(Pick(), logs, targets)
    return build.add(Map((-operand(0),)), picked, name="cross_entropy")


register(
    Loss(
        "cross_entropy",
        {"smooth": Real(0.0, "share of the target spread over all classes", ge=0, lt=1)},
        "Cross-entropy of class targets with softmax, from the logits: -log of the target's share.",
        f"{BISHOP}, 4.3.4; smoothing: Szegedy et al. 2015, arXiv:1512.00567",
        rows=_cross_entropy,
        joint="softmax",
        targets="classes",
    )
)
