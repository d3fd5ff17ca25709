"""How a recurrence is written: one step forward, as ordinary nodes, from which a scan is made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from nndsl.ir.body import Body
from nndsl.ir.graph import Builder, Graph, Input, Node, Role, ShapeError, Value
from nndsl.ir.types import BATCH, format_shape
from nndsl.ops.compose import add_map
from nndsl.ops.map import Map, operand
from nndsl.ops.reduction import Reshape
from nndsl.ops.scan import Scan
from nndsl.records import dataclass
from nndsl.scalar.functions import where


@dataclass(eq=False)
class Step:
    """One step while it is being written: what it reads of the sequences, and its memory."""

    inputs: tuple[Value, ...]
    memory: tuple[Value, ...]


@dataclass(eq=False)
class Unrolled:
    """A recurrence over all steps: its output, the memory after the last step, and every value
    [N, ...] of a step as [N, T, ...]. `memory` is each memory before and behind all steps.
    """

    output: Value
    last: tuple[Value, ...]
    over_time: dict[Value, Value]
    memory: tuple[tuple[Value, Value], ...]


def recurrence(
    build: Builder,
    sequences: Sequence[Value],
    starts: Sequence[Value],
    write: Callable[[Step], Sequence[Value]],
    *,
    reverse: bool = False,
    mask: Value | None = None,
    times: int = 0,
    names: Sequence[str] = (),
) -> Unrolled:
    """The scan over `sequences` [N, T, ...] whose memory begins as `starts`.

    With `times` it is done so often, and needs no sequence. `names` are those of the memory.
    Where `mask` [N, T] is 0 the sequence has ended (or, going back, not begun): nothing changes.

    `write` adds the nodes of one step to the same builder and gives the next memory. What they read
    beside the step is the same for all steps: weights, other tensors. All that a step computes is
    kept, for whoever may want it; passes take out what nobody reads.
    """
    if mask is not None:
        column = build.add(Reshape((*mask.type.shape, 1)), mask, name="mask")
        sequences = [*sequences, column]
    inputs = [
        Value(build.unique("now"), replace(v.type, shape=(BATCH, *v.type.shape[2:])))
        for v in sequences
    ]
    called = names or ["before"] * len(starts)
    memory = [Value(build.unique(n), v.type) for n, v in zip(called, starts, strict=True)]
    nodes, following = _written(build, inputs, memory, write, masked=mask is not None)
    made = [value for node in nodes for value in node.outputs]
    constants = _read_beside(nodes, following, {*inputs, *memory, *made})
    kept = [v for v in (*memory, *made) if v.type.shape[:1] == (BATCH,)]
    body = Graph(
        {v.name: Input(v, Role.DATA) for v in (*inputs, *memory, *constants)},
        nodes,
        {f"next.{n}": v for n, v in enumerate(following)} | {f"kept.{v.name}": v for v in kept},
    )
    scan = Scan(Body(body), len(inputs), len(memory), reverse, times=times)
    results = build.add_all(scan, *sequences, *starts, *constants)
    over_time = dict(zip(inputs, sequences, strict=True))
    over_time |= dict(zip(kept, results[len(memory) :], strict=True))
    pairs = tuple((over_time[a], over_time[b]) for a, b in zip(memory, following, strict=True))
    return Unrolled(pairs[0][1], results[: len(memory)], over_time, pairs)


def _written(
    build: Builder,
    inputs: Sequence[Value],
    memory: Sequence[Value],
    write: Callable[[Step], Sequence[Value]],
    *,
    masked: bool,
) -> tuple[list[Node], list[Value]]:
    """The nodes of one step, taken out of the graph again, and the next memory.

    If `masked`, the last input says whether the sequence has a step here.
    """
    graph = build.graph
    first = len(graph.nodes)
    following = list(write(Step(tuple(inputs[:-1] if masked else inputs), tuple(memory))))
    own = {*inputs, *memory, *(v for node in graph.nodes[first:] for v in node.outputs)}
    following = [v if v in own else add_map(build, operand(0), v) for v in following]
    if masked:
        choice = Map((where(operand(0), operand(1), operand(2)),))
        pairs = zip(following, memory, strict=True)
        following = [build.add(choice, inputs[-1], after, before) for after, before in pairs]
    nodes = graph.nodes[first:]
    del graph.nodes[first:]
    kept = {entry.value for entry in graph.inputs.values() if entry.role is Role.STATE}
    if any(v in kept for node in nodes for v in node.inputs):
        raise ShapeError(
            "a stage that keeps statistics from batch to batch cannot stand in one step of time",
            "NN202",
            "`layer_norm` takes each step by itself",
        )
    for before, after in zip(memory, following, strict=True):
        if before.type != after.type:
            shapes = f"{format_shape(before.type.shape)} becomes {format_shape(after.type.shape)}"
            raise ShapeError(f"what a step remembers changes its shape: {shapes}", "NN203")
    return nodes, following


def _read_beside(nodes: Sequence[Node], following: Sequence[Value], own: set[Value]) -> list[Value]:
    """The values from outside that a step reads, in order."""
    read = [v for node in nodes for v in node.inputs] + list(following)
    return [v for v in dict.fromkeys(read) if v not in own]
