"""Metrics: figures of merit over all rows, in NumPy.

For classes, predictions are shares [n, C], or [n] and [n, 1] for the share of class 1 of two; the
targets are whole class numbers [n]. For numbers both are [n] or [n, k] in the target's own unit.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from nndsl.params import Choice, Int, Parameter
from nndsl.vocab.kinds import Metric
from nndsl.vocab.registry import register

Measure = Callable[..., float]


def metric(
    name: str,
    measure: Measure,
    doc: str,
    see: str = "",
    *,
    targets: str = "classes",
    higher_is_better: bool = True,
    judges: str = "answers",
    of_pictures: bool = False,
    of_sequences: bool = False,
    **parameters: Parameter,
) -> None:
    """Define a metric; `measure` gets predictions, targets, and the arguments by name."""
    register(Metric(name, parameters, doc, see, measure, targets, higher_is_better, judges,
                    of_pictures, of_sequences))  # fmt: skip


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
    right = chosen(predictions) == targets.reshape(-1)
    return float(np.count_nonzero(right) / right.size)


def _ratio(above: np.ndarray, below: np.ndarray, average: str) -> float:
    """Quotients by class, averaged; what has nothing below the line is 0."""
    if average == "micro":
        above, below = above.sum(keepdims=True), below.sum(keepdims=True)
    return float(np.mean(above / np.where(below > 0, below, 1.0)))


def _counted(
    predictions: np.ndarray, targets: np.ndarray, average: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows rightly chosen, chosen, and there, for the classes that an average is over."""
    answers, truth = chosen(predictions), targets.reshape(-1)
    classes = np.array([1]) if average == "binary" else np.union1d(answers, truth)
    right = np.array([np.sum((answers == c) & (truth == c)) for c in classes], dtype=np.float64)
    said = np.array([np.sum(answers == c) for c in classes], dtype=np.float64)
    there = np.array([np.sum(truth == c) for c in classes], dtype=np.float64)
    return right, said, there


def _balanced_accuracy(predictions: np.ndarray, targets: np.ndarray) -> float:
    right, _, there = _counted(predictions, targets, "macro")
    return float(np.mean(right[there > 0] / there[there > 0]))


def _precision(predictions: np.ndarray, targets: np.ndarray, average: str) -> float:
    right, said, _ = _counted(predictions, targets, average)
    return _ratio(right, said, average)


def _recall(predictions: np.ndarray, targets: np.ndarray, average: str) -> float:
    right, _, there = _counted(predictions, targets, average)
    return _ratio(right, there, average)


def _f1(predictions: np.ndarray, targets: np.ndarray, average: str) -> float:
    right, said, there = _counted(predictions, targets, average)
    return _ratio(2.0 * right, said + there, average)


def _dice(predictions: np.ndarray, targets: np.ndarray) -> float:
    average = "binary" if _shares(predictions).shape[1] == 2 else "macro"
    return _f1(predictions, targets, average)


def _iou(predictions: np.ndarray, targets: np.ndarray) -> float:
    average = "binary" if _shares(predictions).shape[1] == 2 else "macro"
    right, said, there = _counted(predictions, targets, average)
    return _ratio(right, said + there - right, average)


def _top_k(predictions: np.ndarray, targets: np.ndarray, k: int) -> float:
    """Of equal shares the first class comes first, as when the most likely class is chosen."""
    shares, truth = _shares(predictions), targets.reshape(-1, 1)
    own = np.take_along_axis(shares, truth, axis=1)
    earlier = np.arange(shares.shape[1]) < truth
    before = np.sum((shares > own) | ((shares == own) & earlier), axis=1)
    return float(np.mean(before < k))


def _mcc(predictions: np.ndarray, targets: np.ndarray) -> float:
    classes = _shares(predictions).shape[1]
    matrix = confusion_matrix(predictions, targets, classes).astype(np.float64)
    said, there, rows = matrix.sum(axis=0), matrix.sum(axis=1), matrix.sum()
    spread = (rows * rows - said @ said) * (rows * rows - there @ there)
    above = np.trace(matrix) * rows - said @ there
    return float(above / np.sqrt(spread)) if spread > 0 else 0.0


def _log_loss(predictions: np.ndarray, targets: np.ndarray) -> float:
    own = np.take_along_axis(_shares(predictions), targets.reshape(-1, 1), axis=1)
    return float(np.mean(-np.log(np.maximum(own, np.finfo(own.dtype).eps))))


def _bits(predictions: np.ndarray, targets: np.ndarray) -> float:
    return _log_loss(predictions, targets) / math.log(2)


def _perplexity(predictions: np.ndarray, targets: np.ndarray) -> float:
    return math.exp(_log_loss(predictions, targets))


def _refused(predictions: np.ndarray, targets: np.ndarray) -> float:
    return float(np.mean(~_shares(predictions).any(axis=1)))


def _over_classes(
    predictions: np.ndarray, targets: np.ndarray, area: Callable[[np.ndarray, np.ndarray], float]
) -> float:
    """An area for class 1 of two, else the mean of each class against the rest."""
    shares, truth = _shares(predictions), targets.reshape(-1)
    classes = range(1, 2) if shares.shape[1] == 2 else range(shares.shape[1])
    areas = [area(shares[:, c], truth == c) for c in classes if 0 < np.sum(truth == c) < len(truth)]
    return float(np.mean(areas)) if areas else float("nan")


def _auc(predictions: np.ndarray, targets: np.ndarray) -> float:
    return _over_classes(predictions, targets, _area)


def _pr_auc(predictions: np.ndarray, targets: np.ndarray) -> float:
    return _over_classes(predictions, targets, _average_precision)


def _area(scores: np.ndarray, is_class: np.ndarray) -> float:
    """Chance that a row of the class scores above one of another; ties count one half."""
    _, index, counts = np.unique(scores, return_inverse=True, return_counts=True)
    mean_rank = np.cumsum(counts) - (counts - 1) / 2
    inside = float(np.sum(is_class))
    outside = len(scores) - inside
    return float((mean_rank[index][is_class].sum() - inside * (inside + 1) / 2) / inside / outside)


def _average_precision(scores: np.ndarray, is_class: np.ndarray) -> float:
    """Sum over thresholds of precision times the gain in recall; equal scores come together."""
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.diff(scores[order]) != 0, True)
    found = np.cumsum(is_class[order])[last]
    precision = found / (np.flatnonzero(last) + 1)
    return float(np.sum(precision * np.diff(found, prepend=0)) / np.sum(is_class))


def confusion_matrix(predictions: np.ndarray, targets: np.ndarray, classes: int) -> np.ndarray:
    """Counts [actual class, predicted class] of predictions and targets as metrics see them."""
    flat = targets.reshape(-1).astype(np.int64) * classes + chosen(predictions)
    return np.bincount(flat, minlength=classes * classes).reshape(classes, classes)


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


def _median_ae(predictions: np.ndarray, targets: np.ndarray) -> float:
    return float(np.mean(np.median(np.abs(_differences(predictions, targets)), axis=0)))


def _max_error(predictions: np.ndarray, targets: np.ndarray) -> float:
    return float(np.max(np.abs(_differences(predictions, targets))))


def _mape(predictions: np.ndarray, targets: np.ndarray) -> float:
    """Targets of 0 count as the smallest number that can be told from 0."""
    size = np.abs(targets.reshape(len(targets), -1).astype(np.float64))
    differences = np.abs(_differences(predictions, targets))
    return float(np.mean(differences / np.maximum(size, np.finfo(np.float64).eps)))


def _r2(predictions: np.ndarray, targets: np.ndarray) -> float:
    """1 - squared error / squared spread, the mean over outputs; constant targets: 1 or 0."""
    left = np.sum(_differences(predictions, targets) ** 2, axis=0)
    truth = targets.reshape(len(targets), -1).astype(np.float64)
    spread = np.sum((truth - truth.mean(axis=0)) ** 2, axis=0)
    constant = np.where(left == 0.0, 1.0, 0.0)
    return float(
        np.mean(np.where(spread > 0, 1.0 - left / np.where(spread > 0, spread, 1.0), constant))
    )


AVERAGE = Choice(
    "macro",
    "macro: the mean over the classes; micro: all rows together; binary: of the second class",
    ("macro", "micro", "binary"),
)

metric("accuracy", _accuracy, "Share of rows whose answer is the right class.")
metric(
    "top_k",
    _top_k,
    "Share of rows whose right class is among the k most likely ones.",
    "sklearn.metrics.top_k_accuracy_score",
    judges="shares",
    k=Int(doc="how many classes count", ge=1),
)
metric(
    "balanced_accuracy",
    _balanced_accuracy,
    "Accuracy in each class, the mean over the classes.",
    "sklearn.metrics.balanced_accuracy_score",
)
metric(
    "precision",
    _precision,
    "Share of the rows taken for a class that belong to it.",
    "sklearn.metrics.precision_score",
    average=AVERAGE,
)
metric(
    "recall",
    _recall,
    "Share of the rows of a class that are found.",
    "sklearn.metrics.recall_score",
    average=AVERAGE,
)
metric(
    "f1",
    _f1,
    "Harmonic mean of precision and recall.",
    "sklearn.metrics.f1_score",
    average=AVERAGE,
)
metric(
    "dice",
    _dice,
    "What answers and truth share, twice over the sum of both: of two classes for the second one, "
    "of more the mean over the classes.",
    "Dice 1945, Measures of the amount of ecologic association between species",
    of_pictures=True,
)
metric(
    "iou",
    _iou,
    "What answers and truth share, over all that is in either (intersection over union): of two "
    "classes for the second one, of more the mean over the classes.",
    "Jaccard 1912; sklearn.metrics.jaccard_score",
    of_pictures=True,
)
metric(
    "mcc",
    _mcc,
    "Correlation of answers and classes: 1 is perfect, 0 is chance.",
    "sklearn.metrics.matthews_corrcoef",
)
metric(
    "auc",
    _auc,
    "Area under the ROC curve; of more than two classes the mean of each against the rest.",
    "sklearn.metrics.roc_auc_score",
    judges="shares",
)
metric(
    "pr_auc",
    _pr_auc,
    "Area under the curve of precision over recall; of more than two classes as `auc`.",
    "sklearn.metrics.average_precision_score",
    judges="shares",
)
metric(
    "log_loss",
    _log_loss,
    "Mean of -log of the share given to the right class.",
    "sklearn.metrics.log_loss",
    higher_is_better=False,
    judges="shares",
)
metric(
    "bits_per_character",
    _bits,
    "Mean of -log2 of the share given to the right class: how many bits each character of a text "
    "takes that is coded by what the network expects.",
    "Graves 2013, arXiv:1308.0850, section 3.1",
    higher_is_better=False,
    judges="shares",
    of_sequences=True,
)
metric(
    "perplexity",
    _perplexity,
    "e to the mean of -log of the share given to the right class: among how many equally likely "
    "ones the network is undecided.",
    "Bengio et al. 2003, A neural probabilistic language model",
    higher_is_better=False,
    judges="shares",
    of_sequences=True,
)
metric(
    "refused",
    _refused,
    "Share of the rows that get no answer; the other metrics of answers leave them out.",
    higher_is_better=False,
    judges="refusals",
)
metric(
    "r2",
    _r2,
    "Share of the targets' variance that is explained; 1 is perfect, 0 the mean.",
    "sklearn.metrics.r2_score",
    targets="numbers",
)


def _error(name: str, measure: Measure, doc: str, see: str = "") -> None:
    """Define a metric of numbers of which less is better."""
    metric(name, measure, doc, see, targets="numbers", higher_is_better=False)


_error("mse", _mse, "Mean squared error.")
_error("rmse", _rmse, "Root of the mean squared error.")
_error("mae", _mae, "Mean absolute error.")
_error("median_ae", _median_ae, "Median of the absolute errors.")
_error("max_error", _max_error, "The greatest absolute error.")
_error(
    "mape",
    _mape,
    "Mean of the absolute errors, each as a share of its target.",
    "sklearn.metrics.mean_absolute_percentage_error",
)
