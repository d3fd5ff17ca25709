r"""The forward pass of a network as equations, with a symbol for each tensor.

Symbols are those of the lectures: layer l has `z^{(l)} = W^{(l)} a^{(l-1)} + b^{(l)}` and
`a^{(l)} = f(z^{(l)})`, for one example, as columns. A norm of z is written with a hat, what is made
of an a (dropout) with a tilde; other tensors are `h_1`, `h_2`, ... Equations come from the graph,
through `Op.latex`: no word is known here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from nndsl.ir.graph import Graph, Node, Role, Value
from nndsl.ir.types import BATCH, Dimension
from nndsl.lower.result import Network, ParameterInfo, Part
from nndsl.lower.tensors import ELEMENTWISE
from nndsl.ops.base import Fusion, operation_of
from nndsl.ops.map import Map
from nndsl.ops.scan import Scan
from nndsl.records import dataclass
from nndsl.render.functions import Functions, applied, named_function
from nndsl.render.recurrences import Unfolding
from nndsl.render.writer import Equation, Writer
from nndsl.scalar.latex import name_latex
from nndsl.scalar.piece import Level, Piece, closed, upright
from nndsl.vocab.registry import words

LONGEST_STAGE = 40
"""Characters of a stage as written that stand beside its equation."""

LOSSES = ("loss", "data_loss")
"""The outputs of a training's graph that people do not see."""

LOSS_LABELS = ("loss", "objective", "penalty")
"""How labels of nodes begin that belong to no stage of the network."""


@dataclass(frozen=True)
class Step:
    """The nodes of one stage, in order; `results` are the values that others read."""

    nodes: tuple[Node, ...]
    results: tuple[Value, ...]
    part: Part | None

    @property
    def label(self) -> str:
        """The path of the stage."""
        return self.nodes[0].label


def loss_values(graph: Graph, stages: Collection[str]) -> set[Value]:
    """The values that only the loss and the penalties are made of: of no stage, without weights.

    Noise that an objective hands to a net is of the net: something else reads it.
    """
    shown = {v for name, v in graph.outputs.items() if name not in LOSSES}
    users = graph.users()
    weights = {i.value for i in graph.of_role(Role.PARAMETER)}
    found: set[Value] = set()
    for node in reversed(graph.nodes):
        is_named = node.label.partition(".")[0] in LOSS_LABELS or node.label not in stages
        is_penalty = node.label == "penalty"
        if is_penalty or (is_named and weights.isdisjoint(node.inputs)
                          and shown.isdisjoint(node.outputs)):  # fmt: skip
            readers = (reader for v in node.outputs for reader in users.get(v, ()))
            if all(found.issuperset(reader.outputs) for reader in readers):
                found.update(node.outputs)
    return found


class Notation:
    """Symbols for the values of a graph, and the equations of its stages."""

    def __init__(self, network: Network, graph: Graph) -> None:
        self.graph = graph
        self.parts: Mapping[str, Part] = {p.path: p for p in network.parts}
        self.parameters: Mapping[str, ParameterInfo] = network.parameters
        self.functions = Functions()
        self.symbols: dict[Value, Piece] = {}
        self.stems: dict[Value, tuple[str, str]] = {}  # letter, layer
        self.layers: dict[str, int] = {}  # owner of the weights -> number of the layer
        self.uses: dict[int, int] = {}
        self.writer = Writer(self.symbols, graph.producers())
        self.others = 0
        self.taken: set[str] = set()
        self.states = {i.value for i in graph.of_role(Role.STATE)}
        self.of_loss = loss_values(graph, self.parts)
        self.unfoldings: dict[Node, Unfolding] = {}
        self.steps = self._steps()
        self._name_inputs()
        for step in self.steps:
            self._name_step(step)

    # --- stages -----------------------------------------------------------------------------

    def _steps(self) -> list[Step]:
        nodes = [n for n in self.graph.nodes if self.of_loss.isdisjoint(n.outputs)]
        needed = self._needed(nodes)
        kept = [node for node in nodes if any(v in needed for v in node.outputs)]
        runs: list[list[Node]] = []
        for node in kept:
            if runs and node.label and runs[-1][0].label == node.label:
                runs[-1].append(node)
            else:
                runs.append([node])
        users, outputs = self.graph.users(), set(self.graph.outputs.values())
        steps = []
        for run in runs:
            made = [v for node in run for v in node.outputs if v in needed]
            results = [v for v in made if v in outputs or self._is_told(v, run, users.get(v, ()))]
            steps.append(Step(tuple(run), tuple(results), self.parts.get(run[0].label)))
        return steps

    def _needed(self, nodes: Sequence[Node]) -> set[Value]:
        """The values that an output or the loss is made of."""
        stages = {v for node in nodes for v in node.outputs}
        found = {v for v in self.graph.outputs.values() if v in stages}
        for node in self.graph.nodes:
            if not self.of_loss.isdisjoint(node.outputs):
                found.update(node.inputs)
        for node in reversed(nodes):
            if any(v in found for v in node.outputs):
                found.update(node.inputs)
        return found

    def _is_told(self, value: Value, run: Sequence[Node], readers: Sequence[Node]) -> bool:
        """Whether a value has a line of its own: not where only its stage reads it, nor where it
        is a part of one expression, as `x / 2` in `exp(x / 2) * y`.
        """
        if all(reader in run for reader in readers):
            return False
        node, is_read_once = value.node, len(readers) == 1
        assert node is not None
        return not (is_read_once and self._is_arithmetic(node) and self._is_arithmetic(readers[0]))

    def _is_arithmetic(self, node: Node) -> bool:
        """Whether a node is arithmetic as written in an expression, of tensors alone."""
        part = self.parts.get(node.label)
        is_written = part is None or (part.word in ELEMENTWISE and part.text != part.word)
        is_plain = is_written and self.of_loss.isdisjoint(node.outputs)
        return (
            isinstance(node.operation, Map)
            and is_plain
            and not any(self._is_parameter(v) for v in node.inputs)
        )

    # --- symbols ----------------------------------------------------------------------------

    def _name_inputs(self) -> None:
        data, targets = self.graph.of_role(Role.DATA), self.graph.of_role(Role.TARGET)
        for letter, inputs in (("x", data), ("t", targets)):
            for i in inputs:
                name = f"_{{{upright(i.value.name)}}}" if len(inputs) > 1 else ""
                self.symbols[i.value] = (letter + name, Level.LEAF)
        for i in self.graph.of_role(Role.STATE):
            self.symbols[i.value] = (name_latex(i.value.name.rpartition(".")[2]), Level.LEAF)

    def unfolding(self, step: Step) -> Unfolding | None:
        """The recurrence that a stage is."""
        return next((self.unfoldings[n] for n in step.nodes if n in self.unfoldings), None)

    def _function_within(self, node: Node) -> str:
        """The name of an activation that stands in a step of a recurrence; "" for another node."""
        part = self.parts.get(node.label)
        if part is None or part.word not in words("activation"):
            return ""
        assert isinstance(node.operation, Map)
        return self.functions.name(part, node.operation.expressions[0])

    def _name_recurrence(self, step: Step, node: Node, several: bool) -> None:
        """Its symbols, and those of its weights, at all steps."""
        layer = self.layers.setdefault(step.label, len(self.layers) + 1)
        sup = f"^{{({layer})}}" if several else ""
        unfolding = Unfolding(node, step.label, sup, self.parameters, self._function_within)
        self.unfoldings[node] = unfolding
        self.symbols |= unfolding.weights
        made = unfolding.results(lambda value: self.writer.piece(value))
        self.symbols |= {v: piece for v, piece in made.items() if v in step.results}

    def _name_step(self, step: Step) -> None:
        scans = [n for n in step.nodes if isinstance(n.operation, Scan)]
        if len(scans) == 1:
            every = [n for n in self.graph.nodes if isinstance(n.operation, Scan)]
            self._name_recurrence(step, scans[0], len(every) > 1)
        weights = [v for n in step.nodes for v in n.inputs if self._is_parameter(v)]
        tensors = self.operands(step)
        letter, layer = self._letter(step, tensors, weights) if step.results else ("", "")
        for value in (v for v in dict.fromkeys(weights) if v not in self.symbols):
            self.symbols[value] = self._parameter(value, letter, layer)
        for node in step.nodes:
            if operation_of(node).fusion is Fusion.RANDOM:
                self.symbols[node.outputs[0]] = (rf"u_{{{self._next()}}}", Level.LEAF)
        for value in (v for v in step.results if v not in self.symbols):
            if letter and value is step.results[-1]:
                self.symbols[value] = (f"{letter}^{{({layer})}}", Level.LEAF)
                self.stems[value] = (letter, layer)
            else:
                self.symbols[value] = (f"h_{{{self._next()}}}", Level.LEAF)

    def _next(self) -> int:
        self.others += 1
        return self.others

    def _letter(
        self, step: Step, tensors: Sequence[Value], weights: Sequence[Value]
    ) -> tuple[str, str]:
        """The letter and the layer of a stage's result; no letter where it is another tensor."""
        mixes = any(operation_of(n).fusion is Fusion.CONTRACTION for n in step.nodes)
        if mixes and weights:
            return "z", self._layer(weights[0])
        if len(tensors) != 1 or tensors[0] not in self.stems:
            return "", str(len(self.layers))
        before, layer = self.stems[tensors[0]]
        if before in ("z", r"\hat{z}"):
            letter = r"\hat{z}" if before == "z" and self._scales(step, weights) else "a"
        else:
            letter = r"\tilde{a}"
        is_free = f"{letter}{layer}" not in self.taken and before != r"\tilde{a}"
        self.taken.add(f"{letter}{layer}")
        return (letter if is_free else ""), layer

    def _scales(self, step: Step, weights: Sequence[Value]) -> bool:
        """Whether a stage is no activation but one with weights, such as a norm."""
        return bool(weights) and not self.is_activation(step)

    def _layer(self, weight: Value) -> str:
        owner = weight.name.rpartition(".")[0]
        number = self.layers.setdefault(owner, len(self.layers) + 1)
        self.uses[number] = self.uses.get(number, 0) + 1
        again = self.uses[number]
        return str(number) + "'" * (again - 1)

    def _parameter(self, value: Value, letter: str, layer: str) -> Piece:
        """W and b of a layer that mixes, gamma and beta of one that scales, E of a table that is
        looked up, else its own name.
        """
        owner, _, last = value.name.rpartition(".")
        name, _, index = last.partition("[")
        letters = {"weight": "W", "bias": "b"} if letter == "z" else {"weight": r"\gamma",
                                                                     "bias": r"\beta"}  # fmt: skip
        if letter != "z" and value.type.rank == 2:
            letters["weight"] = "E" if self._is_table(value) else "W"
        symbol = letters.get(name) or name_latex(name)
        role = owner.rpartition(".")[2].partition("[")[0]
        index = index.rstrip("]") or ("" if role in words("layer") else upright(role))
        number = f"_{{{index}}}" if index else ""
        taken = f"{symbol}{number}^{{({layer})}}"
        if taken in self.taken:
            taken = f"{symbol}{number}^{{({layer},{self._next()})}}"
        self.taken.add(taken)
        return taken, Level.LEAF

    def _is_table(self, value: Value) -> bool:
        """Whether rows of a weight are looked up."""
        readers = (n for n in self.graph.nodes if value in n.inputs)
        return any(operation_of(n).fusion is Fusion.GATHER for n in readers)

    def _is_parameter(self, value: Value) -> bool:
        return value.node is None and value.name in self.parameters

    def operands(self, step: Step) -> list[Value]:
        """The tensors of the network that a stage reads: no weights, no noise of its own."""
        own = {v for n in step.nodes for v in n.outputs}
        read = dict.fromkeys(v for n in step.nodes for v in n.inputs)
        inner = own | self.states
        return [v for v in read if v not in inner and not self._is_parameter(v)]

    def is_activation(self, step: Step) -> bool:
        """Whether a stage is a function of each number alone, without weights."""
        node = step.nodes[0]
        is_map = isinstance(node.operation, Map) and len(node.operation.expressions) == 1
        one = len(step.nodes) == 1 and len(node.inputs) == 1 and not self._is_arithmetic(node)
        return is_map and one and step.part is not None and step.part.word in words("activation")

    # --- equations --------------------------------------------------------------------------

    def piece(self, value: Value) -> Piece:
        """The symbol of a value, or its formula where it has none."""
        return self.writer.piece(value)

    def function(self, step: Step) -> str:
        """The name of the activation that a stage applies."""
        assert step.part is not None and isinstance(step.nodes[0].operation, Map)
        return self.functions.name(step.part, step.nodes[0].operation.expressions[0])

    def right_side(self, step: Step, value: Value) -> str:
        """What a result of a stage is."""
        if self.unfolding(step) is not None:
            return self.symbols[value][0]
        if self.is_activation(step):
            return applied(self.function(step), self.piece(step.nodes[0].inputs[0])[0])[0]
        found = self.writer.formula(value)[0]
        operands = [self.piece(v)[0] for v in self.operands(step)]
        if found in operands and step.part is not None:  # the same numbers in another shape
            return applied(named_function(step.part.word), found)[0]
        return found

    def forward(self) -> Iterable[Equation]:
        """The inputs, then a line for each result of each stage, then the outputs."""
        for i in self.graph.of_role(Role.DATA):
            yield Equation(self.space(i.value), note="one example")
        told: set[Value] = set()
        for step in self.steps:
            yield from self.noise(step)
            unfolding = self.unfolding(step)
            if unfolding is not None:
                spaces = list(self._weights(step, told))
                yield from unfolding.equations(self.writer, note_of(step), spaces)
                continue
            for value in step.results:
                if is_noise(value):
                    continue
                shown = f"{self.symbols[value][0]} = {self.right_side(step, value)}"
                spaces = [self.space(value), *self._weights(step, told)]
                yield Equation(shown, r" ,\; ".join(spaces), note_of(step))
        yield from self._outputs()

    def noise(self, step: Step) -> Iterable[Equation]:
        """The random numbers that a stage draws."""
        for node in step.nodes:
            value = node.outputs[0]
            if is_noise(value):
                symbol, law = self.symbols[value][0], self.writer.formula(value)[0]
                written = f"{note_of(step)}: " if value in step.results else ""
                note = f"{written}new at each step"
                yield Equation(rf"{symbol} \sim {law}", self.space(value), note)

    def _outputs(self) -> Iterable[Equation]:
        outputs = {n: v for n, v in self.graph.outputs.items() if v in self.symbols}
        for name, value in outputs.items():
            index = f"_{{{upright(name)}}}" if len(outputs) > 1 else ""
            yield Equation(rf"\hat{{y}}{index} = {self.symbols[value][0]}", note="the output")

    def _weights(self, step: Step, told: set[Value]) -> Iterable[str]:
        """The spaces of the weights that a stage is the first to read."""
        for value in dict.fromkeys(v for n in step.nodes for v in n.inputs):
            if self._is_parameter(value) and value not in told:
                told.add(value)
                yield self.space(value)

    def space(self, value: Value) -> str:
        """A symbol with the space that it lives in."""
        return rf"{self.symbols[value][0]} \in {self.space_of(value)}"

    def space_of(self, value: Value) -> str:
        """The space that a value lives in, in the layout that people see."""
        sizes: tuple[Dimension, ...] = value.type.shape
        info = self.parameters.get(value.name) if self._is_parameter(value) else None
        if info is not None and info.axes is not None:
            sizes = tuple(sizes[axis] for axis in info.axes)
        elif sizes[:1] == (BATCH,):
            sizes = sizes[1:]
        shown = r" \times ".join(s if isinstance(s, str) else str(s) for s in sizes)
        return r"\mathbb{R}" + (f"^{{{shown}}}" if shown else "")

    def replaced(self, latex: str) -> str:
        """A formula with right sides of the forward pass replaced by their symbols."""
        for step in self.steps:
            for value in step.results:
                right = self.right_side(step, value)
                if "left(" in right:
                    latex = latex.replace(right, self.symbols[value][0])
        return latex


def is_noise(value: Value) -> bool:
    """Whether a value is drawn at random."""
    return value.node is not None and operation_of(value.node).fusion is Fusion.RANDOM


def note_of(step: Step) -> str:
    """The stage as written, and its line."""
    span = step.part.span if step.part is not None else step.nodes[-1].span
    text = step.part.text if step.part is not None else span.text if span is not None else ""
    line = f", line {span.line}" if span is not None else ""
    return (text if len(text) <= LONGEST_STAGE else text[: LONGEST_STAGE - 1] + "…") + line


def bracketed(piece: Piece) -> str:
    """A piece as a factor."""
    return closed(piece, Level.PRODUCT)
