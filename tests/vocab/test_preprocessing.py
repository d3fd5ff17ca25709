"""Preprocessing: statistics from the training part, round trips, constant and missing columns."""

import json
from typing import Any

import numpy as np
import pytest

from nndsl.vocab.arguments import bind_arguments
from nndsl.vocab.kinds import Preprocessing
from nndsl.vocab.preprocessing import IDS, OutsideDomainError
from nndsl.vocab.registry import words

NAMES = [name for name in words("preprocessing") if name != IDS]
NEEDED: dict[str, dict[str, Any]] = {
    "scale": {"factor": 1 / 255},
    "clip": {"low": -1e9, "high": 1e301},
    "bump": {"count": 12},
    "cycle": {"period": 24.0},
    "words": {"length": 4},
    "chars": {"length": 4},
}


class Fitted:
    """A step after learning from a column."""

    def __init__(self, name: str, column: np.ndarray, **arguments: Any) -> None:
        word = words("preprocessing")[name]
        assert isinstance(word, Preprocessing)
        assert word.fit is not None
        assert word.apply is not None
        self.word = word
        self.arguments = bind_arguments(word, (), {**NEEDED.get(name, {}), **arguments})
        self.learnt = word.fit(column, self.arguments)

    def apply(self, column: np.ndarray) -> np.ndarray:
        assert self.word.apply is not None
        return self.word.apply(column, self.learnt, self.arguments)

    def invert(self, column: np.ndarray) -> np.ndarray:
        assert self.word.invert is not None
        return self.word.invert(column, self.learnt, self.arguments)


def of_sort(accepts: str) -> list[str]:
    kinds = words("preprocessing")
    return [n for n in NAMES if getattr(kinds[n], "accepts", "") == accepts]


def inverted() -> list[str]:
    """Steps on numbers that may be turned back."""
    kinds = words("preprocessing")
    return [n for n in of_sort("number") if getattr(kinds[n], "invert", None) is not None]


@pytest.mark.parametrize("name", inverted())
def test_round_trip(name: str, rng: np.random.Generator) -> None:
    train, new = np.append(rng.uniform(0.1, 9, 100), [0.1, 9]), rng.uniform(0.1, 9, 30)
    step = Fitted(name, train)
    np.testing.assert_allclose(step.invert(step.apply(new)).reshape(-1), new, rtol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_learnt_may_be_written_as_json(name: str, rng: np.random.Generator) -> None:
    is_category = name in of_sort("category")
    column = np.array(["a", None, "b"], dtype=object) if is_category else rng.uniform(1, 2, 9)
    step = Fitted(name, column)
    before = step.apply(column)
    step.learnt = json.loads(json.dumps(step.learnt))
    np.testing.assert_array_equal(step.apply(column), before)


CONSTANTS = [0.0, 7.0, 0.1, -1e-12, 1e300, 12345.678]
CASES = [
    (name, constant)
    for name in of_sort("number")
    for constant in CONSTANTS
    if constant > 0 or name not in ("log", "log1p")
]


@pytest.mark.parametrize(("name", "constant"), CASES)
def test_constant_columns_never_divide_by_zero(name: str, constant: float) -> None:
    column = np.full(10, constant)
    step = Fitted(name, column)
    assert np.all(np.isfinite(step.apply(column)))
    if name in ("standardize", "robust", "center"):
        np.testing.assert_allclose(step.apply(column), 0.0, atol=abs(constant) * 1e-15)
    if name not in inverted():
        return
    with np.errstate(over="ignore"):
        back = step.invert(step.apply(column)).reshape(-1)
    np.testing.assert_allclose(back, column, rtol=1e-9)


@pytest.mark.parametrize("name", of_sort("number"))
def test_missing_numbers_stay_missing_or_are_filled(name: str) -> None:
    column = np.array([1.0, np.nan, 3.0, 8.0])
    step = Fitted(name, column)
    missing = np.isnan(step.apply(column).reshape(4, -1)).all(axis=1)
    assert missing.tolist() == [False, name not in ("median", "mean", "fill"), False, False]
    everything = np.full(3, np.nan)
    assert not np.isnan(list(Fitted(name, everything).learnt.values())).any()


def test_standardize() -> None:
    step = Fitted("standardize", np.array([1.0, 2.0, 3.0, np.nan]))
    assert step.learnt == {"offset": 2.0, "divisor": pytest.approx(np.sqrt(2 / 3))}
    np.testing.assert_allclose(step.apply(np.array([2.0, 2 + np.sqrt(2 / 3)])), [0, 1])


def test_minmax() -> None:
    step = Fitted("minmax", np.array([10.0, 30.0]), low=-1, high=1)
    np.testing.assert_allclose(step.apply(np.array([10.0, 20.0, 40.0])), [-1, 0, 2])


def test_statistics_come_from_the_training_part_only() -> None:
    step = Fitted("mean", np.array([1.0, 3.0]))
    assert step.apply(np.array([np.nan, 100.0])).tolist() == [2.0, 100.0]


def test_fillers() -> None:
    column = np.array([1.0, 2.0, 9.0, np.nan])
    assert Fitted("median", column).apply(column)[3] == 2.0
    assert Fitted("mean", column).apply(column)[3] == 4.0
    assert Fitted("fill", column, value=-1.0).apply(column)[3] == -1.0


def test_onehot() -> None:
    column = np.array(["b", "a", None, "b"], dtype=object)
    step = Fitted("onehot", column)
    assert step.learnt == {"classes": ["a", "b"], "missing": True}
    new = np.array(["a", "b", None, "never seen"], dtype=object)
    np.testing.assert_array_equal(step.apply(new), [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]])
    whole = Fitted("onehot", np.array(["b", "a"], dtype=object))
    np.testing.assert_array_equal(whole.apply(new), [[1, 0], [0, 1], [0, 0], [0, 0]])
    assert whole.apply(np.array([], dtype=object)).shape == (0, 2)


def test_the_hours_of_a_day_are_a_cycle() -> None:
    found = Fitted("cycle", np.zeros(1)).apply(np.array([0.0, 6.0, 23.0, 24.0]))
    np.testing.assert_allclose(found[:2], [[0, 1], [1, 0]], atol=1e-15)
    np.testing.assert_allclose(found[3], found[0], atol=1e-15)
    assert np.linalg.norm(found[2] - found[0]) < 0.27


def test_words_become_ids_of_one_length() -> None:
    column = np.array(["The cat!", "the dog", None, "the cat, the dog"], dtype=object)
    step = Fitted("words", column, count=5, length=4)
    assert step.learnt == {"units": ["the", "cat", "dog"]}
    new = np.array(["the cat sat", "", None, "THE dog and the cat"], dtype=object)
    assert step.apply(new).tolist() == [[2, 3, 1, 0], [1, 0, 0, 0], [1, 0, 0, 0], [2, 4, 1, 2]]
    letters = Fitted("chars", np.array(["abba"], dtype=object), length=3)
    assert letters.apply(np.array(["bac"], dtype=object)).tolist() == [[3, 2, 1]]


def test_ordinal() -> None:
    step = Fitted("ordinal", np.array(["b", "a", None], dtype=object))
    new = np.array(["a", "b", None, "never seen"], dtype=object)
    assert step.apply(new).tolist() == [0, 1, 2, -1]


@pytest.mark.parametrize(("name", "bad"), [("log", 0.0), ("log", -2.0), ("log1p", -1.0)])
def test_logarithms_refuse_what_they_cannot_take(name: str, bad: float) -> None:
    column = np.array([1.0, bad, np.nan])
    with pytest.raises(OutsideDomainError, match=r"1 are not, the least is"):
        Fitted(name, column).apply(column)


def test_ids_are_whole_numbers_below_their_count() -> None:
    step = Fitted(IDS, np.arange(3.0), count=3)
    np.testing.assert_array_equal(step.apply(np.array([2.0, 0.0])), [2, 0])
    for wrong in (3.0, -1.0, 0.5, np.nan):
        with pytest.raises(OutsideDomainError, match="0 to 2"):
            step.apply(np.array([1.0, wrong]))
