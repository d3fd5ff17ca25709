"""What is done to weights after their update: the lectures' decay, and a greatest norm by unit."""

from __future__ import annotations

from nndsl.diagnostics import error
from nndsl.lower.constants import is_number
from nndsl.lower.nets import NetDefinition, parameters_of
from nndsl.lower.result import Restraint
from nndsl.lower.train_settings import Settings, Written
from nndsl.lower.values import Mention
from nndsl.lower.words import shown

WORDS = ("weight_decay", "max_norm")


def plan_restraints(
    settings: Settings, definition: NetDefinition, trained: list[str]
) -> dict[str, Restraint]:
    """Restraints of the trained weights (biases have none); a part's own number replaces the
    general one. A norm is of the weights into one unit, so lists of single weights have none.
    """
    drafts = definition.elaborated().elaboration.drafts
    weights = [name for name in trained if drafts[name].decays]
    numbers: dict[str, dict[str, float | None]] = {}
    for word in WORDS:
        written = settings.run.get(word)
        general = _number(word, written) if written is not None else None
        numbers[word] = dict.fromkeys(weights, general)
    for part, setting, written in settings.parts:
        if setting in WORDS:
            own = _number(setting, written)
            for name in parameters_of(definition, part):
                if name in weights:
                    numbers[setting][name] = own
    planned = {}
    for name in weights:
        draft = drafts[name]
        decay = numbers["weight_decay"][name] or 0.0
        greatest = numbers["max_norm"][name] if len(draft.shape) > 1 else None
        if decay or greatest is not None:
            planned[name] = Restraint(decay, greatest, draft.axes[0] if draft.axes else 0)
    return planned


def _number(word: str, written: Written) -> float | None:
    """The number as written; `none` is None."""
    value = written.evaluated()
    if isinstance(value, Mention) and value.name == "none":
        return None
    if word == "weight_decay" and is_number(value) and 0 <= value < 1:
        return float(value)
    if word == "max_norm" and is_number(value) and value > 0:
        return float(value)
    expected = "a number above 0" if word == "max_norm" else "a number from 0 to below 1"
    title = f"`{word}` must be {expected}, or `none`, not {shown(value)}"
    raise error("NN309", title, written.span)
