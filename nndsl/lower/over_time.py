"""What stands inside a recurrence, seen from outside: the values of all its steps."""

from __future__ import annotations

from dataclasses import replace

from nndsl.lower.elaboration import Elaboration
from nndsl.ops.recurrence import Unrolled


def of_all_steps(elaboration: Elaboration, made: Unrolled, first: int, named: set[str]) -> None:
    """Let names and parts inside a recurrence stand for what they are at all steps."""
    found = made.over_time
    for name, tensor in elaboration.points.items():
        if name not in named and tensor.value in found:
            elaboration.points[name] = replace(tensor, value=found[tensor.value])
    elaboration.parts[first:] = [
        replace(
            part,
            inputs=tuple(found.get(v, v) for v in part.inputs),
            output=found.get(part.output, part.output),
        )
        for part in elaboration.parts[first:]
    ]
    elaboration.settlings = [
        replace(
            one,
            states=tuple((found[before], found[after]) for before, after in one.states),
            within=one.within + 1,
        )
        if all(value in found for pair in one.states for value in pair)
        else one
        for one in elaboration.settlings
    ]
