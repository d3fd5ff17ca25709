"""The compiler's view as pictures: a graph node by node, and the kernels over their stages."""

from __future__ import annotations

from nndsl.diagnostics import error, first_of
from nndsl.ir.graph import Graph, Node, Role, Value
from nndsl.ir.text import print_operation
from nndsl.lower.result import Network, Part
from nndsl.ops.base import Fusion, operation_of
from nndsl.ops.scan import Scan
from nndsl.passes import pipeline
from nndsl.render.diagram_cost import flops_of, nodes_of_parts
from nndsl.render.diagram_kinds import kind_of
from nndsl.render.diagram_picture import (
    Arrow,
    Box,
    Frame,
    Picture,
    count_text,
    flops_text,
    shape_text,
)
from nndsl.render.structure import operation_text

MOST_BOXES = 600
LONGEST_LIST = 3

FUSION_KINDS = {
    Fusion.CONTRACTION: "dense",
    Fusion.ELEMENTWISE: "activation",
    Fusion.REDUCE: "pooling",
    Fusion.ROW: "attention",
    Fusion.MOVE: "join",
    Fusion.GATHER: "lookup",
    Fusion.RANDOM: "random",
    Fusion.CONTROL: "recurrence",
    Fusion.OPAQUE: "other",
}
"""The colour of an operation, by what the passes know of it."""


def graph_picture(graph: Graph, title: str) -> Picture:
    """A box for each node; weights and other inputs that are no data are named in the boxes.

    Errors: NN006 for a graph too large to be looked at.
    """
    _require_small(len(graph.nodes), "graph has", "show ir")
    learnt = sum(i.role is Role.PARAMETER for i in graph.inputs.values())
    notes = f"{count_text(len(graph.nodes), 'node')} · {count_text(learnt, 'parameter array')}"
    picture = Picture(title, (notes,))
    box_of: dict[Value, Box] = {}
    for name, entry in graph.inputs.items():
        if entry.role in (Role.DATA, Role.TARGET):
            box_of[entry.value] = Box("input", (name,), (entry.role.value,))
            picture.boxes.append(box_of[entry.value])
    updated: dict[Value, list[str]] = {}
    for name, value in graph.updates.items():
        updated.setdefault(value, []).append(name)
    for node in graph.nodes:
        box = _node_box(node, box_of, [n for v in node.outputs for n in updated.get(v, ())])
        picture.boxes.append(box)
        sources = {box_of[v]: shape_text(v) for v in reversed(node.inputs) if v in box_of}
        picture.arrows += [Arrow(source, box, label) for source, label in sources.items()]
        box_of |= dict.fromkeys(node.outputs, box)
    picture.arrows += [
        Arrow(box_of[value], None, shape_text(value), name)
        for name, value in graph.outputs.items()
        if value in box_of
    ]
    return picture


def _require_small(count: int, what: str, other: str) -> None:
    if count > MOST_BOXES:
        raise error(
            "NN006",
            f"the {what} {count:,} boxes; more than {MOST_BOXES} make no picture to look at",
            help=f"as text: `nndsl {other}`",
        )


def _node_box(node: Node, box_of: dict[Value, Box], updates: list[str]) -> Box:
    operation = operation_of(node)
    written = print_operation(operation)
    text = written[len(operation.name) + 1 : -1].replace("{", "").replace("}", "")
    beside = list(dict.fromkeys(v.name for v in node.inputs if v not in box_of))
    small = [f"with {first_of(beside, LONGEST_LIST)}"] if beside else []
    small += [f"updates {first_of(updates, LONGEST_LIST)}"] if updates else []
    place = f"line {node.span.line}" if node.span is not None else ""
    small.append(" · ".join(filter(None, (node.label, place))))
    formula = (text,) if text else ()
    tooltip = f"{node.outputs[0].name} = {written}"
    kind = FUSION_KINDS[operation.fusion]
    return Box(kind, (operation.name, *formula), tuple(filter(None, small)), tooltip=tooltip)


def kernels_picture(network: Network) -> Picture:
    """The stages of a network in frames: the kernels that compute a prediction.

    Errors: NN006 for a network too large to be looked at.
    """
    _require_small(len(network.parts), "network has", "show kernels")
    graph = pipeline.run(network.graph.copy(), pipeline.INFERENCE)
    return _KernelDrawer(network, graph).picture()


class _KernelDrawer:
    """Finds the kernel of each node of the source, and draws the stages in it."""

    def __init__(self, network: Network, planned: Graph) -> None:
        self.network = network
        self.kernels = [n for n in planned.nodes if not operation_of(n).is_view]
        self.producers = network.graph.producers()
        self.kernel_of = self._recurrences()
        recurrences = list(self.kernel_of.items())
        for number, kernel in enumerate(self.kernels):
            self._cover(kernel.outputs, kernel, number)
        for node, number in recurrences:  # what passes computed otherwise is computed for it
            self._cover(node.inputs, self.kernels[number], number)
        owned, _ = nodes_of_parts(network)
        self.part_of = {
            node: part
            for part, nodes in zip(network.parts, owned, strict=True)
            for node in nodes
        }  # fmt: skip
        self.box_of: dict[Node, Box] = {}
        self.drawn = Picture(network.name)

    def _recurrences(self) -> dict[Node, int]:
        """The kernel of each recurrence: passes write these anew, on values of their own."""
        kernels = {
            kernel.label: number
            for number, kernel in enumerate(self.kernels)
            if isinstance(kernel.operation, Scan)
        }
        scans = [n for n in self.network.graph.nodes if isinstance(n.operation, Scan)]
        return {node: kernels[node.label] for node in scans if node.label in kernels}

    def _frame(self, number: int) -> Frame:
        """That of a kernel; of a recurrence with those that passes took out of it."""
        drawn, own = set(self.kernel_of.values()), self.kernels[number]
        together = [
            other
            for other, kernel in enumerate(self.kernels)
            if other == number
            or (
                isinstance(own.operation, Scan) and kernel.label == own.label and other not in drawn
            )
        ]
        numbers = ", ".join(str(other + 1) for other in together)
        names = (operation_of(self.kernels[other]).name.replace("_", " ") for other in together)
        return Frame(f"kernel{'s' * (len(together) > 1)} {numbers}", note=", ".join(names))

    def _cover(self, values: tuple[Value, ...], kernel: Node, number: int) -> None:
        """Mark the nodes between a kernel's operands and values; the first one keeps them."""
        waiting = list(values)
        while waiting:
            value = waiting.pop()
            node = self.producers.get(value)
            if node is None or value in kernel.inputs or node in self.kernel_of:
                continue
            self.kernel_of[node] = number
            waiting += node.inputs

    def picture(self) -> Picture:
        """Frames by kernel, boxes by stage, arrows where a stage reads another's values."""
        frames = [self._frame(number) for number in range(len(self.kernels))]
        self.drawn.frames += frames
        for name, entry in self.network.graph.inputs.items():
            if entry.role is Role.DATA:
                self.drawn.boxes.append(Box("input", (name,)))
        inputs = [i.value for i in self.network.graph.of_role(Role.DATA)]
        start = dict(zip(inputs, self.drawn.boxes, strict=True))
        for node in self.network.graph.nodes:
            if node in self.kernel_of:
                self._draw(node, frames[self.kernel_of[node]])
        self._add_arrows(start)
        count = count_text(len(self.kernels), "kernel")
        work = flops_text(flops_of(self.kernels))
        self.drawn.notes = (f"a prediction in {count} · {work} a row",)
        return self.drawn

    def _draw(self, node: Node, frame: Frame) -> None:
        part = self.part_of.get(node)
        if part is not None:
            for other in self.drawn.boxes:
                if other.frame is frame and other.tooltip == part.path:
                    made_of = ", ".join([*other.small[:-1], operation_text(node)])
                    other.small = (made_of, other.small[-1])
                    self.box_of[node] = other
                    return
        box = self._box(node, part, frame)
        self.drawn.boxes.append(box)
        self.box_of[node] = box

    def _box(self, node: Node, part: Part | None, frame: Frame) -> Box:
        text = operation_text(node)
        place = (f"line {node.span.line}" if node.span is not None else node.label,)
        if part is None:
            kind = "join" if len(text) == 1 else "other"
            return Box(kind, (text,), () if kind == "join" else place, frame, tooltip=node.label)
        nodes = [n for n, owner in self.part_of.items() if owner is part]
        kind = kind_of(part, nodes, self.network)
        made_of = () if text == part.word else (text,)
        return Box(kind, (part.shown,), (*made_of, *place), frame, tooltip=part.path)

    def _add_arrows(self, start: dict[Value, Box]) -> None:
        pairs: dict[tuple[Box, Box], str] = {}
        for node, box in self.box_of.items():
            for value in node.inputs:
                source = self._source(value, start)
                if source is not None and source is not box:
                    pairs.setdefault((source, box), shape_text(value))
        self.drawn.arrows += [Arrow(a, b, label) for (a, b), label in pairs.items()]
        outputs = self.network.graph.outputs
        for name, value in outputs.items():
            source = self._source(value, start)
            if source is not None:
                shown = name if len(outputs) > 1 else ""
                self.drawn.arrows.append(Arrow(source, None, shape_text(value), shown))

    def _source(self, value: Value, start: dict[Value, Box]) -> Box | None:
        """The box that a value comes from: views (a reshape) are in no kernel, and have none."""
        node = self.producers.get(value)
        while node is not None and node not in self.box_of and operation_of(node).is_view:
            value = node.inputs[0]
            node = self.producers.get(value)
        return start.get(value) if node is None else self.box_of.get(node)
