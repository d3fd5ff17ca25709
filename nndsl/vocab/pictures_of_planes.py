"""Pictures over a plane of two columns: where the answer of a network changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from nndsl.params import Int
from nndsl.vocab.figures import Figure, Line, Lines
from nndsl.vocab.pictures import MOST_POINTS, Plane, Run, picture

LINE = "decision boundary"


def _boundary(run: Run, arguments: Mapping[str, Any]) -> list[Figure]:
    plane = run.plane(arguments["steps"])
    if plane is None:
        return []
    judged = plane.judged
    lines = []
    for number, name in enumerate(judged.classes):
        here = plane.points[judged.actual == number][:MOST_POINTS]
        lines.append(Line(name, here[:, 0].tolist(), here[:, 1].tolist(), dots=True))
    x, y = boundary(plane)
    lines.append(Line(LINE, x, y))
    rows, right = len(judged.actual), int((judged.said == judged.actual).sum())
    told = f"{rows} {judged.part} rows by {judged.title}: {right} lie where the network says so"
    first, second = plane.columns
    title = f"{judged.title}: {LINE}"
    return [Lines(title, told, tuple(lines), first, second, square=True)]


def boundary(plane: Plane) -> tuple[list[float], list[float]]:
    """The lines where the most likely class changes; pieces are parted by NaN."""
    x: list[float] = []
    y: list[float] = []
    shares = plane.shares
    for number in range(max(shares.shape[2] - 1, 1)):
        others = np.delete(shares, number, axis=2).max(axis=2)
        for (x1, y1), (x2, y2) in contour(plane.x, plane.y, shares[:, :, number] - others):
            x += [x1, x2, np.nan]
            y += [y1, y2, np.nan]
    return x, y


Point = tuple[float, float]


def contour(x: np.ndarray, y: np.ndarray, heights: np.ndarray) -> Iterator[tuple[Point, Point]]:
    """Straight pieces of the line where heights [y, x] over a grid are 0 (marching squares)."""
    above = heights > 0
    corners = above[:-1, :-1].astype(int) + above[:-1, 1:] + above[1:, :-1] + above[1:, 1:]
    for row, column in np.argwhere((corners > 0) & (corners < 4)).tolist():
        ring = [(row, column), (row, column + 1), (row + 1, column + 1), (row + 1, column)]
        crossed = [
            _between(x, y, heights, a, b)
            for a, b in zip(ring, [*ring[1:], ring[0]], strict=True)
            if above[a] != above[b]
        ]
        yield from zip(crossed[::2], crossed[1::2], strict=True)


def _between(
    x: np.ndarray, y: np.ndarray, heights: np.ndarray, a: tuple[int, int], b: tuple[int, int]
) -> Point:
    """Where a side of a square is crossed."""
    share = heights[a] / (heights[a] - heights[b])
    across = x[a[1]] + share * (x[b[1]] - x[a[1]])
    up = y[a[0]] + share * (y[b[0]] - y[a[0]])
    return float(across), float(up)


picture(
    "boundary",
    _boundary,
    "Of a network on two columns of numbers: the rows by class, and the line where its answer "
    "changes.",
    standard=True,
    needs_rows=True,
    section="answers",
    steps=Int(100, "points of the grid along each side", ge=2, le=1000),
)
