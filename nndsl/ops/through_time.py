"""Back-propagation through time: the gradient of a scan, as a scan and sums over all its steps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nndsl.ir.body import Body
from nndsl.ir.graph import Builder, Graph, Input, Node, Role, Value
from nndsl.ir.types import BATCH, ElementType
from nndsl.ops.backward import Backward
from nndsl.ops.base import Op
from nndsl.ops.compose import add_map, add_sum
from nndsl.ops.map import Map, operand
from nndsl.ops.matmul import MatMul
from nndsl.ops.movement import zeros
from nndsl.ops.reduction import Reduce
from nndsl.ops.scan_parts import Recurrence, ScanParts
from nndsl.records import dataclass
from nndsl.scalar.inspection import postorder

Leaf = tuple[Op, tuple[Value, ...]]
"""A sum over the rows of one step, as the op that takes it of all steps at once, and its operands
in the body: so the gradient of a weight is one product over all of time."""

ARITHMETIC = frozenset({"variable", "constant", "add", "subtract", "multiply", "negate"})
"""Operators that take less time than reading their result from memory."""


def gradient_of_scan(
    build: Builder, node: Node, scan: Recurrence, upstream: Sequence[Value | None]
) -> Sequence[Value | None]:
    """Gradients of a scan's operands; None where there is none.

    The body is differentiated once. What its derivative reads of the body's own values comes from
    what the scan keeps of every step; where it does not keep it, it is done once more.
    """
    if all(value is None for value in upstream):
        return [None] * len(node.inputs)
    forward = _Forward(build, node, scan)
    derivative = _differentiated(forward, upstream)
    wanted = [v for v in derivative.of_sequences if v is not None]
    wanted += [v for leaves in derivative.leaves.values() for _, vs in leaves for v in vs]
    fresh = [v for v in dict.fromkeys(wanted) if v not in forward.values]
    back = _backward_body(forward, derivative, fresh)
    past = forward.over_time([*back.past, *(v for v in wanted if v in forward.values)])
    found = _scan_back(forward, derivative, back, past, upstream)
    stacked = past | dict(zip(fresh, found[len(found) - len(fresh) :], strict=True))
    first = len(forward.states)
    sums = dict(zip(derivative.sums, found[first:], strict=False))
    gradients: list[Value | None] = [
        None if value is None else stacked[value] for value in derivative.of_sequences
    ]
    gradients += found[:first]
    for constant in forward.constants:
        gradients.append(_of_constant(build, constant, derivative, stacked, sums))
    return gradients


class _Forward(ScanParts):
    """The scan whose gradient is wanted, and how to get at old values."""

    def __init__(self, build: Builder, node: Node, scan: Recurrence) -> None:
        super().__init__(node, scan)
        self.build = build
        self.makers = self.body.producers()
        self.values = {*self.given, *self.makers}
        self.fixed = set(self.constants)  # values that are the same in all steps
        for inner in self.body.nodes:
            if all(value in self.fixed for value in inner.inputs):
                self.fixed.update(inner.outputs)

    def over_time(self, values: Iterable[Value]) -> dict[Value, Value]:
        """Values of the body, of all steps."""
        found = {v: self.given[v] for v in self.sequences}
        results = self.node.outputs[len(self.states) :]
        found |= dict(zip(self.kept, results, strict=False))
        missing = [v for v in dict.fromkeys(values) if v not in found]
        if missing:
            more = {f"kept.{number}": v for number, v in enumerate(missing)}
            body = Graph(dict(self.body.inputs), list(self.body.nodes), self.body.outputs | more)
            again = self.scan.another(Body(body), len(self.sequences), len(self.states))
            results = self.build.add_all(again, *self.node.inputs, name="again")
            found |= dict(zip(missing, results[-len(missing) :], strict=True))
        return found


@dataclass(eq=False)
class _Derivative:
    """The body with its derivative behind it, and where its results are.

    `carried` are what the states' gradients bring from the step done before, `seeds` the upstream
    gradients of what was kept. Of each constant there are `leaves`, or a sum from step to step.
    """

    graph: Graph
    carried: list[Value]
    seeds: dict[Value, Value]
    of_sequences: list[Value | None]
    of_states: list[Value]
    leaves: dict[Value, tuple[Leaf, ...]]
    sums: dict[Value, Value]


def _differentiated(forward: _Forward, upstream: Sequence[Value | None]) -> _Derivative:
    graph = forward.body.copy()
    real = [v for v in forward.given if v.type.element is ElementType.REAL]
    backward = Backward(graph, real)
    build = backward.build
    carried = []
    for state, following in zip(forward.states, forward.next, strict=True):
        carried.append(build.input(build.unique("carried"), state.type, Role.DATA))
        backward.parts.setdefault(following, []).append(carried[-1])
    seeds: dict[Value, Value] = {}
    for kept, given in zip(forward.kept, upstream[len(forward.states) :], strict=False):
        if given is not None:
            seed = build.input(build.unique("upstream"), kept.type, Role.DATA)
            seeds[seed] = given
            backward.parts.setdefault(kept, []).append(seed)
    backward.walk()
    reached = set(backward.parts)
    of_sequences = [backward.total(v) if v in reached else None for v in forward.sequences]
    of_states = [backward.finished(v) for v in forward.states]
    of_constants = {v: backward.total(v) for v in forward.constants if v in reached}
    makers = graph.producers()
    leaves: dict[Value, tuple[Leaf, ...]] = {}
    sums: dict[Value, Value] = {}
    for constant, gradient in of_constants.items():
        found = _leaves(gradient, makers)
        if found is None:
            sums[constant] = gradient
        else:
            leaves[constant] = found
    return _Derivative(graph, carried, seeds, of_sequences, of_states, leaves, sums)


def _leaves(value: Value, makers: dict[Value, Node]) -> tuple[Leaf, ...] | None:
    """The sums over rows that a value is the sum of, or None if it is none such."""
    node = makers.get(value)
    if node is None:
        return None
    operation, inputs = node.operation, node.inputs
    if isinstance(operation, Map) and _is_sum(operation, inputs):
        parts = [_leaves(v, makers) for v in inputs]
        known = [part for part in parts if part is not None]
        return tuple(leaf for part in known for leaf in part) if len(known) == len(parts) else None
    if not all(v.type.shape[:1] == (BATCH,) for v in inputs):
        return None
    if isinstance(operation, MatMul) and operation.transpose_a and not operation.transpose_b:
        return ((operation, inputs),)
    if isinstance(operation, Reduce) and (operation.kind, operation.keep) == ("sum", False):
        axes = (0, *(axis + 1 for axis in operation.axes))
        return ((Reduce("sum", axes), inputs),) if 0 in operation.axes else None
    return None


def _is_sum(operation: Map, inputs: Sequence[Value]) -> bool:
    """Whether a formula adds its operands, all of one type, and does nothing else."""
    total = operand(0)
    for index in range(1, len(inputs)):
        total = total + operand(index)
    return operation.expressions == (total,) and len({v.type for v in inputs}) == 1


@dataclass(eq=False)
class _Back:
    """The body of the scan back, and the values of the body that each of its steps reads."""

    body: Graph
    past: list[Value]
    seeds: list[Value]
    constants: list[Value]


def _backward_body(forward: _Forward, derivative: _Derivative, fresh: Sequence[Value]) -> _Back:
    build = Builder(derivative.graph)
    before, summed = [], []
    for gradient in derivative.sums.values():
        before.append(build.input(build.unique("sum"), gradient.type, Role.DATA))
        summed.append(add_map(build, operand(0) + operand(1), before[-1], gradient, name="sum"))
    results = [*derivative.of_states, *summed, *fresh]
    nodes, read = _needed(derivative.graph, results, forward)
    again = _made_again(forward, read)
    nodes, read = [*again, *nodes], read - {node.outputs[0] for node in again}
    entries = {entry.value: name for name, entry in derivative.graph.inputs.items()}
    constants = [v for v in forward.constants if v in read]
    seeds = [v for v in derivative.seeds if v in read]
    states = [*derivative.carried, *before]
    past = [v for v in forward.values if v in read and v not in constants]
    past.sort(key=lambda v: v.name)  # sets have no order that lasts
    if not past and not seeds and not forward.scan.times:
        past = forward.sequences[:1]  # who tells how many steps there are
    inputs = {
        entries.get(value, value.name): Input(value, Role.DATA)
        for value in (*past, *seeds, *states, *constants)
    }
    outputs = {f"result.{number}": value for number, value in enumerate(results)}
    return _Back(Graph(inputs, nodes, outputs), past, seeds, constants)


def _made_again(forward: _Forward, read: set[Value]) -> list[Node]:
    """The sums and products of other values of the past: these are read instead, and no more."""
    return [
        node
        for node in forward.body.nodes
        if isinstance(node.operation, Map)
        and len(node.outputs) == 1
        and node.outputs[0] in read - forward.fixed
        and all(value in read or value in forward.fixed for value in node.inputs)
        and all(e.operator in ARITHMETIC for e in postorder(node.operation.expressions))
    ]


def _needed(
    graph: Graph, results: Sequence[Value], forward: _Forward
) -> tuple[list[Node], set[Value]]:
    """The nodes of the way back that make `results`, and all that is read beside.

    Nodes of the body are not among them, but those that only read constants.
    """
    read = set(results)
    nodes = []
    for node in reversed(graph.nodes):
        is_past = any(v in forward.values and v not in forward.fixed for v in node.outputs)
        if not is_past and any(v in read for v in node.outputs):
            nodes.append(node)
            read.update(node.inputs)
    made = {v for node in nodes for v in node.outputs}
    return nodes[::-1], read - made


def _scan_back(
    forward: _Forward,
    derivative: _Derivative,
    back: _Back,
    past: dict[Value, Value],
    upstream: Sequence[Value | None],
) -> list[Value]:
    """All results of the scan back: gradients of the states, sums, what is kept."""
    build, scan = forward.build, forward.scan
    starts = [
        zeros(build, state.type) if given is None else given
        for state, given in zip(forward.states, upstream, strict=False)
    ]
    starts += [zeros(build, gradient.type) for gradient in derivative.sums.values()]
    sequences = len(back.past) + len(back.seeds)
    operation = scan.another(Body(back.body), sequences, len(starts), back=True)
    operands = [past[v] for v in back.past]
    operands += [derivative.seeds[v] for v in back.seeds]
    operands += [*starts, *(forward.given[v] for v in back.constants)]
    return list(build.add_all(operation, *operands, name="gradient"))


def _of_constant(
    build: Builder,
    constant: Value,
    derivative: _Derivative,
    stacked: dict[Value, Value],
    sums: dict[Value, Value],
) -> Value | None:
    """The gradient of a value that all steps read."""
    if constant in sums:
        return sums[constant]
    leaves = derivative.leaves.get(constant)
    if leaves is None:
        return None
    parts = [
        build.add(op, *(stacked[v] for v in operands), name="gradient") for op, operands in leaves
    ]
    return add_sum(build, parts, name="gradient")
