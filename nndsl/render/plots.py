"""Line charts as SVG: curves of a training, functions of one number, schedules.

How a page decides on the colours is told in `nndsl.render.axes`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from nndsl.records import dataclass
from nndsl.render.axes import LETTER, RIGHT, Frame, height_of, labels, stroke, svg, text


@dataclass(frozen=True)
class Series:
    """One line: `y` over `x`, as many numbers each; where one is not finite the line is broken.

    With `dots` the points are not joined.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    dashed: bool = False
    dots: bool = False


@dataclass(frozen=True)
class Mark:
    """A point to look at, such as the best epoch, with a few words beside it."""

    x: float
    y: float
    text: str = ""


def line_chart(
    series: Sequence[Series],
    *,
    title: str = "",
    x_label: str = "",
    y_label: str = "",
    marks: Sequence[Mark] = (),
    size: tuple[int, int] = (480, 280),
    y_log: bool = False,
    alternative: str = "",
) -> str:
    """The lines on common axes, as the text of one `<svg>` element.

    With `y_log` heights are logarithms to base 10 and what is not above 0 is left out. All text is
    escaped. Without a finite point the axes go from 0 to 1. `alternative` says in words what
    is to be seen.
    """
    points = [pair for one in series for pair in zip(one.x, one.y, strict=True)]
    points += [(mark.x, mark.y) for mark in marks]
    frame = Frame.around(
        points,
        size,
        y_log=y_log,
        title=bool(title),
        legend=len(series) > 1,
        x_label=bool(x_label),
        y_label=bool(y_label),
    )
    lines = [_line(frame, number, one) for number, one in enumerate(series, 1)]
    parts = [
        *frame.grid(),
        *(f"<g>{line}</g>" for line in lines if line),
        *(_mark(frame, mark, series) for mark in marks),
        *_legend(frame, series),
        *labels(frame, title, x_label, y_label),
    ]
    return svg(size, alternative or title or ", ".join(one.name for one in series), parts)


def _line(frame: Frame, number: int, one: Series) -> str:
    """The path of a line through its finite points; a point alone is a dot."""
    if one.dots:
        return _dots(frame, number, one)
    pieces: list[list[str]] = [[]]
    for x, y in zip(one.x, one.y, strict=True):
        height = height_of(y, frame.y_log)
        if math.isfinite(x) and math.isfinite(height):
            pieces[-1].append(f"{frame.across(x):.1f} {frame.up(height):.1f}")
        elif pieces[-1]:
            pieces.append([])
    lone = "".join(f"M{p[0]}h0" for p in pieces if len(p) == 1)
    lines = "".join("M" + "L".join(p) for p in pieces if len(p) > 1)
    dots = f'<path d="{lone}"{stroke(number, False, 5)}/>' if lone else ""
    line = f'<path d="{lines}" fill="none"{stroke(number, one.dashed)}/>' if lines else ""
    return line + dots


def _dots(frame: Frame, number: int, one: Series) -> str:
    places = [
        f"M{frame.across(x):.1f} {frame.up(height_of(y, frame.y_log)):.1f}h0"
        for x, y in zip(one.x, one.y, strict=True)
        if math.isfinite(x) and math.isfinite(height_of(y, frame.y_log))
    ]
    look = f'{stroke(number, False, 6)} stroke-opacity="0.55"'
    return f'<path d="{"".join(places)}"{look}/>' if places else ""


def _mark(frame: Frame, mark: Mark, series: Sequence[Series]) -> str:
    """A ring with words on the side where there is most room."""
    x, y = frame.across(mark.x), frame.up(height_of(mark.y, frame.y_log))
    if not (math.isfinite(x) and math.isfinite(y)):
        return ""
    ring = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="none" stroke="currentColor" '
    words = _words_beside(frame, x, y, mark.text, series) if mark.text else ""
    return f'{ring}stroke-width="2"/>{words}'


def _words_beside(frame: Frame, x: float, y: float, words: str, series: Sequence[Series]) -> str:
    """Words near a place on the picture: there where they cover the least of the lines."""
    width = len(words) * LETTER * 1.08
    sides = ((1, "start"), (-1, "end"))
    downs = (-8, 17, -22, 31, -36, -50, -64)
    places = [(x + side * 9, y + down, anchor) for down in downs for side, anchor in sides]
    places += [(x + side * 12, y + 4, anchor) for side, anchor in sides]

    def badness(place: tuple[float, float, str]) -> int:
        edge, base, anchor = place
        left = edge if anchor == "start" else edge - width
        outside = left + width > frame.right + RIGHT or left < frame.left
        outside = outside or base - 9 < frame.top - 8 or base > frame.bottom - 2
        box = (left - 2, base - 11, left + width + 2, base + 3)
        return 1000 * outside + sum(_within(frame, one, box) for one in series)

    edge, base, anchor = min(places, key=badness)
    return text(edge, base, words, anchor, ' font-weight="600" class="plot-halo"')


def _within(frame: Frame, one: Series, box: tuple[float, float, float, float]) -> int:
    """How much of a line runs through a box of the picture: points of it, 3 pixels apart."""
    left, top, right, bottom = box
    pairs = [(x, height_of(y, frame.y_log)) for x, y in zip(one.x, one.y, strict=True)]
    points = [(frame.across(x), frame.up(y)) for x, y in pairs if math.isfinite(x + y)]
    count = 0
    for (x1, y1), (x2, y2) in itertools.pairwise(points):
        if max(x1, x2) < left or min(x1, x2) > right or max(y1, y2) < top or min(y1, y2) > bottom:
            continue
        steps = max(1, math.ceil(math.hypot(x2 - x1, y2 - y1) / 3))
        for step in range(steps):
            x, y = x1 + (x2 - x1) * step / steps, y1 + (y2 - y1) * step / steps
            count += left <= x <= right and top <= y <= bottom
    return count


def _legend(frame: Frame, series: Sequence[Series]) -> list[str]:
    """The names of the lines above them, where there is more than one."""
    if len(series) < 2:
        return []
    parts, x, y = [], frame.left, frame.top - 14
    for number, one in enumerate(series, 1):
        drawn = (f"M{x + 9:.1f} {y:.1f}h0", 6) if one.dots else (f"M{x:.1f} {y:.1f}h18", 2)
        look = stroke(number, one.dashed, drawn[1])
        dash = f'<path d="{drawn[0]}" fill="none"{look}/>'
        parts += [dash, text(x + 24, y + 3.8, one.name, "start")]
        x += 24 + len(one.name) * LETTER + 18
    return parts
