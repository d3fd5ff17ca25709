"""Outputs that tell the ids of an input of the data: those that were hidden, or all of them."""

from __future__ import annotations

from nndsl.ir.types import ElementType
from nndsl.lower.elaboration import Judgement
from nndsl.lower.result import Guess
from nndsl.schema import Schema, TargetKind, TargetSchema
from nndsl.vocab.kinds import Loss


def as_target(judgement: Judgement, schema: Schema) -> TargetSchema | None:
    """The input that an objective compares an output with, as a target: a class at each place.

    None where it holds no ids, or the loss looks at another place than the output's own.
    """
    word, target = judgement.loss.word, judgement.target
    given = next((i for i in schema.inputs if i.name == target.name), None)
    by_class = isinstance(word, Loss) and word.targets == "classes"
    if given is None or not by_class or judgement.loss.arguments.get("shift"):
        return None
    if target.type.element is not ElementType.INDEX:
        return None
    return TargetSchema(given.name, TargetKind.CLASSES, shape=given.shape)


def guess_of(name: str, judgement: Judgement) -> Guess:
    """How the output called `name` is judged by an input."""
    places = "" if judgement.mask is None else f"{name}.places"
    return Guess(name, judgement.target.name, places)
