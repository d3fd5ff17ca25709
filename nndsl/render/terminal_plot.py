"""Lines in a terminal: eight Braille dots to a character, numbers at the edges."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

from nndsl.render.plots import Series

COLUMNS, ROWS = 60, 14
DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""The bit of each dot of a Braille character, by row and column."""
EMPTY = 0x2800
ROOM = 0.04


def terminal_plot(series: Sequence[Series], x_label: str = "") -> str:
    """The lines as text, `COLUMNS` by `ROWS` characters beside the numbers of the edges.

    A dashed line has dots only. Numbers that are not finite are left out.
    """
    points = [(x, y) for one in series for x, y in zip(one.x, one.y, strict=True)]
    points = [(x, y) for x, y in points if math.isfinite(x) and math.isfinite(y)]
    if not points:
        return ""
    x_low, x_high = _range([x for x, _ in points], 0.0)
    y_low, y_high = _range([y for _, y in points], ROOM)
    canvas = _Canvas((x_low, x_high), (y_low, y_high))
    for one in series:
        canvas.draw(one)
    left = [_number(y_high), *[""] * (ROWS - 2), _number(y_low)]
    zero = canvas.row_of(0.0)
    if 0 < zero < ROWS - 1:
        left[zero] = "0"
    width = max(map(len, left))
    lines = [
        f"{label:>{width}} ┤{row}".rstrip() for label, row in zip(left, canvas.rows(), strict=True)
    ]
    low, high = _number(x_low), _number(x_high)
    middle = x_label.center(COLUMNS - len(low) - len(high))
    lines.append(" " * (width + 2) + f"{low}{middle}{high}")
    if len(series) > 1:
        marks = (f"{'⠒⠒' if not one.dashed else '⠂⠂'} {one.name}" for one in series)
        lines.append(" " * (width + 2) + "   ".join(marks))
    return "\n".join(lines)


def _range(values: Sequence[float], room: float) -> tuple[float, float]:
    low, high = min(values), max(values)
    if low == high:
        return low - 1.0, high + 1.0
    spread = room * (high - low)
    return low - spread, high + spread


def _number(value: float) -> str:
    return f"{value:.2g}".replace("-", "−")


class _Canvas:
    """A grid of dots."""

    def __init__(self, x_range: tuple[float, float], y_range: tuple[float, float]) -> None:
        self.x_range, self.y_range = x_range, y_range
        self.cells = [[0] * COLUMNS for _ in range(ROWS)]

    def draw(self, one: Series) -> None:
        """Join neighbouring points; every third dot of a dashed line."""
        places = [self._place(x, y) for x, y in zip(one.x, one.y, strict=True)]
        count = 0
        for first, second in pairwise(places):
            if first is None or second is None:
                continue
            for column, row in _between(first, second):
                count += 1
                if not one.dashed or count % 4 == 0:
                    self.cells[row // 4][column // 2] |= DOTS[row % 4][column % 2]

    def _place(self, x: float, y: float) -> tuple[int, int] | None:
        if not (math.isfinite(x) and math.isfinite(y)):
            return None
        across = (x - self.x_range[0]) / (self.x_range[1] - self.x_range[0])
        up = (y - self.y_range[0]) / (self.y_range[1] - self.y_range[0])
        column = min(int(across * COLUMNS * 2), COLUMNS * 2 - 1)
        return column, min(int((1.0 - up) * ROWS * 4), ROWS * 4 - 1)

    def row_of(self, y: float) -> int:
        """The row of characters at a height; -1 outside."""
        place = self._place(self.x_range[0], y)
        inside = self.y_range[0] <= y <= self.y_range[1]
        return place[1] // 4 if place is not None and inside else -1

    def rows(self) -> Iterable[str]:
        """The lines of characters."""
        return ("".join(chr(EMPTY + c) if c else " " for c in row) for row in self.cells)


def _between(first: tuple[int, int], second: tuple[int, int]) -> Iterable[tuple[int, int]]:
    """The dots from one place up to before another, in a straight line."""
    steps = max(abs(second[0] - first[0]), abs(second[1] - first[1]), 1)
    for step in range(steps):
        share = step / steps
        yield (
            round(first[0] + (second[0] - first[0]) * share),
            round(first[1] + (second[1] - first[1]) * share),
        )
