"""Tables and curves over margins and thresholds, and the figures of refused rows."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from nndsl.lower.recipe_answers import metrics_beside
from nndsl.model.report.decisions import decisions
from nndsl.model.report.evidence import TEST, TRAINING
from nndsl.model.report.judgement import all_metrics, figure, judge
from nndsl.vocab.arguments import call
from nndsl.vocab.pictures import Judged, confusion_of
from nndsl.vocab.registry import WordCall, words

SHARES = np.array([[0.9, 0.1], [0.55, 0.45], [0.4, 0.6], [0.2, 0.8], [0.52, 0.48]])
ACTUAL = np.array([0, 1, 1, 1, 1])


def refuse(margin: float) -> WordCall:
    return call(words("answer")["refuse"], margin)


def judged(answer: WordCall | None) -> Judged:
    return Judged("output", "y", TEST, ("no", "yes"), SHARES, ACTUAL, answer=answer)


def recipe(answer: WordCall | None) -> SimpleNamespace:
    metrics = (call(words("metric")["accuracy"]), *(metrics_beside(answer) if answer else ()))
    return SimpleNamespace(answer=answer, metrics=metrics)


def blocks(answer: WordCall | None):
    loaded = SimpleNamespace(recipe=recipe(answer))
    return decisions(SimpleNamespace(loaded=loaded, judged=(judged(answer),)))


def test_margins_with_the_share_refused_and_the_accuracy_of_the_rest() -> None:
    curve, table = blocks(refuse(0.15))
    assert table.columns == ("margin", "accuracy", "refused")
    rows = {row[0]: row[1:] for row in table.rows}
    assert rows["0"] == ("0.600", "0.000")
    assert rows["0.15 (this run)"] == ("1.000", "0.400")
    assert rows["0.9"] == ("–", "1.000")
    (picture,) = curve.items
    assert "mistakes among the answers over the share refused" in picture.title
    assert "refused 0.400, 0.000 of the answers are wrong" in str(picture.drawing)


def test_thresholds_with_precision_and_recall() -> None:
    curve, table = blocks(call(words("answer")["threshold"], 0.45))
    assert "figures over the threshold" in curve.items[0].title
    assert table.columns == ("threshold", "accuracy", "precision", "recall")
    rows = {row[0]: row[1:] for row in table.rows}
    assert rows["0.4"] == ("1.000", "1.000", "1.000")
    assert rows["0.7"] == ("0.400", "1.000", "0.250")
    assert "0" not in rows


def test_nothing_for_the_most_likely_class() -> None:
    assert blocks(None) == []


def test_refused_rows_are_in_no_class() -> None:
    found = judged(refuse(0.15))
    assert found.said.tolist() == [0, -1, 1, 1, -1]
    assert confusion_of(found).tolist() == [[1, 0], [0, 2]]


def test_the_baselines_are_of_the_rows_that_got_an_answer() -> None:
    answer = refuse(0.15)
    train = Judged("output", "y", TRAINING, ("no", "yes"), SHARES, np.array([0, 0, 0, 1, 1]))
    rows = SimpleNamespace(
        prepared=SimpleNamespace(inputs={"x": np.arange(10.0)[:, None]}),
        parts={TRAINING: np.arange(5), TEST: np.arange(5, 10)},
    )
    found = judge(recipe(answer), judged(answer), rows, train)
    assert (found.value, found.right, found.rows, found.refused) == (1.0, 3, 3, 2)
    assert found.constant == pytest.approx(1 / 3)


def test_refusals_stand_among_the_figures_only_where_they_are_asked_for() -> None:
    assert "refused" not in [m.name for m in all_metrics(recipe(None), judged(None))]
    answer = refuse(0.15)
    listed = all_metrics(recipe(answer), judged(answer))
    assert [m.name for m in listed][:2] == ["accuracy", "refused"]
    assert figure(listed[1], judged(answer)) == pytest.approx(0.4)
