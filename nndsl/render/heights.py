"""A function of two numbers as a picture: squares coloured by height, with a scale of its range."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nndsl.render.diagram import escape

STOPS = ((68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37))
"""Low to high: dark violet to yellow, readable without colour too."""

SIDE = 420
LEFT, TOP, RIGHT, BOTTOM = 64, 40, 96, 56


def colour(height: float) -> str:
    """The colour of a height between 0 and 1."""
    place = min(max(height, 0.0), 1.0) * (len(STOPS) - 1)
    first = min(int(place), len(STOPS) - 2)
    share = place - first
    mixed = (a + (b - a) * share for a, b in zip(STOPS[first], STOPS[first + 1], strict=True))
    return "#" + "".join(f"{round(part):02x}" for part in mixed)


def heights_svg(
    title: str,
    names: tuple[str, str],
    values: np.ndarray,
    heights: np.ndarray,
    point: tuple[float, float],
) -> str:
    """SVG of `heights[i, j]` at (values[i], values[j]), the first number to the right.

    A ring marks `point`. The text is escaped; nothing in it can become markup.
    """
    low, high = float(heights.min()), float(heights.max())
    span = (high - low) or 1.0
    cell = SIDE / len(values)
    parts = [_text(LEFT, TOP - 16, title, "start", 14)]
    for (i, j), height in np.ndenumerate(heights):
        x, y = LEFT + i * cell, TOP + SIDE - (j + 1) * cell
        fill = colour((float(height) - low) / span)
        size = f'width="{cell + 0.4:.2f}" height="{cell + 0.4:.2f}"'
        parts.append(
            f'<rect x="{x:.2f}" y="{y:.2f}" {size} fill="{fill}" shape-rendering="crispEdges"/>'
        )
    parts += _axes(names, values)
    parts += _scale(low, high)
    parts += _ring(values, point)
    width, height_ = LEFT + SIDE + RIGHT, TOP + SIDE + BOTTOM
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height_}" '
    head += f'width="{width}" height="{height_}" font-family="Helvetica, Arial, sans-serif">'
    return "\n".join([head, '<rect width="100%" height="100%" fill="white"/>', *parts, "</svg>\n"])


def _text(x: float, y: float, words: str, anchor: str, size: int = 11) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}"'
    return f'<text {place} fill="#1f2933">{escape(words)}</text>'


def _axes(names: tuple[str, str], values: np.ndarray) -> list[str]:
    low, high = f"{values[0]:g}", f"{values[-1]:g}"
    bottom, middle = TOP + SIDE + 18, TOP + SIDE / 2
    upright = f'<g transform="rotate(-90 {LEFT - 36} {middle})">'
    return [
        _text(LEFT, bottom, low, "middle"),
        _text(LEFT + SIDE, bottom, high, "middle"),
        _text(LEFT + SIDE / 2, bottom + 18, names[0], "middle", 12),
        _text(LEFT - 8, TOP + SIDE, low, "end"),
        _text(LEFT - 8, TOP + 8, high, "end"),
        f"{upright}{_text(LEFT - 36, middle, names[1], 'middle', 12)}</g>",
    ]


def _scale(low: float, high: float) -> list[str]:
    x, steps = LEFT + SIDE + 20, 60
    bars = []
    for step in range(steps):
        y = TOP + SIDE * (1 - (step + 1) / steps)
        size = f'width="14" height="{SIDE / steps + 0.4:.2f}"'
        bars.append(f'<rect x="{x}" y="{y:.2f}" {size} fill="{colour(step / (steps - 1))}"/>')
    ends = ((TOP + 8, high), (TOP + SIDE, low))
    return bars + [_text(x + 20, y, f"{value:.3g}", "start") for y, value in ends]


def _ring(values: np.ndarray, point: Sequence[float]) -> list[str]:
    """The point, where it lies inside."""
    low, high = float(values[0]), float(values[-1])
    if not all(low <= number <= high for number in point):
        return []
    x, y = (SIDE * (number - low) / (high - low) for number in point)
    ring = f'<circle cx="{LEFT + x:.1f}" cy="{TOP + SIDE - y:.1f}" r="6" fill="none"'
    return [f'{ring} stroke="white" stroke-width="2.5"/>']
