"""The graph: values in single assignment, nodes in order, inputs, outputs, updates.

A graph is a pure function from its inputs to its outputs and updates. `updates` says which input
(a parameter or a state) takes which value after the step: assignment as data, no effects inside.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from enum import Enum
from functools import lru_cache
from typing import Protocol

from nndsl.diagnostics import Span
from nndsl.ir.types import TensorType
from nndsl.records import dataclass


class Operation(Protocol):
    """What a node does. `nndsl.ops` defines them; the graph only asks for the types."""

    @property
    def name(self) -> str:
        """Word for the text form: `matmul`."""

    def infer(self, inputs: Sequence[TensorType]) -> tuple[TensorType, ...]:
        """Types of the outputs, or `ShapeError`."""

    def __hash__(self) -> int:
        """Of operations that are equal the same number."""


class ShapeError(Exception):
    """Operand types that an operation refuses; `lower` turns it into a diagnostic with places."""

    def __init__(self, title: str, code: str = "NN201", help: str = "") -> None:
        super().__init__(title)
        self.title = title
        self.code = code
        self.help = help


class Role(Enum):
    """Where the array behind an input comes from."""

    DATA = "data"  # rows of the batch, gathered from the data set
    TARGET = "target"  # likewise; absent at inference
    PARAMETER = "parameter"  # learnt
    STATE = "state"  # kept from step to step: an optimizer's moments, running statistics, sums
    CLOCK = "clock"  # DOUBLE scalars that the run keeps: see CLOCK_NAMES
    SETTING = "setting"  # DOUBLE scalars fixed for a run: rates, betas, penalties


CLOCK_NAMES = ("step", "epoch", "total_steps", "steps_per_epoch")
"""`step` counts from 0 over the whole run; `epoch` = floor(step / steps_per_epoch), from 0."""


class Value:
    """An input or a result of a node. Compared by identity; `name` is unique in its graph."""

    __slots__ = ("index", "name", "node", "type")

    def __init__(
        self, name: str, type: TensorType, node: Node | None = None, index: int = 0
    ) -> None:
        self.name = name
        self.type = type
        self.node = node
        self.index = index

    def __repr__(self) -> str:
        return f"%{self.name}: {self.type}"


@dataclass(eq=False)
class Node:
    """One operation applied to values. `span` is the place of the source that asked for it;
    `label` the path of the part it belongs to (`trunk.dense[2]`), shared by its gradient.
    """

    operation: Operation
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...] = ()
    span: Span | None = None
    label: str = ""


@dataclass(eq=False)
class Input:
    """An input of the graph with its role; `trainable` false for a frozen parameter.

    `setting` is the number that a SETTING input has in this run; `start` the one that fills a
    STATE before the first step.
    """

    value: Value
    role: Role
    trainable: bool = True
    setting: float | None = None
    start: float = 0.0


@dataclass(eq=False)
class Graph:
    """Inputs by name, nodes in an order in which every value is made before it is used."""

    inputs: dict[str, Input] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    outputs: dict[str, Value] = field(default_factory=dict)
    updates: dict[str, Value] = field(default_factory=dict)  # input name -> its next value

    def users(self) -> dict[Value, list[Node]]:
        """For each value the nodes that read it, in order."""
        found: dict[Value, list[Node]] = {}
        for node in self.nodes:
            for value in dict.fromkeys(node.inputs):
                found.setdefault(value, []).append(node)
        return found

    def producers(self) -> dict[Value, Node]:
        """For each result of a node that node; `Value.node` is of the newest graph it is in."""
        return {value: node for node in self.nodes for value in node.outputs}

    def settings(self) -> dict[str, float]:
        """The numbers of the SETTING inputs by name."""
        return {name: i.setting for name, i in self.inputs.items() if i.setting is not None}

    def copy(self) -> Graph:
        """The same values and nodes in lists of its own: what a pass may add to."""
        return Graph(dict(self.inputs), list(self.nodes), dict(self.outputs), dict(self.updates))

    def starts(self) -> dict[str, float]:
        """The numbers other than 0 that fill STATE inputs before the first step, by name."""
        return {name: i.start for name, i in self.inputs.items() if i.start}

    def results(self) -> list[Value]:
        """The values that leave the graph: outputs, then updates."""
        return [*self.outputs.values(), *self.updates.values()]

    def of_role(self, *roles: Role) -> list[Input]:
        """The inputs with one of the roles, in order."""
        return [i for i in self.inputs.values() if i.role in roles]


class Builder:
    """Adds nodes to a graph, typing each through its operation's rule."""

    def __init__(self, graph: Graph | None = None) -> None:
        self.graph = graph or Graph()
        self.span: Span | None = None
        self.label: str = ""
        self._names: dict[str, int] = {}
        for value in self._existing():
            self._names.setdefault(value.name, 1)

    def _existing(self) -> Iterable[Value]:
        yield from (i.value for i in self.graph.inputs.values())
        for node in self.graph.nodes:
            yield from node.outputs

    def unique(self, name: str) -> str:
        """`name`, or `name.2`, `name.3` ... when it is taken."""
        while name in self._names:
            self._names[name] += 1
            name = f"{name}.{self._names[name]}"
        self._names[name] = 1
        return name

    def input(
        self,
        name: str,
        type: TensorType,
        role: Role,
        *,
        trainable: bool = True,
        setting: float | None = None,
        start: float = 0.0,
    ) -> Value:
        """A new input of the graph. Names of inputs are given once."""
        if name in self.graph.inputs:
            raise ValueError(f"input {name} exists")
        value = Value(self.unique(name), type)
        self.graph.inputs[name] = Input(value, role, trainable, setting, start)
        return value

    def add_all(
        self, operation: Operation, *inputs: Value, name: str | None = None
    ) -> tuple[Value, ...]:
        """Append a node and return all its results."""
        types = _types_of_results(operation, tuple(v.type for v in inputs))
        node = Node(operation, inputs, span=self.span, label=self.label)
        base = name or operation.name
        node.outputs = tuple(Value(self.unique(base), t, node, i) for i, t in enumerate(types))
        self.graph.nodes.append(node)
        return node.outputs

    def add(self, operation: Operation, *inputs: Value, name: str | None = None) -> Value:
        """Append a node with a single result and return it."""
        (value,) = self.add_all(operation, *inputs, name=name)
        return value


@lru_cache(1 << 12)
def _types_of_results(
    operation: Operation, inputs: tuple[TensorType, ...]
) -> tuple[TensorType, ...]:
    """What the operation infers, asked once where the blocks of a network are alike."""
    return operation.infer(inputs)


def rebuild(
    graph: Graph, nodes: Sequence[Node], replaced: Mapping[Value, Value] | None = None
) -> Graph:
    """A graph with the same inputs and with `nodes`, reading `replaced[v]` wherever v was read.

    Nodes are taken over as they are when none of their inputs changed, else copied with the same
    result values, so identities of results stay valid for spans, outputs and updates.
    """
    replaced = replaced or {}

    def final(value: Value) -> Value:
        while value in replaced:
            value = replaced[value]
        return value

    kept: list[Node] = []
    for node in nodes if replaced else ():
        inputs = tuple(final(v) for v in node.inputs)
        if inputs != node.inputs:
            node = with_inputs(node, inputs)
        kept.append(node)
    return Graph(
        dict(graph.inputs),
        kept if replaced else list(nodes),
        {name: final(v) for name, v in graph.outputs.items()},
        {name: final(v) for name, v in graph.updates.items()},
    )


def with_inputs(node: Node, inputs: tuple[Value, ...]) -> Node:
    """A copy of the node that reads other values of the same types and makes the same results."""
    copy = Node(node.operation, inputs, node.outputs, node.span, node.label)
    for value in copy.outputs:
        value.node = copy
    return copy
