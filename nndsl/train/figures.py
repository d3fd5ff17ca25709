"""Figures that put a test result into proportion: intervals, baselines, tables of mistakes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

NORMAL_95 = 1.959963984540054
"""Quantile of the standard normal distribution that leaves 2.5 % above it."""


def wilson_interval(right: int, rows: int, z: float = NORMAL_95) -> tuple[float, float]:
    """Bounds of a proportion of which `right` of `rows` were seen, 95 % by default.

    Source: Wilson, Probable inference, the law of succession, and statistical inference, 1927.
    """
    if rows == 0:
        return 0.0, 1.0
    share = right / rows
    weight = 1 + z * z / rows
    centre = (share + z * z / (2 * rows)) / weight
    reach = z / weight * math.sqrt(share * (1 - share) / rows + z * z / (4 * rows * rows))
    return max(0.0, centre - reach), min(1.0, centre + reach)


def recalls(matrix: np.ndarray) -> list[float]:
    """For each class the share of its rows that were found; NaN for a class without rows."""
    totals = matrix.sum(axis=1)
    return [float(matrix[i, i] / t) if t else math.nan for i, t in enumerate(totals)]


def majority_share(train: np.ndarray, test: np.ndarray) -> float:
    """Accuracy on `test` of always saying the most frequent class of `train`."""
    if len(train) == 0 or len(test) == 0:
        return math.nan
    return float(np.mean(test == np.bincount(train.astype(np.int64)).argmax()))


def mean_and_deviation(values: Sequence[float]) -> tuple[float, float]:
    """Mean and sample standard deviation (0 for a single value)."""
    array = np.asarray(values, dtype=np.float64)
    return float(array.mean()), float(array.std(ddof=1)) if len(array) > 1 else 0.0
