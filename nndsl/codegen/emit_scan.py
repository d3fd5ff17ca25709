"""Calls for a scan: those of one step, again and again, each time a step of time further on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from nndsl.codegen import glue
from nndsl.codegen.context import Context, Stride, draft
from nndsl.codegen.draft import Draft, Pointer, Share, Slot
from nndsl.codegen.glue_strided import RowOperand, rows_kernel
from nndsl.codegen.program import Buffer, Size, Split
from nndsl.codegen.step_layout import (
    Layout,
    Spot,
    is_part,
    layout_of,
    takes_rows_apart,
    width_of,
)
from nndsl.ir.body import Body
from nndsl.ir.graph import Graph, Node, Value, rebuild
from nndsl.ir.types import BATCH
from nndsl.ops.base import Op, operation_of
from nndsl.ops.map import Map, operand
from nndsl.ops.scan import Scan

EmitNode = Callable[[Context, Node], list[Draft]]


def with_scratch(graph: Graph) -> Graph:
    """The graph with scans that ask for the memory of one step's values as further results."""
    nodes = [_roomy(n) if isinstance(n.operation, Scan) else n for n in graph.nodes]
    return graph if nodes == graph.nodes else rebuild(graph, nodes)


def _roomy(node: Node) -> Node:
    scan = node.operation
    assert isinstance(scan, Scan)
    if any(operation_of(inner).constant() is not None for inner in scan.body.graph.nodes):
        raise ValueError("a constant in a step of time has no memory: `LiftFromScans` takes it out")
    scan = replace(scan, body=Body(with_scratch(scan.body.graph)))
    scratch = layout_of(scan, _steps(node)).scratch
    more = [Value(f"{node.outputs[0].name}.scratch{n}", t) for n, t in enumerate(scratch)]
    changed = Node(
        replace(scan, scratch=tuple(scratch)),
        node.inputs,
        (*node.outputs, *more),
        node.span,
        node.label,
    )
    for index, value in enumerate(changed.outputs):
        value.node, value.index = changed, index
    return changed


def _steps(node: Node) -> int:
    assert isinstance(node.operation, Scan)
    steps = node.operation.steps([v.type for v in node.inputs])
    if not isinstance(steps, int):
        raise ValueError(f"the size {steps} is not known")
    return steps


def emit_scan(context: Context, node: Node, operation: Op, emit: EmitNode) -> list[Draft]:
    """The start of the states, all steps, the end of the states."""
    assert isinstance(operation, Scan)
    return _Emitter(context, node, operation, emit).drafts()


class _Emitter:
    """One scan. Steps of even and of odd number differ in which memory of each state is read."""

    def __init__(self, context: Context, node: Node, scan: Scan, emit: EmitNode) -> None:
        self.context, self.node, self.scan, self.emit = context, node, scan, emit
        self.steps = _steps(node)
        self.body = scan.body.graph
        self.layout: Layout = layout_of(scan, self.steps)
        self.results = len(node.outputs) - len(self.layout.scratch)
        self.spots = self.layout.spots
        self.inputs = [entry.value for entry in self.body.inputs.values()]
        over_time = list(zip(node.inputs, self.inputs, strict=True))[: scan.sequences]
        over_time += list(zip(node.outputs, self.body.outputs.values(), strict=False))[
            scan.states :
        ]
        self.moves = {context.buffers[outer]: width_of(inner.type) for outer, inner in over_time}

    def drafts(self) -> list[Draft]:
        """All calls in order."""
        first = self.scan.sequences
        states = self.inputs[first : first + self.scan.states]
        starts = self.node.inputs[first : first + self.scan.states]
        found = []
        order = self.scan.order(self.steps)
        for number, (state, start) in enumerate(zip(states, starts, strict=True)):
            for spot in (Spot("state", number), *self.layout.starts[number]):
                copy = self._copy(state, self._at(start), self._located(spot, 0))
                found.append(self._at_step(copy, order[0]))
        self.spots = {v: [*s, *self.layout.later.get(v, ())] for v, s in self.layout.spots.items()}
        turns = [self._step(parity) for parity in (0, 1)]
        for turn, step in enumerate(order[:-1]):
            found += [self._at_step(d, step) for d in turns[turn % 2]]
        self.spots = self.layout.spots  # behind the last step there is none
        found += [self._at_step(d, order[-1]) for d in self._step((self.steps - 1) % 2)]
        for number, state in enumerate(states):
            last = self._located(Spot("state", number), self.steps % 2)
            found.append(self._copy(state, last, self._at(self.node.outputs[number])))
        return found

    def _at(self, outer: Value) -> tuple[Buffer, Stride | None]:
        """An operand or a result of the scan, whole."""
        return self.context.buffers[outer], None

    def _located(self, spot: Spot, parity: int) -> tuple[Buffer, Stride | None]:
        """The buffer of a spot in a step of that parity, and how its rows stand."""
        if spot.where == "operand":
            value = self.node.inputs[spot.number]
        elif spot.where == "result":
            value = self.node.outputs[spot.number]
        elif spot.where == "scratch":
            value = self.node.outputs[self.results + spot.number]
        else:
            odd = parity ^ spot.after
            value = self.node.outputs[self.results + 2 * spot.number + odd]
        buffer = self.context.buffers[value]
        return buffer, Stride(spot.row, spot.inside) if spot.row else None

    # One step

    def _step(self, parity: int) -> list[Draft]:
        """The calls of a step, as they are at time 0."""
        drafts: list[Draft] = []
        for value in self.inputs:
            drafts += self._further(value, parity, self.spots[value][1:])
        for node in self.body.nodes:
            if is_part(node):
                joined = len(node.inputs) > 1  # its operands are written into all its places
                for value in node.outputs:
                    spots = () if joined else self.spots[value][1:]
                    drafts += self._further(value, parity, spots)
            else:
                drafts += self._computed(node, parity)
        return drafts

    def _computed(self, node: Node, parity: int) -> list[Draft]:
        apart = takes_rows_apart(node)
        if isinstance(node.operation, Map) and apart:
            node, places = _with_all_places(node, self.spots)
            drafts = self.emit(self._context(node, parity, places), node)
            copied = [v for v in node.outputs if v in self.layout.contiguous]
            return drafts + [d for v in copied for d in self._further(v, parity, ())]
        chosen = {v: self._read(v, side_by_side=not apart) for v in node.inputs}
        chosen |= {v: self.spots[v][0] for v in node.outputs}
        drafts = self.emit(self._context(node, parity, chosen), node)
        for value in node.outputs:
            drafts += self._further(value, parity, self.spots[value][1:])
        return drafts

    def _read(self, value: Value, *, side_by_side: bool) -> Spot:
        copy = self.layout.contiguous.get(value)
        return copy if side_by_side and copy is not None else self.spots[value][0]

    def _context(self, node: Node, parity: int, places: Mapping[Value, Spot]) -> Context:
        """The context of a node of the body."""
        buffers: dict[Value, Buffer] = {}
        strides: dict[Value, Stride] = {}
        for value in (*node.inputs, *node.outputs):
            spot = places.get(value) or self.spots[value][0]
            buffers[value], stride = self._located(spot, parity)
            if stride is not None:
                strides[value] = stride
        return replace(self.context, buffers=buffers, strides=strides, panels={})

    def _further(self, value: Value, parity: int, spots: Iterable[Spot]) -> list[Draft]:
        """Copies of a value from where it is made to where else it is needed."""
        copy = self.layout.contiguous.get(value)
        targets = [*spots, *([copy] if copy is not None else [])]
        source = self._located(self.spots[value][0], parity)
        return [self._copy(value, source, self._located(spot, parity)) for spot in targets]

    def _copy(
        self,
        value: Value,
        source: tuple[Buffer, Stride | None],
        target: tuple[Buffer, Stride | None],
    ) -> Draft:
        """A copy of a value of one step."""
        element = self.context.element(value.type.element)
        batched = value.type.shape[:1] == (BATCH,)
        count = self.context.count(value)
        width = width_of(value.type) if batched else 1
        pointers, rows = [], []
        for writes, (buffer, stride) in enumerate((source, target)):
            reach = count if stride is None else buffer.size
            inside = 0 if stride is None else stride.inside
            pointers.append(Pointer(buffer, reach, bool(writes), Share.PART, inside=inside))
            rows.append(Size(width if stride is None else stride.row))
        if batched:
            tile = (RowOperand("tile", element),)
            kernel = rows_kernel((operand(0),), tile, tile, element)
            slots: list[Slot] = [*pointers, Size(width), *rows]
            return draft(self.node, kernel, slots, Size(1, BATCH), Split.ROWS)
        unit = Size(1)
        slots = [*pointers, 1, unit, rows[0], unit, rows[1], unit]
        return draft(self.node, glue.copy_kernel(2, element), slots, Size(count), Split.OWN)

    # All steps

    def _at_step(self, one: Draft, step: int) -> Draft:
        """A call at another time: its pointers into sequences are further on."""
        slots: list[Slot] = []
        for slot in one.slots:
            moves = self.moves.get(slot.buffer, 0) if isinstance(slot, Pointer) else 0
            if moves and isinstance(slot, Pointer):
                slot = replace(slot, inside=slot.inside + step * moves)
            slots.append(slot)
        return replace(one, slots=tuple(slots))


def _with_all_places(
    node: Node, spots: Mapping[Value, list[Spot]]
) -> tuple[Node, dict[Value, Spot]]:
    """A formula that writes each of its results wherever it is needed."""
    formula = node.operation
    assert isinstance(formula, Map)
    places: dict[Value, Spot] = {}
    expressions = []
    for value, expression in zip(node.outputs, formula.expressions, strict=True):
        for number, spot in enumerate(spots[value]):
            places[value if number == 0 else Value(value.name, value.type)] = spot
            expressions.append(expression)
    every = Map(tuple(expressions), formula.element)
    return Node(every, node.inputs, tuple(places), node.span, node.label), places
