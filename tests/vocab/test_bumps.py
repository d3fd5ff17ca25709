"""`bump`: a number as the heights of a row of units, and back."""

from __future__ import annotations

import numpy as np
import pytest

from nndsl.schema import FittedStep
from nndsl.vocab.preprocessing import numbers_of
from tests.vocab.test_preprocessing import Fitted

TRAIN = np.linspace(-1, 1, 9)


def test_heights_are_those_of_pomerleau() -> None:
    heights = Fitted("bump", TRAIN, count=31, width=10).apply(np.array([-1.0, 0.0, 0.5]))
    unit = np.arange(31)
    for row, place in zip(heights, (0, 15, 22.5), strict=True):
        np.testing.assert_allclose(row, np.exp(-((unit - place) ** 2) / 10), rtol=1e-12)


def test_numbers_beyond_the_training_part_stand_at_its_ends() -> None:
    step = Fitted("bump", TRAIN, count=10)
    np.testing.assert_array_equal(step.apply(np.array([-7.0, 7.0])), step.apply(TRAIN[[0, -1]]))


@pytest.mark.parametrize("width", [0.5, 2.0, 10.0, 60.0])
def test_the_middle_is_found_whatever_the_height_and_with_noise(width: float) -> None:
    rng = np.random.default_rng(1)
    step = Fitted("bump", TRAIN, count=30, width=width)
    values = rng.uniform(-0.9, 0.9, 200)
    clean = step.apply(values)
    np.testing.assert_allclose(step.invert(0.3 * clean)[:, 0], values, atol=1e-10)
    noisy = step.invert(clean + rng.normal(0, 0.02, clean.shape))[:, 0]
    assert np.abs(noisy - values).mean() < 0.02


def test_rows_without_a_number_stay_without() -> None:
    step = Fitted("bump", TRAIN, count=8)
    heights = step.apply(np.array([0.0, np.nan]))
    assert np.isnan(step.invert(heights)).tolist() == [[False], [True]]
    assert step.invert(np.zeros((0, 8))).shape == (0, 1)
    assert np.isfinite(step.invert(np.zeros((2, 8)))).all()


def test_many_rows_are_turned_back_as_few_are() -> None:
    step = Fitted("bump", TRAIN, count=6, width=3)
    values = np.random.default_rng(2).uniform(-1, 1, 9000)
    together = step.invert(step.apply(values))
    np.testing.assert_array_equal(together[5000:5010], step.invert(step.apply(values[5000:5010])))
    np.testing.assert_allclose(together[:, 0], values, atol=1e-10)


def test_how_many_numbers_steps_make() -> None:
    assert numbers_of([FittedStep("standardize")]) == 1
    assert numbers_of([FittedStep("minmax"), FittedStep("bump", {"count": 30})]) == 30
