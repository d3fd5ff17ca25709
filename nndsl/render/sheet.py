"""A sheet of small pictures side by side, as one PNG."""

from __future__ import annotations

import math

import numpy as np

from nndsl.render.png import png

GAP = 2
LEAST_SIDE = 48
"""Pixels that a picture is wide at least: smaller ones are drawn with larger squares."""


def sheet(images: np.ndarray) -> bytes:
    """Pictures [n, height, width] or [n, height, width, 3] of numbers from 0 to 1, as a PNG."""
    colours = images if images.ndim == 4 else np.repeat(images[..., None], 3, axis=-1)
    times = max(1, math.ceil(LEAST_SIDE / max(colours.shape[1:3])))
    large = np.repeat(np.repeat(np.clip(colours, 0.0, 1.0), times, axis=1), times, axis=2)
    count, height, width, _ = large.shape
    columns = math.ceil(math.sqrt(count))
    lines = math.ceil(count / columns)
    page = np.ones((lines * (height + GAP) - GAP, columns * (width + GAP) - GAP, 3))
    for number, image in enumerate(large):
        line, column = divmod(number, columns)
        top, left = line * (height + GAP), column * (width + GAP)
        page[top : top + height, left : left + width] = image
    return png(np.rint(255 * page).astype(np.uint8))
