"""Colours of diagrams, and an SVG of Graphviz made fit to stand in a page, light or dark.

The dark colours are rules that replace one colour by another, so that the drawing itself stays
what Graphviz made and shows on white paper without any style.
"""

from __future__ import annotations

import html
import re
import unicodedata

from nndsl.render.diagram_kinds import KINDS, Colors

INK = "#1f2933"
QUIET = "#5b6875"
LINE = "#8793a0"
PAPER = "#ffffff"
SHADE = "#f4f6f8"

STATUS = {
    "added": Colors("#d5f0dc", "#1a7f4b", "#12402a", "#4cc38a", "bold"),
    "removed": Colors("#fbdcdc", "#b3373f", "#4c1a1e", "#f08a8f", "dashed"),
    "changed": Colors("#ffeeb8", "#b07d00", "#453700", "#e0b03c"),
    "same": Colors("#f7f8f9", "#a6b0ba", "#20262d", "#6f7b88"),
}
"""Where two networks are compared: colour, and with it the style of the line."""

DARK = {INK: "#e6eaee", QUIET: "#a3aeb9", LINE: "#7f8c99", PAPER: "#14181d", SHADE: "#1d2329"}

CLASS = "nndsl-diagram"
SERIF_FREE = "Helvetica, Arial, Liberation Sans, sans-serif"


def _rules() -> str:
    """CSS that lets each colour follow the `color-scheme` of where the diagram stands."""
    pairs = dict(DARK)
    for colors in (*KINDS.values(), *STATUS.values()):
        pairs |= {colors.fill: colors.dark_fill, colors.line: colors.dark_line}
    return "".join(
        f'.{CLASS} [{part}="{light}"]{{{part}:light-dark({light},{dark})}}'
        for light, dark in pairs.items()
        for part in ("fill", "stroke")
    )


def printable(text: str) -> str:
    """The text with a sign in place of each control and direction mark."""
    return "".join(
        c if unicodedata.category(c)[0] != "C" else "\N{REPLACEMENT CHARACTER}" for c in text
    )


def embedded(svg: str, label: str, *, alone: bool = False) -> str:
    """Graphviz's SVG as an element of a page: no ids, tooltips as titles, a name, dark colours.

    The size is at most that of the drawing and shrinks with the page. Colours follow the
    `color-scheme` of the page; a drawing that stands `alone`, in its own file, that of the reader.
    """
    body = svg[svg.index("<svg") :].replace('fill="white"', 'fill="none"')
    body = re.sub(r"<!--.*?-->\n?", "", body, flags=re.DOTALL)
    body = re.sub(
        r'<title>[^<]*</title>\n<g id="[^"]*"><a xlink:title="([^"]*)">(.*?)</a>\n</g>',
        r"<title>\1</title>\2",
        body,
        flags=re.DOTALL,
    )
    body = re.sub(
        r"(<g [^>]*class=\"(?:edge|graph|cluster)\"[^>]*>\n)<title>[^<]*</title>\n", r"\1", body
    )
    body = re.sub(r' (id|xml:space|xmlns:xlink)="[^"]*"', "", body)
    body = body.replace('font-family="Helvetica,sans-Serif"', f'font-family="{SERIF_FREE}"')
    width, height = (
        float(n) * 4 / 3 for n in re.findall(r'(?:width|height)="([\d.]+)pt"', body)[:2]
    )
    box = re.search(r'viewBox="[^"]*"', body)
    scheme = ";color-scheme:light dark" if alone else ""
    start = '<?xml version="1.0" encoding="UTF-8"?>\n' if alone else ""
    head = (
        f'{start}<svg xmlns="http://www.w3.org/2000/svg" class="{CLASS}" role="img" '
        f'aria-label="{html.escape(printable(label))}" width="{width:.0f}" height="{height:.0f}" '
        f'{box[0] if box else ""} style="max-width:100%;height:auto{scheme}">\n'
        f"<style>{_rules()}</style>"
    )
    return head + body[body.index(">") + 1 :]
