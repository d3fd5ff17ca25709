"""Where every value lives: offsets into flat memories, planned before anything is allocated.

Parameters, states and temporary values each have one memory. Temporary values share theirs: two
whose lives do not overlap may have the same bytes. Updates are written into the parameter or state
itself where nobody reads the old value any more. Parameters, their gradients and each of an
optimizer's moments stand in the same order at the same distances, so that one loop can update all
of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from math import prod

from nndsl.ir.graph import CLOCK_NAMES, Graph, Node, Role, Value
from nndsl.ir.types import BATCH, ElementType
from nndsl.ops.base import Fusion, operation_of
from nndsl.passes.arena import MOST_PACKED, Arena, Piece, packed, phases_of
from nndsl.records import dataclass

ALIGNMENT = 64
"""Bytes: a cache line, and a vector register of AVX-512."""


class Area(Enum):
    """The separately allocated memories."""

    PARAMETERS = "parameters"
    STATE = "state"
    WORKSPACE = "workspace"
    CLOCK = "clock"
    DATA = "data"


_AREA_OF_ROLE = {
    Role.PARAMETER: Area.PARAMETERS,
    Role.STATE: Area.STATE,
    Role.CLOCK: Area.CLOCK,
    Role.SETTING: Area.CLOCK,
}


@dataclass(frozen=True)
class Place:
    """`elements` numbers of `width` bytes each, from byte `offset` of an area on."""

    area: Area
    offset: int
    elements: int
    width: int

    @property
    def bytes(self) -> int:
        """Size."""
        return self.elements * self.width


@dataclass(frozen=True)
class MemoryPlan:
    """Places by value, bytes by area, and the updates that must be copied after the step.

    `lives` gives for each value in the workspace the numbers of the first and the last node
    between which it is needed (-1: before the first; the number of nodes: after the last).
    `owners` gives for each view, and each update in place, the value whose memory it is.
    """

    places: dict[Value, Place]
    areas: dict[Area, int]
    copies: tuple[tuple[str, Value], ...]
    lives: dict[Value, tuple[int, int]]
    owners: dict[Value, Value]

    @property
    def total(self) -> int:
        """Bytes of all areas together."""
        return sum(self.areas.values())

    def largest(self, count: int = 5) -> list[tuple[str, int]]:
        """Names and bytes of the largest values, each piece of memory once."""
        seen: dict[tuple[Area, int], tuple[str, int]] = {}
        for value, place in self.places.items():
            key = (place.area, place.offset)
            if key not in seen or seen[key][1] < place.bytes:
                seen[key] = (value.name, place.bytes)
        return sorted(seen.values(), key=lambda entry: -entry[1])[:count]

    def text(self) -> str:
        """The plan for people: one line for each value, in the order of memory."""
        lines = []
        for area, size in self.areas.items():
            lines.append(f"{area.value}: {size} bytes")
            inside = [(p.offset, v) for v, p in self.places.items() if p.area is area]
            for offset, value in sorted(inside, key=lambda entry: (entry[0], entry[1].name)):
                life = "{}..{}".format(*self.lives[value]) if value in self.lives else ""
                row = f"  {offset:>10}  {self.places[value].bytes:>10}  {value.name}  {life}"
                lines.append(row.rstrip())
        return "\n".join(lines)


def plan(
    graph: Graph,
    batch: int,
    real_bytes: int = 4,
    *,
    gathers: bool = False,
    tight: bool = False,
) -> MemoryPlan:
    """Plan memory for at most `batch` rows. `gathers`: rows are copied out of the data first.

    `tight`: as little memory as can be, though threads have to meet more often and gradients do
    not lie in the order of the parameters.
    """
    return _Planner(graph, batch, real_bytes, gathers, tight).plan()


def rounded(size: int) -> int:
    """The next multiple of the alignment."""
    return -(-size // ALIGNMENT) * ALIGNMENT


class _Planner:
    def __init__(
        self, graph: Graph, batch: int, real_bytes: int, gathers: bool, tight: bool
    ) -> None:
        self.graph = graph
        self.tight = tight
        self.batch = batch
        self.widths = {ElementType.REAL: real_bytes, ElementType.DOUBLE: 8, ElementType.INDEX: 4}
        self.gathers = gathers
        self.inputs = {i.value for i in graph.inputs.values()}
        self.uses_as_update = Counter(graph.updates.values())
        self.end = len(graph.nodes)
        self.roots: dict[Value, Value] = {}
        self.defined: dict[Value, int] = {i.value: -1 for i in graph.inputs.values()}
        self.used: dict[Value, int] = {}
        self.places: dict[Value, Place] = {}
        self.counts: dict[tuple[int | str, ...], int] = {}  # elements by shape
        self.areas = dict.fromkeys(Area, 0)
        self._find_lives()

    def plan(self) -> MemoryPlan:
        """Place inputs, updates in place, gradients, then all else."""
        groups = update_groups(self.graph)
        self._place_inputs(groups)
        copies = self._place_updates()
        items = self._items(set() if self.tight else self._gradients(groups))
        self._arrange(items.values())
        lives = {}
        for root, item in items.items():
            self._put(root, Area.WORKSPACE, item.offset)
            lives[root] = (self.defined[root], self.used[root])
        owners = {value: self.root(value) for value in self.roots}
        self.places |= {v: self.places[o] for v, o in owners.items() if o in self.places}
        self.areas = {area: size for area, size in self.areas.items() if size}
        return MemoryPlan(self.places, self.areas, copies, lives, owners)

    # Lives

    def root(self, value: Value) -> Value:
        """The value whose memory `value` is a view of."""
        while value in self.roots:
            value = self.roots[value]
        return value

    def _find_lives(self) -> None:
        for number, node in enumerate(self.graph.nodes):
            for value in node.outputs:
                self.defined[value] = number
                if operation_of(node).is_view:
                    self.roots[value] = node.inputs[0]
            for value in node.inputs:
                self.used[self.root(value)] = number
        for value in self.defined:
            self.used.setdefault(self.root(value), self.defined[value])
        for value in [*self.graph.results(), *self._constants()]:
            self.used[self.root(value)] = self.end

    def _constants(self) -> list[Value]:
        """Values written once, when the program is loaded: alive always."""
        found: list[Value] = []
        for node in self.graph.nodes:
            if operation_of(node).constant() is not None:
                found += node.outputs
                self.defined |= dict.fromkeys(node.outputs, -1)
        return found

    def _elements(self, value: Value) -> int:
        shape = value.type.shape
        if shape not in self.counts:
            self.counts[shape] = prod(self.batch if d == BATCH else _known(d) for d in shape)
        return self.counts[shape]

    def _bytes(self, value: Value) -> int:
        return rounded(self._elements(value) * self.widths[value.type.element])

    def _put(self, value: Value, area: Area, offset: int) -> None:
        width = self.widths[value.type.element]
        self.places[value] = Place(area, offset, self._elements(value), width)

    def _append(self, value: Value, area: Area, size: int) -> None:
        self._put(value, area, self.areas[area])
        self.areas[area] += size

    # Inputs and updates

    def _place_inputs(self, groups: Sequence[Sequence[Sequence[Value]]]) -> None:
        inputs = {i.value: i.role for i in self.graph.inputs.values()}
        ordered = [v for group in groups for column in group for v in column if v in inputs]
        for value in dict.fromkeys([*ordered, *inputs]):
            role = inputs[value]
            if role in (Role.DATA, Role.TARGET):
                if not self.gathers:
                    self._put(value, Area.DATA, 0)
            elif role in (Role.CLOCK, Role.SETTING):
                continue
            else:
                self._append(value, _AREA_OF_ROLE[role], self._bytes(value))
        for name, entry in self.graph.inputs.items():
            if entry.role is Role.CLOCK:
                self._put(entry.value, Area.CLOCK, 8 * CLOCK_NAMES.index(name))
        self.areas[Area.CLOCK] = 8 * len(CLOCK_NAMES)
        for entry in self.graph.of_role(Role.SETTING):
            self._append(entry.value, Area.CLOCK, 8)

    def _place_updates(self) -> tuple[tuple[str, Value], ...]:
        """Let updates write into their input where that is safe; the others, to be copied."""
        copies = []
        for name, value in self.graph.updates.items():
            target = self.graph.inputs[name].value
            if value is target:
                continue
            if self._in_place(target, value):
                self.roots[value] = target
            else:
                copies.append((name, value))
        return tuple(copies)

    def _in_place(self, target: Value, value: Value) -> bool:
        """Whether nobody reads the old value after the node that makes the new one."""
        if value in self.roots or value.type != target.type or value in self.inputs:
            return False
        if self.uses_as_update[value] > 1:
            return False
        if self.used[target] == self.end:
            return False
        made = self.defined[value]
        return self.used[target] < made or (
            self.used[target] == made and reads_same_place(self.graph.nodes[made], target, value)
        )

    # The workspace

    def _gradients(self, groups: Sequence[Sequence[Sequence[Value]]]) -> set[Value]:
        """Place operands of the merged updates that are computed in this step, in their order."""
        flat: set[Value] = set()
        inputs = self.inputs
        for group in groups:
            for column in group:
                roots = [self.root(v) for v in column]
                fresh = [r for r in roots if r not in inputs and r not in self.places]
                if len(fresh) == len(column) == len(set(roots)) and not flat & set(roots):
                    flat |= set(roots)
                    for root in roots:
                        self._append(root, Area.WORKSPACE, self._bytes(root))
        return flat

    def _items(self, placed: set[Value]) -> dict[Value, Piece]:
        """A piece of memory for every other root, shared where a result replaces its operand."""
        items: dict[Value, Piece] = {}
        taken: set[Value] = set()
        for value, number in self.defined.items():
            root = self.root(value)
            if root is not value or root in self.places or root in placed:
                continue
            operand = self._replaced(value, items)
            if operand is None or operand in taken:
                items[value] = Piece(self._bytes(value), number, self.used[value], _has_rows(value))
            else:
                taken.add(operand)
                items[value] = items[operand]
                items[value].last = max(items[value].last, self.used[value])
        return items

    def _replaced(self, value: Value, items: dict[Value, Piece]) -> Value | None:
        """An operand that dies where `value` is made, element by element in the same place."""
        number = self.defined[value]
        if number < 0:
            return None
        node = self.graph.nodes[number]
        for operand in node.inputs:
            item = items.get(self.root(operand))
            if item is None or item.last != number or operand.type != value.type:
                continue
            if reads_same_place(node, self.root(operand), value, self.root):
                return self.root(operand)
        return None

    def _arrange(self, items: Iterable[Piece]) -> None:
        pieces = list({id(piece): piece for piece in items}.values())
        base = self.areas[Area.WORKSPACE]
        if self.tight and len(pieces) <= MOST_PACKED:
            self.areas[Area.WORKSPACE] = packed(pieces, base)
            return
        by_rows = [_has_rows(node.outputs[0]) for node in self.graph.nodes]
        arena = Arena(base, phases_of(by_rows))
        arena.arrange(pieces)
        self.areas[Area.WORKSPACE] = arena.end


def _has_rows(value: Value) -> bool:
    return value.type.shape[:1] == (BATCH,)


def _known(dimension: int | str) -> int:
    if isinstance(dimension, str):
        raise ValueError(f"the size {dimension} is not known")
    return dimension


def reads_same_place(
    node: Node,
    operand: Value,
    result: Value,
    root: Callable[[Value], Value] = lambda value: value,
) -> bool:
    """Whether the node reads `operand` only at the place where it writes `result`.

    `root` gives the value whose memory another one is a view of.
    """
    read = [(p, v) for p, v in enumerate(node.inputs) if v is operand or root(v) is operand]
    number = node.outputs.index(result)
    return all(operation_of(node).in_place(p, number) and v.type == result.type for p, v in read)


def update_groups(graph: Graph) -> list[list[list[Value]]]:
    """Operands of the updates of parameters, by equal formula, operand by operand.

    Each group is a list of columns, one for each operand that differs from parameter to
    parameter; a column has one value for each parameter, in the order of the parameters.
    """
    producers = graph.producers()
    nodes: dict[tuple[object, ...], list[Node]] = {}
    for name, entry in graph.inputs.items():
        update = graph.updates.get(name) if entry.role is Role.PARAMETER else None
        node = producers.get(update) if update is not None else None
        if node is not None and operation_of(node).fusion is Fusion.ELEMENTWISE:
            nodes.setdefault((node.operation, len(node.inputs)), []).append(node)
    return [_columns(group) for group in nodes.values() if len(group) > 1]


def _columns(group: Iterable[Node]) -> list[list[Value]]:
    columns = [list(column) for column in zip(*(node.inputs for node in group), strict=True)]
    return [c for c in columns if len(set(c)) == len(c) and all(v.type.rank for v in c)]
