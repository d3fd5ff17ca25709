r"""A recurrence as equations: one step, its symbols with an index of time.

As the lectures write it: `h_{t} = f(x_{t}, h_{t-1})` with a line for each gate. Weights that a
layer keeps side by side, one part for each gate, have the letter of the gate as their index.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from nndsl.ir.graph import Node, Value
from nndsl.lower.result import ParameterInfo
from nndsl.ops.map import Map, operand
from nndsl.ops.matmul import MatMul
from nndsl.ops.movement import Slice
from nndsl.ops.scan import Scan
from nndsl.ops.split import Split
from nndsl.render.functions import applied
from nndsl.render.writer import Equation, Writer
from nndsl.scalar.functions import where
from nndsl.scalar.latex import name_latex
from nndsl.scalar.piece import Level, Piece, closed, indexed
from nndsl.vocab.registry import words

CHOICE = Map((where(operand(0), operand(1), operand(2)),))
"""What keeps a memory as it is behind the end of a sequence: not written."""

LETTERS = {
    "input_weight": "W", "state_weight": "U", "bias": "b", "state_bias": r"\tilde{b}",
    "peepholes": "V", "weight": "W", "weight[1]": "W", "weight[2]": "U", "weight[3]": "V",
}  # fmt: skip
"""Weights of what comes in, of what is remembered, biases."""


class Unfolding:
    """One recurrence: symbols of its weights in `weights`, of its memory and its lines within."""

    def __init__(
        self,
        node: Node,
        place: str,
        sup: str,
        parameters: Mapping[str, ParameterInfo],
        function: Callable[[Node], str],
    ) -> None:
        assert isinstance(node.operation, Scan)
        self.function = function
        self.node, self.scan, self.place, self.sup = node, node.operation, place, sup
        self.body = self.scan.body.graph
        inner = [entry.value for entry in self.body.inputs.values()]
        self.sequences = inner[: self.scan.sequences]
        self.states = inner[self.scan.sequences :][: self.scan.states]
        self.constants = inner[self.scan.sequences + self.scan.states :]
        self.given = dict(zip(inner, node.inputs, strict=True))
        self.following = [self._chosen(v) for v in self.body.outputs.values()][: self.scan.states]
        self.letters = self._letters()
        learnt = [v for v in self.constants if self.given[v].name in parameters]
        self.stacked = {v for v in learnt if self._is_stacked(v)}
        self.weights: dict[Value, Piece] = {}
        for value in learnt:
            self.weights.setdefault(self.given[value], self._weight(self.given[value].name))

    # --- symbols ----------------------------------------------------------------------------

    def _chosen(self, value: Value) -> Value:
        """A value without what keeps memories behind the end of a sequence."""
        made = self.body.producers().get(value)
        is_choice = made is not None and made.operation == CHOICE
        if made is not None and is_choice and made.inputs[0] in self.sequences:
            return made.inputs[1]
        return value

    def _letters(self) -> dict[Value, str]:
        """Values with a line of their own: memories, gates, named lines of a cell."""
        found: dict[Value, str] = {}
        for node in self.body.nodes:
            name = node.outputs[0].name.partition(".")[0]
            line = self._line(node)
            if line:
                found = {v: text for v, text in found.items() if text != line}
                found[node.outputs[0]] = line
            elif len(name) == 1 and isinstance(node.operation, Map):
                found[node.outputs[0]] = name
        for state, value in zip(self.states, self.following, strict=True):
            if value not in self.states and value not in self.sequences:
                found[value] = self._memory(state)
        return found

    def _line(self, node: Node) -> str:
        """The name of the line of a cell that a node stands on; "" where it has none."""
        if not node.label.startswith(f"{self.place}."):
            return ""
        name = node.label.removeprefix(f"{self.place}.").split(".")[0].partition("[")[0]
        is_word = name in words("layer") or name in words("activation")
        return "" if is_word else name

    def _memory(self, state: Value) -> str:
        return state.name.partition(".")[0]

    def _is_stacked(self, value: Value) -> bool:
        """Whether a weight holds parts for several gates, which are taken out of it or its sum."""
        reached = {value}
        for node in self.body.nodes:
            if not reached & set(node.inputs):
                continue
            if isinstance(node.operation, (Split, Slice)):
                return True
            reached.update(v for v in node.outputs if v not in self.letters)
        return False

    def _weight(self, name: str, gate: str = "") -> Piece:
        owner, _, last = name.rpartition(".")
        line = owner.removeprefix(self.place).lstrip(".").split(".")[0].partition("[")[0]
        is_line = line and line not in words("layer") and line not in words("activation")
        index = gate or (line if is_line else "")
        letter = LETTERS.get(last) or name_latex(last.partition("[")[0])
        below = f"_{{{name_latex(index)}}}" if index else ""
        return f"{letter}{below}{self.sup}", Level.LEAF

    def _timed(self, letter: str, time: str) -> Piece:
        return f"{name_latex(letter)}_{{{time}}}{self.sup}", Level.LEAF

    def results(self, piece: Callable[[Value], Piece]) -> dict[Value, Piece]:
        """Symbols of what the recurrence gives: all steps of a memory or a line, the last ones."""
        steps = self.scan.steps([v.type for v in self.node.inputs])
        end = "1" if self.scan.reverse else str(steps)
        found: dict[Value, Piece] = {}
        for state, value in zip(self.states, self.node.outputs, strict=False):
            found[value] = self._timed(self._memory(state), end)
        kept = list(self.body.outputs.values())[self.scan.states :]
        for inner, outer in zip(kept, self.node.outputs[self.scan.states :], strict=False):
            letter = self.letters.get(self._chosen(inner))
            if letter is None:
                letter = inner.name.partition(".")[0]
            found[outer] = f"{name_latex(letter)}{self.sup}", Level.LEAF
        return found

    def memory_at(self, time: str) -> list[str]:
        """The symbols of all that is remembered after a step."""
        return [self._timed(self._memory(state), time)[0] for state in self.states]

    # --- equations --------------------------------------------------------------------------

    @property
    def before(self) -> str:
        """The index of the step that is done before."""
        return "t+1" if self.scan.reverse else "t-1"

    def _symbols(self, outside: Writer) -> dict[Value, Piece]:
        """Symbols within a step."""
        found = {v: _at_time(outside.piece(self.given[v])) for v in self.sequences}
        found |= {v: self._timed(self._memory(v), self.before) for v in self.states}
        found |= {v: outside.piece(self.given[v]) for v in self.constants}
        return found | {v: self._timed(letter, "t") for v, letter in self.letters.items()}

    def equations(self, outside: Writer, note: str, spaces: Sequence[str]) -> Iterable[Equation]:
        """A line for each gate, line and memory; the start; what stacked weights consist of."""
        symbols = self._symbols(outside)
        first = [note]
        stacked = [self.weights[self.given[v]][0] for v in self.constants if v in self.stacked]
        plain = [s for s in spaces if not s.startswith(tuple(f"{text} " for text in stacked))]
        for value, letter in self.letters.items():
            left = symbols[value][0]
            of_gate = {**symbols, **self._of_gate(letter)}
            writer = _Inside(of_gate, self.body.producers(), self.function)
            here = [rf"{left} \in {self._space(value)}", *(plain if first else ())]
            shown = f"{left} = {writer.formula(value)[0]}"
            yield Equation(shown, r" ,\; ".join(here), "".join(first))
            first = []
        for state, value in zip(self.states, self.following, strict=True):
            if value not in self.letters:
                left = self._timed(self._memory(state), "t")[0]
                yield Equation(f"{left} = {symbols[value][0]}", note="".join(first))
                first = []
        yield from self._starts(outside)
        yield from self._stacks(spaces)

    def _space(self, value: Value) -> str:
        sizes = r" \times ".join(map(str, value.type.shape[1:]))
        return rf"\mathbb{{R}}^{{{sizes}}}"

    def _starts(self, outside: Writer) -> Iterable[Equation]:
        steps = self.scan.steps([v.type for v in self.node.inputs])
        time = f"{steps}+1" if self.scan.reverse else "0"
        ends = self.memory_at(time)
        shown = [_start(outside, self.given[v]) for v in self.states]
        text = r" ,\; ".join(f"{a} = {b}" for a, b in zip(ends, shown, strict=True))
        way = f"{steps}, ..., 1" if self.scan.reverse else f"1, ..., {steps}"
        yield Equation(text, note=f"t = {way}")

    def _stacks(self, spaces: Sequence[str]) -> Iterable[Equation]:
        """The weights with their spaces, those of several gates as these below one another."""
        gates = list(dict.fromkeys(self._gates()))
        for value in self.constants:
            if value not in self.stacked:
                continue
            symbol = self.weights[self.given[value]][0]
            name = self.given[value].name
            used = [self._weight(name, gate)[0] for gate in self._gates_of(value, gates)]
            space = next((s for s in spaces if s.startswith(f"{symbol} ")), "")
            yield Equation(rf"{symbol} = \left[{' ; '.join(used)}\right]", space)

    def _gates(self) -> Iterable[str]:
        """The letters of the values that parts are made for, in the order of the parts."""
        for node in self.body.nodes:
            if isinstance(node.operation, (Split, Slice)):
                yield from (self._reader(value) for value in node.outputs)

    def _gates_of(self, weight: Value, gates: Sequence[str]) -> list[str]:
        reads = {letter: self._read_by(v) for v, letter in self.letters.items()}
        return [gate for gate in gates if weight in reads.get(gate, ())]

    def _read_by(self, value: Value) -> set[Value]:
        """All that a line reads, up to other lines."""
        makers = self.body.producers()
        found, waiting = set(), [value]
        while waiting:
            node = makers.get(waiting.pop())
            for read in node.inputs if node is not None else ():
                found.add(read)
                if read not in self.letters:
                    waiting.append(read)
        return found

    def _reader(self, value: Value) -> str:
        """The letter of the first line that is made of a value."""
        for line, letter in self.letters.items():
            if value in self._read_by(line):
                return letter
        return ""

    def _of_gate(self, letter: str) -> dict[Value, Piece]:
        return {v: self._weight(self.given[v].name, letter) for v in self.stacked}


def derivative(symbol: str, by: str = "") -> str:
    """The derivative by a symbol of the loss E, or of another symbol."""
    above = "E" if not by else symbol
    return rf"\frac{{\partial {above}}}{{\partial {by or symbol}}}"


class ThroughTime:
    """Back-propagation through time: from step to step, the other way round."""

    def __init__(self, unfolding: Unfolding, upstream: Mapping[Value, Piece]) -> None:
        self.unfolding = unfolding
        node, scan = unfolding.node, unfolding.scan
        self.after = "t-1" if scan.reverse else "t+1"
        steps = scan.steps([v.type for v in node.inputs])
        self.end = "1" if scan.reverse else str(steps)
        self.at_end = upstream.get(node.outputs[0])
        kept = node.outputs[scan.states :]
        self.at_steps = next((upstream[v] for v in kept if v in upstream), None)

    def _state(self, time: str) -> str:
        """All that is remembered."""
        named = self.unfolding.memory_at(time)
        return named[0] if len(named) == 1 else f"s_{{{time}}}{self.unfolding.sup}"

    def _direct(self, piece: Piece) -> str:
        """What comes from outside: the first memory is what the recurrence gives."""
        many = len(self.unfolding.states) > 1
        return rf"\left[{piece[0]} ; 0\right]" if many else closed(piece, Level.PRODUCT)

    def equations(self) -> Iterable[Equation]:
        """The recursion over the steps."""
        now, after = self._state("t"), self._state(self.after)
        memories = self.unfolding.memory_at("t")
        if len(memories) > 1:
            yield Equation(rf"{now} = \left[{' ; '.join(memories)}\right]")
        if self.at_end is not None:
            left = derivative(self._state(self.end))
            yield Equation(f"{left} = {self._direct(self.at_end)}", note="at the last step")
        back = self._back(derivative(after, now), derivative(after))
        outside = ""
        if self.at_steps is not None:
            text, level = self.at_steps
            of_step = (text, level) if "_{t}" in text else (indexed((text, level), "t"), Level.LEAF)
            outside = f"{self._direct(of_step)} + "
        yield Equation(f"{derivative(now)} = {outside}{back}", note="through time")

    def _back(self, matrix: str, upstream: str) -> str:
        return rf"\left({matrix}\right)^{{\top}} \, {upstream}"

    def shares(self, piece: Callable[[Value], Piece]) -> dict[Value, Piece]:
        """What the operands get: sequences at each step, constants from all of them."""
        unfolding, now = self.unfolding, self._state("t")
        found: dict[Value, Piece] = {}
        for value in unfolding.sequences:
            outer = unfolding.given[value]
            matrix = derivative(now, _at_time(piece(outer))[0])
            found[outer] = self._back(matrix, derivative(now)), Level.PRODUCT
        for value in unfolding.constants:
            outer = unfolding.given[value]
            each = self._back(derivative(now, piece(outer)[0]), derivative(now))
            found[outer] = rf"\sum_{{t}} \, {each}", Level.PRODUCT
        first = self._state(str(self.end) if unfolding.scan.reverse else "1")
        for value in unfolding.states:
            outer = unfolding.given[value]
            matrix = derivative(first, piece(outer)[0])
            found[outer] = self._back(matrix, derivative(first)), Level.PRODUCT
        return found


class _Inside(Writer):
    """Writes a line: parts of sums as sums of the parts of their weights."""

    def __init__(
        self,
        symbols: Mapping[Value, Piece],
        makers: Mapping[Value, Node],
        function: Callable[[Node], str],
    ) -> None:
        super().__init__(symbols, makers)
        self.function = function

    def formula(self, value: Value) -> Piece:
        """As always, but that taking parts is not shown: the index of the weights says it."""
        node = self.makers[value]
        if isinstance(node.operation, (Split, Slice)) or node.operation == CHOICE:
            return self.piece(node.inputs[1 if node.operation == CHOICE else 0])
        if isinstance(node.operation, MatMul):
            factors = [(closed(self.piece(v), Level.FRACTION), Level.LEAF) for v in node.inputs]
            return node.operation.latex(factors, [v.type for v in node.inputs])[0]
        if self.function(node):
            return applied(self.function(node), self.piece(node.inputs[0])[0])
        return super().formula(value)


def _at_time(piece: Piece) -> Piece:
    """A sequence at time t: an index more, below what is written above."""
    found = re.fullmatch(r"(?P<letter>\\?[A-Za-z]+)\^\{(?P<sup>[^{}]*)\}", piece[0])
    if found is None:
        return indexed(piece, "t"), Level.LEAF
    return f"{found['letter']}_{{t}}^{{{found['sup']}}}", Level.LEAF


def _start(outside: Writer, value: Value) -> str:
    """What a memory is before the first step."""
    node = value.node
    if node is not None and all(v.node is not None and not v.node.inputs for v in node.inputs):
        return "0"
    return outside.piece(value)[0]
