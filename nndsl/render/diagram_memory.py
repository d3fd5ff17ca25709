"""What an opened cell remembers, as textbooks draw it: `h before` above, `h next` below.

Arrows back from the one to the other would go round all gates and through some of them. A box that
stands for a whole recurrence keeps its loop.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product

from nndsl.render.diagram_picture import Arrow, Box, Picture
from nndsl.render.diagram_shape import frames_around

MEMORY = "memory"


def with_next(picture: Picture) -> Picture:
    """The picture with a box for each next memory in place of the arrow back to its box."""
    shown = replace(picture, boxes=[*picture.boxes], arrows=[*picture.arrows], loops=[])
    for loop in picture.loops:
        if loop.target is None or loop.target.kind != MEMORY:
            shown.loops.append(loop)
            continue
        following = Box(MEMORY, (f"{loop.label} next",), frame=loop.target.frame)
        shown.boxes.append(following)
        shown.arrows.append(Arrow(loop.source, following, dashed=True))
    return shown


def order_around(picture: Picture) -> list[tuple[Box, Box]]:
    """Pairs of boxes, the first of which is to lie higher: what comes into the frame of a cell and
    its memories, these and what follows the frame. Otherwise frames stand beside one another.
    """
    read = {arrow.source for arrow in picture.arrows}
    memories = [box for box in picture.boxes if box.kind == MEMORY and box.frame is not None]
    found: dict[tuple[Box, Box], None] = {}
    for arrow in picture.arrows:
        if arrow.target is None:
            continue
        left = _memories_around(memories, arrow.source, arrow.target)
        entered = _memories_around(memories, arrow.target, arrow.source)
        above = [arrow.source, *(box for box in left if box not in read)]
        below = [arrow.target, *(box for box in entered if box in read)]
        if left or entered:
            found |= dict.fromkeys(product(above, below))
    return [*found]


def _memories_around(memories: list[Box], inside: Box, outside: Box) -> list[Box]:
    """The memories of the frames around one box that are not around the other."""
    frames = [frame for frame in frames_around(inside) if frame not in frames_around(outside)]
    return [box for box in memories if box.frame in frames]
