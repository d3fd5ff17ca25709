"""`data road = roads(2000)`: pictures of a road from a car, with where to steer.

A road of constant curvature on flat ground, seen in perspective by the camera of `driving`. The car
stands beside the middle and is turned a little; light, colours, markings, a shadow across the road
and the camera's noise differ from picture to picture.
"""

from __future__ import annotations

import math

import numpy as np

from nndsl.params import Int, Pair
from nndsl.random import stream_of, uniforms_of
from nndsl.vocab import driving
from nndsl.vocab.distorting import normals
from nndsl.vocab.kinds import Generator
from nndsl.vocab.registry import register

HALF_WIDTH = 1.8
"""Of the road, in metres."""
MOST_BESIDE = 1.0
"""How far the car may stand from the road's middle, in metres."""
MOST_TURNED = 6.0
"""How far the car may be turned from the road's direction, in degrees."""
MOST_CURVED = 0.03
"""The greatest curvature of the road: one over its radius in metres."""
_DRAWS = 16
_SEVERAL = 256  # pictures made together


def roads(count: int, size: tuple[int, int], seed: int) -> dict[str, np.ndarray]:
    """`image`, bytes [count, 1, height, width], and `steer`, float64 [count] from -1 to 1.

    A row depends on the seed and its number alone.
    """
    image = np.empty((count, 1, *size), np.uint8)
    steer = np.empty(count)
    for start in range(0, count, _SEVERAL):
        rows = np.arange(start, min(start + _SEVERAL, count))
        u = uniforms_of(seed, stream_of("roads"), 0, rows, _DRAWS)
        beside, turned, curved = ((2 * u[:, i] - 1) for i in range(3))
        road = beside * MOST_BESIDE, np.deg2rad(turned * MOST_TURNED), curved * MOST_CURVED
        noise = normals((0, seed, stream_of("roads.noise")), rows, size[0] * size[1])
        shown = _light(u[:, 3:], road, size) + 0.04 * noise.reshape(len(rows), *size)
        image[rows, 0] = np.round(255 * np.clip(shown, 0, 1))
        steer[rows] = where_to(road)
    return {"image": image, "steer": steer}


Road = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Metres that the car stands to the right of the middle, the angle in radians by which it is turned
to the right, and the road's curvature to the right: [n] each."""


def middle(road: Road, ahead: np.ndarray | float) -> np.ndarray:
    """Where the road's middle is, in metres to the right of the car, so far ahead."""
    beside, angle, curvature = road
    return np.asarray(-beside - np.tan(angle) * ahead + curvature * ahead * ahead / 2)


def where_to(road: Road) -> np.ndarray:
    """The steering that leads back to the road's middle."""
    goal = middle(road, driving.AHEAD)
    return np.asarray(np.clip(driving.steering(goal, driving.AHEAD, driving.SHARPEST), -1, 1))


def _light(u: np.ndarray, road: Road, size: tuple[int, int]) -> np.ndarray:
    """Brightness [n, height, width], where white is 1; `u` are uniform numbers [n, 9 or more]."""
    height, width = size
    focal = driving.focal_length(width, driving.VIEW)
    down = np.arange(height)[:, None] + 0.5 - driving.HORIZON * height
    right = np.arange(width) + 0.5 - width / 2
    ground = down > 0
    ahead = focal * driving.HEIGHT / np.where(ground, down, 1.0)
    column = tuple(part[:, None, None] for part in road)
    away = np.abs(right * ahead / focal - middle((column[0], column[1], column[2]), ahead))
    blur = ahead / focal  # a pixel's width on the ground
    inside = np.clip((HALF_WIDTH - away) / blur + 0.5, 0, 1)
    line = np.clip((0.1 - np.abs(away - HALF_WIDTH + 0.2)) / blur + 0.5, 0, 1)
    v = u[:, :, None, None]
    verge, asphalt, sky = 0.25 + 0.2 * v[:, 0], 0.55 + 0.25 * v[:, 1], 0.8 + 0.2 * v[:, 2]
    marked = np.where(v[:, 3] < 0.5, line * 0.25, 0.0)
    seen = verge + (asphalt - verge) * inside + marked
    first, deep, slant = 4 + 12 * v[:, 4], 1 + 4 * v[:, 5], 0.6 * (v[:, 6] - 0.5)
    along = ahead + slant * right * ahead / focal
    shaded = (np.abs(along - first) < deep) & (v[:, 7] < 0.4)
    seen = np.where(shaded, seen * (0.45 + 0.3 * v[:, 8]), seen)
    return np.asarray(np.where(ground, seen, sky))


register(
    Generator(
        "roads",
        {
            "count": Int(doc="how many pictures", ge=1, le=1_000_000),
            "size": Pair((30, 32), "height and width of a picture"),
            "seed": Int(0, "other roads for another number", ge=0),
        },
        "Pictures `image` of a road from a car, in grey, with the column `steer`: where to steer, "
        "from -1 (left) to 1 (right).",
        "after Pomerleau 1989, ALVINN: an autonomous land vehicle in a neural network",
        make=lambda arguments: roads(**arguments),
        size=lambda arguments: arguments["count"] * math.prod(arguments["size"]),
        target="steer",
    ),
    "data d = roads(200)",
)
