"""Recurrences unrolled in a picture: one step after the other, an arrow in place of each loop.

Steps that are one box stand side by side; those that are drawn open stand below one another.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

from nndsl.render.diagram_picture import Arrow, Box, Frame, Picture
from nndsl.render.diagram_shape import frames_around


def unrolled(picture: Picture, steps: int) -> Picture:
    """The picture with so many steps of each recurrence in place of its loop."""
    number: dict[Box, int] = {}  # of the step that a box belongs to
    while picture.loops:
        picture = _one_unrolled(picture, steps, number)
    return picture


def _one_unrolled(picture: Picture, steps: int, number: dict[Box, int]) -> Picture:
    first = picture.loops[0]
    frame = _frame_of(picture, first)
    inside = [box for box in picture.boxes if box is first.source or _within(box, frame)]
    loops = [a for a in picture.loops if a.source in inside and a.target in inside]
    copies = [_Copy(picture, inside, frame, step, steps) for step in range(1, steps + 1)]
    for step, copy in enumerate(copies):
        number.update(dict.fromkeys(copy.boxes.values(), step))
    found = replace(picture, boxes=[], frames=[], arrows=[], loops=[], carried=[])
    for box in picture.boxes:
        found.boxes += [c.boxes[box] for c in copies] if box in inside else [box]
    for old in picture.frames:
        found.frames += [c.frames[old] for c in copies] if old in copies[0].frames else [old]
    for arrow in picture.arrows:
        if arrow.source not in inside and arrow.target not in inside:
            found.arrows.append(arrow)  # also one from step to step of another recurrence
            continue
        leaves = arrow.source in inside and arrow.target not in inside
        steps_shown = copies[-1:] if leaves and _is_of_end(arrow, frame) else copies
        made = dict.fromkeys(copy.arrow(arrow) for copy in steps_shown)
        found.arrows += [a for a in made if _in_step(a, number)]
    found.loops += [arrow for arrow in picture.loops if arrow not in loops]
    found.carried += picture.carried
    beside = found.carried if frame is None else found.arrows
    beside += _carried(loops, copies)
    return found


def _in_step(arrow: Arrow, number: dict[Box, int]) -> bool:
    """Whether an arrow stays in one step: of recurrences on each other the same step is read."""
    ends = (arrow.source, arrow.source if arrow.target is None else arrow.target)
    return len({number[box] for box in ends if box in number}) < 2


def _is_of_end(arrow: Arrow, frame: Frame | None) -> bool:
    """Whether only the last step gives what is read: before `last`, and of a `settle`."""
    around = [] if frame is None else [frame, *([frame.parent] if frame.parent else [])]
    settles = any(each.text.startswith("settle,") for each in around)
    return settles or (arrow.target is not None and arrow.target.lines[0] == "last")


def _carried(loops: Iterable[Arrow], copies: list[_Copy]) -> Iterable[Arrow]:
    """From each step to the next what the loop gave it."""
    for before, after in pairwise(copies):
        for arrow in loops:
            assert arrow.target is not None
            source, target = before.boxes[arrow.source], after.boxes[arrow.target]
            yield Arrow(source, target, arrow.label)


def _frame_of(picture: Picture, loop: Arrow) -> Frame | None:
    """The frame of a recurrence that is drawn open: the innermost around both ends."""
    assert loop.target is not None
    if loop.source is loop.target:
        return None
    around = frames_around(loop.source)
    return next(frame for frame in frames_around(loop.target) if frame in around)


def _within(box: Box, frame: Frame | None) -> bool:
    return frame is not None and frame in frames_around(box)


class _Copy:
    """One step: boxes and frames of its own."""

    def __init__(
        self, picture: Picture, inside: list[Box], frame: Frame | None, step: int, steps: int
    ) -> None:
        called = f"step {step}" if step < steps else f"step {step} …"
        self.frames: dict[Frame, Frame] = {}
        for old in picture.frames:  # outer frames stand before inner ones
            if old is frame:
                self.frames[old] = replace(old, text=f"{old.text}, {called}")
            elif old.parent in self.frames:
                assert old.parent is not None
                self.frames[old] = replace(old, parent=self.frames[old.parent])
        self.boxes: dict[Box, Box] = {}
        for box in inside:
            around = self.frames.get(box.frame, box.frame) if box.frame is not None else None
            small = box.small if frame is not None else (called,)
            self.boxes[box] = replace(box, frame=around, small=small)

    def arrow(self, arrow: Arrow) -> Arrow:
        """An arrow with the ends of this step."""
        target = arrow.target
        return replace(
            arrow,
            source=self.boxes.get(arrow.source, arrow.source),
            target=self.boxes.get(target, target) if target is not None else None,
        )
