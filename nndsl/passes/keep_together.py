"""What one scan keeps for another is kept as the columns of one tensor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nndsl.ir.body import Body
from nndsl.ir.graph import Builder, Graph, Node, Role, Value
from nndsl.ir.types import BATCH, ElementType
from nndsl.ops.movement import Concat
from nndsl.ops.scan import Scan
from nndsl.ops.scan_parts import ScanParts
from nndsl.ops.split import Split
from nndsl.passes.rewriting import Rewriter
from nndsl.records import dataclass


@dataclass(frozen=True)
class KeepTogether:
    """Let what a step keeps for the way back, and only for it, lie side by side.

    A row of one step is then one stretch of memory. The gates of a cell have as many columns as the
    sums that they are made of: they are written over these, and their gradients over them.
    """

    name = "keep-together"

    def __call__(self, graph: Graph) -> Graph:
        """The graph with fewer and wider kept values; results are bit-equal."""
        groups = _groups(graph)
        if not groups:
            return graph
        rewriter = Rewriter(graph)
        wholes: dict[Value, tuple[Value, ...]] = {}  # by kept value: all that are in its tensor
        joint: dict[tuple[Value, ...], Value] = {}
        for old in graph.nodes:
            node = rewriter.adopt(old)
            read = [wholes[v] for v in dict.fromkeys(node.inputs) if v in wholes]
            if read:
                made = _reading(rewriter.build, node, {g: joint[g] for g in read})
                rewriter.replace(node.outputs, made)
                continue
            kept = [g for g in groups if g[0] in node.outputs]
            if not kept:
                rewriter.keep(node)
                continue
            outputs, tensors = _keeping(rewriter.build, node, kept)
            rewriter.replace(list(outputs), list(outputs.values()))
            joint.update(zip(kept, tensors, strict=True))
            wholes |= {value: group for group in kept for value in group}
        return rewriter.finish()


def _groups(graph: Graph) -> list[tuple[Value, ...]]:
    """Kept values that may be one tensor: made by one scan, read by one other and nothing else."""
    users, results = graph.users(), set(graph.results())
    found: list[tuple[Value, ...]] = []
    for node in graph.nodes:
        if not isinstance(node.operation, Scan):
            continue
        parts = ScanParts(node, node.operation)
        given = {*parts.sequences, *parts.states}
        by_reader: dict[Node, list[Value]] = {}
        for inner, value in zip(parts.kept, node.outputs[len(parts.states) :], strict=True):
            readers = users.get(value, [])
            fits = inner not in given and inner.type.rank == 2 and value not in results
            if fits and len(readers) == 1 and _is_sequence_of(value, readers[0]):
                by_reader.setdefault(readers[0], []).append(value)
        found += [tuple(values) for values in by_reader.values() if len(values) > 1]
    return found


def _is_sequence_of(value: Value, node: Node) -> bool:
    """Whether a scan goes through the value, and reads it in no other way."""
    scan = node.operation
    if not isinstance(scan, Scan) or value.type.element is not ElementType.REAL:
        return False
    return value in node.inputs[: scan.sequences] and node.inputs.count(value) == 1


def _keeping(
    build: Builder, node: Node, groups: Sequence[tuple[Value, ...]]
) -> tuple[dict[Value, Value], list[Value]]:
    """The scan that keeps one tensor for each group: its other results by the old ones, these."""
    scan = node.operation
    assert isinstance(scan, Scan)
    inner = dict(zip(node.outputs, scan.body.graph.outputs.values(), strict=False))
    joined = {value for group in groups for value in group}
    others = [value for value in node.outputs if value not in joined]
    body = Builder(scan.body.graph.copy())
    results = [inner[v] for v in others]
    results += [body.add(Concat(1), *(inner[v] for v in g), name="kept") for g in groups]
    body.graph.outputs = {f"result.{number}": v for number, v in enumerate(results)}
    changed = replace(scan, body=Body(body.graph))
    made = build.add_all(changed, *node.inputs, name=node.outputs[0].name)
    return dict(zip(others, made, strict=False)), list(made[len(others) :])


def _reading(
    build: Builder, node: Node, joint: dict[tuple[Value, ...], Value]
) -> tuple[Value, ...]:
    """The results of a scan that reads the tensors and cuts them at each step."""
    scan = node.operation
    assert isinstance(scan, Scan)
    rewriter = Rewriter(scan.body.graph)
    body = rewriter.build
    given = list(zip(node.inputs, scan.body.graph.inputs.items(), strict=True))
    inner = {value: entry.value for value, (_, entry) in given}
    parts = {value for group in joint for value in group}
    body.graph.inputs = {}
    for group in joint:
        width = sum(_width(v) for v in group)
        type = replace(group[0].type, shape=(BATCH, width))
        whole = body.input(body.unique("kept"), type, Role.DATA)
        cut = body.add_all(Split(1, tuple(_width(v) for v in group)), whole, name="kept")
        rewriter.replace([inner[v] for v in group], cut)
    body.graph.inputs |= dict(pair for value, pair in given if value not in parts)
    for old in scan.body.graph.nodes:
        rewriter.keep(rewriter.adopt(old))
    operands = [*joint.values(), *(v for v in node.inputs if v not in parts)]
    sequences = scan.sequences - len(parts) + len(joint)
    changed = replace(scan, body=Body(rewriter.finish()), sequences=sequences)
    return build.add_all(changed, *operands, name=node.outputs[0].name)


def _width(value: Value) -> int:
    width = value.type.shape[-1]
    assert isinstance(width, int)
    return width
