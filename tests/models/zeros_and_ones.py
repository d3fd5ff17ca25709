"""Writes models/zeros_ones.csv: small drawings of zeros and ones, by the formulas below.

    python -m tests.models.zeros_and_ones

A zero is a ring, a one a slanted stroke, both moved about; one pixel in twenty is turned over.
"""

from __future__ import annotations

import numpy as np

from nndsl.random import Stream
from tests.models.running import MODELS

FILE = MODELS / "zeros_ones.csv"
SIZE, ROWS, NOISE = 8, 120, 0.05


def drawing(digit: int, draws: np.ndarray) -> np.ndarray:
    """One image [8, 8] of 0 and 1; the first four numbers of `draws`, in [0, 1), shape it."""
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(np.float64)
    across, down, width, slant = draws[:4]
    x, y = x - 3.5 - 1.5 * (across - 0.5), y - 3.5 - (down - 0.5)
    if digit == 0:
        distance = np.hypot(x / (2.0 + 0.6 * width), y / (2.8 + 0.5 * slant))
        ink = np.abs(distance - 1) < 0.3
    else:
        ink = (np.abs(x + 0.5 * (slant - 0.3) * y) < 0.7 + 0.4 * width) & (np.abs(y) < 3.2)
    turned = draws[4:].reshape(SIZE, SIZE) < NOISE
    return np.asarray(ink ^ turned, dtype=np.int64)


def text() -> str:
    """The whole file: the digit, then the pixels row by row."""
    draws = Stream(seed=5, stream=1).uniform(ROWS * (4 + SIZE * SIZE)).reshape(ROWS, -1)
    names = [f"y{i}x{j}" for i in range(1, SIZE + 1) for j in range(1, SIZE + 1)]
    lines = [",".join(["digit", *names])]
    for row in range(ROWS):
        pixels = drawing(row % 2, draws[row]).reshape(-1)
        lines.append(",".join(map(str, [row % 2, *pixels.tolist()])))
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
