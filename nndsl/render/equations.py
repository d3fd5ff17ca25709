r"""The forward pass of a network as equations, with a symbol for each tensor.

Symbols are those of the lectures: layer l has `z^{(l)} = W^{(l)} a^{(l-1)} + b^{(l)}` and
`a^{(l)} = f(z^{(l)})`, for one example, as columns. A norm of z is written with a hat, what is made
of an a (dropout) with a tilde; other tensors are `h_1`, `h_2`, ... Equations come from the graph,
through `Op.latex`: no word is known here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from nndsl.ir.graph import Graph, Node, Role, Value
from nndsl.ir.types import BATCH, Dimension
from nndsl.lower.result import Network, ParameterInfo, Part
from nndsl.ops.base import Fusion, Op
from nndsl.ops.map import Map, by_elements
from nndsl.ops.shapes import known
from nndsl.records import dataclass
from nndsl.scalar.expression import Expression, variable
from nndsl.scalar.inspection import postorder, substitute
from nndsl.scalar.latex import formula, name_latex, piece_of
from nndsl.scalar.notation import SYMBOLS
from nndsl.scalar.piece import Level, Piece, closed, upright
from nndsl.scalar.primitives import PRIMITIVES
from nndsl.scalar.tidy import tidy
from nndsl.vocab.registry import words

LONGEST_STAGE = 40
"""Characters of a stage as written that stand beside its equation."""

LOSS_LABELS = ("loss", "penalty")
"""Labels of the nodes that belong to no stage of the network."""


@dataclass(frozen=True)
class Equation:
    """One line: the formula, the spaces its symbols live in, and a few words."""

    latex: str
    where: str = ""
    note: str = ""


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


def operation(node: Node) -> Op:
    """The operation of a node, with all that operations say of themselves."""
    assert isinstance(node.operation, Op)
    return node.operation


class Functions:
    """Names of activations: tanh and sigma as everywhere, others by their word."""

    def __init__(self) -> None:
        self.names: dict[Expression, str] = {}
        self.calls: dict[str, int] = {}

    def name(self, part: Part, expression: Expression) -> str:
        """The name of a function of x0, the same for the same function."""
        if expression not in self.names:
            self.names[expression] = self._new(part.word, expression)
        return self.names[expression]

    def _new(self, word: str, expression: Expression) -> str:
        primitive = PRIMITIVES.get(expression.operator)
        if primitive is not None and expression.arguments[0].operator == "variable":
            name, call, inner = primitive.latex.partition(r"\left(")
            if call and name.startswith("\\") and inner == r"{0}\right)":
                return name.replace("{{", "{").replace("}}", "}")
        self.calls[word] = self.calls.get(word, 0) + 1
        index = f"_{{{self.calls[word]}}}" if self.calls[word] > 1 else ""
        return named_function(word) + index


def letter_functions(expressions: Iterable[Expression]) -> Iterable[Equation]:
    """What the function is that formulas write as sigma; nothing where one of them is it alone."""
    roots = tuple(expressions)
    for e in postorder(roots):
        primitive = PRIMITIVES.get(e.operator)
        if primitive is None or primitive.composition is None:
            continue
        letter = primitive.latex.partition(r"\left(")[0].removeprefix("\\")
        if letter in SYMBOLS:
            if not (e in roots and e.arguments[0].operator == "variable"):
                shown = formula(primitive.composition(variable("u")))
                yield Equation(rf"\{letter}\left(u\right) = {shown}")
            return


def named_function(word: str) -> str:
    """A word as the name of a function."""
    return upright(word).replace("mathrm", "operatorname", 1)


def applied(name: str, argument: str) -> Piece:
    """A function of one thing."""
    return rf"{name}\left({argument}\right)", Level.LEAF


class Writer:
    """Writes values as formulas: by their symbol where they have one, maps of maps as one."""

    def __init__(self, symbols: Mapping[Value, Piece], makers: Mapping[Value, Node]) -> None:
        self.symbols = symbols
        self.makers = makers

    def piece(self, value: Value) -> Piece:
        """The symbol of a value, or its formula where it has none."""
        return self.symbols[value] if value in self.symbols else self.formula(value)

    def formula(self, value: Value) -> Piece:
        """A value in terms of the symbols of others."""
        node = self.makers[value]
        if not isinstance(node.operation, Map):
            parts = [self.piece(v) for v in node.inputs]
            found = operation(node).latex(parts, [v.type for v in node.inputs])
            return found[node.outputs.index(value)]
        leaves: dict[Value, str] = {}
        expression = tidy(self._expression(node, value, leaves))
        names = {name: self.piece(v) for v, name in leaves.items()}
        tensors = {name for v, name in leaves.items() if known(v.type.shape) > 1}
        return piece_of(by_elements(expression, tensors), names)

    def _expression(self, node: Node, value: Value, leaves: dict[Value, str]) -> Expression:
        """A map's result as one expression over `leaves`, which are named as they are met."""
        assert isinstance(node.operation, Map)
        operands = {}
        for index, read in enumerate(node.inputs):
            maker = self.makers.get(read)
            if read in self.symbols or maker is None or not isinstance(maker.operation, Map):
                operands[f"x{index}"] = variable(leaves.setdefault(read, f"v{len(leaves)}"))
            else:
                operands[f"x{index}"] = self._expression(maker, read, leaves)
        return substitute(node.operation.expressions[node.outputs.index(value)], operands)


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
        self.steps = self._steps()
        self._name_inputs()
        for step in self.steps:
            self._name_step(step)

    # --- stages -----------------------------------------------------------------------------

    def _steps(self) -> list[Step]:
        nodes = [n for n in self.graph.nodes if n.label not in LOSS_LABELS]
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
            results = [v for v in made if v in outputs or not set(users.get(v, ())) <= set(run)]
            steps.append(Step(tuple(run), tuple(results), self.parts.get(run[0].label)))
        return steps

    def _needed(self, nodes: Sequence[Node]) -> set[Value]:
        """The values that an output or the loss is made of."""
        stages = {v for node in nodes for v in node.outputs}
        found = {v for v in self.graph.outputs.values() if v in stages}
        found |= {v for n in self.graph.nodes if n.label in LOSS_LABELS for v in n.inputs}
        for node in reversed(nodes):
            if any(v in found for v in node.outputs):
                found.update(node.inputs)
        return found

    # --- symbols ----------------------------------------------------------------------------

    def _name_inputs(self) -> None:
        data, targets = self.graph.of_role(Role.DATA), self.graph.of_role(Role.TARGET)
        for letter, inputs in (("x", data), ("t", targets)):
            for i in inputs:
                name = f"_{{{upright(i.value.name)}}}" if len(inputs) > 1 else ""
                self.symbols[i.value] = (letter + name, Level.LEAF)
        for i in self.graph.of_role(Role.STATE):
            self.symbols[i.value] = (name_latex(i.value.name.rpartition(".")[2]), Level.LEAF)

    def _name_step(self, step: Step) -> None:
        weights = [v for n in step.nodes for v in n.inputs if self._is_parameter(v)]
        tensors = self.operands(step)
        letter, layer = self._letter(step, tensors, weights)
        for value in dict.fromkeys(weights):
            self.symbols.setdefault(value, self._parameter(value, letter, layer))
        for node in step.nodes:
            if operation(node).fusion is Fusion.RANDOM and node.outputs[0] not in step.results:
                self.symbols[node.outputs[0]] = (rf"u_{{{self._next()}}}", Level.LEAF)
        for value in step.results:
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
        mixes = any(operation(n).fusion is Fusion.CONTRACTION for n in step.nodes)
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
            letters["weight"] = "E"
        symbol = letters.get(name) or name_latex(name)
        role = owner.rpartition(".")[2].partition("[")[0]
        index = index.rstrip("]") or ("" if role in words("layer") else upright(role))
        number = f"_{{{index}}}" if index else ""
        taken = f"{symbol}{number}^{{({layer})}}"
        if taken in self.taken:
            taken = f"{symbol}{number}^{{({layer},{self._next()})}}"
        self.taken.add(taken)
        return taken, Level.LEAF

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
        one = len(step.nodes) == 1 and len(node.inputs) == 1
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
            for value in step.results:
                shown = f"{self.symbols[value][0]} = {self.right_side(step, value)}"
                spaces = [self.space(value), *self._weights(step, told)]
                yield Equation(shown, r" ,\; ".join(spaces), note_of(step))
        yield from self._outputs()

    def noise(self, step: Step) -> Iterable[Equation]:
        """The random numbers that a stage draws for itself."""
        for node in step.nodes:
            value = node.outputs[0]
            if operation(node).fusion is Fusion.RANDOM and value not in step.results:
                symbol, law = self.symbols[value][0], self.writer.formula(value)[0]
                yield Equation(rf"{symbol} \sim {law}", self.space(value), "new at each step")

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


def note_of(step: Step) -> str:
    """The stage as written, and its line."""
    if step.part is None:
        return ""
    line = f", line {step.part.span.line}" if step.part.span is not None else ""
    text = step.part.text
    return (text if len(text) <= LONGEST_STAGE else text[: LONGEST_STAGE - 1] + "…") + line


def bracketed(piece: Piece) -> str:
    """A piece as a factor."""
    return closed(piece, Level.PRODUCT)
