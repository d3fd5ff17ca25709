"""Intervals, baselines, tables, plans and judgements, against hand-made numbers."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from nndsl.params import TimeLength
from nndsl.scalar.expression import variable
from nndsl.schema import TargetKind
from nndsl.train import figures
from nndsl.train.history import History
from nndsl.train.job import Output, Scores
from nndsl.train.plan import learning_rates, plan
from nndsl.train.scoring import Scorer, judged, verdict
from tests.train.doubles import SoftmaxRegression, recipe


def test_the_wilson_interval():
    low, high = figures.wilson_interval(29, 30)
    assert (round(low, 4), round(high, 4)) == (0.8333, 0.9941)
    assert figures.wilson_interval(0, 10)[0] == 0.0
    assert figures.wilson_interval(10, 10)[1] == pytest.approx(1.0)
    assert figures.wilson_interval(0, 0) == (0.0, 1.0)


def test_recalls_of_a_confusion_matrix():
    matrix = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0]])
    shares = figures.recalls(matrix)
    assert shares[:3] == [1.0, 1.0, 0.5]
    assert math.isnan(shares[3])


def test_baselines():
    assert figures.majority_share(np.array([1, 1, 0]), np.array([1, 0, 0, 1])) == 0.5
    assert math.isnan(figures.majority_share(np.array([]), np.array([1])))
    assert figures.mean_and_deviation([2.0]) == (2.0, 0.0)
    assert figures.mean_and_deviation([1.0, 3.0]) == (2.0, pytest.approx(math.sqrt(2)))


@pytest.mark.parametrize(
    ("rows", "batch", "length", "steps_per_epoch", "total", "epochs"),
    [
        (96, 16, TimeLength(5, "epoch"), 6, 30, 5),
        (97, 16, TimeLength(5, "epoch"), 7, 35, 5),
        (10, 32, TimeLength(3, ""), 1, 3, 3),
        (97, None, TimeLength(2, "epoch"), 1, 2, 2),
        (97, 16, TimeLength(10, "step"), 7, 10, 2),
        (97, 16, TimeLength(0.5, "epoch"), 7, 4, 1),
    ],
)
def test_plans(rows, batch, length, steps_per_epoch, total, epochs):
    found = plan(replace(recipe(), batch=batch, length=length), rows)
    assert (found.steps_per_epoch, found.total_steps, found.epochs) == (
        steps_per_epoch,
        total,
        epochs,
    )
    assert found.rows_in(0, found.steps_per_epoch) == rows
    assert found.rows_in(found.steps_per_epoch, 1) == min(batch or rows, rows)


def test_incomplete_batches_can_be_left_out():
    found = plan(replace(recipe(), batch=16, drop_last=True), 97)
    assert (found.rows, found.steps_per_epoch) == (96, 6)


def test_a_training_in_minutes_is_no_plan():
    with pytest.raises(ValueError, match="30 minute"):
        plan(replace(recipe(), length=TimeLength(30, "minute")), 10)


def test_rates_are_those_of_the_last_step_of_each_epoch():
    the_recipe = recipe(epochs=3)
    planned = plan(the_recipe, 96)
    assert learning_rates(the_recipe, planned).tolist() == [0.1, 0.1, 0.1]
    (use,) = the_recipe.optimizers
    falling = replace(use, numbers={"lr": 1.0 - variable("step") / variable("total_steps")})
    rates = learning_rates(replace(the_recipe, optimizers=(replace(falling, rate=0.5),)), planned)
    np.testing.assert_allclose(rates, 0.5 * (1 - np.array([5, 11, 17]) / 18))


def test_histories_read_back_exactly():
    history = History(["epoch", "train_loss"])
    history.append({"epoch": 1, "train_loss": 0.1 + 0.2})
    history.append({"epoch": 2, "train_loss": 1e-300})
    assert history.to_csv() == "epoch,train_loss\n1,0.30000000000000004\n2,1e-300\n"
    assert History.from_array(history.columns, history.array()).rows == history.rows
    with pytest.raises(ValueError, match="does not fit"):
        History.from_array(["epoch"], history.array())


NUMBERS = Output("output", "price", TargetKind.NUMBERS, restore=lambda a: 10 * a + 100)


def test_numbers_are_judged_in_their_own_unit():
    arrays = {"price": np.array([[0.0], [1.0], [2.0]], np.float32)}
    predictions, actual = judged(NUMBERS, np.array([0.5, 1.0, 1.5], np.float32), arrays)
    assert predictions.tolist() == [[105.0], [110.0], [115.0]]
    assert actual.tolist() == [[100.0], [110.0], [120.0]]


@pytest.mark.parametrize(("metric", "baseline"), [("r2", 0.0), ("mae", 10.0)])
def test_the_verdict_on_numbers_has_the_mean_as_baseline(metric, baseline):
    train = {"price": np.array([[0.0], [2.0]], np.float32)}
    test = {"price": np.array([[0.0], [2.0]], np.float32)}
    scores = Scores(2, 0.1, {metric: 0.75}, {"output": np.array([[0.5], [1.5]], np.float32)})
    found = verdict(NUMBERS, metric, train, test, scores)
    assert (found.metric, found.value, found.baseline) == (metric, 0.75, baseline)
    assert found.confusion is None


def test_one_number_is_the_probability_of_the_second_class():
    output = Output("output", "t", TargetKind.CLASSES, ("no", "yes"))
    shares, _ = judged(output, np.array([[0.25], [1.0]]), {"t": np.array([0, 1])})
    assert shares.tolist() == [[0.75, 0.25], [0.0, 1.0]]


def test_figures_of_further_outputs_carry_their_names():
    outputs = (
        Output("main", "species", TargetKind.CLASSES),
        Output("side", "price", TargetKind.NUMBERS),
    )
    scorer = Scorer(SoftmaxRegression(), recipe(), outputs)
    assert scorer.names == ["accuracy", "side.r2"]
    assert scorer.higher_is_better("val_accuracy")
    assert scorer.higher_is_better("side.r2")
    assert not scorer.higher_is_better("val_loss")
