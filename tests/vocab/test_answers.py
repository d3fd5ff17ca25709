"""Answers: which class is said of shares, and when none is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nndsl.render.word_sorts import by_name, example
from nndsl.train.scoring import answered, measured
from nndsl.vocab.answers import Answer, decided
from nndsl.vocab.arguments import call
from nndsl.vocab.kinds import Metric
from nndsl.vocab.registry import WordCall, words

SHARES = np.array([[0.5, 0.4, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4], [0.4, 0.4, 0.2]])
TWO = np.array([[0.75, 0.25], [0.5, 0.5], [0.25, 0.75]])
NAMES = sorted(words("answer"))


def answer(name: str, *given: float) -> WordCall:
    return call(words("answer")[name], *given)


def metric(name: str, **given: str) -> WordCall:
    return call(words("metric")[name], **given)


def test_the_most_likely_class_is_the_first_of_equals() -> None:
    for chosen in (None, answer("argmax")):
        assert decided(chosen, SHARES).tolist() == [0, 1, 2, 0]


def test_a_threshold_is_passed_from_above() -> None:
    assert decided(answer("threshold", 0.2), TWO).tolist() == [1, 1, 1]
    assert decided(answer("threshold", 0.25), TWO).tolist() == [0, 1, 1]
    assert decided(answer("threshold", 0.8), TWO).tolist() == [0, 0, 0]


def test_close_shares_are_refused() -> None:
    assert decided(answer("refuse", 0.0), SHARES).tolist() == [0, 1, 2, 0]
    assert decided(answer("refuse", 0.05), SHARES).tolist() == [0, 1, 2, -1]
    assert decided(answer("refuse", 0.2), SHARES).tolist() == [-1, 1, -1, -1]


@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=20), st.floats(0, 0.99))
def test_what_a_greater_margin_answers_a_smaller_one_answers_alike(
    second: list[float], margin: float
) -> None:
    shares = np.stack((1 - np.array(second), np.array(second)), axis=1)
    strict = decided(answer("refuse", margin), shares)
    loose = decided(answer("refuse", margin / 2), shares)
    assert np.all((strict < 0) | (strict == loose))
    assert decided(answer("threshold", 0.5), shares).tolist() == decided(None, shares).tolist()


@pytest.mark.parametrize("name", NAMES)
def test_every_answer_is_class_numbers_and_has_an_example(name: str) -> None:
    word = words("answer")[name]
    assert isinstance(word, Answer)
    needed = [0.5] if any(p.required for p in word.parameters.values()) else []
    said = decided(answer(name, *needed), TWO if word.two_classes else SHARES)
    assert said.dtype.kind == "i"
    assert all(metric in words("metric") for metric in word.metrics)
    (found,) = by_name(name)
    assert f"answer = {name}" in example(*found).file


def test_metrics_of_answers_leave_out_what_is_refused() -> None:
    targets, refuse = np.array([0, 1, 0, 0]), answer("refuse", 0.05)
    assert measured(metric("accuracy"), SHARES, targets) == 0.75
    assert measured(metric("accuracy"), SHARES, targets, refuse) == pytest.approx(2 / 3)
    assert measured(metric("refused"), SHARES, targets, refuse) == 0.25
    assert measured(metric("refused"), SHARES, targets) == 0.0
    none = answer("refuse", 0.9)
    assert np.isnan(measured(metric("accuracy"), SHARES, targets, none))
    assert measured(metric("refused"), SHARES, targets, none) == 1.0


def test_metrics_at_a_threshold_are_those_of_its_answers() -> None:
    targets, low = np.array([0, 0, 1]), answer("threshold", 0.3)
    assert measured(metric("recall", average="binary"), TWO, targets, low) == 1.0
    assert measured(metric("precision", average="binary"), TWO, targets, low) == 0.5
    assert measured(metric("accuracy"), TWO, targets, low) == pytest.approx(2 / 3)


@pytest.mark.parametrize("name", sorted(words("metric")))
def test_metrics_of_shares_do_not_see_the_answer(name: str) -> None:
    word = words("metric")[name]
    assert isinstance(word, Metric)
    if word.targets != "classes" or word.judges != "shares":
        return
    given = {n: 1 for n, p in word.parameters.items() if p.required}
    targets, found = np.array([0, 1, 2, 0]), call(word, **given)
    assert measured(found, SHARES, targets, answer("refuse", 0.5)) == measured(
        found, SHARES, targets
    )


def test_answers_as_shares() -> None:
    refuse, targets = answer("refuse", 0.2), np.array([0, 1, 2, 0])
    hot, left = answered(SHARES, targets, refuse)
    assert hot.tolist() == [[0, 1, 0]]
    assert left.tolist() == [1]
    hot, left = answered(SHARES, targets, refuse, leave_out=False)
    assert hot.tolist() == [[0, 0, 0], [0, 1, 0], [0, 0, 0], [0, 0, 0]]
    assert left is targets
