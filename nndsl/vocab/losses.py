"""Losses: how wrong a prediction `y` is, given the target `t`.

`mse` and its like are a line of mathematics; losses over classes build one number a row. Losses
that go with softmax or sigmoid are written in the logits, where they are stable.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from nndsl.ir.graph import Builder, ShapeError, Value
from nndsl.ir.types import number_of, shortened
from nndsl.ops.classes import OneHot, Pick, SoftmaxCrossEntropy
from nndsl.ops.map import Map, operand
from nndsl.ops.movement import Slice
from nndsl.ops.reduction import Reduce, Reshape
from nndsl.ops.rows import LogSoftmax
from nndsl.params import ByClass, Int, Parameter, Real
from nndsl.scalar.expression import Expression, variable
from nndsl.scalar.functions import absolute, exp, expm1, log, maximum, sigmoid, softplus, where
from nndsl.vocab.kinds import Loss
from nndsl.vocab.registry import register

Rows = Callable[[Builder, Value, Value, Mapping[str, Any]], Value]
SMALLEST = 1e-30
"""Stands for 0 where a logarithm or a power is taken of something that may be 0."""

y = variable("y")
t = variable("t")
delta = variable("delta")
quantile = variable("quantile")
smooth = variable("smooth")
margin = variable("margin")
gamma = variable("gamma")
error = y - t


def loss(
    name: str,
    expression: Expression,
    doc: str,
    see: str = "",
    *,
    over: str = "mean",
    joint: str = "",
    targets: str = "numbers",
    **parameters: Parameter,
) -> None:
    """Define a loss of each number of the output, taken over the numbers of a row."""
    register(Loss(name, parameters, doc, see, expression, over, None, joint, targets))


WEIGHTS = ByClass(None, "what the loss of a row is multiplied by, 1 for a class left out")


def loss_of_rows(
    name: str,
    rows: Rows,
    doc: str,
    see: str,
    *,
    targets: str = "classes",
    **parameters: Parameter,
) -> None:
    """Define a loss of whole rows of logits; predictions pass through softmax."""
    register(Loss(name, parameters, doc, see, None, "mean", rows, "softmax", targets))


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
_softened = t * (1 - smooth) + 0.5 * smooth

loss(
    "bce",
    softplus(y) - _softened * y,
    "Binary cross-entropy -t log p - (1 - t) log(1 - p) with p = sigmoid(y), from the logits y.",
    f"{BISHOP}, 4.3.2",
    joint="sigmoid",
    smooth=Real(0.0, "share of the target that is spread over both classes", ge=0, lt=1),
    weights=WEIGHTS,
)
loss(
    "binary_focal",
    softplus(-t * y) * maximum(SMALLEST, sigmoid(-t * y)) ** gamma,
    "Binary cross-entropy times (1 - p)^gamma, p being the share of the right class.",
    "Lin et al. 2017, Focal loss for dense object detection, arXiv:1708.02002",
    joint="sigmoid",
    targets="signs",
    gamma=Real(2.0, "how little rows count that are right already", ge=0),
    weights=WEIGHTS,
)
loss(
    "perceptron",
    maximum(0.0, -t * y),
    "The distance max(0, -t z) of a row on the wrong side; its gradient is the perceptron rule.",
    "Rosenblatt 1958; Bishop 2006, 4.1.7",
    joint="step",
    targets="signs",
    weights=WEIGHTS,
)
loss(
    "hinge",
    maximum(0.0, margin - t * y),
    "What is missing to the margin; with several outputs each class against the rest.",
    "Cortes & Vapnik 1995, Support-vector networks",
    joint="step",
    targets="signs",
    margin=Real(1.0, "distance that counts as right", gt=0),
    weights=WEIGHTS,
)
loss(
    "squared_hinge",
    maximum(0.0, margin - t * y) * maximum(0.0, margin - t * y),
    "The square of what is missing to the margin.",
    "Cortes & Vapnik 1995, Support-vector networks",
    joint="step",
    targets="signs",
    margin=Real(1.0, "distance that counts as right", gt=0),
    weights=WEIGHTS,
)


def _cross_entropy(
    build: Builder, logits: Value, targets: Value, arguments: Mapping[str, Any]
) -> Value:
    """One number a row: -sum over classes of q log softmax(logits).

    q is 1 - smooth for the target class, plus smooth / classes for every class.
    """
    shift = int(arguments.get("shift", 0))
    if shift:
        logits, targets = _shifted(build, logits, targets, shift)
    smooth = float(arguments.get("smooth", 0.0))
    if smooth > 0.0:
        return build.add_all(SoftmaxCrossEntropy(smooth), logits, targets, name="cross_entropy")[0]
    logs = build.add(LogSoftmax(), logits)
    picked = build.add(Pick(), logs, targets)
    return build.add(Map((-operand(0),)), picked, name="cross_entropy")


def _shifted(build: Builder, logits: Value, targets: Value, shift: int) -> tuple[Value, Value]:
    """What is said at each place, and what stands `shift` places later."""
    if logits.type.rank < 3:
        raise ShapeError("`shift` is for targets at each place of a sequence", "NN203")
    length = logits.type.shape[1]
    known = number_of(length)
    if known is not None and known <= shift:
        raise ShapeError(f"nothing stands {shift} places after the first of {known}", "NN203")
    said = build.add(Slice(1, 0, shortened(length, shift)), logits, name="said")
    return said, build.add(Slice(1, shift, length), targets, name="later")


def _focal(build: Builder, logits: Value, targets: Value, arguments: Mapping[str, Any]) -> Value:
    """One number a row: -(1 - p)^gamma log p of the target's share p."""
    picked = build.add(Pick(), build.add(LogSoftmax(), logits), targets)
    rest = maximum(SMALLEST, -expm1(operand(0)))
    formula = -operand(0) * rest ** float(arguments["gamma"])
    return build.add(Map((formula,)), picked, name="focal")


def _multi_hinge(
    build: Builder, logits: Value, targets: Value, arguments: Mapping[str, Any]
) -> Value:
    """One number a row: the mean over all classes of max(0, margin - y_t + y_c), c not t."""
    classes = logits.type.shape[-1]
    if not isinstance(classes, int):
        raise ShapeError("the number of classes is not known here", "NN203")
    right = build.add(Pick(), logits, targets)
    column = build.add(Reshape((*right.type.shape, 1)), right)
    hot = build.add(OneHot(classes), targets)
    missing = maximum(0.0, float(arguments["margin"]) - operand(1) + operand(0)) / classes
    formula = where(operand(2) > 0.5, 0.0, missing)
    each = build.add(Map((formula,)), logits, column, hot, name="multi_hinge")
    return build.add(Reduce("sum", (logits.type.rank - 1,)), each, name="multi_hinge")


def _kl(build: Builder, logits: Value, targets: Value, arguments: Mapping[str, Any]) -> Value:
    """One number a row: sum over classes of t (log t - log softmax(logits)); 0 log 0 is 0."""
    logs = build.add(LogSoftmax(), logits)
    formula = operand(1) * (log(maximum(SMALLEST, operand(1))) - operand(0))
    each = build.add(Map((formula,)), logs, targets, name="kl")
    return build.add(Reduce("sum", (logits.type.rank - 1,)), each, name="kl")


loss_of_rows(
    "cross_entropy",
    _cross_entropy,
    "Cross-entropy of class targets with softmax, from the logits: -log of the target's share.",
    f"{BISHOP}, 4.3.4; smoothing: Szegedy et al. 2015, arXiv:1512.00567",
    smooth=Real(0.0, "share of the target spread over all classes", ge=0, lt=1),
    weights=WEIGHTS,
    shift=Int(0, "how many places later in the sequence the target stands: 1 for the next", ge=0),
)
loss_of_rows(
    "focal",
    _focal,
    "Cross-entropy times (1 - p)^gamma, p being the share of the right class.",
    "Lin et al. 2017, Focal loss for dense object detection, arXiv:1708.02002",
    gamma=Real(2.0, "how little rows count that are right already", ge=0),
    weights=WEIGHTS,
)
loss_of_rows(
    "multi_hinge",
    _multi_hinge,
    "What is missing to the margin between the right class and each other one.",
    "torch.nn.MultiMarginLoss; Weston & Watkins 1999",
    margin=Real(1.0, "distance that counts as right", gt=0),
    weights=WEIGHTS,
)
loss_of_rows(
    "kl",
    _kl,
    "Kullback-Leibler divergence of shares t from softmax of the logits: sum of t log(t / p).",
    "torch.nn.KLDivLoss(reduction='batchmean'); Kullback & Leibler 1951",
    targets="shares",
)
