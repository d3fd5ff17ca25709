"""`data cells = shapes(300)`: pictures of discs and boxes under noise, with what each pixel is."""

from __future__ import annotations

import math

import numpy as np

from nndsl.params import Int, Pair, Real
from nndsl.random import stream_of, uniforms_of
from nndsl.vocab.distorting import normals
from nndsl.vocab.kinds import Generator
from nndsl.vocab.registry import register

MOST_SHAPES = 3
"""Shapes in one picture; there is at least one."""
SMALLEST, LARGEST = 0.12, 0.28
"""Half the extent of a shape, as a share of the picture's shorter side."""
_DRAWS_OF_SHAPE = 6
_SEVERAL = 256  # pictures made together


def shapes(
    count: int, size: tuple[int, int], kinds: int, noise: float, seed: int
) -> dict[str, np.ndarray]:
    """`image` and `mask`, bytes [count, 1, height, width] each.

    The mask is 1 in a disc, 2 in a box (of two kinds), else 0. A row depends on the seed and its
    number alone.
    """
    image = np.empty((count, 1, *size), np.uint8)
    mask = np.empty((count, 1, *size), np.uint8)
    for start in range(0, count, _SEVERAL):
        rows = np.arange(start, min(start + _SEVERAL, count))
        draws = 4 + MOST_SHAPES * _DRAWS_OF_SHAPE
        u = uniforms_of(seed, stream_of("shapes"), 0, rows, draws)
        found, light = _drawn(u, size, kinds)
        strength = noise * normals((0, seed, stream_of("shapes.noise")), rows, math.prod(size))
        shown = light + strength.reshape(len(rows), *size)
        image[rows, 0] = np.round(255 * np.clip(shown, 0, 1))
        mask[rows, 0] = found
    return {"image": image, "mask": mask}


def _drawn(u: np.ndarray, size: tuple[int, int], kinds: int) -> tuple[np.ndarray, np.ndarray]:
    """The mask and the brightness, [n, height, width] each, of uniform numbers [n, draws]."""
    down, right = np.meshgrid(*((np.arange(s) + 0.5) / min(size) for s in size), indexing="ij")
    extent = np.array(size) / min(size)
    v = u[:, :, None, None]
    angle = 2 * np.pi * v[:, 1]
    ground = 0.25 + 0.2 * v[:, 0] + 0.1 * (np.cos(angle) * (down - 0.5) + np.sin(angle) * right)
    many = 1 + (u[:, 2] * MOST_SHAPES).astype(np.int64)[:, None, None]
    mask, light = np.zeros(ground.shape, np.uint8), ground
    for number in range(MOST_SHAPES):
        w = v[:, 4 + number * _DRAWS_OF_SHAPE :]
        away = down - extent[0] * w[:, 0], right - extent[1] * w[:, 1]
        half = [SMALLEST + (LARGEST - SMALLEST) * w[:, place] for place in (2, 3)]
        boxes = w[:, 4] < 0.5 if kinds == 2 else np.zeros((len(u), 1, 1), bool)
        in_box = (np.abs(away[0]) < half[0]) & (np.abs(away[1]) < half[1])
        inside = np.where(boxes, in_box, np.hypot(*away) < half[0]) & (number < many)
        mask = np.where(inside, np.where(boxes, 2, 1), mask)
        light = np.where(inside, ground + 0.25 + 0.15 * w[:, 5], light)
    return mask, light


register(
    Generator(
        "shapes",
        {
            "count": Int(doc="how many pictures", ge=1, le=1_000_000),
            "size": Pair((32, 32), "height and width of a picture"),
            "kinds": Int(1, "1: discs; 2: discs and boxes", ge=1, le=2),
            "noise": Real(0.1, "standard deviation of the noise, where white is 1", ge=0),
            "seed": Int(0, "other shapes for another number", ge=0),
        },
        "Pictures `image` of a few shapes under noise, in grey, with the pictures `mask`: for each "
        "pixel 0 (the ground), 1 (a disc) or 2 (a box).",
        make=lambda arguments: shapes(**arguments),
        size=lambda arguments: 2 * arguments["count"] * math.prod(arguments["size"]),
        target="mask",
    ),
    "data d = shapes(200)",
)
