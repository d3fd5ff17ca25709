"""A picture in box characters, for a terminal: boxes below one another, a lane for each value.

A value that is read later runs down a lane at the left of the boxes that come before its reader,
as branches do in a log of versions; so every network fits, whatever its shape.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nndsl.records import dataclass
from nndsl.render.diagram_picture import Arrow, Box, Frame, Picture
from nndsl.render.diagram_shape import frames_around
from nndsl.render.diagram_theme import printable

WIDTH = 80
NARROWEST = 24
"""Columns that a box has at least, however many lanes run beside it."""

UP, DOWN, LEFT, RIGHT = 1, 2, 4, 8
LINES = {
    UP | DOWN: "│", LEFT | RIGHT: "─", UP | RIGHT: "╰", UP | LEFT: "╯", DOWN | RIGHT: "╭",
    DOWN | LEFT: "╮", UP | DOWN | RIGHT: "├", UP | DOWN | LEFT: "┤", UP | LEFT | RIGHT: "┴",
    DOWN | LEFT | RIGHT: "┬", UP | DOWN | LEFT | RIGHT: "┼", UP: "│", DOWN: "│",
}  # fmt: skip
PLAIN = str.maketrans(
    {
        "│": "|", "─": "-", "╰": "`", "╯": "'", "╭": ".", "╮": ".", "├": "+", "┤": "+", "┴": "+",
        "┬": "+", "┼": "+", "┌": "+", "┐": "+", "└": "+", "┘": "+", "═": "=", "║": "|", "╔": "+",
        "╗": "+", "╚": "+", "╝": "+", "╧": "+", "╤": "+", "▼": "v", "▶": ">", "┄": ".", "×": "x",
        "·": ",", "−": "-", "÷": "/", "…": "~", "\N{REPLACEMENT CHARACTER}": "?",
    }
)  # fmt: skip
"""What stands for each character where only ASCII can be shown."""

SINGLE = "┌─┐│└┘┴┬"
DOUBLE = "╔═╗║╚╝╧╤"
"""Corners, sides and where arrows come in and go out; double for a block that is folded."""


def terminal_text(picture: Picture, width: int = WIDTH, *, ascii_only: bool = False) -> str:
    """The picture as lines of at most `width` columns, as far as the lanes leave room."""
    lines = [
        printable(picture.title),
        *map(printable, picture.notes),
        "",
        *_Lanes(picture, width).rows(),
    ]
    text = "\n".join(_cut(line.rstrip(), max(width, NARROWEST)) for line in lines) + "\n"
    return text.translate(PLAIN) if ascii_only else text


def can_show(encoding: str | None) -> bool:
    """Whether a stream of this encoding has the box characters."""
    try:
        "".join(chr(code) for code in PLAIN).encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


@dataclass
class _Lanes:
    """The boxes in order, with the lanes that are open at each; None is a free lane."""

    picture: Picture
    width: int

    def __post_init__(self) -> None:
        self.lanes: list[Box | None] = []
        self.into: dict[Box, list[Box]] = {}
        self.leaving: dict[Box, list[Arrow]] = {}
        self.waiting: dict[Box, int] = dict.fromkeys(self.picture.boxes, 0)
        self.label: dict[Box, str] = {}
        for arrow in self.picture.arrows:
            self.label.setdefault(arrow.source, arrow.label)
            if arrow.target is None:
                self.leaving.setdefault(arrow.source, []).append(arrow)
            else:
                self.into.setdefault(arrow.target, []).append(arrow.source)
                self.waiting[arrow.source] += 1
        most = self._most_lanes()
        fits = (s for s in (4, 3) if self.width >= 2 + (most - 1) * s + NARROWEST + 8)
        self.step = next(fits, 2)

    def _most_lanes(self) -> int:
        """A bound on how many lanes are open at a time."""
        waiting, most, open_lanes = dict(self.waiting), 0, 0
        for box in self.picture.boxes:
            for source in self.into.get(box, ()):
                waiting[source] -= 1
                open_lanes -= waiting[source] == 0
            open_lanes += waiting[box] > 0
            most = max(most, open_lanes + 1)
        return most

    def rows(self) -> Iterable[str]:
        """All rows from the inputs to the outputs."""
        frames: list[Frame] = []
        for box in self.picture.boxes:
            yield from self._frames(frames, frames_around(box)[::-1])
            lane, rows = self._join(self.into.get(box, []))
            yield from rows
            yield from self._box(box, lane)
            yield from self._after(box, lane)
        yield from self._frames(frames, [])

    def _frames(self, now: list[Frame], wanted: list[Frame]) -> Iterable[str]:
        """Rows where blocks end and begin; `now` becomes `wanted`."""
        while now != wanted[: len(now)]:
            ended = now.pop()
            yield self._row({}, f"┄┄ end of {_frame_text(ended)}")
        for frame in wanted[len(now) :]:
            now.append(frame)
            yield self._row({}, f"┄┄ {_frame_text(frame)} ┄┄")

    def _join(self, sources: Sequence[Box]) -> tuple[int, list[str]]:
        """The lane of a box that reads `sources`, and the row that leads them there."""
        read = [n for n, box in enumerate(self.lanes) if box is not None and box in sources]
        for source in sources:
            self.waiting[source] -= 1
        ended = {n for n in read if self.waiting[self._at(n)] == 0}
        kept = [n for n, box in enumerate(self.lanes) if box is not None and n not in ended]
        lane = max(kept, default=-1) + 1
        if len(read) == 1 and read[0] in ended and read[0] >= lane:
            lane = read[0]
        rows = []
        if read and read != [lane]:
            rows.append(self._row(self._bend(read, ended, lane)))
        for n in ended:
            self.lanes[n] = None
        self.lanes += [None] * (lane + 1 - len(self.lanes))
        return lane, rows

    def _at(self, lane: int) -> Box:
        box = self.lanes[lane]
        assert box is not None
        return box

    def _bend(self, read: list[int], ended: set[int], lane: int) -> dict[int, str]:
        """Signs by column of the row in which the lanes `read` turn into `lane`."""
        first, last = min([*read, lane]), max([*read, lane])
        signs = {}
        for column in range(self._column(first), self._column(last)):
            signs[column] = "─"
        for number in range(max(last + 1, len(self.lanes))):
            inside = number in read or number == lane
            live = number < len(self.lanes) and self.lanes[number] is not None
            if not inside:
                if live:
                    signs[self._column(number)] = "│"
                continue
            bits = UP * (number in read) | DOWN * (number == lane or number not in ended)
            bits |= LEFT * (number > first) | RIGHT * (number < last)
            signs[self._column(number)] = LINES[bits]
        return signs

    def _column(self, lane: int) -> int:
        return 2 + lane * self.step

    def _row(self, signs: dict[int, str], text: str = "", at: int | None = None) -> str:
        """A row of lanes with other signs at some columns, and a text at the right or at `at`."""
        live = {self._column(n): "│" for n, box in enumerate(self.lanes) if box is not None}
        cells = live | signs
        line = "".join(cells.get(column, " ") for column in range(max(cells, default=-1) + 1))
        if not text:
            return line
        place = at if at is not None else max(cells, default=0) + 2
        return f"{line[:place]:<{place}}{text}"

    def _box(self, box: Box, lane: int) -> Iterable[str]:
        """The rows of one box; a plain sign takes a single row."""
        enters = bool(self.into.get(box))
        goes_on = bool(self.waiting[box] or self.leaving.get(box))
        if box.kind == "join" and len(box.lines[0]) == 1:
            yield self._row({}, f"({box.lines[0]})", self._column(lane) - 1)
            return
        left = self._column(lane) - (2 if self.step > 2 else 1)
        room = max(NARROWEST, self.width - left) - 4
        texts = _texts(box, room)
        inner = max(self._column(lane) - left + 2, max(map(_cells, texts)) + 2)
        signs = DOUBLE if box.folded else SINGLE
        mouth = self._column(lane) - left - 1
        edges = [signs[1] * inner, signs[1] * inner]
        for number, (there, sign) in enumerate(((enters, signs[6]), (goes_on, signs[7]))):
            if there:
                edges[number] = edges[number][:mouth] + sign + edges[number][mouth + 1 :]
        yield self._row({}, f"{signs[0]}{edges[0]}{signs[2]}", left)
        for text in texts:
            filling = " " * (inner - 2 - _cells(text))
            yield self._row({}, f"{signs[3]} {text}{filling} {signs[3]}", left)
        yield self._row({}, f"{signs[4]}{edges[1]}{signs[5]}", left)

    def _after(self, box: Box, lane: int) -> Iterable[str]:
        """The lane of the box's value with its shape, and where it leaves the picture."""
        leaving = self.leaving.get(box, [])
        label = printable(self.label.get(box, ""))
        column = self._column(lane)
        if self.waiting[box]:
            self.lanes[lane] = box
            for arrow in leaving:
                yield self._row(
                    {column: "├", column + 1: "─", column + 2: "▶"},
                    printable(arrow.name),
                    column + 4,
                )
            yield self._row({}, label, column + 2)
        elif leaving:
            yield self._row({column: "│"}, label, column + 2)
            names = ", ".join(printable(arrow.name) for arrow in leaving if arrow.name)
            yield self._row({column: "▼"}, names, column + 2)
        while self.lanes and self.lanes[-1] is None:
            self.lanes.pop()


def _frame_text(frame: Frame) -> str:
    times = f"× {frame.times}" if frame.times > 1 else ""
    return printable("  ".join(filter(None, (frame.text, frame.note, times))))


def _texts(box: Box, room: int) -> list[str]:
    """The lines in a box: stages in one line where they fit, then the small print."""
    times = f"   × {box.times}" if box.times > 1 else ""
    lines = [f"{box.lines[0]}{times}", *box.lines[1:]]
    found = []
    for texts in (lines, list(box.small)):
        shown = [printable(text) for text in texts]
        joined = " · ".join(shown)
        found += [joined] if _cells(joined) <= room else [_cut(text, room) for text in shown]
    return [text for text in found if text]


def _cells(text: str) -> int:
    """Columns that a text takes in a terminal."""
    from rich.cells import cell_len

    return cell_len(text)


def _cut(text: str, room: int) -> str:
    from rich.cells import set_cell_size

    return text if _cells(text) <= room else set_cell_size(text, room - 1).rstrip() + "…"
