"""Line charts as SVG: curves of a training, functions of one number, schedules.

The picture carries no style sheet. Ink is `currentColor`, and every line has a class, so a page
that holds it decides on the colours with two rules of its own; left alone, the colours are
readable on light and on dark paper:

```css
.plot { color: var(--ink) }
.plot-1 { stroke: var(--first) } .plot-1-fill { fill: var(--first) }
```
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from nndsl.records import dataclass
from nndsl.render.diagram import escape

COLOURS = ("#2f80ed", "#d9730d", "#1a9a5b", "#b14fc5", "#c94a4a", "#7d8590")
"""Of the first line, the second ...: each at least 3 : 1 on white and on near black."""
INK = "#737b86"
FONT = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif"
LETTER = 6.2
"""Mean width of a letter at font size 11, for the places of legends and labels."""
TOP, RIGHT, BOTTOM = 14, 16, 26
LEGEND, LABEL, TITLE = 20, 16, 22


@dataclass(frozen=True)
class Series:
    """One line: `y` over `x`, as many numbers each; where one is not finite the line is broken."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    dashed: bool = False


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
) -> str:
    """The lines on common axes, as the text of one `<svg>` element.

    With `y_log` heights are logarithms to base 10 and what is not above 0 is left out. All text is
    escaped. Without a finite point the axes go from 0 to 1.
    """
    frame = _Frame.around(series, marks, size, y_log, bool(title), bool(x_label), bool(y_label))
    lines = [_line(frame, number, one) for number, one in enumerate(series, 1)]
    parts = [
        *frame.grid(),
        *(f"<g>{line}</g>" for line in lines if line),
        *(_mark(frame, mark) for mark in marks),
        *_legend(frame, series),
        *_labels(frame, title, x_label, y_label),
    ]
    width, height = size
    named = escape(title or ", ".join(one.name for one in series))
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="plot" role="img" aria-label="{named}" '
        f'viewBox="0 0 {width} {height}" width="{width}" height="{height}" color="{INK}" '
        f'font-family="{FONT}" font-size="11">'
    )
    return "\n".join([head, *parts, "</svg>\n"])


def ticks(low: float, high: float, count: int, whole: bool = False) -> list[float]:
    """About `count` round numbers from `low` to `high`, both ends met or passed within them.

    The steps are 1, 2 or 5 times a power of ten; `whole` keeps them from being less than 1.
    """
    raw = (high - low) / max(count, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw * 0.999)
    step = max(step, 1.0) if whole else step
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [index * step for index in range(first, last + 1)]


@dataclass(frozen=True)
class _Frame:
    """Where numbers lie on the picture: its inner edges and the ranges of both axes."""

    left: float
    top: float
    right: float
    bottom: float
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    y_log: bool
    x_ticks: tuple[float, ...]
    y_ticks: tuple[float, ...]

    @classmethod
    def around(
        cls,
        series: Sequence[Series],
        marks: Sequence[Mark],
        size: tuple[int, int],
        y_log: bool,
        title: bool,
        x_label: bool,
        y_label: bool,
    ) -> _Frame:
        """The frame that shows every finite point, with room for what is written around it."""
        points = [pair for one in series for pair in zip(one.x, one.y, strict=True)]
        points += [(mark.x, mark.y) for mark in marks]
        shown = [(x, _height(y, y_log)) for x, y in points]
        shown = [(x, y) for x, y in shown if math.isfinite(x) and math.isfinite(y)]
        x_low, x_high = _range([x for x, _ in shown])
        y_low, y_high = _padded(*_range([y for _, y in shown]))
        top = TOP + (TITLE if title else 0) + (LEGEND if len(series) > 1 else 0)
        bottom = size[1] - BOTTOM - (LABEL if x_label else 0)
        whole = all(float(x).is_integer() for x, _ in shown)
        y_ticks = _heights(y_low, y_high, max(int((bottom - top) / 34), 2), y_log)
        widest = max((len(_number(t, y_log)) for t in y_ticks), default=1)
        left = 12 + widest * LETTER + (LABEL if y_label else 0)
        x_ticks = ticks(x_low, x_high, max(int((size[0] - left) / 70), 2), whole)
        return cls(left, top, size[0] - RIGHT, bottom, (x_low, x_high), (y_low, y_high), y_log,
                   tuple(x_ticks), tuple(y_ticks))  # fmt: skip

    def across(self, x: float) -> float:
        """The place of a number on the horizontal axis."""
        low, high = self.x_range
        return self.left + (self.right - self.left) * (x - low) / (high - low)

    def up(self, height: float) -> float:
        """The place of a number (of its logarithm, on a logarithmic axis) on the vertical axis."""
        low, high = self.y_range
        return self.bottom - (self.bottom - self.top) * (height - low) / (high - low)

    def grid(self) -> list[str]:
        """Thin lines at the round numbers, stronger ones at 0, and the numbers."""
        parts = []
        for tick in self.y_ticks:
            y = self.up(tick)
            parts.append(_rule(self.left, y, self.right, y, strong=tick == 0 and not self.y_log))
            parts.append(_text(self.left - 7, y + 3.8, _number(tick, self.y_log), "end"))
        for tick in self.x_ticks:
            x = self.across(tick)
            if tick == 0 and self.x_range[0] < 0:
                parts.append(_rule(x, self.top, x, self.bottom, strong=True))
            parts.append(_text(x, self.bottom + 17, _number(tick), "middle"))
        return parts


def _height(y: float, y_log: bool) -> float:
    if not y_log:
        return float(y)
    return math.log10(y) if y > 0 and math.isfinite(y) else math.nan


def _range(values: Sequence[float]) -> tuple[float, float]:
    """Least and greatest, made apart where they are one; 0 and 1 without values."""
    if not values:
        return 0.0, 1.0
    low, high = float(min(values)), float(max(values))
    if low < high:
        return low, high
    room = abs(low) * 0.1 or 1.0
    return low - room, high + room


def _padded(low: float, high: float) -> tuple[float, float]:
    """A little room below and above; a range from 0 begins at 0."""
    room = 0.04 * (high - low)
    return (low if low == 0 else low - room), high + room


def _heights(low: float, high: float, count: int, y_log: bool) -> list[float]:
    """Round heights; on a logarithmic axis powers of ten, of smaller steps where these are few."""
    if not y_log:
        return ticks(low, high, count)
    powers = [float(p) for p in range(math.ceil(low), math.floor(high) + 1)]
    if len(powers) >= 2:
        return powers[:: max(1, math.ceil(len(powers) / count))]
    bases = [math.log10(f) + p for p in range(math.floor(low), math.ceil(high)) for f in (1, 2, 5)]
    return [height for height in bases if low <= height <= high]


def _number(value: float, is_power: bool = False) -> str:
    """A number of an axis, as short as it can be."""
    shown = f"{10.0**value if is_power else value:.6g}"
    return shown.replace("-", "\N{MINUS SIGN}").replace("e\N{MINUS SIGN}0", "e\N{MINUS SIGN}")


def _text(x: float, y: float, words: str, anchor: str, more: str = "") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text {place} fill="currentColor"{more}>{escape(words)}</text>'


def _rule(x1: float, y1: float, x2: float, y2: float, strong: bool = False) -> str:
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} stroke="currentColor" stroke-opacity="{0.65 if strong else 0.2}"/>'


def _line(frame: _Frame, number: int, one: Series) -> str:
    """The path of a line through its finite points; a point alone is a dot."""
    pieces: list[list[str]] = [[]]
    for x, y in zip(one.x, one.y, strict=True):
        height = _height(y, frame.y_log)
        if math.isfinite(x) and math.isfinite(height):
            pieces[-1].append(f"{frame.across(x):.1f} {frame.up(height):.1f}")
        elif pieces[-1]:
            pieces.append([])
    lone = "".join(f"M{p[0]}h0" for p in pieces if len(p) == 1)
    lines = "".join("M" + "L".join(p) for p in pieces if len(p) > 1)
    dots = f'<path d="{lone}"{_stroke(number, False, 5)}/>' if lone else ""
    line = f'<path d="{lines}" fill="none"{_stroke(number, one.dashed)}/>' if lines else ""
    return line + dots


def _stroke(number: int, dashed: bool, width: int = 2) -> str:
    colour = COLOURS[(number - 1) % len(COLOURS)]
    look = f' stroke-width="{width}" stroke-linejoin="round" stroke-linecap="round"'
    dashes = ' stroke-dasharray="5 4"' if dashed else ""
    return f' class="plot-{number}" stroke="{colour}"{look}{dashes}'


def _mark(frame: _Frame, mark: Mark) -> str:
    """A ring with words on the side where there is room."""
    x, y = frame.across(mark.x), frame.up(_height(mark.y, frame.y_log))
    if not (math.isfinite(x) and math.isfinite(y)):
        return ""
    ring = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="none" stroke="currentColor" '
    fits = x + 9 + len(mark.text) * LETTER < frame.right
    place, anchor = (x + 9, "start") if fits else (x - 9, "end")
    below = y + 16 if y - frame.top < 14 else y - 7
    words = _text(place, below, mark.text, anchor, ' font-weight="600"') if mark.text else ""
    return f'{ring}stroke-width="2"/>{words}'


def _legend(frame: _Frame, series: Sequence[Series]) -> list[str]:
    """The names of the lines above them, where there is more than one."""
    if len(series) < 2:
        return []
    parts, x, y = [], frame.left, frame.top - 14
    for number, one in enumerate(series, 1):
        dash = f'<path d="M{x:.1f} {y:.1f}h18" fill="none"{_stroke(number, one.dashed)}/>'
        parts += [dash, _text(x + 24, y + 3.8, one.name, "start")]
        x += 24 + len(one.name) * LETTER + 18
    return parts


def _labels(frame: _Frame, title: str, x_label: str, y_label: str) -> list[str]:
    """The title and the names of the axes."""
    parts = []
    middle = (frame.top + frame.bottom) / 2
    if title:
        parts.append(_text(frame.left, 18, title, "start", ' font-size="13" font-weight="600"'))
    if x_label:
        parts.append(_text(frame.right, frame.bottom + 33, x_label, "end"))
    if y_label:
        turned = f' transform="rotate(-90 13 {middle:.1f})"'
        parts.append(_text(13, middle, y_label, "middle", turned))
    return parts
