"""Metrics: figures of merit over all rows, in NumPy.

For classes, predictions are shares [n, C], or [n] and [n, 1] for the share of class 1 of two; the
targets are class numbers [n]. For numbers both are [n] or [n, k] in the target's own unit.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nndsl.vocab.kinds import Metric
from nndsl.vocab.registry import register

Measure = Callable[[np.ndarray, np.ndarray], float]


def metric(
    name: str,
    measure: Measure,
    doc: str,
    see: str = "",
    *,
    targets: str = "classes",
    higher_is_better: bool = True,
) -> None:
    """Define a metric."""
    register(Metric(name, {}, doc, see, measure, targets, higher_is_better))


def chosen(predictions: np.ndarray) -> np.ndarray:
    """The class of the greatest share in each row; of two classes the one above one half."""
    if predictions.ndim == 1 or predictions.shape[1] == 1:
        return (predictions.reshape(-1) > 0.5).astype(np.int64)
    return np.asarray(np.argmax(predictions, axis=1))


def _shares(predictions: np.ndarray) -> np.ndarray:
    """Shares by class [n, C], also where only that of class 1 is given."""
    if predictions.ndim == 1 or predictions.shape[1] == 1:
        share = predictions.reshape(-1)
        return np.stack([1.0 - share, share], axis=1)
    return predictions


def _accuracy(predictions: np.ndarray, targets: np.ndarray) -> float:
    return float(np.mean(chosen(predictions) == targets.reshape(-1)))


def _by_class(predictions: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, ...]:
    """Rows that are rightly chosen, chosen, and there, for each class that occurs."""
    answers, truth = chosen(predictions), targets.reshape(-1)
    classes = np.union1d(answers, truth)
    right = np.array([np.sum((answers == c) & (truth == c)) for c in classes], dtype=np.float64)
    said = np.array([np.sum(answers == c) for c in classes], dtype=np.float64)
    there = np.array([np.sum(truth == c) for c in classes], dtype=np.float64)
    return right, said, there


def _balanced_accuracy(predictions: np.ndarray, targets: np.ndarray) -> float:
    right, _, there = _by_class(predictions, targets)
    return float(np.mean(right[there > 0] / there[there > 0]))


def _f1(predictions: np.ndarray, targets: np.ndarray) -> float:
    right, said, there = _by_class(predictions, targets)
    return float(np.mean(2.0 * right / (said + there)))


def _auc(predictions: np.ndarray, targets: np.ndarray) -> float:
    shares, truth = _shares(predictions), targets.reshape(-1)
    classes = range(1, 2) if shares.shape[1] == 2 else range(shares.shape[1])
    areas = [
        _area(shares[:, c], truth == c) for c in classes if 0 < np.sum(truth == c) < len(truth)
    ]
    return float(np.mean(areas)) if areas else float("nan")


def _area(scores: np.ndarray, is_class: np.ndarray) -> float:
    """Chance that a row of the class scores above one of another; ties count one half."""
    _, index, counts = np.unique(scores, return_inverse=True, return_counts=True)
    mean_rank = np.cumsum(counts) - (counts - 1) / 2
    inside = float(np.sum(is_class))
    outside = len(scores) - inside
    return float((mean_rank[index][is_class].sum() - inside * (inside + 1) / 2) / inside / outside)


def _differences(predictions: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """The differences as [n, k]; a column and a plain list of numbers are the same."""
    rows = len(targets)
    return np.asarray(predictions.reshape(rows, -1) - targets.reshape(rows, -1), dtype=np.float64)


def _mse(predictions: np.ndarray, targets: np.ndarray) -> float:
    return float(np.mean(_differences(predictions, targets) ** 2))


def _rmse(predictions: np.ndarray, targets: np.ndarray) -> float:
    return float(np.sqrt(_mse(predictions, targets)))


def _mae(predictions: np.ndarray, targets: np.ndarray) -> float:
    return float(np.mean(np.abs(_differences(predictions, targets))))


def _r2(predictions: np.ndarray, targets: np.ndarray) -> float:
    """1 - squared error / squared spread, the mean over outputs; constant targets: 1 or 0."""
    left = np.sum(_differences(predictions, targets) ** 2, axis=0)
    truth = targets.reshape(len(targets), -1).astype(np.float64)
    spread = np.sum((truth - truth.mean(axis=0)) ** 2, axis=0)
    constant = np.where(left == 0.0, 1.0, 0.0)
    return float(
        np.mean(np.where(spread > 0, 1.0 - left / np.where(spread > 0, spread, 1.0), constant))
    )


metric("accuracy", _accuracy, "Share of rows whose most likely class is the right one.")
metric(
    "balanced_accuracy",
    _balanced_accuracy,
    "Accuracy in each class, the mean over the classes.",
    "sklearn.metrics.balanced_accuracy_score",
)
metric(
    "f1",
    _f1,
    "Harmonic mean of precision and recall, the mean over the classes.",
    "sklearn.metrics.f1_score(average='macro')",
)
metric(
    "auc",
    _auc,
    "Area under the ROC curve; of more than two classes the mean of each against the rest.",
    "sklearn.metrics.roc_auc_score",
)
metric(
    "r2",
    _r2,
    "Share of the targets' variance that is explained; 1 is perfect, 0 the mean.",
    "sklearn.metrics.r2_score",
    targets="numbers",
)
metric("mse", _mse, "Mean squared error.", targets="numbers", higher_is_better=False)
metric("rmse", _rmse, "Root of the mean squared error.", targets="numbers", higher_is_better=False)
metric("mae", _mae, "Mean absolute error.", targets="numbers", higher_is_better=False)
