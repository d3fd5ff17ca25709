"""The invariants of a graph, checked between passes in tests."""

from __future__ import annotations

from nndsl.ir.graph import Graph, Node, Role, ShapeError, Value
from nndsl.ir.types import ElementType


class GraphError(Exception):
    """A graph that breaks an invariant: a mistake of ours, never of a user."""


def verify(graph: Graph) -> None:
    """Raise `GraphError` unless every invariant holds.

    Each value is made once and before it is read; names are unique; types are those that the
    operations infer; outputs and updates are values of the graph; an update goes to a parameter
    or a state of its own type; clocks and settings are single DOUBLE numbers.
    """
    made = _check_inputs(graph)
    names = {value.name for value in made}
    for node in graph.nodes:
        _check_node(node, made)
        for value in node.outputs:
            if value in made or value.name in names:
                raise GraphError(f"%{value.name} is made twice")
            made.add(value)
            names.add(value.name)
    _check_results(graph, made)


def _check_inputs(graph: Graph) -> set[Value]:
    made: set[Value] = set()
    names: set[str] = set()
    for name, entry in graph.inputs.items():
        if entry.value in made or entry.value.name in names:
            raise GraphError(f"input {name}: %{entry.value.name} is there twice")
        is_number = entry.value.type.shape == () and entry.value.type.element is ElementType.DOUBLE
        if entry.role in (Role.CLOCK, Role.SETTING) and not is_number:
            raise GraphError(f"input {name}: a {entry.role.value} is a single double")
        if (entry.setting is not None) != (entry.role is Role.SETTING):
            raise GraphError(f"input {name}: a setting, and nothing else, has a number")
        if entry.start and entry.role is not Role.STATE:
            raise GraphError(f"input {name}: only a state has a number to start from")
        made.add(entry.value)
        names.add(entry.value.name)
    return made


def _check_node(node: Node, made: set[Value]) -> None:
    name = node.operation.name
    for value in node.inputs:
        if value not in made:
            raise GraphError(f"{name} reads %{value.name} before it is made")
    try:
        inferred = node.operation.infer([v.type for v in node.inputs])
    except ShapeError as error:
        raise GraphError(f"{name} is refused: {error.title}") from error
    if inferred != tuple(v.type for v in node.outputs):
        raise GraphError(f"{name} gives {inferred}, not {[v.type for v in node.outputs]}")


def _check_results(graph: Graph, made: set[Value]) -> None:
    for name, value in graph.outputs.items():
        if value not in made:
            raise GraphError(f"output {name}: %{value.name} is not in the graph")
    for name, value in graph.updates.items():
        target = graph.inputs.get(name)
        if target is None or target.role not in (Role.PARAMETER, Role.STATE):
            raise GraphError(f"update {name}: no such parameter or state")
        if value not in made or value.type != target.value.type:
            raise GraphError(f"update {name}: %{value.name} is not a value of its type")
