"""Recurrences as diagrams show them: the stages of one step, with the memory that closes the loop.

In the graph a recurrence is one node. Here its body takes its place, so that the stages of a cell
are found as those of any block; what a cell remembers becomes a value of its own, from which the
step starts and to which an arrow leads back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import field, replace

from nndsl.ir.graph import Graph, Node, Value
from nndsl.lower.result import Network, Part
from nndsl.ops.base import Fusion, operation_of
from nndsl.ops.map import Map, operand
from nndsl.ops.scan import Scan, nodes_within
from nndsl.records import dataclass
from nndsl.scalar.expression import variable
from nndsl.scalar.functions import where
from nndsl.scalar.inspection import substitute
from nndsl.scalar.text import to_text

CHOICE = Map((where(operand(0), operand(1), operand(2)),))
"""What keeps a memory as it is behind the end of a sequence: not drawn."""


@dataclass(frozen=True)
class Memory:
    """What a step reads of the step before: `now` becomes `following`. `start` is None for zeros.

    A recurrence whose inside is not drawn has the same value for both.
    """

    name: str
    now: Value
    following: Value
    start: Value | None = None


@dataclass
class OneStep:
    """A network with steps in place of recurrences; by path, the memories of each recurrence;
    for values with the letter of a formula, how they are made of others.
    """

    network: Network
    memories: dict[str, list[tuple[Memory, ...]]] = field(default_factory=dict)
    texts: dict[Value, str] = field(default_factory=dict)

    def remembers(self, place: str, memories: Iterable[Memory]) -> None:
        """Note what the next recurrence at a path remembers."""
        self.memories.setdefault(place, []).append(tuple(memories))


def one_step(network: Network, opened: Collection[str]) -> OneStep:
    """The network with the bodies of its cells, and of layers whose word or path is `opened`."""
    found = OneStep(network)
    graph = network.graph
    if not any(isinstance(node.operation, Scan) for node in graph.nodes):
        return found
    renamed: dict[Value, Value] = {}
    nodes: list[Node] = []
    parts = [_as_computed(part, graph) for part in network.parts]
    ends = {v for part in parts for v in part.inputs}
    for node in graph.nodes:
        if not isinstance(node.operation, Scan):
            nodes.append(node)
            continue
        place = _place(node, parts, opened)
        if place is None:
            found.remembers(node.label, _closed(node))
            nodes.append(node)
            continue
        parts = [replace(p, is_block=True) if p.path == place else p for p in parts]
        inside = _Inside(node, node.operation, place, ends)
        nodes += inside.nodes
        found.remembers(place, inside.memories)
        found.texts |= inside.texts
        renamed |= inside.renamed
    nodes = [_renamed(node, renamed) for node in nodes]
    outputs = {name: renamed.get(v, v) for name, v in graph.outputs.items()}
    found.network = replace(
        network,
        graph=Graph(dict(graph.inputs), nodes, outputs, dict(graph.updates)),
        parts=[_renamed_part(part, renamed) for part in parts],
    )
    return found


def _as_computed(part: Part, graph: Graph) -> Part:
    """A part that reads what is not computed (`last` of a sequence whose end alone is) with what
    it reads instead.
    """
    makers = graph.producers()
    known = {entry.value for entry in graph.inputs.values()} | makers.keys()
    made = makers.get(part.output)
    if made is None or not part.inputs or known & set(part.inputs):
        return part
    return replace(part, inputs=tuple(v for v in made.inputs if v in makers))


def _place(node: Node, parts: list[Part], opened: Collection[str]) -> str | None:
    """The path of the block that a recurrence fills; None where it stays one stage."""
    here = [part for part in parts if part.path == node.label]
    for part in here:
        asked = part.word in opened or part.path in opened or "all" in opened
        if part.is_block or (asked and _learns(node)):
            return part.path
    return None


def _learns(node: Node) -> bool:
    """Whether there are products in a step: not so where a place of a sequence is looked up."""
    inner = nodes_within(Graph({}, [node]))
    return any(operation_of(n).fusion is Fusion.CONTRACTION for n in inner)


def _closed(node: Node) -> list[Memory]:
    """The loop of a layer that is one box, whose memory is what it gives."""
    scan = node.operation
    assert isinstance(scan, Scan)
    results = list(scan.body.graph.outputs.values())
    outputs = dict(zip(results[scan.states :], node.outputs[scan.states :], strict=False))
    output = outputs.get(results[0]) if _learns(node) else None
    return [] if output is None else [Memory("", output, output)]


class _Inside:
    """The nodes of one step, on the values that a recurrence has of all steps. `ends` are read
    outside: of memories the last ones, which stand in the drawing for all of them.
    """

    def __init__(self, node: Node, scan: Scan, place: str, ends: Collection[Value]) -> None:
        self.nodes: list[Node] = []
        self.renamed: dict[Value, Value] = {}
        self.texts: dict[Value, str] = {}
        body = scan.body.graph
        inner = [entry.value for entry in body.inputs.values()]
        known = dict(zip(inner, node.inputs, strict=True))
        results = list(body.outputs.values())
        states = inner[scan.sequences :][: scan.states]
        kept = dict(zip(results[scan.states :], node.outputs[scan.states :], strict=False))
        if scan.times:  # seen from outside there is one state, not one for each step
            self.renamed = {outer: inside for inside, outer in kept.items()}
            kept = {v: v for v in (*states, *kept)}
        known |= {state: kept[state] for state in states if state in kept}
        for one in body.nodes:
            if one.operation == CHOICE and one.inputs[0] in inner[: scan.sequences]:
                known[one.outputs[0]] = known[one.inputs[1]]
                if one.outputs[0] in kept:
                    self.renamed[kept[one.outputs[0]]] = known[one.inputs[1]]
                continue
            made = tuple(kept.get(v, v) for v in one.outputs)
            known |= dict(zip(one.outputs, made, strict=True))
            text = _text(one)
            self.texts |= {made[0]: text} if text else {}
            read = tuple(known.get(v, v) for v in one.inputs)
            self.nodes.append(Node(one.operation, read, made, one.span, one.label or place))
        self.memories = []
        starts = node.inputs[scan.sequences :][: scan.states]
        for number, (state, start) in enumerate(zip(states, starts, strict=True)):
            following = known[results[number]]
            if scan.times or node.outputs[number] in ends:
                self.renamed[node.outputs[number]] = following
            name = state.name.partition(".")[0]
            first = None if _is_constant(start) else start
            self.memories.append(Memory(name, known[state], following, first))


def _letter(value: Value) -> str:
    """The letter that a value has in formulas: `i` of a gate; "" where it has none."""
    name = value.name.partition(".")[0]
    return name if len(name) == 1 else ""


def _text(node: Node) -> str:
    """A formula with the letters of its operands: `c = f * c + i * g`."""
    letter, operation = _letter(node.outputs[0]), node.operation
    if not letter or not isinstance(operation, Map) or len(operation.expressions) > 1:
        return ""
    letters = [_letter(v) for v in node.inputs]
    if not all(letters):
        only = len(node.inputs) == 1
        letters = ["x" if only else f"x{number}" for number in range(len(node.inputs))]
    names = {f"x{number}": variable(name) for number, name in enumerate(letters)}
    return f"{letter} = {to_text(substitute(operation.expressions[0], names))}"


def _is_constant(value: Value) -> bool:
    """Whether a value is made of numbers in the graph alone."""
    return value.node is not None and all(_is_constant(v) for v in value.node.inputs)


def _renamed(node: Node, names: dict[Value, Value]) -> Node:
    if not names.keys() & set(node.inputs):
        return node
    read = tuple(names.get(v, v) for v in node.inputs)
    return Node(node.operation, read, node.outputs, node.span, node.label)


def _renamed_part(part: Part, names: dict[Value, Value]) -> Part:
    inputs = tuple(names.get(v, v) for v in part.inputs)
    return replace(part, inputs=inputs, output=names.get(part.output, part.output))
