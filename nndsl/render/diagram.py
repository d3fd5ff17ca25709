"""A network as a diagram: one box a stage with the activations that follow it, shapes on edges.

The parts of a `Network` are read, Graphviz source is written. Everything a person wrote passes
through `escape`, and the ids of boxes are generated: no name can become markup or a port.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import field

from nndsl.ir.graph import Role, Value
from nndsl.ir.types import format_shape
from nndsl.lower.result import Network, Part
from nndsl.records import dataclass
from nndsl.vocab.registry import words

INK = "#1f2933"
QUIET = "#7b8794"
LINE = "#9aa5b1"
FILL = {
    "input": "#e4e7eb",
    "dense": "#ffe7b8",
    "activation": "#d6f0d5",
    "random": "#f7d9e3",
    "join": "#d9e6f7",
    "other": "#eef1f4",
}
LONGEST_LABEL = 48


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


@dataclass
class Box:
    """One box: its lines of text, its colour, and the value that leaves it."""

    identity: str
    kind: str
    lines: list[str]
    small: str
    output: Value
    inputs: tuple[Value, ...]
    tooltip: str = ""
    parts: list[Part] = field(default_factory=list)


def _kind(part: Part) -> str:
    if part.word in words("activation") or part.word in ("softmax", "log_softmax"):
        return "activation"
    if part.word in ("dropout", "add_noise", "noise"):
        return "random"
    if part.word in ("concat", "+", "-", "*", "/"):
        return "join"
    return part.word if part.word in FILL else "other"


def _small(network: Network, part: Part) -> str:
    count = sum(network.parameters[name].size for name in part.parameters)
    return f"{count:,} parameters" if count else ""


def boxes(network: Network) -> list[Box]:
    """The boxes in the order of the source: inputs first; an activation joins the box before."""
    found: list[Box] = []
    by_output: dict[Value, Box] = {}
    readers: dict[Value, int] = {}
    leaves = [part for part in network.parts if not part.is_block]
    for part in leaves:
        for value in part.inputs:
            readers[value] = readers.get(value, 0) + 1
    for name, given in network.graph.inputs.items():
        if given.role is Role.DATA:
            box = Box(f"n{len(found)}", "input", [name], network.data or "", given.value, ())
            found.append(box)
            by_output[given.value] = box
    for part in leaves:
        before = by_output.get(part.inputs[0]) if len(part.inputs) == 1 else None
        joins = _kind(part) == "activation" and before is not None and before.kind != "input"
        if joins and before is not None and readers.get(before.output) == 1:
            before.lines.append(part.text)
            before.output = part.output
            before.parts.append(part)
            by_output[part.output] = before
            continue
        box = Box(f"n{len(found)}", _kind(part), [part.text], _small(network, part), part.output,
                  part.inputs, part.path, [part])  # fmt: skip
        found.append(box)
        by_output[part.output] = box
    return found


def _sources(value: Value, by_output: dict[Value, Box]) -> Iterator[Box]:
    """The boxes whose values reach `value`, through nodes that belong to no box."""
    seen: set[Value] = set()
    waiting = [value]
    while waiting:
        present = waiting.pop()
        if present in seen:
            continue
        seen.add(present)
        if present in by_output:
            yield by_output[present]
        elif present.node is not None:
            waiting.extend(reversed(present.node.inputs))


def edges(found: list[Box]) -> list[tuple[Box, Box]]:
    """Arrows between boxes, each once, in the order of the source."""
    by_output: dict[Value, Box] = {}
    for box in found:
        by_output.setdefault(box.output, box)
        for part in box.parts:
            by_output[part.output] = box
    pairs: dict[tuple[str, str], tuple[Box, Box]] = {}
    for box in found:
        for value in box.inputs:
            for source in _sources(value, by_output):
                if source is not box:
                    pairs.setdefault((source.identity, box.identity), (source, box))
    return list(pairs.values())


def _label(box: Box) -> str:
    rows = [f'<TR><TD ALIGN="LEFT"><B>{escape(box.lines[0])}</B></TD></TR>']
    rows += [f'<TR><TD ALIGN="LEFT">{escape(line)}</TD></TR>' for line in box.lines[1:]]
    if box.small:
        small = f'<FONT POINT-SIZE="9" COLOR="{QUIET}">{escape(box.small)}</FONT>'
        rows.append(f'<TR><TD ALIGN="LEFT">{small}</TD></TR>')
    return f'<<TABLE BORDER="0" CELLSPACING="1" CELLPADDING="1">{"".join(rows)}</TABLE>>'


def diagram_source(network: Network) -> str:
    """The network as Graphviz source text (DOT)."""
    import graphviz

    drawing = graphviz.Digraph(name="network")
    title = f"{network.name}: {network.parameter_count:,} parameters"
    drawing.attr(
        "graph", rankdir="TB", nodesep="0.35", ranksep="0.42", pad="0.25", bgcolor="white",
        fontname="Helvetica", fontsize="12", fontcolor=INK, labelloc="t",
        label=f'<<FONT COLOR="{INK}">{escape(title)}</FONT>>',
    )  # fmt: skip
    drawing.attr(
        "node", shape="box", style="rounded,filled", color=LINE, penwidth="1", margin="0.14,0.08",
        fontname="Helvetica", fontsize="11", fontcolor=INK,
    )  # fmt: skip
    drawing.attr(
        "edge", color=LINE, arrowsize="0.7", fontname="Helvetica", fontsize="9", fontcolor=QUIET
    )
    found = boxes(network)
    for box in found:
        drawing.node(box.identity, label=_label(box), fillcolor=FILL.get(box.kind, FILL["other"]))
    for source, target in edges(found):
        shape = escape(format_shape(source.output.type.shape))
        drawing.edge(source.identity, target.identity, label=f"< {shape}>")
    drawing.node("end", label="", shape="point", width="0.06", color=LINE)
    for value in network.graph.outputs.values():
        for box in _sources(value, {b.output: b for b in found}):
            shape = escape(format_shape(box.output.type.shape))
            drawing.edge(box.identity, "end", label=f"< {shape}>")
    return str(drawing.source)
