"""The road generator: pictures and steering agree with the camera's geometry."""

from __future__ import annotations

import numpy as np
import pytest

from nndsl.vocab import driving
from nndsl.vocab.roads import Road, middle, roads, where_to

SIZE = (30, 32)


def road(beside: float, degrees: float, curvature: float) -> Road:
    return np.array([beside]), np.deg2rad([degrees]), np.array([curvature])


def test_rows_depend_on_the_seed_and_their_number_alone() -> None:
    many, few = roads(600, SIZE, 3), roads(40, SIZE, 3)
    for name, array in few.items():
        np.testing.assert_array_equal(many[name][:40], array)
    assert not np.array_equal(roads(40, SIZE, 4)["image"], few["image"])
    assert few["image"].shape == (40, 1, 30, 32) and few["image"].dtype == np.uint8


def test_steering_fills_its_range_and_leans_to_no_side() -> None:
    steer = roads(2000, (2, 2), 0)["steer"]
    assert abs(steer.mean()) < 0.05
    assert 0.35 < steer.std() < 0.5
    assert 0.95 < np.abs(steer).max() <= 1


@pytest.mark.parametrize(
    ("place", "side"),
    [((0, 0, 0), 0), ((1, 0, 0), -1), ((0, 5, 0), -1), ((0, 0, 0.02), 1), ((-1, -5, 0), 1)],
)
def test_one_steers_back_to_the_middle(place: tuple[float, float, float], side: int) -> None:
    (steer,) = where_to(road(*place))
    assert np.sign(np.round(steer, 9)) == side


def test_the_arc_leads_to_the_point_that_is_steered_at() -> None:
    given = road(0.7, -4, 0.01)
    steer = where_to(given)
    reached = driving.steered_at(steer, driving.AHEAD, driving.SHARPEST)
    np.testing.assert_allclose(reached, middle(given, driving.AHEAD))


def test_the_road_is_where_the_middle_is() -> None:
    made = roads(300, (60, 64), 1)
    bright = made["image"][:, 0, 40:].astype(np.float64)
    column = np.arange(64) - 31.5
    weight = bright - np.quantile(bright, 0.3, axis=(1, 2), keepdims=True)
    centre = (np.maximum(weight, 0) * column).sum((1, 2)) / np.maximum(weight, 0).sum((1, 2))
    assert np.corrcoef(centre, made["steer"])[0, 1] > 0.5
