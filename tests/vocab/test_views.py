"""Roads seen from beside or turned: the distorted picture and steering against the road's own."""

from __future__ import annotations

import numpy as np
import pytest

from nndsl.vocab import distorting, roads
from nndsl.vocab.arguments import call
from nndsl.vocab.augmentation import Distortion
from nndsl.vocab.registry import words

COUNT, SIZE = 40, (60, 64)
RNG = np.random.default_rng(5)
LIGHT = np.full((COUNT, 13), 0.6)
ROAD = (
    RNG.uniform(-0.5, 0.5, COUNT),
    np.deg2rad(RNG.uniform(-3, 3, COUNT)),
    RNG.uniform(-0.02, 0.02, COUNT),
)
MOVED = {"shift_view": (0, 0.6), "rotate_view": (1, np.deg2rad(4.0))}
ARGUMENTS = {"shift_view": {"metres": 0.6}, "rotate_view": {"degrees": 4.0}}


def definition(name: str) -> tuple[Distortion, dict[str, object]]:
    bound = call(words("distortion")[name], **ARGUMENTS[name])
    assert isinstance(bound.word, Distortion)
    return bound.word, dict(bound.arguments)


def moved(name: str, share: np.ndarray) -> roads.Road:
    """The roads as they are for a car moved by this share of the most, from -1 to 1."""
    place, most = MOVED[name]
    parts = list(ROAD)
    parts[place] = parts[place] + share * most
    return parts[0], parts[1], parts[2]


@pytest.mark.parametrize(("name", "closer"), [("shift_view", 8.0), ("rotate_view", 3.0)])
def test_pictures_are_as_from_there(name: str, closer: float) -> None:
    word, arguments = definition(name)
    u = RNG.random((COUNT, 1))
    assert word.warp is not None
    before, there = (
        roads._light(LIGHT, road, SIZE) for road in (ROAD, moved(name, 2 * u[:, 0] - 1))
    )
    matrices = word.warp(u, arguments, SIZE)
    found = distorting.warp(before[:, None], matrices, None, SIZE, np.zeros(1), word.edge)[:, 0]
    inner = np.s_[:, 18:, 16:-16]
    error, difference = (np.abs(made - there)[inner].mean() for made in (found, before))
    assert error * closer < difference


@pytest.mark.parametrize(("name", "tolerance"), [("shift_view", 1e-9), ("rotate_view", 0.03)])
def test_steering_is_as_from_there(name: str, tolerance: float) -> None:
    word, arguments = definition(name)
    u = RNG.random((COUNT, 1))
    assert word.follow is not None
    steer = word.follow(roads.where_to(ROAD)[:, None], u, arguments)[:, 0]
    np.testing.assert_allclose(
        np.clip(steer, -1, 1), roads.where_to(moved(name, 2 * u[:, 0] - 1)), atol=tolerance
    )
