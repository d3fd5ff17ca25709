"""Pictures in Graphviz's language: boxes by kind of stage, shapes on the arrows.

Everything a person wrote passes through `escape`, and the ids of boxes are generated: no name can
become markup or a port.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from nndsl.lower.result import Network
from nndsl.render.diagram_fold import picture_of
from nndsl.render.diagram_kinds import KINDS
from nndsl.render.diagram_memory import MEMORY, order_around, with_next
from nndsl.render.diagram_picture import Arrow, Box, Frame, Picture
from nndsl.render.diagram_shape import frames_around, shape_of
from nndsl.render.diagram_theme import INK, LINE, PAPER, QUIET, SHADE, STATUS, embedded, printable
from nndsl.render.diagram_titles import clear_sides
from nndsl.render.layout import draw

if TYPE_CHECKING:
    from graphviz import Digraph

LONGEST_LABEL = 48
FONT = {"fontname": "Helvetica", "fontcolor": INK}
SPACE = "&#160;"
WIDE_ENOUGH = 26
"""Twice the letters of a frame's label that end left of the arrow into the frame anyhow."""
WIDTHS = {"solid": "1.1", "dashed": "1.1", "bold": "2"}
LONGEST_FIRST_LINE = 34


def escape(text: str, longest: int = LONGEST_LABEL) -> str:
    """Text as it may stand in a Graphviz HTML label: no markup, no control or direction marks."""
    shown = printable(text)
    if len(shown) > longest:
        shown = shown[: longest - 1] + "…"
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        shown = shown.replace(character, entity)
    return shown


def diagram_svg(network: Network, opened: Iterable[str] = (), *, label: str = "") -> str:
    """The network as an `<svg>` element to stand in an HTML page, light or dark.

    `opened` unfolds blocks, as in `picture_of`; `label` is read out by screen readers. The same
    network gives the same text. Errors: NN006 when nothing can draw, NN019 for `opened`.
    """
    picture = picture_of(network, opened)
    drawn = draw(_clear_source(picture, "transparent"), "svg")
    return embedded(drawn.decode("utf-8"), label or _described(picture))


def picture_bytes(picture: Picture, kind: str) -> bytes:
    """A picture as a file of one of `layout.FORMATS`. Errors: NN006 when nothing can draw."""
    drawn = draw(_clear_source(picture, PAPER), kind)
    if kind != "svg":
        return drawn
    return embedded(drawn.decode("utf-8"), _described(picture), alone=True).encode("utf-8")


def _clear_source(picture: Picture, paper: str) -> str:
    """The Graphviz source with the titles of frames where no arrow crosses them."""
    drawer = _Drawer(picture, paper)
    source = drawer.source()
    if not drawer.is_winding():
        return source
    sides = clear_sides(source, drawer.letters)
    return _Drawer(picture, paper, sides).source() if sides else source


def _described(picture: Picture) -> str:
    return f"Diagram of {picture.title}: {', '.join(picture.notes)}"


def diagram_source(network: Network, opened: Iterable[str] = ()) -> str:
    """The network as Graphviz source text (DOT)."""
    return dot_source(picture_of(network, opened))


def dot_source(picture: Picture, *, paper: str = PAPER) -> str:
    """A picture as Graphviz source text (DOT); `paper` is the colour behind it."""
    return _Drawer(picture, paper).source()


class _Drawer:
    def __init__(
        self, picture: Picture, paper: str, sides: Mapping[str, str] | None = None
    ) -> None:
        import graphviz

        self.picture = picture = with_next(picture)
        self.sides = sides or {}  # where titles of frames stand that do not stand at the left
        self.letters: dict[str, int] = {}  # of the titles of frames
        self.names = {box: f"n{number}" for number, box in enumerate(picture.boxes)}
        self.depth = _depths(picture)
        self.shape = shape_of(picture, self.depth)
        self.column = self._columns()
        self.drawing: Digraph = graphviz.Digraph(name="network")
        self.drawing.attr(
            "graph", rankdir="TB", nodesep="0.32", ranksep="0.34", pad="0.2", bgcolor=paper,
            labelloc="t", label=_title(picture), fontsize="13", **FONT,
        )  # fmt: skip
        self.drawing.attr(
            "node", shape="box", style="rounded,filled", penwidth="1.1", margin="0.13,0.07",
            fontsize="11", **FONT,
        )  # fmt: skip
        self.drawing.attr(
            "edge", color=LINE, arrowsize="0.65", penwidth="1.1", fontname="Helvetica",
            fontsize="9", fontcolor=QUIET,
        )  # fmt: skip

    def source(self) -> str:
        """The whole text."""
        self._draw_frame(self.drawing, None)
        labelled: set[tuple[Box, str]] = set()
        for number, arrow in enumerate(self.picture.arrows):
            key = arrow.source, arrow.label
            label = "" if key in labelled and arrow.target is not None else arrow.label
            labelled.add(key)
            self._draw_arrow(arrow, label, number)
        order = order_around(self.picture)
        if order:
            self.drawing.attr("graph", newrank="true")  # else frames are laid out by themselves
        for above, below in order:
            self.drawing.edge(self.names[above], self.names[below], style="invis", weight="0")
        for arrow in self.picture.loops:
            self._draw_loop(arrow, "dashed")
        for arrow in self.picture.carried:
            self._draw_loop(arrow, "solid")
        return str(self.drawing.source)

    def _draw_frame(self, drawing: Digraph, frame: Frame | None) -> None:
        """The boxes of a block (or of the net), and the frames in it."""
        for box in self.picture.boxes:
            if box.frame is frame:
                self._draw_box(drawing, box)
        for number, inner in enumerate(self.picture.frames):
            if inner.parent is frame:
                name = f"cluster_{number}"
                side = self.sides.get(name, "l")
                label, self.letters[name] = _frame_label(inner, side)
                with drawing.subgraph(name=name) as cluster:
                    kernel = {"style": "rounded,filled", "fillcolor": SHADE, "margin": "30"}
                    plain = {"style": "rounded,dashed", "margin": "12"}
                    place = (
                        {"labelloc": "b", "labeljust": "l"} if side == "b" else {"labeljust": side}
                    )
                    cluster.attr(
                        label=label, color=LINE, fontsize="10",
                        **place, **(kernel if inner.note else plain),
                    )  # fmt: skip
                    self._draw_frame(cluster, inner)
        self._draw_level(drawing, frame)

    def _draw_level(self, drawing: Digraph, frame: Frame | None) -> None:
        """Boxes of a frame at one height: ends of arrows that are level, heads of columns."""
        pairs = [(arrow.source, arrow.target) for arrow in self.shape.level]
        pairs += [(box, arrow.target) for arrow, box in self.shape.turns.items()]
        for first, second in pairs:
            if second is not None and _around(first, second) is frame:
                with drawing.subgraph() as level:
                    level.attr(rank="same")
                    level.node(self.names[first])
                    level.node(self.names[second])

    def is_winding(self) -> bool:
        """Whether arrows may come to frames from the side."""
        into = Counter(
            frame
            for arrow in self.picture.arrows
            if arrow.target is not None
            for frame in frames_around(arrow.target)
            if frame not in frames_around(arrow.source)
        )
        is_bent = bool(self.shape.rising or self.shape.turns)
        return bool(into) and (is_bent or max(into.values()) > 1)

    def _draw_box(self, drawing: Digraph, box: Box) -> None:
        colors = STATUS.get(box.status, KINDS[box.kind])
        style = "dashed" if colors.style == "dashed" else ""
        paint = {
            "color": colors.line,
            "fillcolor": colors.fill,
            "tooltip": escape(box.tooltip, 200),
            "group": self.column[box],
            "penwidth": WIDTHS[colors.style],
        }
        if box.kind == "join" and len(box.lines[0]) == 1:
            drawing.node(
                self.names[box], label=f"<<B>{escape(box.lines[0])}</B>>", shape="circle",
                margin="0.01", width="0.27", style=",".join(filter(None, ("filled", style))),
                **paint,
            )  # fmt: skip
            return
        outlines = {"peripheries": "2"} if box.folded else {}
        drawing.node(
            self.names[box], label=_label(box), **paint, **outlines,
            style=",".join(filter(None, ("rounded,filled", style))),
        )  # fmt: skip

    def _draw_arrow(self, arrow: Arrow, label: str, number: int) -> None:
        """An arrow; those of the main flow are kept straight, those that skip stages bend."""
        shown = {"label": f"<{SPACE * 2}{escape(label)}>"} if label else {}
        if arrow.status:
            colors = STATUS[arrow.status]
            shown |= {"color": colors.line, "penwidth": WIDTHS[colors.style]}
            shown["style"] = "dashed" if colors.style == "dashed" else "solid"
        if arrow.dashed:
            shown["style"] = "dashed"
        if arrow.target is None:
            end, column = f"end{number}", self.column[arrow.source]
            straight = {"group": column} if self.onward[arrow.source] == 1 else {}
            if arrow.name:
                text = f"<<B>{escape(arrow.name)}</B>>"
                self.drawing.node(end, label=text, shape="plaintext", style="", margin="0.02",
                                  height="0.25", **straight)  # fmt: skip
            else:
                self.drawing.node(
                    end, label="", shape="point", width="0.06", color=LINE, **straight
                )
            self._join(self.names[arrow.source], end, arrow.source, shown)
            return
        shown["weight"] = "8" if self._is_near(arrow) else "1"
        names = self.names[arrow.source], self.names[arrow.target]
        if arrow in self.shape.level:
            self.drawing.edge(*names, **shown)
        elif arrow in self.shape.turns:
            shown |= {"weight": "1", "dir": "back", "tailport": "w", "headport": "e"}
            self.drawing.edge(*reversed(names), **shown)
        else:
            self._join(*names, arrow.target, shown)

    def _draw_loop(self, arrow: Arrow, style: str) -> None:
        """An arrow to the next step of a recurrence; it does not change what lies where."""
        assert arrow.target is not None
        source, target = self.names[arrow.source], self.names[arrow.target]
        shown = {"style": style, "constraint": "false"}
        if source == target:
            shown |= {"tailport": "e", "headport": "e"}
        if arrow.label:
            shown["label"] = f"<{SPACE * 2}{escape(arrow.label)}>"
        self.drawing.edge(source, target, **shown)

    def _join(self, source: str, target: str, end: Box, shown: dict[str, str]) -> None:
        """An edge downwards, or upwards to what rises."""
        if end in self.shape.rising:
            self.drawing.edge(target, source, dir="back", **shown)
        else:
            self.drawing.edge(source, target, **shown)

    def _columns(self) -> dict[Box, str]:
        """Boxes that stand straight below one another have the same word here."""
        near = [
            arrow
            for arrow in self.picture.arrows
            if self._is_near(arrow) and (arrow.target is None or arrow.target.kind != MEMORY)
        ]
        self.onward = Counter(arrow.source for arrow in near)
        inward = Counter(arrow.target for arrow in near)
        heirs: dict[Box, list[Box]] = {}
        for arrow in near:
            if arrow.target is not None and inward[arrow.target] == 1:
                heirs.setdefault(arrow.source, []).append(arrow.target)
        column: dict[Box, str] = {}
        for box in self.picture.boxes:
            mine = column.setdefault(box, self.names[box])
            if len(heirs.get(box, ())) == 1:
                column[heirs[box][0]] = mine
        return column

    def _is_near(self, arrow: Arrow) -> bool:
        """Whether an arrow goes on to the next box, past none."""
        if arrow.target is None:
            return True
        if arrow in self.shape.turns:
            return False
        return self.depth[arrow.target] - self.depth[arrow.source] <= 1


def _around(first: Box, second: Box) -> Frame | None:
    """The innermost frame around two boxes."""
    frames = frames_around(first)
    return next((frame for frame in frames_around(second) if frame in frames), None)


def _depths(picture: Picture) -> dict[Box, int]:
    """How many boxes lie before each on the longest way to it."""
    depth = dict.fromkeys(picture.boxes, 0)
    into: dict[Box, list[Box]] = {}
    for arrow in picture.arrows:
        if arrow.target is not None:
            into.setdefault(arrow.target, []).append(arrow.source)
    for box in picture.boxes:
        depth[box] = max((depth[source] + 1 for source in into.get(box, ())), default=0)
    return depth


def _title(picture: Picture) -> str:
    rows = [f"<B>{escape(picture.title)}</B>"]
    rows += [
        f'<FONT POINT-SIZE="10" COLOR="{QUIET}">{escape(note, 90)}</FONT>' for note in picture.notes
    ]
    cells = "".join(f"<TR><TD>{row}</TD></TR>" for row in rows)
    cells += '<TR><TD HEIGHT="6"></TD></TR>'
    return f'<<TABLE BORDER="0" CELLSPACING="0" CELLPADDING="2">{cells}</TABLE>>'


def _frame_label(frame: Frame, side: str) -> tuple[str, int]:
    """The title and its letters. At the left as much room follows it: there an arrow goes."""
    times = f"<B>× {frame.times}</B>" if frame.times > 1 else ""
    shown = (SPACE * 2).join(filter(None, (escape(frame.text), times)))
    letters = len(html.unescape(re.sub(r"</?B>", "", shown)))
    shown += SPACE * max(0, 2 * (letters + 4) - WIDE_ENOUGH) if side == "l" else ""
    if frame.note:
        note = f'<FONT POINT-SIZE="8" COLOR="{QUIET}">{escape(frame.note)}</FONT>'
        shown += f'<BR ALIGN="LEFT"/>{note}<BR ALIGN="LEFT"/>'
    return f"<{shown}>", max(letters, round(0.8 * len(frame.note)))


def _label(box: Box) -> str:
    first = f"<B>{escape(box.lines[0])}</B>"
    after = [escape(line) for line in box.lines[1:]]
    if len(" · ".join(box.lines)) <= LONGEST_FIRST_LINE:
        first, after = f"{SPACE}· ".join([first, *after]), []
    if box.times > 1:
        first += f"{SPACE * 3}<B>× {box.times}</B>"
    rows = [first, *after]
    rows += [
        f'<FONT POINT-SIZE="9" COLOR="{QUIET}">{escape(line, 64)}</FONT>'
        for line in box.small
        if line
    ]
    cells = "".join(f'<TR><TD ALIGN="LEFT">{row}</TD></TR>' for row in rows)
    return f'<<TABLE BORDER="0" CELLSPACING="1" CELLPADDING="1">{cells}</TABLE>>'
