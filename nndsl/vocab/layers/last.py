"""last: of a sequence what its last step gave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nndsl.ir.graph import Builder, Value
from nndsl.ir.types import BATCH, TensorType
from nndsl.ops.movement import Concat, zeros
from nndsl.ops.recurrence import recurrence
from nndsl.ops.scan import Scan
from nndsl.vocab.kinds import Layer, LayerContext
from nndsl.vocab.layers.sequences import sequence_of
from nndsl.vocab.registry import register


def _make(context: LayerContext, operands: Sequence[Value], arguments: Mapping[str, Any]) -> Value:
    """What a recurrence remembers at its end; of any other sequence its last place."""
    (x,) = operands
    sequence_of(x, "last")
    return _last(context.build, x, context.mask(x))


def _last(build: Builder, x: Value, mask: Value | None) -> Value:
    node = x.node
    if node is not None and isinstance(node.operation, Scan) and not node.operation.times:
        results = list(node.operation.body.graph.outputs.values())
        memories = results[: node.operation.states]
        if results[x.index] in memories:
            return node.outputs[memories.index(results[x.index])]
    if node is not None and node.operation == Concat(2):
        return build.add(
            Concat(1), *(_last(build, part, mask) for part in node.inputs), name="last"
        )
    start = zeros(build, TensorType((BATCH, *x.type.shape[2:])))
    return recurrence(build, [x], [start], lambda step: step.inputs, mask=mask).last[0]


register(
    Layer(
        "last",
        {},
        "What a sequence ends with: the last step's features. Of a recurrence that goes both ways, "
        "what each way ended with.",
        "Sutskever, Vinyals & Le 2014, arXiv:1409.3215",
        _make,
        takes="[T, 3]",
    ),
    example="last -> dense(4)",
)
