"""The picture of the results: `python -m benchmarks.picture` draws it from `results/*.txt`.

One bar a workload: how many times as fast as the best peer nndsl was, from 1 (equally fast) on a
logarithmic axis; the thin line spans the ratios of single rounds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from pathlib import Path

from benchmarks.summary import Comparison, comparisons, results

ROOT = Path(__file__).resolve().parent
TARGET = ROOT.parent / "docs" / "pictures" / "benchmarks.svg"
LEFT, RIGHT, TOP, STEP, WIDTH = 290, 250, 74, 24, 980
LOW, HIGH = 0.5, 64.0
FASTER, SLOWER, INK, FAINT = "#2166ac", "#b2182b", "#222222", "#d0d0d0"
TITLES = {"step": "A training step", "inference": "A prediction", "run": "A whole run"}


@dataclass(frozen=True)
class Bar:
    """One comparison: which, with whom, and how many times as fast (with its range)."""

    group: str
    label: str
    peer: str
    ratio: float
    low: float
    high: float


def bar(c: Comparison) -> Bar:
    """The bar of a comparison."""
    sizes, *_, last = c.network.split(", ")
    group, conditions = TITLES[c.kind], c.conditions
    if c.kind == "step":
        group, conditions = f"{group}, {c.conditions}", last
    elif c.kind == "inference":
        group += ", 1 thread"
    else:
        group += ", from a CSV to weights"
    return Bar(group, f"{_short(sizes)}, {conditions}", c.peer, c.ratio, c.low, c.high)


def _short(sizes: str) -> str:
    parts = sizes.split("-")
    return sizes if len(parts) < 6 else f"{'-'.join(parts[:3])}-...-{parts[-1]}"


def x_of(ratio: float) -> float:
    """Where a ratio stands on the axis."""
    share = math.log(min(max(ratio, LOW), HIGH) / LOW) / math.log(HIGH / LOW)
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def svg(found: list[Bar], note: str) -> str:
    """The picture."""
    groups = list(dict.fromkeys(each.group for each in found))
    bottom = TOP + STEP * (len(found) + len(groups)) + 8
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + 44}" '
        f'width="{WIDTH}" height="{bottom + 44}" font-family="Helvetica, Arial, sans-serif" '
        f'font-size="13" fill="{INK}" role="img" aria-labelledby="title">',
        '<title id="title">Speed of nndsl as a multiple of the best peer\'s</title>',
        '<rect width="100%" height="100%" rx="8" fill="white"/>',
        _text(20, 30, "Times as fast as the best of PyTorch, JAX and scikit-learn", size=18),
        _text(20, 50, note, size=12),
    ]
    for tick in (0.5, 1, 2, 4, 8, 16, 32, 64):
        x, wide = x_of(tick), 2 if tick == 1 else 1
        colour = INK if tick == 1 else FAINT
        parts.append(_line(x, TOP - 6, x, bottom, colour, wide))
        parts.append(_text(x, bottom + 16, f"{tick:g}x", anchor="middle"))
    parts.append(_text(x_of(1), bottom + 34, "equally fast", anchor="middle", size=12))
    parts.append(_text(x_of(8), bottom + 34, "faster (logarithmic axis)", anchor="middle", size=12))
    y = TOP
    for group in groups:
        parts.append(_text(20, y + 16, group, weight="bold"))
        y += STEP
        for each in (each for each in found if each.group == group):
            parts += _bar(each, y)
            y += STEP
    return "\n".join([*parts, "</svg>"]) + "\n"


def _bar(bar: Bar, y: int) -> list[str]:
    start, end = sorted((x_of(1), x_of(bar.ratio)))
    colour = FASTER if bar.ratio >= 1 else SLOWER
    low, high = x_of(bar.low), x_of(bar.high)
    middle = y + 11
    return [
        _text(LEFT - 40, y + 16, bar.label, anchor="end"),
        f'<rect x="{start:.1f}" y="{y + 4}" width="{end - start:.1f}" height="14" '
        f'fill="{colour}"/>',
        _line(low, middle, high, middle, "#111111", 1.5),
        _line(low, middle - 4, low, middle + 4, "#111111", 1.5),
        _line(high, middle - 4, high, middle + 4, "#111111", 1.5),
        _text(max(end, high) + 8, y + 16, f"{_figure(bar.ratio)}x  {bar.peer}"),
    ]


def _figure(ratio: float) -> str:
    return f"{ratio:.0f}" if ratio >= 10 else f"{ratio:.2f}"


def _text(
    x: float, y: float, text: str, *, anchor: str = "start", size: int = 13, weight: str = "normal"
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" '
        f'font-weight="{weight}">{escape(text)}</text>'
    )


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, width: float) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
        f'stroke="{colour}" stroke-width="{width}"/>'
    )


def draw() -> None:
    """Write the picture of all results there are."""
    texts = results()
    found = [bar(comparison) for text in texts for comparison in comparisons(text)]
    date, processor = texts[0].splitlines()[0].split(", ", 1)
    note = (
        f"float32, medians of rounds taken in turns; thin lines: single rounds; named: the best "
        f"peer. {date}, {processor.partition(')')[0]})"
    )
    TARGET.write_text(svg(found, note), encoding="utf-8")


if __name__ == "__main__":
    draw()
