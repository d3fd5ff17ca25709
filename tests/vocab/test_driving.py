"""Where to steer from another place: arcs that lead to the same point."""

from __future__ import annotations

import numpy as np

from nndsl.vocab.driving import seen_from_beside, seen_turned, steered_at, steering

STEER = np.linspace(-1, 1, 21)
AHEAD, SHARPEST = 12.0, 0.05


def test_steering_and_the_place_it_leads_to_are_inverse() -> None:
    np.testing.assert_allclose(
        steering(steered_at(STEER, AHEAD, SHARPEST), AHEAD, SHARPEST), STEER, atol=1e-12
    )


def test_a_car_further_right_or_turned_right_steers_more_to_the_left() -> None:
    ones = np.ones_like(STEER)
    assert (seen_from_beside(STEER, 0.5 * ones, AHEAD, SHARPEST) < STEER).all()
    assert (seen_turned(STEER, 5 * ones, AHEAD, SHARPEST) < STEER).all()
    for seen in (seen_from_beside, seen_turned):
        np.testing.assert_allclose(seen(STEER, 0 * ones, AHEAD, SHARPEST), STEER, atol=1e-12)


def test_both_sides_are_alike() -> None:
    ones = np.ones_like(STEER)
    for seen in (seen_from_beside, seen_turned):
        np.testing.assert_allclose(
            seen(-STEER, -3 * ones, AHEAD, SHARPEST), -seen(STEER, 3 * ones, AHEAD, SHARPEST)
        )


def test_a_turned_car_still_reaches_the_point() -> None:
    angle = np.deg2rad(4.0)
    right = steered_at(STEER, AHEAD, SHARPEST)
    there = right * np.cos(angle) - AHEAD * np.sin(angle)
    forward = right * np.sin(angle) + AHEAD * np.cos(angle)
    steer = seen_turned(STEER, np.full(21, 4.0), AHEAD, SHARPEST)
    radius = 1 / (steer * SHARPEST)
    np.testing.assert_allclose((there - radius) ** 2 + forward**2, radius**2, rtol=1e-9)
