"""The activation that a tensor ends in, and what it acts on: for losses written in the logits."""

from __future__ import annotations

from nndsl.ir.graph import Value
from nndsl.lower.elaboration import Elaboration
from nndsl.lower.result import Part
from nndsl.ops.compose import add_map
from nndsl.ops.map import Map


def ending_of(elaboration: Elaboration, value: Value) -> Part | None:
    """The stage that made a tensor; None for an input or arithmetic."""
    for part in reversed(elaboration.parts):
        if part.output is value and not part.is_block and value not in part.inputs:
            return part
    return None


def logits_before(elaboration: Elaboration, last: Part) -> Value:
    """What the activation at the end acts on: `4 x` where the last stage is `sigmoid(4)`."""
    if not last.inputs:
        return last.output
    given, node = last.inputs[0], last.output.node
    if node is None or not isinstance(node.operation, Map):
        return given
    formula = node.operation.expressions[0]
    inner = next(iter(formula.arguments), None)
    if inner is None or inner.operator == "variable" or formula.operator != last.word:
        return given
    elaboration.build.label = last.path
    return add_map(elaboration.build, inner, given, name="scale")
