"""Distortions of a road seen from a car: `augment = copies(15, shift_view(0.6) -> rotate_view(6))`.

A driver who never leaves the middle of the road never shows how to come back to it. So each picture
is also shown as it would look from beside, or turned, with the steering that leads back.
"""

from __future__ import annotations

import numpy as np

from nndsl.params import Real
from nndsl.vocab import driving
from nndsl.vocab.augmentation import Arguments, Size, around_zero, distortion, matrices

_STEERING = {
    "ahead": Real(driving.AHEAD, "how far away the point is that is steered at, in metres", gt=0),
    "sharpest": Real(driving.SHARPEST, "the curvature of steering 1: one over metres", gt=0),
}


def _shift_view(u: np.ndarray, arguments: Arguments, size: Size) -> np.ndarray:
    lean = around_zero(u[:, 0], arguments["metres"]) / arguments["height"]
    linear = np.tile(np.eye(2), (len(u), 1, 1))
    linear[:, 1, 0] = lean
    offset = np.zeros((len(u), 2))
    offset[:, 1] = lean * size[0] * (0.5 - arguments["horizon"])
    return matrices(len(u), linear, offset)


distortion(
    "shift_view",
    "The road as seen from up to so many metres further left or right. A target that says where to "
    "steer, from -1 (left) to 1 (right), follows: the arc leads to the same point of the road.",
    "Pomerleau 1991, Efficient training of artificial neural networks for autonomous navigation",
    draws=1,
    warp=_shift_view,
    edge=True,
    follow=lambda target, u, a: driving.seen_from_beside(
        target, around_zero(u, a["metres"]), a["ahead"], a["sharpest"]
    ),
    parameters={
        "metres": Real(doc="the greatest distance either way", ge=0),
        "height": Real(driving.HEIGHT, "of the camera above the road, in metres", gt=0),
        "horizon": Real(driving.HORIZON, "the share of the picture above the horizon", ge=0, lt=1),
        **_STEERING,
    },
    example="shift_view(0.6)",
)


def _rotate_view(u: np.ndarray, arguments: Arguments, size: Size) -> np.ndarray:
    angle = np.deg2rad(around_zero(u[:, 0], arguments["degrees"]))
    offset = np.zeros((len(u), 2))
    offset[:, 1] = driving.focal_length(size[1], arguments["view"]) * np.tan(angle)
    return matrices(len(u), offset=offset)


distortion(
    "rotate_view",
    "The road as seen by a car turned by up to so many degrees to the left or right: the picture "
    "moves sideways, which is exact in its middle column. A target that says where to steer, from "
    "-1 (left) to 1 (right), follows.",
    "Pomerleau 1991, Efficient training of artificial neural networks for autonomous navigation",
    draws=1,
    warp=_rotate_view,
    edge=True,
    follow=lambda target, u, a: driving.seen_turned(
        target, around_zero(u, a["degrees"]), a["ahead"], a["sharpest"]
    ),
    parameters={
        "degrees": Real(doc="the greatest angle", ge=0, lt=45),
        "view": Real(driving.VIEW, "degrees from the left to the right edge", gt=0, lt=180),
        **_STEERING,
    },
    example="rotate_view(6)",
)
