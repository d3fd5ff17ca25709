"""Recomputation: what is cheap is computed once more on the way back instead of remembered.

A training step remembers values from the way forward for the way back. Those made by formulas,
norms, copies and random numbers can be made again from what they were made of, by the same
kernels: to the bit. Chen, Xu, Zhang & Guestrin 2016, arXiv:1604.06174; for joined tensors and
norms Pleiss, Chen, Huang, Li, van der Maaten & Weinberger 2017, arXiv:1707.06990.
"""

from __future__ import annotations

from collections import Counter

from nndsl.ir.graph import Builder, Graph, Value, with_inputs
from nndsl.ir.types import BATCH
from nndsl.ops.base import Fusion, operation_of
from nndsl.ops.movement import Concat
from nndsl.passes.order import numbers_in, remembered
from nndsl.records import dataclass

CHEAP = frozenset({Fusion.ELEMENTWISE, Fusion.ROW, Fusion.MOVE, Fusion.RANDOM})
"""Operations that take little more than the time in which their results are written."""


@dataclass(frozen=True)
class Recompute:
    """Make cheap values again after the moment at which a step remembers the most.

    A value is made again when that frees more than what must be remembered for it instead.
    `chain` bounds how many formulas one after another are done again for one value: where each
    block of a network adds to the one before, every so many sums are remembered.
    """

    chain: int = 3

    name = "recompute"

    def __call__(self, graph: Graph) -> Graph:
        """The graph with some nodes twice; the results are the same to the bit."""
        before = remembered(graph)
        choice = _Choice(graph, before.index(max(before)), self.chain)
        doubled = _doubled(graph, choice)
        return doubled if max(remembered(doubled)) < max(before) else graph


class _Choice:
    """Which nodes before `turn` are done again after it: `needed`, of all that could be."""

    def __init__(self, graph: Graph, turn: int, chain: int) -> None:
        self.nodes = graph.nodes
        self.made = {v: n for n, node in enumerate(graph.nodes) for v in node.outputs}
        self.uses: dict[Value, list[int]] = {}
        for number, node in enumerate(graph.nodes):
            for value in dict.fromkeys(node.inputs):
                self.uses.setdefault(value, []).append(number)
        self.results = set(graph.results())
        self.turn = turn
        self.operands: dict[int, tuple[Value, ...]] = {}
        for number in filter(self._is_cheap, range(self.turn + 1)):
            self.operands[number] = self._operands(number)
        self.late = {v for v, uses in self.uses.items() if uses[-1] > self.turn}
        self.needed: set[int] = set()
        self.readers: Counter[Value] = Counter()
        for value in self.late:
            self._need(value)
        for number in sorted(self.needed, reverse=True):
            if number in self.needed and self._freed(number) >= self._size(number):
                self._remember(number)
        self._cut(chain)

    def _numbers(self, value: Value) -> int:
        """The size of a value; the network's inputs are there anyway."""
        number = self.made.get(value)
        return 0 if number is None else numbers_in(self.nodes[number], value)

    def _is_cheap(self, number: int) -> bool:
        node = self.nodes[number]
        operation = operation_of(node)
        if operation.fusion not in CHEAP or operation.constant() is not None:
            return False
        return node.outputs[0].type.shape[:1] == (BATCH,) and not self.results & {*node.outputs}

    def _operands(self, number: int) -> tuple[Value, ...]:
        """What a node is done again from: joined tensors are joined at once from all parts."""
        node = self.nodes[number]
        if not isinstance(node.operation, Concat):
            return node.inputs
        found: list[Value] = []
        for value in node.inputs:
            maker = self.made.get(value)
            inner = self.nodes[maker].operation if maker is not None else None
            known = maker is not None and maker in self.operands and inner == node.operation
            found += self.operands[maker] if known and maker is not None else [value]
        return tuple(found)

    def _need(self, value: Value) -> None:
        """A value is wanted on the way back: note what it can be made of."""
        stack = [value]
        while stack:
            number = self.made.get(stack.pop())
            if number is None or number not in self.operands or number in self.needed:
                continue
            self.needed.add(number)
            self.readers.update(dict.fromkeys(self.operands[number], 1))
            stack += self.operands[number]

    def _size(self, number: int) -> int:
        """What remembering a node's results takes, of those that are wanted."""
        return sum(self._numbers(v) for v in self.nodes[number].outputs if self._is_wanted(v))

    def _is_wanted(self, value: Value) -> bool:
        return value in self.late or self.readers[value] > 0

    def _alone(self, number: int) -> list[Value]:
        """The operands of a node that are wanted for nothing else."""
        operands = dict.fromkeys(self.operands[number])
        return [v for v in operands if self.readers[v] == 1 and v not in self.late]

    def _freed(self, number: int) -> int:
        """What need no longer be remembered when this node's results are."""
        freed = 0
        for value in self._alone(number):
            maker = self.made.get(value)
            again = maker is not None and maker in self.needed
            freed += self._freed(maker) if again and maker is not None else self._numbers(value)
        return freed

    def _remember(self, number: int) -> None:
        """Do a node not again after all, nor what only it reads."""
        alone = self._alone(number)
        self.needed.discard(number)
        self.readers.subtract(dict.fromkeys(self.operands[number], 1))
        for value in alone:
            maker = self.made.get(value)
            if maker is not None and maker in self.needed:
                self._remember(maker)

    def _cut(self, chain: int) -> None:
        """Remember what would take more than so many formulas one after another."""
        depth: dict[int, int] = {}
        for number in sorted(self.needed):
            if number not in self.needed:
                continue
            makers = [self.made.get(v) for v in self.operands[number]]
            before = max((depth[m] for m in makers if m in self.needed and m in depth), default=0)
            copies = operation_of(self.nodes[number]).fusion is Fusion.MOVE
            depth[number] = before + (not copies)
            if depth[number] > chain:
                self._remember(number)


def _doubled(graph: Graph, choice: _Choice) -> Graph:
    """The graph in which the chosen nodes are done again just before they are needed."""
    before = _positions(choice)
    build = Builder(graph.copy())
    nodes, build.graph.nodes = build.graph.nodes, []
    again: dict[Value, Value] = {}
    for position, node in enumerate(nodes):
        for number in before.get(position, ()):
            old = nodes[number]
            operands = tuple(again.get(v, v) for v in choice.operands[number])
            build.label, build.span = old.label, old.span
            copies = build.add_all(old.operation, *operands, name=f"{old.outputs[0].name}.again")
            again |= dict(zip(old.outputs, copies, strict=True))
        inputs = tuple(again.get(v, v) for v in node.inputs)
        changed = position > choice.turn and inputs != node.inputs
        build.graph.nodes.append(with_inputs(node, inputs) if changed else node)
    return build.graph


def _positions(choice: _Choice) -> dict[int, list[int]]:
    """For nodes on the way back the numbers of those that are done again before them, in order."""
    first: dict[int, int] = {}
    for number in sorted(choice.needed, reverse=True):
        late = [next(u for u in choice.uses[v] if u > choice.turn)
                for v in choice.nodes[number].outputs if v in choice.late]  # fmt: skip
        place = min([first[number], *late] if number in first else late)
        first[number] = place
        for value in choice.operands[number]:
            maker = choice.made.get(value)
            if maker in choice.needed:
                first[maker] = min(first.get(maker, place), place)
    found: dict[int, list[int]] = {}
    for number in sorted(first):
        found.setdefault(first[number], []).append(number)
    return found
