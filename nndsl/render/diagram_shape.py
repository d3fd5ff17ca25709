"""How a picture lies on the page: downwards, in columns, or as a U."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import field
from itertools import pairwise

from nndsl.records import dataclass
from nndsl.render.diagram_picture import Arrow, Box, Frame, Picture

FEWEST_SPANS = 2
"""Arrows that span one another from which on what lies beyond them is drawn upwards."""

COLUMN = 7
"""Boxes of a column that is about as high as wide."""

MOST_ABREAST = 2
"""Boxes beside one another up to which a picture is narrow enough for columns."""

LONG = 3
"""Boxes from one end of such an arrow to the other on the longest way."""


@dataclass(frozen=True)
class Shape:
    """`rising` boxes stand above those that they read; `level` are arrows between equal heights.

    `turns` are arrows from the end of a column to the box at the head of the next, each with the
    box at the head of the first, in whose frame both stand.
    """

    rising: frozenset[Box] = frozenset()
    level: frozenset[Arrow] = frozenset()
    turns: Mapping[Arrow, Box] = field(default_factory=dict)


def shape_of(picture: Picture, depth: dict[Box, int]) -> Shape:
    """A U where long arrows span one another, columns for what is long and narrow."""
    spans = _spans(picture, depth)
    if len(spans) >= FEWEST_SPANS:
        return _u(picture, depth, spans)
    return Shape(turns=_turns(picture, depth))


def _u(picture: Picture, depth: dict[Box, int], spans: list[Arrow]) -> Shape:
    """What lies within the innermost of the arrows is the bottom, what follows rises."""
    inmost = spans[-1].target
    assert inmost is not None
    feeding = {a.source for a in picture.arrows if a.target is inmost} - {spans[-1].source}
    rising = {inmost, *feeding}
    for box in sorted(picture.boxes, key=lambda box: depth[box]):
        if any(a.target is box and a.source in rising for a in picture.arrows):
            rising.add(box)
    falling = [box for box in picture.boxes if box not in rising]
    if any(a.source in rising and a.target in falling for a in picture.arrows):
        return Shape()
    crossing = {a for a in picture.arrows if a.source not in rising and a.target in rising}
    bottom = {a for a in crossing if a.target in feeding}
    if crossing - bottom != set(spans):
        return Shape()
    return Shape(frozenset(rising), frozenset(spans))


def _turns(picture: Picture, depth: dict[Box, int]) -> dict[Arrow, Box]:
    """The arrows between columns: each the only way from the boxes before to those behind it."""
    height = max(depth.values(), default=0) + 1
    widest = max(Counter(depth.values()).values(), default=0)
    columns = round(math.sqrt(height / COLUMN))
    if columns < 2 or widest > MOST_ABREAST:
        return {}
    ways = _only_ways(picture, depth)
    found = {}
    for number in range(1, columns):
        wanted = number * height / columns
        near = [arrow for place, arrow in ways if abs(place - wanted) < height / columns / 3]
        near.sort(key=lambda arrow: abs(depth[arrow.source] + 1 - wanted))
        for arrow in near:
            head = _head(arrow, picture)
            if head is not None:
                found[arrow] = head
                break
    return found


def _head(arrow: Arrow, picture: Picture) -> Box | None:
    """The first box of the frame that an arrow's end stands in; None where it is that end."""
    assert arrow.target is not None
    frame = arrow.target.frame
    first = next(box for box in picture.boxes if frame in (None, *frames_around(box)))
    return first if first.frame is frame and first is not arrow.target else None


def _only_ways(picture: Picture, depth: dict[Box, int]) -> list[tuple[int, Arrow]]:
    """The arrows beside which no other leads past, by the depth that they lead to."""
    past: dict[int, list[Arrow]] = {}
    for arrow in picture.arrows:
        if arrow.target is not None:
            for place in range(depth[arrow.source] + 1, depth[arrow.target] + 1):
                past.setdefault(place, []).append(arrow)
    return [
        (place, arrows[0])
        for place, arrows in past.items()
        if len(arrows) == 1 and depth[arrows[0].source] + 1 == place
    ]


def frames_around(box: Box) -> list[Frame]:
    """The frames that a box stands in, the innermost first."""
    found = []
    frame = box.frame
    while frame is not None:
        found.append(frame)
        frame = frame.parent
    return found


def _spans(picture: Picture, depth: dict[Box, int]) -> list[Arrow]:
    """The long arrows, the outermost first; none if two of them cross."""
    found = [
        (depth[a.source], depth[a.target], a)
        for a in picture.arrows
        if a.target is not None and depth[a.target] - depth[a.source] >= LONG
    ]
    found.sort(key=lambda span: (span[0], -span[1]))
    nested = all(outer[0] < inner[0] and inner[1] < outer[1] for outer, inner in pairwise(found))
    return [arrow for _, _, arrow in found] if nested else []
