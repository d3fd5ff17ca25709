"""What a diagram shows of a network: boxes, the arrows between them, the blocks around them.

A box is a stage with the activations that follow it, or an operation between tensors (`x + y`).
A block that stands several times in a row is shown once, with how often.
"""

from __future__ import annotations

import re
from dataclasses import field

from nndsl.ir.graph import Node, Role, Value
from nndsl.lower.result import Network, Part
from nndsl.ops.map import Map
from nndsl.records import dataclass
from nndsl.scalar.text import to_text
from nndsl.vocab.registry import words

SIGNS = {"x0 + x1": "+", "x0 - x1": "−", "x0 * x1": "×", "x0 / x1": "÷"}


@dataclass(eq=False)
class Box:
    """One box. `lines` are its stages; `parent` is the path of the block it stands in."""

    identity: str
    kind: str  # "input", "dense", "activation", "random", "join", "sign", "other"
    lines: list[str]
    small: str
    output: Value
    sources: list[Box]
    parent: str = ""
    path: str = ""
    line: int | None = None


@dataclass(frozen=True)
class Frame:
    """A block as a frame around boxes: its path, the stage as written, how often in a row."""

    path: str
    text: str
    parent: str
    times: int = 1


@dataclass
class Picture:
    """Boxes in the order of the source, frames, and the boxes that give the outputs by name."""

    boxes: list[Box] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    outputs: dict[str, Box] = field(default_factory=dict)

    def arrows(self) -> list[tuple[Box, Box]]:
        """From box to box, each pair once, in the order of the source."""
        return [(s, box) for box in self.boxes for s in dict.fromkeys(box.sources)]


def picture_of(network: Network) -> Picture:
    """The picture of a lowered network."""
    return _Drafter(network).picture()


def kind_of(part: Part) -> str:
    """What sort of stage a part is, for its colour."""
    if part.word in words("activation") or part.word in ("softmax", "log_softmax"):
        return "activation"
    if part.word in ("dropout", "add_noise", "noise"):
        return "random"
    return part.word if part.word in ("dense", "concat") else "other"


class _Drafter:
    def __init__(self, network: Network) -> None:
        self.network = network
        self.drawn = Picture()
        self.box_of: dict[Value, Box] = {}
        self.leaves = {part.path for part in network.parts if not part.is_block}
        self.blocks = {part.path: part for part in network.parts if part.is_block}
        self.readers: dict[Value, set[str]] = {}
        for node in network.graph.nodes:
            for value in node.inputs:
                self.readers.setdefault(value, set()).add(node.label)
        for name, value in network.graph.outputs.items():
            self.readers.setdefault(value, set()).add(f"output {name}")
        self.counted: set[str] = set()
        self.folded: dict[str, Value] = {}
        """Blocks that are not shown, with the output of the block that stands for them."""

    def picture(self) -> Picture:
        times = self._fold()
        for name, given in self.network.graph.inputs.items():
            if given.role is Role.DATA:
                self._add("input", [name], self.network.data or "", given.value, [])
        for part in self.network.parts:
            if self._is_folded(part):
                if part.path in self.folded:
                    self._stand_in(part.output, self.folded[part.path])
            elif part.is_block:
                frame = Frame(part.path, _shown(part), part.parent, times.get(part.path, 1))
                self.drawn.frames.append(frame)
            else:
                self._draw(part)
        for name, value in self.network.graph.outputs.items():
            box = self._source(value)
            if box is not None:
                self.drawn.outputs[name] = box
        return self.drawn

    def _fold(self) -> dict[str, int]:
        """Find blocks that repeat the one before them; how often each first one stands."""
        times: dict[str, int] = {}
        chains: dict[str, tuple[Part, Value]] = {}  # by parent: the first one, the last output
        for part in self.blocks.values():
            if self._is_folded(part):
                continue
            first, newest = chains.get(part.parent, (part, None))
            if part.inputs == (newest,) and _same(first, part):
                times[first.path] += 1
                self.folded[part.path] = first.output
                chains[part.parent] = first, part.output
            else:
                times[part.path] = 1
                chains[part.parent] = part, part.output
        return times

    def _is_folded(self, part: Part) -> bool:
        return any(part.path == path or part.path.startswith(path + ".") for path in self.folded)

    def _stand_in(self, value: Value, other: Value) -> None:
        """Let arrows from a value start where those from the other one do."""
        box = self._source(other)
        if box is not None:
            self.box_of[value] = box

    def _draw(self, part: Part) -> None:
        sources = [box for box in map(self._source, part.inputs) if box is not None]
        kind = kind_of(part)
        if kind == "activation" and len(sources) == 1 and self._joins(part, sources[0]):
            sources[0].lines.append(_shown(part))
            sources[0].output = part.output
            self.box_of[part.output] = sources[0]
            return
        box = self._add(kind, [_shown(part)], self._small(part), part.output, sources, part.parent)
        box.path, box.line = part.path, part.span.line if part.span is not None else None

    def _small(self, part: Part) -> str:
        """How many numbers are learnt here, or that they are those of a box before."""
        names = set(part.parameters)
        if names and names <= self.counted:
            return "the same weights"
        self.counted |= names
        count = sum(self.network.parameters[name].size for name in names)
        return f"{count:,} parameters" if count else ""

    def _joins(self, part: Part, before: Box) -> bool:
        """Whether an activation may stand in the box before it: nobody else reads that box."""
        if before.kind in ("input", "sign", "random") or before.parent != part.parent:
            return False
        return self.readers.get(before.output, set()) <= {part.path}

    def _source(self, value: Value) -> Box | None:
        """The box of a value; an operation that is no stage gets one. None for weights."""
        if value in self.box_of:
            return self.box_of[value]
        if value.node is None:
            return None
        sources = [box for box in map(self._source, value.node.inputs) if box is not None]
        if not sources:
            return None
        text = _operation_text(value.node)
        kind = "sign" if text in SIGNS.values() else "activation" if text == "softmax" else "other"
        label = value.node.label
        return self._add(kind, [text], "", value, sources, label if label in self.blocks else "")

    def _add(
        self,
        kind: str,
        lines: list[str],
        small: str,
        output: Value,
        sources: list[Box],
        parent: str = "",
    ) -> Box:
        box = Box(f"n{len(self.drawn.boxes)}", kind, lines, small, output, sources, parent)
        self.drawn.boxes.append(box)
        self.box_of[output] = box
        return box


def _same(first: Part, part: Part) -> bool:
    """Whether two blocks are the same stage on the same shapes."""
    as_written = (first.word, first.text) == (part.word, part.text)
    types = [(p.output.type, tuple(v.type for v in p.inputs)) for p in (first, part)]
    return as_written and types[0] == types[1]


def _operation_text(node: Node) -> str:
    """`+` for a sum of two tensors, a short formula, or the name of the operation."""
    operation = node.operation
    if isinstance(operation, Map) and len(operation.expressions) == 1:
        text = to_text(operation.expressions[0])
        if len(text) <= 24:
            return SIGNS.get(text, text.replace("x0", "x") if len(node.inputs) == 1 else text)
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(operation).__name__).lower()


def _shown(part: Part) -> str:
    """The stage as written, with the number of units where a name stands for it."""
    layer = words("layer").get(part.word)
    first = next(iter(layer.parameters), "") if layer is not None else ""
    size = part.output.type.shape[-1] if part.output.type.shape else ""
    if first != "units" or not isinstance(size, int):
        return part.text
    written = rf"^{part.word}\((units\s*=\s*)?[^,()=]+(?=[,)])"
    return re.sub(written, f"{part.word}({size}", part.text)
