"""What a car's camera sees of a flat road, and where to steer: the geometry behind ALVINN.

Places on the ground are metres to the right of the car and metres ahead of it. A picture has square
pixels; its columns are counted from the middle to the right, its rows from the horizon downwards.
Steering is a number from -1 (left) to 1 (right), the curvature of the car's path in parts of the
sharpest one. The driver looks at a point of the road's middle and takes the arc that leads there.
"""

from __future__ import annotations

import math

import numpy as np

HEIGHT = 2.5
"""The camera above the ground, in metres."""
HORIZON = 0.25
"""The share of the picture that is above the horizon."""
VIEW = 50.0
"""From the left to the right edge of the picture, in degrees."""
AHEAD = 12.0
"""How far away the point is that is steered at, in metres."""
SHARPEST = 0.05
"""The curvature of full steering: one over its radius in metres."""


def focal_length(width: int, view: float) -> float:
    """In pixels, of pictures `width` pixels wide that show `view` degrees."""
    return width / 2 / math.tan(math.radians(view) / 2)


def steering(right: np.ndarray, ahead: np.ndarray | float, sharpest: float) -> np.ndarray:
    """The steering that leads the car to these places by an arc (pure pursuit)."""
    return np.asarray(2 * right / (right * right + ahead * ahead) / sharpest)


def steered_at(steer: np.ndarray, ahead: float, sharpest: float) -> np.ndarray:
    """How far to the right a car steered so is when it has come `ahead` metres forward.

    Arcs that turn round before that count as quarter circles.
    """
    bend = np.clip(steer * sharpest * ahead, -1, 1)
    return np.asarray(ahead * bend / (1 + np.sqrt(1 - bend * bend)))


def seen_from_beside(
    steer: np.ndarray, metres: np.ndarray, ahead: float, sharpest: float
) -> np.ndarray:
    """What the steering becomes for a car that stands so many metres further to the right."""
    return steering(steered_at(steer, ahead, sharpest) - metres, ahead, sharpest)


def seen_turned(
    steer: np.ndarray, degrees: np.ndarray, ahead: float, sharpest: float
) -> np.ndarray:
    """What the steering becomes for a car that is turned to the right by so many degrees."""
    right = steered_at(steer, ahead, sharpest)
    sine, cosine = np.sin(np.deg2rad(degrees)), np.cos(np.deg2rad(degrees))
    return steering(right * cosine - ahead * sine, right * sine + ahead * cosine, sharpest)
