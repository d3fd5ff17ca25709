"""Titles of frames that no arrow crosses: where they stand is decided by a first drawing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from nndsl.render.layout import draw

MARGIN, LETTER = 8.0, 4.8
"""Points between a frame and its title, and of a letter, about. (What Graphviz calls the width of
a title has room beside the text.)"""

STEPS = 48
"""Points looked at on each piece of an arrow."""

Rectangle = tuple[float, float, float, float]


def clear_sides(source: str, letters: Mapping[str, int]) -> dict[str, str]:
    """The sides to which titles move so that no arrow crosses them: "r", "c" or "b" by frame.

    `source` is the drawing with all titles at the left; `letters` are those of each frame's
    title. A title that is crossed everywhere goes to the bottom. Errors: NN006.
    """
    drawn = json.loads(draw(source, "json"))
    points = [point for edge in drawn.get("edges", ()) for point in _points(edge)]
    found = {}
    for frame in drawn.get("objects", ()):
        count = letters.get(frame.get("name", ""))
        if not count or "lp" not in frame:
            continue
        places = _places(frame, LETTER * count)
        clear = [side for side, place in places.items() if not any(_in(place, p) for p in points)]
        if "l" not in clear:
            found[frame["name"]] = clear[0] if clear else "b"
    return found


def _points(edge: Mapping[str, Any]) -> Iterator[tuple[float, float]]:
    """Points along an arrow, those between ends of its cubic pieces included."""
    for line in edge.get("pos", "").split(";"):
        numbers = [_pair(text) for text in line.split() if text[:2] not in ("e,", "s,")]
        tips = [_pair(text[2:]) for text in line.split() if text[:2] in ("e,", "s,")]
        for start in range(0, len(numbers) - 3, 3):
            yield from (_cubic(numbers[start : start + 4], k / STEPS) for k in range(STEPS + 1))
        for (x, y), (u, v) in pairwise([*numbers[-1:], *tips[:1]]):
            yield from ((x + (u - x) * k / STEPS, y + (v - y) * k / STEPS) for k in range(STEPS))


def _pair(text: str) -> tuple[float, float]:
    x, y = text.split(",")
    return float(x), float(y)


def _cubic(ends: list[tuple[float, float]], t: float) -> tuple[float, float]:
    """A point of a Bezier curve of degree 3."""
    shares = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
    x = sum(share * x for share, (x, _) in zip(shares, ends, strict=True))
    return x, sum(share * y for share, (_, y) in zip(shares, ends, strict=True))


def _places(frame: Mapping[str, Any], text: float) -> dict[str, Rectangle]:
    """Where a text so many points wide can stand: at the left, at the right, in the middle."""
    left, _, right, _ = map(float, frame["bb"].split(","))
    _, middle = _pair(frame["lp"])
    height = 72 * float(frame["lheight"])
    low, high = middle - height / 2, middle + height / 2
    centre = (left + right) / 2
    return {
        "l": (left + MARGIN, low, left + MARGIN + text, high),
        "r": (right - MARGIN - text, low, right - MARGIN, high),
        "c": (centre - text / 2, low, centre + text / 2, high),
    }


def _in(place: Rectangle, point: tuple[float, float]) -> bool:
    left, low, right, high = place
    return left - 1 < point[0] < right + 1 and low < point[1] < high
