"""What the nets of a training are fed with: for diagrams of several nets."""

from __future__ import annotations

from nndsl.ir.graph import Graph, Role, Value
from nndsl.ir.types import format_shape
from nndsl.lower.elaboration import Elaboration
from nndsl.ops.source import Random


def wiring_of(elaboration: Elaboration, data: str) -> tuple[tuple[str, str], ...]:
    """Pairs of what is fed and the net that it is fed to, each once, in the order of the source.

    Fed are other nets, by their names, columns of the data (`digits.input`) and noise
    (`noise(16)`).
    """
    makers = {value: name for name, _, outputs in elaboration.net_uses for value in outputs}
    found: dict[tuple[str, str], None] = {}
    for net, operands, _ in elaboration.net_uses:
        for operand in operands:
            for source in _sources(operand, makers, elaboration.build.graph, data):
                found.setdefault((source, net))
    return tuple(found)


def _sources(value: Value, makers: dict[Value, str], graph: Graph, data: str) -> list[str]:
    """Where a value comes from, back to nets, columns and noise."""
    of_data = {given.value for given in graph.of_role(Role.DATA, Role.TARGET)}
    found: list[str] = []
    waiting, seen = [value], {value}
    while waiting:
        one = waiting.pop()
        if one in makers:
            found.append(makers[one])
        elif one in of_data:
            found.append(f"{data}.{one.name}")
        elif one.node is not None and isinstance(one.node.operation, Random):
            found.append(f"noise({format_shape(one.type.shape)})")
        elif one.node is not None:
            fresh = [v for v in one.node.inputs if v not in seen]
            seen.update(fresh)
            waiting += fresh
    return list(dict.fromkeys(found))
