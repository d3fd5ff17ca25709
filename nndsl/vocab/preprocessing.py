"""Preprocessing: what is done to a column before a network sees it.

Each word learns from the training part only (`fit`), is applied to any rows (`apply`), and may be
turned back (`invert`). Missing numbers are NaN: they are left out of every statistic and stay
missing, except in the words that fill them. A constant column is never divided by 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from nndsl.params import Int, Parameter, Real
from nndsl.schema import FittedStep, StepRequest
from nndsl.vocab.kinds import Preprocessing
from nndsl.vocab.registry import register, words

Learnt = Mapping[str, Any]
Arguments = Mapping[str, Any]
Fit = Callable[[np.ndarray, Arguments], dict[str, Any]]
Change = Callable[[np.ndarray, Learnt, Arguments], np.ndarray]
Count = Callable[[Arguments], int]


class OutsideDomainError(ValueError):
    """Values for which a step has no meaning: log of a negative number. Says which and how many."""


def preprocessing(
    name: str,
    apply: Change,
    doc: str,
    see: str = "",
    *,
    fit: Fit | None = None,
    invert: Change | None = None,
    accepts: str = "number",
    numbers: Count | None = None,
    ids: Count | None = None,
    padding: int | None = None,
    example: str = "",
    **parameters: Parameter,
) -> None:
    """Define a step on columns; without `fit` it learns nothing."""
    fits = fit or _nothing
    word = Preprocessing(
        name, parameters, doc, see, fits, apply, invert, accepts, numbers, ids, padding
    )
    register(word, example)


def numbers_of(steps: Iterable[FittedStep]) -> int:
    """How many numbers some steps make of one number."""
    return math.prod(
        word.numbers(step.arguments)
        for step in steps
        if isinstance(word := words("preprocessing")[step.word], Preprocessing) and word.numbers
    )


def _nothing(values: np.ndarray, arguments: Arguments) -> dict[str, Any]:
    return {}


def _same(values: np.ndarray, learnt: Learnt, arguments: Arguments) -> np.ndarray:
    return values


# Scaling: (x - offset) / divisor


def _affine(offset: float, divisor: float, magnitude: float) -> dict[str, Any]:
    """What a scaling learnt; a divisor that is 0 but for rounding becomes 1."""
    rounding = 10 * np.finfo(np.float64).eps * magnitude
    usable = np.isfinite(divisor) and divisor > rounding
    return {
        "offset": float(offset) if np.isfinite(offset) else 0.0,
        "divisor": float(divisor) if usable else 1.0,
    }


def _median(values: np.ndarray) -> float:
    """The middle, or the mean of both middles; `np.median` imports `numpy.ma` (7 ms)."""
    ordered = np.sort(values)
    count = len(ordered)
    return float((ordered[(count - 1) // 2] + ordered[count // 2]) / 2)


def _present(values: np.ndarray) -> np.ndarray:
    """The values that are not missing; a single 0 if all are."""
    found = values[~np.isnan(values)]
    return found if found.size else np.zeros(1)


def _fit_standardize(values: np.ndarray, arguments: Arguments) -> dict[str, Any]:
    present = _present(values)
    greatest = float(np.abs(present).max())
    unit = greatest if greatest > 1e150 else 1.0  # squares of huge numbers would overflow
    scaled = present / unit
    return _affine(scaled.mean() * unit, scaled.std() * unit, greatest)


def _fit_minmax(values: np.ndarray, arguments: Arguments) -> dict[str, Any]:
    present = _present(values)
    least, greatest = present.min(), present.max()
    return _affine(least, greatest - least, float(np.abs(present).max()))


def _fit_robust(values: np.ndarray, arguments: Arguments) -> dict[str, Any]:
    present = _present(values)
    low, middle, high = np.quantile(present, [0.25, 0.5, 0.75])
    return _affine(middle, high - low, float(np.abs(present).max()))


def _fit_center(values: np.ndarray, arguments: Arguments) -> dict[str, Any]:
    return _affine(_present(values).mean(), 1.0, 0.0)


def _apply_affine(values: np.ndarray, learnt: Learnt, arguments: Arguments) -> np.ndarray:
    return np.asarray((values - learnt["offset"]) / learnt["divisor"])


def _invert_affine(values: np.ndarray, learnt: Learnt, arguments: Arguments) -> np.ndarray:
    return np.asarray(values * learnt["divisor"] + learnt["offset"])


def _apply_minmax(values: np.ndarray, learnt: Learnt, arguments: Arguments) -> np.ndarray:
    share = _apply_affine(values, learnt, arguments)
    return np.asarray(arguments["low"] + (arguments["high"] - arguments["low"]) * share)


def _invert_minmax(values: np.ndarray, learnt: Learnt, arguments: Arguments) -> np.ndarray:
    width = arguments["high"] - arguments["low"]
    share = (values - arguments["low"]) / (width if width != 0 else 1.0)
    return _invert_affine(share, learnt, arguments)


preprocessing("keep", _same, "The column as it is.", invert=_same)
preprocessing(
    "standardize",
    _apply_affine,
    "Mean 0 and standard deviation 1 on the training part.",
    "LeCun et al. 1998, Efficient BackProp, section 4.3",
    fit=_fit_standardize,
    invert=_invert_affine,
)
preprocessing(
    "minmax",
    _apply_minmax,
    "The training part's least and greatest number become low and high.",
    "sklearn.preprocessing.MinMaxScaler",
    fit=_fit_minmax,
    invert=_invert_minmax,
    low=Real(0.0, "what the least number becomes"),
    high=Real(1.0, "what the greatest number becomes"),
)
preprocessing(
    "robust",
    _apply_affine,
    "Median 0 and distance 1 between the quartiles: outliers do not matter.",
    "sklearn.preprocessing.RobustScaler",
    fit=_fit_robust,
    invert=_invert_affine,
)
preprocessing(
    "center",
    _apply_affine,
    "Mean 0 on the training part.",
    fit=_fit_center,
    invert=_invert_affine,
)


def _scale(values: np.ndarray, learnt: Learnt, arguments: Arguments) -> np.ndarray:
    return np.asarray(values * arguments["factor"])


def _unscale(values: np.ndarray, learnt: Learnt, arguments: Arguments) -> np.ndarray:
    return np.asarray(values / arguments["factor"])


def _clip(values: np.ndarray, learnt: Learnt, arguments: Arguments) -> np.ndarray:
    return np.asarray(np.clip(values, arguments["low"], arguments["high"]))


preprocessing(
    "scale",
    _scale,
    "Multiplied by a number, as pixels by 1/255.",
    invert=_unscale,
    factor=Real(doc="the number", gt=0),
)
preprocessing(
    "clip",
    _clip,
    "Kept between low and high.",
    invert=_same,
    low=Real(doc="least number"),
    high=Real(doc="greatest number", above="low"),
)


# Functions


def _require_above(values: np.ndarray, least: float, name: str) -> None:
    """Numbers at or below `least` are refused, with how many and the least of them."""
    outside = values[values <= least]
    if outside.size:
        raise OutsideDomainError(
            f"{name} needs numbers above {least:g}; {outside.size} are not, "
            f"the least is {outside.min():g}"
        )


def _log1p(values: np.ndarray, learnt: Learnt, arguments: Arguments) -> np.ndarray:
    _require_above(values, -1.0, "log1p")
    return np.asarray(np.log1p(values))


def _expm1(values: np.ndarray, learnt: Learnt, arguments: Arguments) -> np.ndarray:
    return np.asarray(np.expm1(values))


def _log(values: np.ndarray, learnt: Learnt, arguments: Arguments) -> np.ndarray:
    _require_above(values, 0.0, "log")
    return np.asarray(np.log(values))


def _exp(values: np.ndarray, learnt: Learnt, arguments: Arguments) -> np.ndarray:
    return np.asarray(np.exp(values))


preprocessing("log1p", _log1p, "log(1 + x), for numbers above -1 with a long tail.", invert=_expm1)
preprocessing("log", _log, "Natural logarithm, for numbers above 0.", invert=_exp)


def _cycle(values: np.ndarray, learnt: Learnt, arguments: Arguments) -> np.ndarray:
    turn = 2 * math.pi * values / arguments["period"]
    return np.stack([np.sin(turn), np.cos(turn)], axis=-1)


preprocessing(
    "cycle",
    _cycle,
    "Sine and cosine, two numbers for each: hour 23 then lies beside hour 0.",
    numbers=lambda arguments: 2,
    period=Real(doc="after how much it begins again: 24 for hours of the day", gt=0),
)


# Missing numbers


def _fill(values: np.ndarray, learnt: Learnt, arguments: Arguments) -> np.ndarray:
    return np.where(np.isnan(values), learnt["value"], values)


preprocessing(
    "median",
    _fill,
    "Missing numbers become the median of the training part.",
    fit=lambda values, arguments: {"value": _median(_present(values))},
    invert=_same,
)
preprocessing(
    "mean",
    _fill,
    "Missing numbers become the mean of the training part.",
    fit=lambda values, arguments: {"value": float(np.mean(_present(values)))},
    invert=_same,
)
preprocessing(
    "fill",
    _fill,
    "Missing numbers become a given number.",
    fit=lambda values, arguments: {"value": arguments["value"]},
    invert=_same,
    value=Real(0.0, "the number"),
)


# Numbers that are names of things


IDS = "ids"
"""The step after which numbers are no quantities but places in a vocabulary."""


def _ids(values: np.ndarray, learnt: Learnt, arguments: Arguments) -> np.ndarray:
    count = arguments["count"]
    fits = (values >= 0) & (values < count) & (np.floor(values) == values)
    if not fits.all():
        wrong = values[~fits]
        raise OutsideDomainError(
            f"`ids({count})` takes the whole numbers 0 to {count - 1}, and {len(wrong)} "
            f"{'is none' if len(wrong) == 1 else 'are none'}, the first is {wrong[0]:g}"
        )
    return values


preprocessing(
    IDS,
    _ids,
    "Whole numbers from 0 on that stand for words, letters or other things: a network looks them "
    "up by `embed`.",
    example="x -> ids(9)",
    ids=lambda arguments: int(arguments["count"]),
    count=Int(doc="how many things there are: all numbers are below", ge=1, le=1 << 24),
)


def ids_of(steps: Iterable[FittedStep | StepRequest]) -> int | None:
    """How many things the numbers that some steps give stand for; None where they are numbers."""
    made = _word_of_ids(steps)
    return made[0].ids(made[1]) if made is not None and made[0].ids is not None else None


def padding_of(steps: Iterable[FittedStep | StepRequest]) -> int | None:
    """The id that fills up what is shorter than others; None where all are of one length."""
    made = _word_of_ids(steps)
    return made[0].padding if made is not None else None


def _word_of_ids(
    steps: Iterable[FittedStep | StepRequest],
) -> tuple[Preprocessing, Mapping[str, Any]] | None:
    """The last step that makes ids, with its arguments."""
    known = words("preprocessing")
    made = [
        (word, step.arguments)
        for step in steps
        if isinstance(word := known.get(step.word), Preprocessing) and word.ids is not None
    ]
    return made[-1] if made else None


# Categories


def _is_missing(values: np.ndarray) -> np.ndarray:
    return np.array([value is None for value in values], dtype=bool)


def _fit_categories(values: np.ndarray, arguments: Arguments) -> dict[str, Any]:
    missing = _is_missing(values)
    classes = sorted({str(value) for value in values[~missing]})
    return {"classes": classes, "missing": bool(missing.any())}


def _positions(values: np.ndarray, learnt: Learnt) -> np.ndarray:
    """The number of each value's class: the last one for missing, -1 for one never seen."""
    classes = {name: index for index, name in enumerate(learnt["classes"])}
    absent = len(classes) if learnt["missing"] else -1
    found = (absent if value is None else classes.get(str(value), -1) for value in values)
    return np.fromiter(found, dtype=np.int64, count=len(values))


def _onehot(values: np.ndarray, learnt: Learnt, arguments: Arguments) -> np.ndarray:
    width = len(learnt["classes"]) + learnt["missing"]
    return np.asarray(_positions(values, learnt)[:, None] == np.arange(width), dtype=np.float64)


preprocessing(
    "onehot",
    _onehot,
    "One number for each category: 1 for the row's own, else 0. Missing is a category of its "
    "own if the table has it; a category never seen gives only 0.",
    "sklearn.preprocessing.OneHotEncoder",
    fit=_fit_categories,
    accepts="category",
)


def _ordinal(values: np.ndarray, learnt: Learnt, arguments: Arguments) -> np.ndarray:
    return _positions(values, learnt).astype(np.float64)


preprocessing(
    "ordinal",
    _ordinal,
    "The category's number in sorted order from 0; missing comes last, one never seen is -1.",
    "sklearn.preprocessing.OrdinalEncoder",
    fit=_fit_categories,
    accepts="category",
)
