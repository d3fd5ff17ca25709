"""The structure of a network as a tree: stages and the operations between them, inside blocks.

A stage here is one of the source with the activations, normalisations and dropouts that follow
it: what people call a layer. `diagram_fold` makes a picture of the tree.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import field

from nndsl.ir.graph import Node, Role, Value
from nndsl.lower.result import Network, Part
from nndsl.lower.tensors import ELEMENTWISE
from nndsl.ops.map import Map
from nndsl.records import dataclass
from nndsl.render.diagram_cost import Cost, flops_of, nodes_of_parts, part_costs
from nndsl.render.diagram_kinds import FOLLOWERS, LEADERS, kind_of
from nndsl.render.one_step import Memory, OneStep, one_step
from nndsl.scalar.text import to_text

SIGNS = {"x0 + x1": "+", "x0 - x1": "−", "x0 * x1": "×", "x0 / x1": "÷"}
LONGEST_FORMULA = 24


@dataclass(eq=False)
class Stage:
    """A layer, an input or an operation between tensors, with the stages that it reads.

    `weights` are the names of all arrays that it reads, those of stages before included.
    """

    kind: str
    lines: list[str]
    output: Value
    sources: list[Stage] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    path: str = ""
    line: int | None = None
    parameters: int = 0
    flops: int = 0
    weights: tuple[str, ...] = ()
    is_shared: bool = False

    def stages(self) -> Iterator[Stage]:
        """Itself: what `Group.stages` gives for a block."""
        yield self


@dataclass(eq=False)
class Group:
    """A use of a block, or (without a part) the whole net, with what stands in it in order."""

    part: Part | None = None
    children: list[Stage | Group] = field(default_factory=list)

    def stages(self) -> Iterator[Stage]:
        """All stages inside, those of inner blocks included."""
        for child in self.children:
            yield from child.stages()


@dataclass
class Structure:
    """The tree of a network, the stages that give its outputs by name, and where it loops: from
    the stage that makes a memory to that which reads it, itself where both are in one box.
    """

    root: Group
    outputs: dict[str, Stage]
    loops: list[tuple[Stage, Stage, str]] = field(default_factory=list)


def structure_of(network: Network, opened: Collection[str] = ()) -> Structure:
    """The tree of a lowered network; `opened` are layers whose step is to be seen."""
    return _Drafter(one_step(network, opened)).structure()


class _Drafter:
    """Goes through the parts in order and keeps who made each value."""

    def __init__(self, step: OneStep) -> None:
        self.network = network = step.network
        self.memories = {place: iter(uses) for place, uses in step.memories.items()}
        self.remembered: list[Memory] = []
        self.texts = step.texts
        self.root = Group()
        self.groups = {"": self.root}  # by path: the newest use
        self.stage_of: dict[Value, Stage] = {}
        self.first_of: dict[Value, Stage] = {}  # before one like `last`, which hands it on
        self.parent_of: dict[Stage, Group] = {}
        self.producers = network.graph.producers()
        self.owned, between = nodes_of_parts(network)
        self.between = set(between)
        self.readers = self._count_readers(between)
        self.newest = ""  # path of the part drawn last
        self.reader: tuple[str, tuple[Value, ...]] = ("", ())  # its line and what it reads
        self.read: list[Stage] = []  # stages of these values
        self.passing: tuple[Value, Stage] | None = None
        """A stage that changes nothing at inference, on a value that others read too: the next
        part reads that stage, those after it the value's own."""

    def _count_readers(self, between: list[Node]) -> dict[Value, int]:
        """How many stages, operations and outputs read each value."""
        readers: dict[Value, int] = {}
        reads = [v for node in between for v in node.inputs]
        for part, nodes in zip(self.network.parts, self.owned, strict=True):
            if nodes:
                reads += part.inputs
        for value in [*reads, *self.network.graph.outputs.values()]:
            readers[value] = readers.get(value, 0) + 1
        return readers

    def structure(self) -> Structure:
        """Inputs, then parts as written, then what the outputs still need."""
        for name, given in self.network.graph.inputs.items():
            if given.role is Role.DATA:
                self._add(Stage("input", [name], given.value, words=[name]), self.root)
        costs = part_costs(self.network, self.owned)
        for part, nodes, cost in zip(self.network.parts, self.owned, costs, strict=True):
            if part.is_block:
                self._open(part)
            else:
                self._draw(part, nodes, cost)
        found = {n: self._source(v) for n, v in self.network.graph.outputs.items()}
        outputs = {n: stage for n, stage in found.items() if stage is not None}
        return Structure(self.root, outputs, list(self._loops()))

    def _loops(self) -> Iterator[tuple[Stage, Stage, str]]:
        """From the stages that make memories back to those that read them."""
        for memory in self.remembered:
            following, target = self._source(memory.following), self._source(memory.now)
            source = self.first_of.get(memory.following, following)
            if source is not None and target is not None:
                yield source, target, memory.name

    def _remember(self, part: Part, group: Group) -> None:
        """What the recurrence of a part remembers, as stages that its step starts from."""
        for memory in next(self.memories.get(part.path, iter(())), ()):
            self.remembered.append(memory)
            if memory.now is memory.following:
                continue
            before = [] if memory.start is None else [self._source(memory.start)]
            sources = [stage for stage in before if stage is not None]
            shown = f"{memory.name} before"
            stage = Stage("memory", [shown], memory.now, sources, [memory.name])
            stage.path = f"{part.path}.{memory.name}"
            self._add(stage, group)

    def _open(self, part: Part) -> None:
        """A new use of a block; what reads into it, and a former use, are finished first."""
        former = self.groups.get(part.path)
        if former is not None and former.part is not None:
            self._source(former.part.output)
        for value in part.inputs:
            self._source(value)
        group = Group(part)
        self.groups.get(part.parent, self.root).children.append(group)
        self.groups[part.path] = group
        self._remember(part, group)

    def _draw(self, part: Part, nodes: list[Node], cost: Cost) -> None:
        line = _line_of(part.path)
        word = line.rpartition(".")[2].partition("[")[0]
        if word == "both" and self.reader == (line, part.inputs):  # the other direction
            sources = self.read
        else:
            sources = self._sources(part.inputs)
        self.reader, self.read = (line, part.inputs), sources
        kind = kind_of(part, nodes, self.network)
        group = self.groups.get(part.parent, self.root)
        goes_on = line == _line_of(self.newest)
        self.newest, self.passing = part.path, None
        if kind == "training" and not goes_on:
            stage = self._stage(part, kind, sources)
            group.children.append(stage)
            self.parent_of[stage] = group
            self.passing = part.output, stage
            kept = any(memory.following is part.output for memory in self.remembered)
            if self.readers.get(part.output, 0) == 1 and not kept:  # its only reader reads it here
                self.stage_of[part.output] = stage
        elif len(sources) == 1 and self._follows(part, kind, sources[0], group):
            stage = sources[0]
            stage.lines.append(part.shown)
            stage.words.append(part.word)
            stage.output = part.output
            self.stage_of[part.output] = stage
        else:
            stage = self._stage(part, kind, sources)
            self._add(stage, group)
        for value in (v for node in nodes for v in node.outputs):
            self.stage_of.setdefault(value, stage)
        self._remember(part, group)
        stage.parameters += cost.parameters
        stage.flops += cost.flops
        stage.weights += part.parameters
        stage.is_shared = stage.is_shared or cost.is_shared

    def _stage(self, part: Part, kind: str, sources: list[Stage]) -> Stage:
        line = part.span.line if part.span is not None else None
        is_function = part.word in ELEMENTWISE  # `abs(a - b)`: what it is of has boxes of its own
        shown = part.word if is_function else part.shown
        return Stage(kind, [shown], part.output, sources, [part.word], part.path, line)

    def _follows(self, part: Part, kind: str, before: Stage, group: Group) -> bool:
        """Whether a part stands in the box of the one before it: nobody else reads that box."""
        if kind not in FOLLOWERS or before.kind not in LEADERS:
            return False
        if self.parent_of[before] is not group:
            return False
        return kind == "training" or self.readers.get(before.output, 0) <= 1

    def _sources(self, values: tuple[Value, ...]) -> list[Stage]:
        found = [self._source(value) for value in values]
        if self.passing is not None:
            value, stage = self.passing
            found = [stage if v is value else s for v, s in zip(values, found, strict=True)]
        return list(dict.fromkeys(stage for stage in found if stage is not None))

    def _source(self, value: Value) -> Stage | None:
        """The stage of a value; operations that are no stage become one. None for weights."""
        waiting = [value]
        while waiting:
            node = self.producers.get(waiting[-1])
            if waiting[-1] in self.stage_of or node is None or node not in self.between:
                waiting.pop()
                continue
            missing = [
                v for v in node.inputs
                if v not in self.stage_of and self.producers.get(v) in self.between
            ]  # fmt: skip
            if missing:
                waiting += missing
                continue
            self.between.discard(node)
            self._add_operation(node)
        return self.stage_of.get(value)

    def _add_operation(self, node: Node) -> None:
        """A stage for an operation that reads tensors of the flow; one of weights alone is none."""
        sources = [self.stage_of[v] for v in dict.fromkeys(node.inputs) if v in self.stage_of]
        if not sources:
            return
        text = self.texts.get(node.outputs[0]) or operation_text(node)
        kind = "join" if text in SIGNS.values() else "other"
        line = node.span.line if node.span is not None else None
        sources = list(dict.fromkeys(sources))
        stage = Stage(kind, [text], node.outputs[0], sources, [text], node.label, line)
        stage.flops = flops_of([node])
        self._add(stage, self._group_around(node.label))
        for value in node.outputs:
            self.stage_of[value] = stage

    def _group_around(self, path: str) -> Group:
        """The innermost block that a line or stage of this path stands in."""
        while path not in self.groups:
            path = _line_of(path)
        return self.groups[path]

    def _add(self, stage: Stage, group: Group) -> None:
        group.children.append(stage)
        self.parent_of[stage] = group
        self.stage_of[stage.output] = stage
        self.first_of.setdefault(stage.output, stage)


def _line_of(path: str) -> str:
    """The part of a path that stages of one line of the source share."""
    return path.rpartition(".")[0]


def operation_text(node: Node) -> str:
    """`+` for a sum of two tensors, a short formula, or the name of the operation."""
    operation = node.operation
    if isinstance(operation, Map) and len(operation.expressions) == 1:
        text = to_text(operation.expressions[0])
        if len(text) <= LONGEST_FORMULA:
            return SIGNS.get(text, text.replace("x0", "x") if len(node.inputs) == 1 else text)
    return operation.name.replace("_", " ")
