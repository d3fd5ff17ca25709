"""Scan: the one recurrence. A body is done once for each step of time, from state to state.

A cell is written forward only, for one step. What is learnt through time (back-propagation through
time, Werbos 1990) is derived: the gradient of a scan is a scan over the steps in the other
direction, whose body is the derivative of the body.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from nndsl.ir.body import Body
from nndsl.ir.graph import Builder, Graph, Node, Role, ShapeError, Value
from nndsl.ir.types import BATCH, Dimension, TensorType, resolved
from nndsl.ops.base import Clock, Fusion, Op, computed, operation_of
from nndsl.ops.compose import add_map
from nndsl.ops.map import operand
from nndsl.ops.matmul import MatMul
from nndsl.ops.shapes import actual, format_full
from nndsl.ops.step_order import overwritable
from nndsl.ops.through_time import gradient_of_scan
from nndsl.records import dataclass
from nndsl.scalar.functions import tanh


@dataclass(frozen=True)
class Scan(Op):
    """A body repeated over the steps of time, the second axis.

    Operands: `sequences` tensors [N, T, ...] of which each step reads its own [N, ...]; `states`
    tensors of which the first step reads the operand and each later one what the body made of it;
    constants, which all steps read. The body's inputs are in that order; its outputs are the next
    states, then what is kept of every step. Results: the last states, then [N, T, ...] for each
    kept [N, ...]. `reverse` goes from the last step to the first. `scratch` are types of further
    results that hold nothing: memory for the values of one step, asked for when memory is planned.
    With `times` the body is done so often, also where there is no sequence to go through.
    """

    body: Body
    sequences: int
    states: int
    reverse: bool = False
    scratch: tuple[TensorType, ...] = ()
    times: int = 0

    name = "scan"
    fusion = Fusion.OPAQUE
    reads_run = True  # no pass computes it beforehand

    def __post_init__(self) -> None:
        written: object = self.body
        if isinstance(written, str):  # as the text form of graphs has it
            from nndsl.ir.text import parse_graph
            from nndsl.ops import OPERATIONS

            object.__setattr__(self, "body", Body(parse_graph(written, OPERATIONS)))

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        """Sequences of one length, and what the body says of one step."""
        wanted = [entry.value.type for entry in self.body.graph.inputs.values()]
        if len(inputs) != len(wanted):
            raise ShapeError(
                f"a recurrence takes {len(wanted)} operands, not {len(inputs)}", "NN202"
            )
        steps = self.steps(inputs)
        for place, (type, inner) in enumerate(zip(inputs, wanted, strict=True)):
            expected = over_time(inner, steps) if place < self.sequences else inner
            if type != expected:
                raise ShapeError(
                    f"a recurrence takes {format_full(expected.shape)} here, "
                    f"not {format_full(type.shape)}"
                )
        results = [value.type for value in self.body.graph.outputs.values()]
        kept = (over_time(type, steps) for type in results[self.states :])
        return (*results[: self.states], *kept, *self.scratch)

    def steps(self, inputs: Sequence[TensorType]) -> Dimension:
        """The size of the axis of time."""
        if self.times:
            return self.times
        if not self.sequences or len(inputs) < 1 or inputs[0].rank < 2:
            raise ShapeError("a recurrence needs a sequence")
        return inputs[0].shape[1]

    def order(self, steps: int) -> Sequence[int]:
        """The steps in the order in which they are done."""
        return range(steps - 1, -1, -1) if self.reverse else range(steps)

    def meaning(self, inputs: Sequence[np.ndarray], clock: Clock) -> tuple[np.ndarray, ...]:
        """A loop over the steps, each computed node by node."""
        first, last = self.sequences, self.sequences + self.states
        sequences, states, constants = inputs[:first], list(inputs[first:last]), inputs[last:]
        kept: dict[int, Sequence[np.ndarray]] = {}
        steps = self.times or sequences[0].shape[1]
        for step in self.order(steps):
            now = [sequence[:, step] for sequence in sequences]
            results = _computed(self.body.graph, [*now, *states, *constants], clock)
            states, kept[step] = list(results[: self.states]), results[self.states :]
        by_time = [kept[step] for step in sorted(kept)]
        stacked = [np.stack(parts, axis=1) for parts in zip(*by_time, strict=True)]
        sizes = {BATCH: len(states[0])}
        unused = [np.zeros(actual(type.shape, sizes)) for type in self.scratch]
        return (*states, *stacked, *unused)

    def gradient(
        self, build: Builder, node: Node, upstream: Sequence[Value | None]
    ) -> Sequence[Value | None]:
        """A scan in the other direction, with the derivative of the body as its body."""
        return gradient_of_scan(build, node, self, upstream)

    def another(self, body: Body, sequences: int, states: int, *, back: bool = False) -> Op:
        """A scan with another body, in this or (`back`) the other direction."""
        return Scan(body, sequences, states, self.reverse != back, times=self.times)

    def in_place(self, position: int, result: int = 0) -> bool:
        """Whether each step has read its part of a sequence before it keeps that of the result."""
        kept = result - self.states
        if position >= self.sequences or not 0 <= kept < len(self.body.graph.outputs) - self.states:
            return False
        sequence = [entry.value for entry in self.body.graph.inputs.values()][position]
        value = list(self.body.graph.outputs.values())[result]
        return overwritable(self.body.graph, sequence, value)

    def bound(self, sizes: Mapping[str, int]) -> Op:
        """The same with known sizes within the body."""
        return replace(self, body=Body(bound_graph(self.body.graph, sizes)))

    def flops(self, inputs: Sequence[TensorType]) -> int:
        """Those of the body, once a step (once, where the length is not known)."""
        steps = self.steps(inputs)
        nodes = self.body.graph.nodes
        once = sum(operation_of(node).flops([v.type for v in node.inputs]) for node in nodes)
        return once * (steps if isinstance(steps, int) else 1)

    @classmethod
    def samples(cls) -> Sequence[tuple[Op, Sequence[TensorType]]]:
        """A cell with two states, both directions; one whose constant is no factor of a product;
        one without a sequence.
        """
        cell, gain = Body(_sample_cell()), Body(_sample_gain())
        types = [
            TensorType(("N", 3, 2)),
            TensorType(("N", 2)),
            TensorType(("N", 2)),
            TensorType((2, 2)),
            TensorType((2,)),
        ]
        gains = [TensorType(("N", "T", 2)), TensorType(("N", 2)), TensorType((2,))]
        return (
            (cls(cell, 1, 2), types),
            (cls(cell, 1, 2, True), types),
            (cls(gain, 1, 1), gains),
            (cls(Body(_sample_settling()), 0, 1, times=4), types[1:2] + types[3:4]),
        )


def over_time(type: TensorType, steps: Dimension) -> TensorType:
    """The type of a value [N, ...] of each step, for all steps: [N, T, ...]."""
    if type.shape[:1] != (BATCH,):
        raise ShapeError(f"{format_full(type.shape)} does not belong to rows of the batch")
    return TensorType((BATCH, steps, *type.shape[1:]), type.element)


def nodes_within(graph: Graph) -> Iterator[Node]:
    """The nodes of a graph, and those of the steps that its scans repeat."""
    for node in graph.nodes:
        yield node
        if isinstance(node.operation, Scan):
            yield from nodes_within(node.operation.body.graph)


def bound_graph(graph: Graph, sizes: Mapping[str, int]) -> Graph:
    """A copy of a body in which sizes that were names have numbers."""
    build = Builder()
    made: dict[Value, Value] = {}
    for name, entry in graph.inputs.items():
        shape = tuple(resolved(d, sizes) for d in entry.value.type.shape)
        type = TensorType(shape, entry.value.type.element)
        made[entry.value] = build.input(name, type, entry.role)
    for node in graph.nodes:
        build.label, build.span = node.label, node.span
        inputs = (made[v] for v in node.inputs)
        results = build.add_all(operation_of(node).bound(sizes), *inputs, name=node.outputs[0].name)
        made.update(zip(node.outputs, results, strict=True))
    build.graph.outputs = {name: made[v] for name, v in graph.outputs.items()}
    return build.graph


def _computed(graph: Graph, inputs: Sequence[np.ndarray], clock: Clock) -> list[np.ndarray]:
    """The outputs of a body for arrays of its inputs in order."""
    entries = graph.inputs.values()
    values = {entry.value: array for entry, array in zip(entries, inputs, strict=True)}
    for _ in computed(graph, values, clock):
        pass
    return [values[value] for value in graph.outputs.values()]


def _sample_cell() -> Graph:
    """Next h = tanh(x + h w + b), next c = c + h * next h; both are kept, and what lies between."""
    build = Builder()
    rows, matrix = TensorType((BATCH, 2)), TensorType((2, 2))
    x, h, c = (build.input(n, rows, Role.DATA) for n in ("x", "h", "c"))
    w = build.input("w", matrix, Role.DATA)
    b = build.input("b", TensorType((2,)), Role.DATA)
    product = build.add(MatMul(), h, w)
    formula = tanh(operand(0) + operand(1) + operand(2))
    after = add_map(build, formula, x, product, b, name="after")
    memory = add_map(build, operand(0) + operand(1) * operand(2), c, h, after, name="memory")
    build.graph.outputs = {"h": after, "c": memory, "kept": after, "product": product, "old": c}
    return build.graph


def _sample_gain() -> Graph:
    """Next s = s * g + x, kept as x * g."""
    build = Builder()
    x, s = (build.input(n, TensorType((BATCH, 2)), Role.DATA) for n in ("x", "s"))
    g = build.input("g", TensorType((2,)), Role.DATA)
    build.graph.outputs = {
        "s": add_map(build, operand(0) * operand(1) + operand(2), s, g, x),
        "kept": add_map(build, operand(0) * operand(1), x, g),
    }
    return build.graph


def _sample_settling() -> Graph:
    """Next s = tanh(s w + s), kept."""
    build = Builder()
    s = build.input("s", TensorType((BATCH, 2)), Role.DATA)
    w = build.input("w", TensorType((2, 2)), Role.DATA)
    product = build.add(MatMul(), s, w)
    after = add_map(build, tanh(operand(0) + operand(1)), product, s)
    build.graph.outputs = {"s": after, "kept": after, "before": s}
    return build.graph
