"""A network as a diagram in Graphviz's language: boxes by kind of stage, shapes on the arrows.

Everything a person wrote passes through `escape`, and the ids of boxes are generated: no name can
become markup or a port.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from nndsl.ir.graph import Value
from nndsl.ir.types import format_shape
from nndsl.lower.result import Network
from nndsl.render.structure import Box, Frame, Picture, picture_of

if TYPE_CHECKING:
    from graphviz import Digraph

INK = "#1f2933"
QUIET = "#616e7c"
LINE = "#9aa5b1"
FILL = {
    "input": "#e4e7eb",
    "dense": "#ffe7b8",
    "activation": "#d6f0d5",
    "random": "#f7d9e3",
    "concat": "#d9e6f7",
    "sign": "#d9e6f7",
    "other": "#eef1f4",
}
LONGEST_LABEL = 48
FONT = {"fontname": "Helvetica", "fontcolor": INK}
SPACE = "&#160;"


def escape(text: str) -> str:
    """Text as it may stand in a Graphviz HTML label: no markup, no control or direction marks."""
    shown = "".join(
        c if unicodedata.category(c)[0] != "C" else "\N{REPLACEMENT CHARACTER}" for c in text
    )
    if len(shown) > LONGEST_LABEL:
        shown = shown[: LONGEST_LABEL - 1] + "…"
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        shown = shown.replace(character, entity)
    return shown


def diagram_source(network: Network) -> str:
    """The network as Graphviz source text (DOT)."""
    import graphviz

    drawing = graphviz.Digraph(name="network")
    title = f"{escape(network.name)}: {network.parameter_count:,} parameters"
    drawing.attr(
        "graph", rankdir="TB", nodesep="0.35", ranksep="0.42", pad="0.25", bgcolor="white",
        labelloc="t", label=f"<<B>{title}</B>>", fontsize="12", **FONT,
    )  # fmt: skip
    drawing.attr(
        "node", shape="box", style="rounded,filled", color=LINE, penwidth="1", margin="0.14,0.08",
        fontsize="11", **FONT,
    )  # fmt: skip
    drawing.attr(
        "edge", color=LINE, arrowsize="0.7", fontname="Helvetica", fontsize="9", fontcolor=QUIET
    )
    picture = picture_of(network)
    _draw_frame(drawing, picture, "")
    for source, target in picture.arrows():
        drawing.edge(source.identity, target.identity, label=_shape_label(source.output))
    _draw_outputs(drawing, picture)
    return str(drawing.source)


def _draw_frame(drawing: Digraph, picture: Picture, path: str) -> None:
    """The boxes of a block (or of the net), and the blocks in it as frames."""
    for box in picture.boxes:
        if box.parent == path:
            _draw_box(drawing, box)
    for number, frame in enumerate(picture.frames):
        if frame.parent == path:
            with drawing.subgraph(name=f"cluster_{number}") as inner:
                inner.attr(
                    label=_frame_label(frame), style="rounded,dashed", color=LINE, fontsize="10",
                    labeljust="l", margin="12",
                )  # fmt: skip
                _draw_frame(inner, picture, frame.path)


def _frame_label(frame: Frame) -> str:
    times = f"{SPACE * 2}<B>× {frame.times}</B>" if frame.times > 1 else ""
    return f"<{escape(frame.text)}{times}>"


def _draw_box(drawing: Digraph, box: Box) -> None:
    line = f", line {box.line}" if box.line is not None else ""
    tooltip = f"{box.path}{line}" if box.path else box.lines[0]
    if box.kind == "sign":
        drawing.node(
            box.identity, label=escape(box.lines[0]), shape="circle", margin="0.01", width="0.28",
            style="filled", fillcolor=FILL["sign"], tooltip=tooltip,
        )  # fmt: skip
        return
    drawing.node(box.identity, label=_label(box), fillcolor=FILL[box.kind], tooltip=tooltip)


def _label(box: Box) -> str:
    rows = [f'<TR><TD ALIGN="LEFT"><B>{escape(box.lines[0])}</B></TD></TR>']
    rows += [f'<TR><TD ALIGN="LEFT">{escape(line)}</TD></TR>' for line in box.lines[1:]]
    if box.small:
        small = f'<FONT POINT-SIZE="9" COLOR="{QUIET}">{escape(box.small)}</FONT>'
        rows.append(f'<TR><TD ALIGN="LEFT">{small}</TD></TR>')
    return f'<<TABLE BORDER="0" CELLSPACING="1" CELLPADDING="1">{"".join(rows)}</TABLE>>'


def _shape_label(value: Value) -> str:
    return f"<{SPACE * 2}{escape(format_shape(value.type.shape))}>"


def _draw_outputs(drawing: Digraph, picture: Picture) -> None:
    """Arrows that leave the picture: to a dot, or to the names where there are several outputs."""
    for number, (name, box) in enumerate(picture.outputs.items()):
        end = f"end{number}"
        if len(picture.outputs) == 1:
            drawing.node(end, label="", shape="point", width="0.06", color=LINE)
        else:
            drawing.node(end, label=f"<{escape(name)}>", shape="plaintext", style="",
                         margin="0", height="0.25")  # fmt: skip
        drawing.edge(box.identity, end, label=_shape_label(box.output))
