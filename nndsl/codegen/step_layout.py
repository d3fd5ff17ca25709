"""Where the values of one step of a scan live.

Rows of the batch stand first in every tensor, so what a step reads of a sequence [N, T, w], and
what it keeps in one, are rows of w numbers that stand T w apart. Kernels that can do so read and
write them there; for the others they are copied. Parts of a value (split) and values side by side
(concat) are such rows too, and cost nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate
from math import prod

from nndsl.ir.graph import Graph, Node, Value
from nndsl.ir.types import BATCH, TensorType
from nndsl.ops.base import Op
from nndsl.ops.fused import FusedMatMul
from nndsl.ops.map import Map
from nndsl.ops.matmul import MatMul
from nndsl.ops.movement import Concat, Slice
from nndsl.ops.scan import Scan
from nndsl.ops.split import Split
from nndsl.records import dataclass


@dataclass(frozen=True)
class Spot:
    """A place of a value: in an operand or a result of the scan, in scratch, or in the memory of a
    state, before the step or (`after`) behind it.

    `row` is the number of elements from one row of the batch to the next, 0 where rows stand side
    by side; `inside` where the first begins; `moves` how many elements further on the next step is.
    """

    where: str  # "operand", "result", "scratch" or "state"
    number: int
    row: int = 0
    inside: int = 0
    moves: int = 0
    after: bool = False

    def part(self, whole: int, start: int) -> Spot:
        """Columns from `start` on of this value of `whole` columns."""
        row = self.row or whole
        return Spot(self.where, self.number, row, self.inside + start, self.moves, self.after)


@dataclass(eq=False)
class Layout:
    """Spots of the values of a body. The first spot of a value is the one where it is read.

    What is kept of the memory before each step is written by the step before: `later` has the spots
    where each next memory goes so, `starts` those where the first memory goes, by its number.
    Scratch holds two memories for each state, which change places from step to step, then values.
    """

    spots: dict[Value, list[Spot]]
    scratch: list[TensorType]
    contiguous: dict[Value, Spot]  # copies for kernels that need rows side by side
    later: dict[Value, list[Spot]]
    starts: dict[int, list[Spot]]


def layout_of(scan: Scan, steps: int) -> Layout:
    """The layout of a scan of so many steps."""
    return _Planner(scan, steps).layout()


def width_of(type: TensorType) -> int:
    """Elements of one row of the batch."""
    return prod(d for d in type.shape[1:] if isinstance(d, int))


def is_part(node: Node) -> bool:
    """Whether a node cuts columns of its operand, or puts its operands side by side as columns."""
    operation = node.operation
    if not isinstance(operation, (Split, Slice, Concat)):
        return False
    return operation.axis == 1 and all(_is_rows(v) for v in (*node.inputs, *node.outputs))


def takes_rows_apart(node: Node) -> bool:
    """Whether the kernels of a node can read and write rows that do not stand side by side."""
    operation = node.operation
    if isinstance(operation, Map):
        result = node.outputs[0].type.shape
        fits = ((), result[1:], result, (result[0], 1), (1, *result[1:])) if result else ()
        return _is_rows(node.outputs[0]) and all(v.type.shape in fits for v in node.inputs)
    if isinstance(operation, (MatMul, FusedMatMul)):
        return not operation.transpose_a and all(v.type.rank <= 2 for v in node.inputs)
    return False


def _is_rows(value: Value) -> bool:
    return value.type.rank == 2 and value.type.shape[0] == BATCH


class _Planner:
    def __init__(self, scan: Scan, steps: int) -> None:
        self.scan, self.steps = scan, steps
        self.body: Graph = scan.body.graph
        self.inputs = [entry.value for entry in self.body.inputs.values()]
        self.makers = self.body.producers()
        first, last = scan.sequences, scan.sequences + scan.states
        self.states = self.inputs[first:last]
        self.scratch = [state.type for state in self.states for _ in range(2)]
        self.contiguous: dict[Value, Spot] = {}
        self.spots: dict[Value, list[Spot]] = {}
        for number, value in enumerate(self.inputs):
            self.spots[value] = [self._of_input(number, value)]
        self.wanted: dict[Value, list[Spot]] = {}  # where values are needed beside
        for number, value in enumerate(self.body.outputs.values()):
            self.wanted.setdefault(value, []).append(self._of_result(number, value))
        users = self.body.users()
        self.multiplied = {
            v for v, nodes in users.items() for n in nodes if isinstance(n.operation, MatMul)
        } | {n.inputs[0] for n in self.body.nodes if isinstance(n.operation, FusedMatMul)}

    def layout(self) -> Layout:
        """Concat and kept results first, from the end; then all values in order."""
        for node in reversed(self.body.nodes):
            if isinstance(node.operation, Concat) and is_part(node):
                self._join(node)
        for node in self.body.nodes:
            if not is_part(node) and not takes_rows_apart(node):
                for value in node.inputs:
                    self._in_rows(value)
            for index, value in enumerate(node.outputs):
                if value not in self.spots:
                    self.spots[value] = self._of_value(node, index, value)
        later: dict[Value, list[Spot]] = {}
        starts: dict[int, list[Spot]] = {}
        following = list(self.body.outputs.values())[: self.scan.states]
        for number, (before, after) in enumerate(zip(self.states, following, strict=True)):
            starts[number] = [s for s in self.wanted.get(before, []) if s.where == "result"]
            later.setdefault(after, []).extend(self._a_step_on(s) for s in starts[number])
            self.wanted[before] = [s for s in self.wanted.get(before, []) if s.where != "result"]
        for value in self.inputs:
            self.spots[value] += self.wanted.get(value, [])
        return Layout(self.spots, self.scratch, self.contiguous, later, starts)

    def _a_step_on(self, spot: Spot) -> Spot:
        """The same place of the step that is done next."""
        moves = -spot.moves if self.scan.reverse else spot.moves
        return replace(spot, inside=spot.inside + moves)

    def _of_input(self, number: int, value: Value) -> Spot:
        first = self.scan.sequences
        if number < first:
            width = width_of(value.type)
            return Spot("operand", number, self.steps * width, 0, width)
        if number < first + self.scan.states:
            return Spot("state", number - first)
        return Spot("operand", number)

    def _of_result(self, number: int, value: Value) -> Spot:
        if number < self.scan.states:
            return Spot("state", number, after=True)
        width = width_of(value.type)
        return Spot("result", number, self.steps * width, 0, width)

    def _join(self, node: Node) -> None:
        """The operands of a concat are needed in its columns."""
        (whole,) = node.outputs
        self.spots[whole] = self._chosen(node, whole, self.wanted.get(whole, []))
        widths = [width_of(v.type) for v in node.inputs]
        for value, start in zip(node.inputs, accumulate(widths, initial=0), strict=False):
            spots = (s.part(width_of(whole.type), start) for s in self.spots[whole])
            self.wanted.setdefault(value, []).extend(spots)

    def _of_value(self, node: Node, index: int, value: Value) -> list[Spot]:
        wanted = self.wanted.get(value, [])
        if is_part(node):
            assert isinstance(node.operation, (Split, Slice))
            (whole,) = node.inputs
            sizes = node.operation.sizes if isinstance(node.operation, Split) else ()
            start = sum(sizes[:index]) if sizes else node.operation.start  # type: ignore[union-attr]
            return [self.spots[whole][0].part(width_of(whole.type), start), *wanted]
        if isinstance(node.operation, Op) and node.operation.is_view:
            return [self._in_rows(node.inputs[0]), *wanted]
        return self._chosen(node, value, wanted)

    def _chosen(self, node: Node, value: Value, wanted: Sequence[Spot]) -> list[Spot]:
        """Where a value is made, first, and where else it is needed.

        It is made in the memory of a state, where rows stand side by side; else where it is
        needed, if the kernel can write there; else in scratch. What is multiplied by a matrix is
        read often, and rows far apart would drive each other out of the cache.
        """
        in_state = [spot for spot in wanted if not spot.row]
        apart = takes_rows_apart(node)
        apart = apart and (isinstance(node.operation, Map) or len(node.outputs) == 1)
        if in_state:
            first = in_state[0]
        elif wanted and (apart or is_part(node)) and value not in self.multiplied:
            first = wanted[0]
        else:
            first = self._fresh(value.type)
        return [first, *(spot for spot in wanted if spot is not first)]

    def _fresh(self, type: TensorType) -> Spot:
        self.scratch.append(type)
        return Spot("scratch", len(self.scratch) - 1)

    def _in_rows(self, value: Value) -> Spot:
        """Where the rows of a value stand side by side, for kernels that cannot do otherwise."""
        spot = self.spots[value][0]
        if not spot.row:
            return spot
        if value not in self.contiguous:
            self.contiguous[value] = self._fresh(value.type)
        return self.contiguous[value]
