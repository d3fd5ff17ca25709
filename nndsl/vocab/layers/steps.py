"""steps: after how many steps the state of a `settle` no longer changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nndsl.ir.graph import ShapeError, Value
from nndsl.ir.types import BATCH, TensorType
from nndsl.ops.compose import add_map
from nndsl.ops.map import operand
from nndsl.ops.movement import zeros
from nndsl.ops.recurrence import Step, recurrence
from nndsl.ops.reduction import Reduce, Reshape
from nndsl.ops.scan import Scan
from nndsl.params import Real
from nndsl.scalar.expression import constant
from nndsl.scalar.functions import absolute, where
from nndsl.vocab.kinds import Layer, LayerContext
from nndsl.vocab.registry import register


def _make(context: LayerContext, operands: Sequence[Value], arguments: Mapping[str, Any]) -> Value:
    """One number for each example, counted over the states that the recurrence keeps."""
    (x,) = operands
    build, kept = context.build, _states(x)
    none = constant(arguments["tolerance"])

    def write(step: Step) -> Sequence[Value]:
        latest, before = step.memory
        now = add_map(build, operand(0) + 1.0, before)
        for old, new in zip(step.inputs[::2], step.inputs[1::2], strict=True):
            change = add_map(build, absolute(operand(0) - operand(1)), new, old)
            most = build.add(Reduce("max", tuple(range(1, change.type.rank))), change)
            moved = where(operand(0) > none, operand(1), operand(2))
            most = build.add(Reshape((BATCH, 1)), most)
            latest = add_map(build, moved, most, now, latest)
        return latest, now

    start = zeros(build, TensorType((BATCH, 1)))
    return recurrence(build, kept, [start, start], write).last[0]


def _states(x: Value) -> list[Value]:
    """Each state before and behind all steps, [N, steps, ...], in turn."""
    node = x.node
    scan = node.operation if node is not None else None
    if node is None or not isinstance(scan, Scan) or not scan.times or x.index >= scan.states:
        raise ShapeError(
            "`steps` counts those of a `settle`, which must stand right before it",
            "NN202",
            "settle(dense(3) -> saturate) -> steps",
        )
    body = scan.body.graph
    results = list(body.outputs.values())
    kept = dict(zip(results[scan.states :], node.outputs[scan.states :], strict=False))
    states = [entry.value for entry in body.inputs.values()][scan.sequences :][: scan.states]
    pairs = zip(states, results, strict=False)
    return [kept[value] for pair in pairs for value in pair]


register(
    Layer(
        "steps",
        {"tolerance": Real(1e-6, "changes up to this size are none", ge=0)},
        "Of a network with cycles, `settle`: after how many steps its state no longer changed.",
        "Hopfield 1982, PNAS 79(8)",
        _make,
    ),
    example="settle(dense(4) -> saturate) -> steps",
)
