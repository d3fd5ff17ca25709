"""What another margin or threshold of an answer would give: figures over its limit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from nndsl.lower.recipe_answers import metrics_beside
from nndsl.params import ParameterError
from nndsl.records import dataclass
from nndsl.train.scoring import measured
from nndsl.vocab.arguments import call
from nndsl.vocab.registry import WordCall, words

LIMITS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
"""Limits for a table, beside that of a run."""


@dataclass(frozen=True)
class Limits:
    """Figures [limits, metrics] at several limits. `name` is the limit's, `own` that of the run.

    The metrics are the accuracy and those that the answer brings; NaN where one has no meaning.
    """

    name: str
    own: float
    limits: tuple[float, ...]
    metrics: tuple[str, ...]
    figures: np.ndarray


def at_limits(
    answer: WordCall | None, shares: np.ndarray, actual: np.ndarray, limits: Iterable[float]
) -> Limits | None:
    """The figures of shares [rows, classes] at those limits that are legal, and at the run's own.

    None for an answer without a limit.
    """
    if answer is None or not answer.arguments:
        return None
    ((name, own),) = answer.arguments.items()
    metrics = [call(words("metric")["accuracy"]), *metrics_beside(answer)]
    legal = sorted({own, *(limit for limit in limits if _is_legal(answer, name, limit))})
    calls = [replace(answer, arguments={name: limit}) for limit in legal]
    figures = [[measured(metric, shares, actual, one) for metric in metrics] for one in calls]
    names = tuple(metric.name for metric in metrics)
    return Limits(name, float(own), tuple(legal), names, np.array(figures))


def _is_legal(answer: WordCall, name: str, limit: float) -> bool:
    try:
        answer.word.parameters[name].convert(limit)
    except ParameterError:
        return False
    return True
