"""Targets that are pictures are moved as the pictures beside them, and otherwise left alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nndsl.data.images.distorter import Beside, Distorter
from nndsl.runtime.pictures import picture_kernels
from nndsl.vocab import distorting
from nndsl.vocab.registry import words
from tests.data.images.test_distorter import ELEMENTS, NAMES, levels, pictures, word

CLASSES = Beside(np.zeros(1), True)
MOVING = [n for n in NAMES if getattr(words("distortion")[n], "warp", None)
          or getattr(words("distortion")[n], "bend", None)]  # fmt: skip


def masks(height: int = 9, width: int = 11) -> np.ndarray:
    """A class of four for each pixel: int32 [n, 1, height, width]."""
    rng = np.random.default_rng(3)
    return rng.integers(0, 4, (len(ELEMENTS), 1, height, width)).astype(np.int32)


def moved(x: np.ndarray, beside: Beside | None, *names: str, with_: Any = distorting) -> np.ndarray:
    channels = x.shape[1] if beside is None else 3
    chain = [word(name) for name in names]
    distorter = Distorter(chain, (channels, *x.shape[2:]), levels(channels), 1, with_)
    x = distorter.before_mixing(x, ELEMENTS, 2, beside)
    return distorter.after_mixing(x, ELEMENTS, 2, beside)


@pytest.mark.parametrize("name", MOVING)
def test_classes_stay_classes_and_move_alike(name: str) -> None:
    mask = masks()
    found = moved(mask, CLASSES, name)
    assert found.dtype == np.int32 and set(np.unique(found)) <= {0, 1, 2, 3}
    numbers = moved(mask.astype(np.float64), Beside(np.zeros(1), False), name)
    assert found.shape == numbers.shape
    np.testing.assert_array_equal(found[numbers == 0], 0)  # all four neighbours are of class 0
    sure = np.abs(numbers - found) < 1e-9
    assert sure.mean() > 0.0


@pytest.mark.parametrize("name", MOVING)
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_kernels_agree_with_their_meaning(name: str, precision: str) -> None:
    kernels = picture_kernels(precision)
    found, wanted = (moved(masks(), CLASSES, name, with_=w) for w in (kernels, distorting))
    ties = (found != wanted).mean()  # rounding may decide where two pixels are equally near
    assert ties < (0.01 if precision == "float32" else 1e-9)


def test_numbers_move_as_the_picture_does() -> None:
    x = pictures(1)
    beside = Beside(levels(1).black, False)
    names = ("rotate", "random_flip", "elastic")
    distorter = Distorter([word(n) for n in names], x.shape[1:], levels(1), 1, distorting)
    picture = distorter.before_mixing(x, ELEMENTS, 2)
    np.testing.assert_array_equal(distorter.before_mixing(x, ELEMENTS, 2, beside), picture)


def test_colours_noise_and_boxes_are_not_for_targets() -> None:
    mask = masks()
    for name in ("colour", "pixel_noise", "erase"):
        np.testing.assert_array_equal(moved(mask, CLASSES, name), mask)
    found = moved(mask, CLASSES, "colour", "random_flip", "pixel_noise")
    flipped = (found == mask[..., ::-1]).all(axis=(1, 2, 3))
    assert np.all(flipped | (found == mask).all(axis=(1, 2, 3))) and flipped.any()
