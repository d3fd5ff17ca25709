"""What figures are worth: intervals, and what the simplest predictions would reach."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from nndsl.data.series import naive_forecast
from nndsl.lower.result import Recipe
from nndsl.model.report.evidence import TRAINING, Rows
from nndsl.records import dataclass
from nndsl.schema import TargetKind
from nndsl.train.figures import wilson_interval
from nndsl.train.scoring import measured, metrics_of
from nndsl.vocab.arguments import call
from nndsl.vocab.kinds import Metric
from nndsl.vocab.pictures import Judged
from nndsl.vocab.registry import WordCall, words

RESAMPLES = 1000
RESAMPLED_NUMBERS = 20_000_000
LEAST_RESAMPLES = 100
LINEAR_ROWS = 5_000
LINEAR_COLUMNS = 1_000
LINEAR_STEPS = 300
LINEAR_WORK = 3e9
"""Multiplications that the linear baseline may take, about: less than a second."""
RIDGE = 1e-3
"""Of the linear baseline: penalty per row, so that columns that say the same do not matter."""

_DEFAULT = {TargetKind.CLASSES: "accuracy", TargetKind.NUMBERS: "r2"}


@dataclass(frozen=True)
class Judgement:
    """The figure of one output on the rows that count, beside simple predictions.

    `interval` holds the true figure with about 95 %; `constant` is the figure of always saying the
    most frequent class or the mean, or that a series does not change (then it is `naive`),
    `linear` that of a linear model (NaN where it was not tried).
    Of classes `rows` are those that got an answer, `refused` those that got none.
    """

    metric: WordCall
    value: float
    interval: tuple[float, float]
    constant: float
    linear: float
    right: int | None
    rows: int
    refused: int = 0
    naive: bool = False

    @property
    def beats_constant(self) -> bool:
        """Whether the whole interval lies on the better side of the constant prediction."""
        low, high = self.interval
        if math.isnan(self.constant):
            return False
        return low > self.constant if higher_is_better(self.metric) else high < self.constant


def higher_is_better(metric: WordCall) -> bool:
    """Whether more of it is better."""
    assert isinstance(metric.word, Metric)
    return metric.word.higher_is_better


def kind_of(judged: Judged) -> TargetKind:
    """What sort of target an output has."""
    return TargetKind.CLASSES if judged.classes else TargetKind.NUMBERS


def all_metrics(recipe: Recipe, judged: Judged) -> list[WordCall]:
    """The metrics that the recipe asks for and that fit, then those that need no arguments."""
    kind = kind_of(judged)
    asked = metrics_of(recipe, kind, ())
    names = {metric.name for metric in asked}
    sort = "classes" if judged.classes else "numbers"
    others = [
        call(word)
        for name, word in words("metric").items()
        if isinstance(word, Metric) and word.targets == sort and name not in names
        if len(judged.image) == 3 or not word.of_pictures
        if len(judged.image) == 1 or not word.of_sequences
        if word.judges != "refusals"  # 0 where nothing is refused, and asked for where something is
        if not any(parameter.required for parameter in word.parameters.values())
    ]
    return [*asked, *others]


def figure(metric: WordCall, judged: Judged) -> float:
    """A metric of an output; NaN where it has no meaning for these rows."""
    if not len(judged.actual):
        return math.nan
    try:
        return measured(metric, judged.predictions, judged.actual, judged.answer)
    except (ValueError, ZeroDivisionError):
        return math.nan


def main_metric(recipe: Recipe, judged: Judged) -> WordCall:
    """The first metric of the recipe that fits, else accuracy or R2."""
    kind = kind_of(judged)
    return metrics_of(recipe, kind, (_DEFAULT[kind],))[0]


def judge(
    recipe: Recipe, judged: Judged, rows: Rows, train: Judged | None, seed: int = 0
) -> Judgement:
    """The figure with its interval and baselines. `train` are the same output's training rows."""
    metric = main_metric(recipe, judged)
    value = figure(metric, judged)
    right, answered = None, len(judged.actual)
    if judged.classes:
        right = int(np.sum(judged.said == judged.actual))
        answered = int(np.sum(judged.said >= 0))
    is_share = metric.name == "accuracy" and right is not None and answered > 0
    is_share = is_share and not judged.image  # the pixels of one picture are like each other
    interval = (
        wilson_interval(right or 0, answered)
        if is_share
        else bootstrap_interval(metric, judged, seed)
    )
    constant = linear = math.nan
    unchanged = naive_predictions(judged, rows)
    if train is not None:
        same = constant_predictions(judged, train) if unchanged is None else unchanged
        constant = figure(metric, _with(judged, same, metric))
        answers = linear_predictions(judged, rows, train)
        linear = figure(metric, _with(judged, answers, metric)) if answers is not None else math.nan
    refused = len(judged.actual) - answered
    naive = unchanged is not None
    return Judgement(metric, value, interval, constant, linear, right, answered, refused, naive)


def _with(judged: Judged, predictions: np.ndarray, metric: WordCall) -> Judged:
    """Other predictions of the rows that a metric judges; they refuse none."""
    other = replace(judged, predictions=predictions, answer=None)
    if judged.answer is None or getattr(metric.word, "judges", "") != "answers":
        return other
    answered = judged.said >= 0
    return replace(other, predictions=predictions[answered], actual=judged.actual[answered])


def bootstrap_interval(metric: WordCall, judged: Judged, seed: int = 0) -> tuple[float, float]:
    """The middle 95 % of the metric on rows (whole pictures) drawn again with replacement.

    Source: Efron & Tibshirani, An introduction to the bootstrap, 1993, chapter 13 (percentiles).
    """
    each = judged.pixels
    rows = len(judged.actual) // each
    numbers = rows * each * judged.predictions[0].size if rows else 1
    count = int(np.clip(RESAMPLED_NUMBERS // max(numbers, 1), LEAST_RESAMPLES, RESAMPLES))
    random = np.random.default_rng(seed)
    found = []
    for _ in range(count if rows else 0):
        drawn = random.integers(0, rows, rows)
        if judged.image:
            drawn = (drawn[:, None] * each + np.arange(each)).reshape(-1)
        again = replace(judged, predictions=judged.predictions[drawn], actual=judged.actual[drawn])
        found.append(figure(metric, again))
    known = [value for value in found if math.isfinite(value)]
    if not known:
        return math.nan, math.nan
    low, high = np.quantile(known, (0.025, 0.975))
    return float(low), float(high)


# --- simple predictions ---------------------------------------------------------------------


def constant_predictions(judged: Judged, train: Judged) -> np.ndarray:
    """Always the same: each class as often as in training, or the training mean."""
    rows = len(judged.actual)
    if not judged.classes:
        return np.tile(train.actual.mean(axis=0), (rows, 1))
    counts = np.bincount(train.actual.astype(np.int64), minlength=len(judged.classes))
    return np.tile(counts / max(1, counts.sum()), (rows, 1))


def naive_predictions(judged: Judged, rows: Rows) -> np.ndarray | None:
    """Of a series: nothing changes, [rows, ahead]; None where there is no past."""
    if judged.classes:
        return None
    schema = rows.prepared.schema
    target = next(t for t in schema.targets if t.name == judged.target)
    naive = naive_forecast(schema, target)
    chosen = rows.parts[judged.part]
    return naive({n: a[chosen] for n, a in rows.prepared.inputs.items()}) if naive else None


def linear_predictions(judged: Judged, rows: Rows, train: Judged) -> np.ndarray | None:
    """A linear model of the same inputs, learnt from the training rows; None where it is dear.

    Numbers: least squares. Classes: softmax regression, by accelerated gradient descent (Nesterov
    1983). Both with a small penalty.
    """
    if judged.image:
        return None
    arrays = [a for a in rows.prepared.inputs.values() if isinstance(a, np.ndarray)]
    features = [a.reshape(len(a), -1) for a in arrays]
    if (
        not features
        or len(arrays) < len(rows.prepared.inputs)
        or sum(a.shape[1] for a in features) > LINEAR_COLUMNS
    ):
        return None
    learn = rows.parts[TRAINING]
    step = -(-len(learn) // LINEAR_ROWS)
    x = np.concatenate([a[learn[::step]] for a in features], axis=1).astype(np.float64)
    new = np.concatenate([a[rows.parts[judged.part]] for a in features], axis=1)
    mean, spread = x.mean(axis=0), x.std(axis=0)
    spread[spread == 0] = 1.0
    with_one = np.column_stack(((x - mean) / spread, np.ones(len(x))))
    new_with_one = np.column_stack(((new - mean) / spread, np.ones(len(new))))
    targets = train.actual[::step]
    if not judged.classes:
        return np.asarray(new_with_one @ _least_squares(with_one, targets))
    weights = _softmax_regression(with_one, targets.astype(np.int64), len(judged.classes))
    return _softmax(new_with_one @ weights)


def _least_squares(x: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Coefficients [columns, k]; the last column of x, of ones, is not held back."""
    held = np.full(x.shape[1], RIDGE * len(x))
    held[-1] = 0.0
    found, *_ = np.linalg.lstsq(x.T @ x + np.diag(held), x.T @ targets, rcond=None)
    return np.asarray(found)


def _softmax_regression(x: np.ndarray, targets: np.ndarray, classes: int) -> np.ndarray:
    rate = 1.0 / (0.25 * np.linalg.norm(x, 2) ** 2 / len(x) * 2 + RIDGE)
    weights = ahead = np.zeros((x.shape[1], classes))
    held = np.full((x.shape[1], 1), RIDGE)
    held[-1] = 0.0  # the column of ones
    truth = np.eye(classes)[targets]
    steps = int(min(LINEAR_STEPS, 10 + LINEAR_WORK / (2 * x.size * classes)))
    for k in range(1, steps + 1):
        gradient = x.T @ (_softmax(x @ ahead) - truth) / len(x) + held * ahead
        new = ahead - rate * gradient
        ahead = new + (k - 1) / (k + 2) * (new - weights)
        weights = new
    return weights


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))
