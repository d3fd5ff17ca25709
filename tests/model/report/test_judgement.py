"""Intervals and baselines: what figures are worth."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from nndsl.model.report.evidence import TEST, TRAINING
from nndsl.model.report.judgement import (
    all_metrics,
    bootstrap_interval,
    constant_predictions,
    figure,
    judge,
    linear_predictions,
    main_metric,
)
from nndsl.train.figures import wilson_interval
from nndsl.vocab.arguments import call
from nndsl.vocab.pictures import Judged
from nndsl.vocab.registry import words

RECIPE = SimpleNamespace(metrics=())


def metric(name: str):
    return call(words("metric")[name])


def numbers(predictions: np.ndarray, actual: np.ndarray, part: str = TEST) -> Judged:
    return Judged("output", "y", part, (), predictions[:, None], actual[:, None])


def classes(predictions: np.ndarray, actual: np.ndarray, part: str = TEST) -> Judged:
    return Judged("output", "y", part, ("a", "b", "c"), predictions, actual)


def rows_of(x: np.ndarray, train: int):
    parts = {TRAINING: np.arange(train), TEST: np.arange(train, len(x))}
    return SimpleNamespace(prepared=SimpleNamespace(inputs={"input": x}), parts=parts)


def test_the_interval_of_an_accuracy_is_wilson_s(rng: np.random.Generator) -> None:
    truth = rng.integers(0, 3, 50)
    judged = classes(np.eye(3)[np.where(np.arange(50) < 40, truth, (truth + 1) % 3)], truth)
    found = judge(RECIPE, judged, rows_of(np.zeros((50, 1)), 0), None)
    assert (found.value, found.right, found.rows) == (0.8, 40, 50)
    assert found.interval == wilson_interval(40, 50)
    assert math.isnan(found.constant) and not found.beats_constant


def test_the_bootstrap_covers_the_mean_of_known_spread(rng: np.random.Generator) -> None:
    errors = rng.standard_normal(400)
    judged = numbers(errors, np.zeros(400))
    low, high = bootstrap_interval(metric("mae"), judged)
    half = 1.96 * np.abs(errors).std() / 20
    assert low == pytest.approx(np.abs(errors).mean() - half, abs=0.02)
    assert high == pytest.approx(np.abs(errors).mean() + half, abs=0.02)
    assert bootstrap_interval(metric("mae"), judged) == (low, high)


def test_constants_are_those_of_training() -> None:
    train = classes(np.eye(3), np.array([1, 1, 2]), TRAINING)
    judged = classes(np.eye(3)[:2], np.array([1, 0]))
    answers = constant_predictions(judged, train)
    assert answers.tolist() == [[0, 2 / 3, 1 / 3]] * 2
    known = numbers(np.zeros(3), np.array([1.0, 2.0, 6.0]), TRAINING)
    mean = constant_predictions(numbers(np.zeros(2), np.zeros(2)), known)
    assert mean.tolist() == [[3.0], [3.0]]


def test_the_linear_model_finds_a_line(rng: np.random.Generator) -> None:
    x = rng.standard_normal((120, 3))
    y = x @ np.array([1.0, -2.0, 0.0]) + 5
    train = numbers(np.zeros(100), y[:100], TRAINING)
    answers = linear_predictions(numbers(np.zeros(20), y[100:]), rows_of(x, 100), train)
    np.testing.assert_allclose(answers[:, 0], y[100:], atol=0.02)


def test_the_linear_classifier_tells_half_planes_apart(rng: np.random.Generator) -> None:
    x = rng.standard_normal((300, 2))
    truth = np.argmax(x @ np.array([[1.0, -1.0, 0.0], [0.0, 0.5, -1.0]]), axis=1)
    train = classes(np.zeros((200, 3)), truth[:200], TRAINING)
    judged = classes(np.zeros((100, 3)), truth[200:])
    answers = linear_predictions(judged, rows_of(x, 200), train)
    assert answers.sum(axis=1) == pytest.approx(1.0)
    assert np.mean(answers.argmax(axis=1) == truth[200:]) > 0.95
    found = judge(RECIPE, replace(judged, predictions=answers), rows_of(x, 200), train)
    assert found.beats_constant and found.linear == found.value


def test_wide_data_has_no_linear_model() -> None:
    judged = numbers(np.zeros(2), np.zeros(2))
    assert linear_predictions(judged, rows_of(np.zeros((2, 2000)), 1), judged) is None


@pytest.mark.peers
def test_the_linear_classifier_is_softmax_regression(rng: np.random.Generator) -> None:
    from sklearn.linear_model import LogisticRegression

    x = rng.standard_normal((400, 5))
    truth = (x[:, 0] + rng.standard_normal(400) > 0).astype(int) + (x[:, 1] > 1)
    train = classes(np.zeros((300, 3)), truth[:300], TRAINING)
    judged = classes(np.zeros((100, 3)), truth[300:])
    ours = linear_predictions(judged, rows_of(x, 300), train)
    scaled = (x - x[:300].mean(axis=0)) / x[:300].std(axis=0)
    theirs = LogisticRegression(C=1 / (300 * 1e-3), tol=1e-8).fit(scaled[:300], truth[:300])
    np.testing.assert_allclose(ours, theirs.predict_proba(scaled[300:]), atol=0.02)


def test_metrics_asked_for_come_first() -> None:
    judged = classes(np.eye(3), np.array([0, 1, 2]))
    top = call(words("metric")["top_k"], k=2)
    recipe = SimpleNamespace(metrics=(metric("f1"), top, metric("rmse")))
    assert main_metric(recipe, judged).name == "f1"
    names = [m.name for m in all_metrics(recipe, judged)]
    assert names[:3] == ["f1", "top_k", "accuracy"]
    assert "rmse" not in names and len(names) == len(set(names))
    assert main_metric(RECIPE, numbers(np.zeros(2), np.zeros(2))).name == "r2"
    assert "top_k" not in [m.name for m in all_metrics(RECIPE, judged)]


def test_overlaps_are_told_of_pictures() -> None:
    flowers = classes(np.eye(3), np.array([0, 1, 2]))
    pixels = replace(flowers, image=(1, 1, 3))
    told, of_pixels = ({m.name for m in all_metrics(RECIPE, j)} for j in (flowers, pixels))
    assert of_pixels - told == {"dice", "iou"}
    asked = SimpleNamespace(metrics=(metric("iou"),))
    assert "iou" in {m.name for m in all_metrics(asked, flowers)}


def test_what_places_take_is_told_of_sequences() -> None:
    flowers = classes(np.eye(3), np.array([0, 1, 2]))
    places = replace(flowers, image=(3,))
    told, of_places = ({m.name for m in all_metrics(RECIPE, j)} for j in (flowers, places))
    assert of_places - told == {"bits_per_character", "perplexity"}


def test_a_figure_without_meaning_is_none() -> None:
    judged = classes(np.eye(3)[:2], np.array([0, 0]))
    assert math.isnan(figure(metric("auc"), judged))
