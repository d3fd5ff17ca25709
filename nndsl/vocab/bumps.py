"""A number as a bump: `target = steer -> bump(30)`, the way ALVINN was told where to steer.

The least and the greatest number of the training part stand at the two ends of a row of units. Each
unit is the higher the nearer it lies to the number's own place, so that neighbouring answers look
alike, and what a network says is read off all its outputs together.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nndsl.params import Int, Real
from nndsl.vocab.preprocessing import Arguments, Learnt, preprocessing


def _fit_bump(values: np.ndarray, arguments: Arguments) -> dict[str, Any]:
    present = values[~np.isnan(values)]
    if not present.size:
        return {"low": 0.0, "high": 0.0}
    return {"low": float(present.min()), "high": float(present.max())}


def _bump(values: np.ndarray, learnt: Learnt, arguments: Arguments) -> np.ndarray:
    """Numbers [rows] to the heights of their units, [rows, count]."""
    low, high, count = learnt["low"], learnt["high"], arguments["count"]
    span = high - low if high > low else 1.0
    place = (np.clip(values, low, high) - low) / span * (count - 1)
    return np.asarray(np.exp(-((np.arange(count) - place[:, None]) ** 2) / arguments["width"]))


def _unbump(values: np.ndarray, learnt: Learnt, arguments: Arguments) -> np.ndarray:
    """Heights [rows, count] to numbers [rows, 1]: the middle of the bump that fits them best.

    A bump of any height may fit: the best of many places by their correlation, made better by
    Gauss and Newton's method. Rows with a height that is not finite give NaN.
    """
    count, width = arguments["count"], arguments["width"]
    unit = np.arange(count)
    span = learnt["high"] - learnt["low"] if learnt["high"] > learnt["low"] else 1.0
    found = np.full((len(values), 1), np.nan)
    trial = np.linspace(0, count - 1, 2 * count - 1)
    bumps = np.exp(-((unit - trial[:, None]) ** 2) / width)
    bumps /= np.sqrt((bumps**2).sum(axis=1, keepdims=True))
    usable = np.flatnonzero(np.isfinite(values).all(axis=1))
    for start in range(0, len(usable), 4096):
        rows = usable[start : start + 4096]
        y = values[rows]
        fit = np.einsum("rc,tc->rt", y, bumps)
        place = trial[np.argmax(fit, axis=1)][:, None]
        for _ in range(7):
            away = unit - place
            b = np.exp(-(away**2) / width)
            squares = (b * b).sum(axis=1, keepdims=True)
            height = (y * b).sum(axis=1, keepdims=True) / squares
            slope = 2 * away / width * b
            slope -= (slope * b).sum(axis=1, keepdims=True) / squares * b
            force = ((y - height * b) * slope).sum(axis=1, keepdims=True)
            stiffness = height * (slope * slope).sum(axis=1, keepdims=True)
            steady = stiffness > 1e-12
            step = np.where(steady, force / np.where(steady, stiffness, 1.0), 0.0)
            place = np.clip(place + np.clip(step, -0.5, 0.5), 0, count - 1)
        found[rows] = learnt["low"] + place / max(count - 1, 1) * span
    return found


preprocessing(
    "bump",
    _bump,
    "`count` numbers in place of one: exp(-D^2 / width), D being how many units a unit lies from "
    "the number's own place between the least (first unit) and the greatest (last unit) of the "
    "training part. Turned back it is the middle of the bump that fits best.",
    "Pomerleau 1991, Efficient training of artificial neural networks for autonomous navigation",
    fit=_fit_bump,
    invert=_unbump,
    numbers=lambda arguments: int(arguments["count"]),
    count=Int(doc="how many units", ge=2, le=10_000),
    width=Real(10.0, "how broad the bump is", gt=0),
)
