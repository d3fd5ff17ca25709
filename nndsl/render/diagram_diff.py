"""What changed between two networks: their boxes side by side, as text and as one picture.

Boxes are matched like lines of two texts: equal ones first, then, between those, ones of the same
word in order (a `dense(16)` that became a `dense(32)`); the rest was added or removed.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from difflib import SequenceMatcher

from nndsl.records import dataclass
from nndsl.render.diagram_picture import Arrow, Box, Frame, Picture

SIGNS = {"added": "+", "removed": "-", "changed": "~", "same": " "}


@dataclass(frozen=True)
class Pair:
    """A box before, after, or both."""

    before: Box | None
    after: Box | None
    status: str


@dataclass
class Difference:
    """Two pictures and their boxes in pairs, in an order that is that of both."""

    before: Picture
    after: Picture
    pairs: tuple[Pair, ...]

    @property
    def is_empty(self) -> bool:
        """Whether the networks are the same."""
        return all(p.status == "same" for p in self.pairs) and _ends(self.before) == _ends(
            self.after
        )


def difference(before: Picture, after: Picture) -> Difference:
    """The pictures of two networks compared."""
    shapes = _shapes(before) | _shapes(after)
    wires = _wires(before), _wires(after)
    pairs = []
    for a, b in _matched(before.boxes, after.boxes, (_exactly, _word)):
        if a is None or b is None:
            pairs.append(Pair(a, b, "removed" if b is None else "added"))
            continue
        alike = (a.lines, a.small, a.times) == (b.lines, b.small, b.times)
        alike = alike and shapes[a] == shapes[b] and wires[0][a] == wires[1][b]
        pairs.append(Pair(a, b, "same" if alike else "changed"))
    return Difference(before, after, tuple(pairs))


def _shapes(picture: Picture) -> dict[Box, str]:
    """The shape that each box gives."""
    return dict.fromkeys(picture.boxes, "") | {a.source: a.label for a in picture.arrows}


def _wires(picture: Picture) -> dict[Box, int]:
    """How many boxes each reads: a skip arrow more or less is a change."""
    found = dict.fromkeys(picture.boxes, 0)
    for arrow in picture.arrows:
        if arrow.target is not None:
            found[arrow.target] += 1
    return found


def _ends(picture: Picture) -> list[str]:
    return [arrow.name for arrow in picture.arrows if arrow.target is None]


def _exactly(box: Box) -> Hashable:
    return box.kind, box.lines, box.folded


def _word(box: Box) -> Hashable:
    return box.kind, box.folded, box.lines[0].partition("(")[0]


def _matched(
    before: Sequence[Box], after: Sequence[Box], keys: Sequence[Callable[[Box], Hashable]]
) -> Iterator[tuple[Box | None, Box | None]]:
    """Pairs of boxes by the first key; what lies between them by the keys after it."""
    if not keys:
        yield from ((box, None) for box in before)
        yield from ((None, box) for box in after)
        return
    key, *others = keys
    matcher = SequenceMatcher(None, [*map(key, before)], [*map(key, after)], autojunk=False)
    a, b = 0, 0
    for block in matcher.get_matching_blocks():
        yield from _matched(before[a : block.a], after[b : block.b], others)
        a, b = block.a + block.size, block.b + block.size
        yield from zip(before[block.a : a], after[block.b : b], strict=True)


def difference_rows(found: Difference) -> list[list[str]]:
    """Sign, stage, shape and costs of each box that is not the same; changed ones before, after."""
    shapes = _shapes(found.before) | _shapes(found.after)
    rows = []
    for pair in found.pairs:
        if pair.status == "same":
            continue
        sign = SIGNS[pair.status]
        for box in (pair.before, pair.after):
            if box is not None:
                rows.append([sign, _text(box), shapes[box], " · ".join(box.small)])
                sign = " →" if pair.status == "changed" else sign
    return rows


def _text(box: Box) -> str:
    times = f" × {box.times}" if box.times > 1 else ""
    return " · ".join([box.lines[0] + times, *box.lines[1:]])


def difference_picture(found: Difference) -> Picture:
    """One picture of both: added, removed and changed boxes and arrows by colour and line."""
    return _Merger(found).picture()


class _Merger:
    def __init__(self, found: Difference) -> None:
        self.found = found
        self.box_of: dict[Box, Box] = {}
        self.frame_of: dict[Frame, Frame] = {f: f for f in found.after.frames}
        for pair in found.pairs:
            if pair.before is not None and pair.after is not None:
                self._match_frames(pair.before.frame, pair.after.frame)

    def _match_frames(self, before: Frame | None, after: Frame | None) -> None:
        while before is not None and after is not None:
            self.frame_of.setdefault(before, after)
            before, after = before.parent, after.parent

    def picture(self) -> Picture:
        """Boxes of both in order; the colours are told below the title."""
        before, after = self.found.before, self.found.after
        notes = [
            f"{' · '.join(before.notes)}  →  {' · '.join(after.notes)}",
            "+ green: added   − red, dashed: removed   ~ amber: changed",
        ]
        title = " → ".join(dict.fromkeys([before.title, after.title]))
        drawn = Picture(title, tuple(notes), frames=list(after.frames))
        drawn.boxes = [self._box(pair) for pair in self.found.pairs]
        old = {self._ends(arrow): arrow for arrow in before.arrows}
        new = {self._ends(arrow): arrow for arrow in after.arrows}
        for key in dict.fromkeys([*new, *old]):
            drawn.arrows.append(self._arrow(key, old.get(key), new.get(key)))
        return drawn

    def _ends(self, arrow: Arrow) -> tuple[Box, Box | None, str]:
        target = self.box_of[arrow.target] if arrow.target is not None else None
        return self.box_of[arrow.source], target, arrow.name

    def _arrow(
        self, key: tuple[Box, Box | None, str], old: Arrow | None, new: Arrow | None
    ) -> Arrow:
        source, target, name = key
        labels = dict.fromkeys(arrow.label for arrow in (old, new) if arrow is not None)
        status = "" if old and new else "added" if new else "removed"
        return Arrow(source, target, " → ".join(labels), name, status)

    def _box(self, pair: Pair) -> Box:
        """The box after, else before; a changed one says what it was."""
        model = pair.after or pair.before
        assert model is not None
        frame = self.frame_of.get(model.frame) if model.frame is not None else None
        lines, small = model.lines, model.small
        if pair.status != "same" and len(lines[0]) > 1:
            lines = (f"{SIGNS[pair.status]} {lines[0]}", *lines[1:])
        if pair.before is not None and pair.status == "changed":
            was = pair.before
            if _text(was) != _text(model):
                small = (f"was {_text(was)}", *small)
            gone = [line for line in was.small if line not in model.small]
            small = (*small, *(f"was {line}" for line in gone))
        box = Box(
            model.kind, lines, small, frame, model.times, model.folded, model.tooltip, pair.status
        )  # fmt: skip
        for known in (pair.before, pair.after):
            if known is not None:
                self.box_of[known] = box
        return box
