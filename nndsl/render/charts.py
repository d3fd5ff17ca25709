"""Charts beside lines: bars, ranges, memory over time; small ones for cells of tables."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

from nndsl.records import dataclass
from nndsl.render.axes import (
    COLOURS,
    INK,
    LETTER,
    Frame,
    labels,
    number_text,
    range_of,
    rule,
    svg,
    text,
    ticks,
)
from nndsl.render.diagram import escape

ROW = 30
"""Height of a line of words beside a range."""
BOLD_LETTER = 6.8
"""Mean width of a bold letter at font size 11."""
LEAST_LETTERS = 6
"""Of a name that is cut to fit its shape; a shorter one says nothing."""


def fill(number: int) -> str:
    """The attributes of a filled shape in the colour of the line with this number, from 1."""
    return f'class="plot-{number}-fill" fill="{COLOURS[(number - 1) % len(COLOURS)]}"'


def bar_chart(
    edges: Sequence[float],
    counts: Sequence[float],
    alternative: str,
    *,
    title: str = "",
    x_label: str = "",
    size: tuple[int, int] = (320, 200),
) -> str:
    """A histogram: bars between neighbouring edges, one edge more than counts."""
    top = max(counts, default=0.0) or 1.0
    corners = [(edges[0], 0.0), (edges[-1], top)]
    frame = Frame.around(corners, size, title=bool(title), x_label=bool(x_label))
    parts = frame.grid()
    for low, high, count in zip(edges, edges[1:], counts, strict=False):
        if count > 0:
            x, y = frame.across(low), frame.up(count)
            width = max(frame.across(high) - x - 1.0, 0.8)
            place = f'x="{x + 0.5:.1f}" y="{y:.1f}" width="{width:.1f}"'
            parts.append(f'<rect {place} height="{frame.up(0) - y:.1f}" rx="1" {fill(1)}/>')
    return svg(size, alternative, [*parts, *labels(frame, title, x_label, "")])


def spark_bars(counts: Sequence[float], alternative: str, size: tuple[int, int] = (112, 24)) -> str:
    """Bars without axes, for a cell of a table."""
    width, height = size
    top, step = max(counts, default=0.0) or 1.0, width / max(len(counts), 1)
    bars = []
    for i, count in enumerate(counts):
        if count > 0:
            tall = max(1.5, count / top * (height - 2))
            wide = max(step - 1, 0.8)
            bars.append(f"M{i * step + 0.5:.1f} {height - 1}v-{tall:.1f}h{wide:.1f}v{tall:.1f}z")
    ground = rule(0, height - 0.5, width, height - 0.5)
    return svg(size, alternative, [ground, f'<path d="{"".join(bars)}" {fill(1)}/>'])


def share_bar(share: float, alternative: str, size: tuple[int, int] = (120, 12)) -> str:
    """A bar that is filled to a share between 0 and 1, for a cell of a table."""
    width, height = size
    filled = f'width="{max(1.0, min(share, 1.0) * width):.1f}" height="{height}" rx="2"'
    back = f'<rect width="{width}" height="{height}" rx="2" fill="currentColor" opacity="0.14"/>'
    return svg(size, alternative, [back, f"<rect {filled} {fill(1)}/>"])


@dataclass(frozen=True)
class Ranged:
    """A number with its interval, where it has one, for `range_chart`; `shown` is its text."""

    name: str
    value: float
    interval: tuple[float, float] | None = None
    shown: str = ""


def range_chart(
    items: Sequence[Ranged],
    alternative: str,
    *,
    bounds: tuple[float, float] | None = None,
    width: int = 440,
) -> str:
    """Numbers side by side on one axis: a dot each, with its interval as a line through it.

    The first is drawn strong. `bounds` are shown whole where they are given.
    """
    known = [item for item in items if math.isfinite(item.value)]
    values = [v for item in known for v in (item.value, *(item.interval or ()))]
    low, high = range_of([*values, *(bounds or ())])
    left = 16 + max((min(len(item.name), 40) for item in known), default=1) * LETTER
    right = width - 20 - max((len(item.shown) for item in known), default=0) * BOLD_LETTER
    bottom = 10 + ROW * len(known)

    def across(value: float) -> float:
        return left + 12 + (right - left - 12) * (value - low) / (high - low)

    parts = []
    for tick in ticks(low, high, 5):
        parts.append(rule(across(tick), 6, across(tick), bottom))
        parts.append(text(across(tick), bottom + 16, number_text(tick), "middle"))
    for number, item in enumerate(known):
        y = 10 + ROW * (number + 0.5)
        parts += _ranged(item, y, left, across, strong=number == 0)
    return svg((width, bottom + 26), alternative, parts)


def _ranged(item: Ranged, y: float, left: float, across: object, strong: bool) -> list[str]:
    assert callable(across)
    weight = ' font-weight="700"' if strong else ""
    parts = [text(left, y + 4, item.name, "end", weight)]
    x, end = across(item.value), across(item.value)
    colour = COLOURS[0] if strong else INK
    kind = "plot-1" if strong else "plot-ink"
    if item.interval is not None:
        start, end = across(item.interval[0]), across(item.interval[1])
        line = f"M{start:.1f} {y:.1f}H{end:.1f}M{start:.1f} {y - 5:.1f}v10M{end:.1f} {y - 5:.1f}v10"
        parts.append(
            f'<path d="{line}" class="{kind}" stroke="{colour}" stroke-width="2" fill="none"/>'
        )
    shape = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{6 if strong else 4.5}"'
    parts.append(f'{shape} class="{kind}-fill" fill="{colour}"/>')
    shown = item.shown or number_text(float(f"{item.value:.3g}"))
    parts.append(text(max(end, x + 4) + 8, y + 4, shown, "start", weight))
    return parts


@dataclass(frozen=True)
class Life:
    """A piece of memory: from byte `offset` on, needed from step `first` to step `last`."""

    name: str
    offset: int
    size: int
    first: int
    last: int


def memory_map(
    lives: Sequence[Life], steps: int, alternative: str, size: tuple[int, int] = (720, 300)
) -> str:
    """Which bytes hold which value at what time: time to the right, addresses upwards."""
    top = max((life.offset + life.size for life in lives), default=1)
    frame = Frame.around([(0, 0), (max(steps, 1), top / 1024)], size, x_label=True, y_label=True)
    parts = frame.grid()
    for number, life in enumerate(sorted(lives, key=lambda one: (one.offset, one.first))):
        x, y = frame.across(max(life.first + 0.5, 0)), frame.up((life.offset + life.size) / 1024)
        width = frame.across(min(life.last + 0.5, steps)) - x
        height = max(frame.up(life.offset / 1024) - y - 0.6, 0.6)
        place = f'x="{x:.1f}" y="{y:.1f}" width="{max(width - 0.6, 0.6):.1f}"'
        told = f"{life.name}: {life.size:,} bytes"
        shown = f'{place} height="{height:.1f}" {fill(1 + number % 5)}'
        name = _cut(life.name, int((width - 8) / BOLD_LETTER)) if height > 13 else ""
        inside = _label(x + 5, y + height / 2 + 4, name) if name else ""
        parts.append(f"<rect {shown}><title>{html.escape(told)}</title></rect>{inside}")
    return svg(size, alternative, [*parts, *labels(frame, "", "call of the step", "kilobytes")])


def _cut(name: str, letters: int) -> str:
    """A name in so many letters at most; none where too few are left."""
    if len(name) <= letters:
        return name
    return name[: letters - 1] + "…" if letters >= LEAST_LETTERS else ""


def _label(x: float, y: float, words: str) -> str:
    """Words on a coloured shape."""
    place = f'x="{x:.1f}" y="{y:.1f}" class="plot-on-fill" fill="#ffffff"'
    return f'<text {place} font-weight="600">{escape(words)}</text>'
