"""What all charts share: colours, axes with round numbers, text, the element around it all.

A picture carries no style sheet. Ink is `currentColor`, and every line has a class, so a page
that holds it decides on the colours with two rules of its own; left alone, the colours are
readable on light and on dark paper:

```css
.plot { color: var(--ink) }
.plot-1 { stroke: var(--first) } .plot-1-fill { fill: var(--first) }
```
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Sequence

from nndsl.records import dataclass
from nndsl.render.diagram import escape
from nndsl.report_text import visible

COLOURS = ("#2f80ed", "#d9730d", "#1a9a5b", "#b14fc5", "#c94a4a", "#7d8590")
"""Of the first line, the second ...: each at least 3 : 1 on white and on near black."""
INK = "#737b86"
FONT = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif"
LETTER = 6.2
"""Mean width of a letter at font size 11, for the places of legends and labels."""
TOP, RIGHT, BOTTOM = 14, 16, 26
LEGEND, LABEL, TITLE = 20, 16, 22


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
class Frame:
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
        points: Iterable[tuple[float, float]],
        size: tuple[int, int],
        *,
        y_log: bool = False,
        title: bool = False,
        legend: bool = False,
        x_label: bool = False,
        y_label: bool = False,
    ) -> Frame:
        """The frame that shows every finite point, with room for what is written around it."""
        shown = [(x, height_of(y, y_log)) for x, y in points]
        shown = [(x, y) for x, y in shown if math.isfinite(x) and math.isfinite(y)]
        x_low, x_high = range_of([x for x, _ in shown])
        y_low, y_high = _padded(*range_of([y for _, y in shown]))
        top = TOP + (TITLE if title else 0) + (LEGEND if legend else 0)
        bottom = size[1] - BOTTOM - (LABEL if x_label else 0)
        whole = all(float(x).is_integer() for x, _ in shown)
        y_ticks = _heights(y_low, y_high, max(int((bottom - top) / 34), 2), y_log)
        widest = max((len(number_text(t, y_log)) for t in y_ticks), default=1)
        left = 12 + widest * LETTER + (LABEL if y_label else 0)
        x_ticks = ticks(x_low, x_high, max(int((size[0] - left) / 56), 2), whole)
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
            parts.append(rule(self.left, y, self.right, y, strong=tick == 0 and not self.y_log))
            parts.append(text(self.left - 7, y + 3.8, number_text(tick, self.y_log), "end"))
        for tick in self.x_ticks:
            x = self.across(tick)
            if tick == 0 and self.x_range[0] < 0:
                parts.append(rule(x, self.top, x, self.bottom, strong=True))
            parts.append(text(x, self.bottom + 17, number_text(tick), "middle"))
        return parts


def height_of(y: float, y_log: bool) -> float:
    """What stands for a number on the vertical axis: itself or its logarithm, NaN without one."""
    if not y_log:
        return float(y)
    return math.log10(y) if y > 0 and math.isfinite(y) else math.nan


def range_of(values: Sequence[float]) -> tuple[float, float]:
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


def number_text(value: float, is_power: bool = False) -> str:
    """A number of an axis, as short as it can be."""
    shown = f"{10.0**value if is_power else value:.6g}"
    return shown.replace("-", "\N{MINUS SIGN}").replace("e\N{MINUS SIGN}0", "e\N{MINUS SIGN}")


def text(x: float, y: float, words: str, anchor: str, more: str = "") -> str:
    """Words at a place; `anchor` is `start`, `middle` or `end`, `more` further attributes."""
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text {place} fill="currentColor"{more}>{escape(words)}</text>'


def rule(x1: float, y1: float, x2: float, y2: float, strong: bool = False) -> str:
    """A thin line of ink."""
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} stroke="currentColor" stroke-opacity="{0.65 if strong else 0.2}"/>'


def stroke(number: int, dashed: bool, width: int = 2) -> str:
    """The attributes of the line with this number, from 1."""
    colour = COLOURS[(number - 1) % len(COLOURS)]
    look = f' stroke-width="{width}" stroke-linejoin="round" stroke-linecap="round"'
    dashes = ' stroke-dasharray="5 4"' if dashed else ""
    return f' class="plot-{number}" stroke="{colour}"{look}{dashes}'


def labels(frame: Frame, title: str, x_label: str, y_label: str) -> list[str]:
    """The title and the names of the axes."""
    parts = []
    middle = (frame.top + frame.bottom) / 2
    if title:
        parts.append(text(frame.left, 18, title, "start", ' font-size="13" font-weight="600"'))
    if x_label:
        parts.append(text(frame.right, frame.bottom + 33, x_label, "end"))
    if y_label:
        turned = f' transform="rotate(-90 13 {middle:.1f})"'
        parts.append(text(13, middle, y_label, "middle", turned))
    return parts


def svg(size: tuple[float, float], alternative: str, parts: Sequence[str]) -> str:
    """The element around a picture of so many pixels; `alternative` says what it shows."""
    width, height = size
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="plot" role="img" '
        f'aria-label="{html.escape(visible(alternative))}" '
        f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" '
        f'color="{INK}" font-family="{FONT}" font-size="11">'
    )
    return "\n".join([head, *parts, "</svg>\n"])
