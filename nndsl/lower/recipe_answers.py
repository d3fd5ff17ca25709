"""The settings `answer`, `ensemble` and `replay`: read, and held against the target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nndsl.diagnostics import NndslError, error
from nndsl.lower.names import not_yet
from nndsl.lower.problems import Problems
from nndsl.lower.result import Network, Recipe
from nndsl.lower.train_settings import Written
from nndsl.lower.values import Mention
from nndsl.lower.words import call_word, shown
from nndsl.schema import Schema, TargetKind, TargetSchema
from nndsl.vocab.answers import Answer
from nndsl.vocab.arguments import call
from nndsl.vocab.registry import WordCall, words


def read_answer(written: Written, schema: Schema | None) -> WordCall | None:
    """How outputs become an answer; None for the most likely class.

    Errors: NN301, NN309, NN311 to NN315 for the word, NN321 when it is not for such a target.
    """
    value = written.evaluated()
    found = _called(value, "answer", "answer = refuse(margin=0.2)", written)
    word = found.word
    assert isinstance(word, Answer)
    if word.name == "argmax":
        return None
    targets = _targets(schema)
    classes = [target for target in targets if target.kind is TargetKind.CLASSES]
    if targets and word.writes and not any(target.sequence for target in targets):
        raise _unfit(word.name, "what comes next in a text", targets[0], written)
    if targets and not classes:
        raise _unfit(word.name, "classes", targets[0], written)
    for target in classes if word.two_classes else ():
        if len(target.classes) > 2:
            raise _unfit(word.name, "two classes", target, written)
    return found


def read_ensemble(written: Written, schema: Schema | None) -> WordCall | None:
    """The networks that are trained together; None for `none`. Errors as for an answer."""
    value = written.evaluated()
    if isinstance(value, Mention) and value.name == "none" and value.given is None:
        return None
    found = _called(value, "ensemble", "ensemble = committee(5)", written)
    targets = _targets(schema)
    numbers = all(target.kind is TargetKind.NUMBERS for target in targets)
    if targets and numbers and found.arguments["answer"] == "vote":
        raise _unfit("vote", "classes", targets[0], written, "answer=mean")
    return found


def read_replay(written: Written) -> WordCall | None:
    """The buffer that is trained from; None for `none`. Errors: NN301, NN309, NN311 to NN315."""
    value = written.evaluated()
    if isinstance(value, Mention) and value.name == "none" and value.given is None:
        return None
    found = _called(value, "replay", "replay = buffer(200)", written)
    size, fresh = found.arguments["size"], found.arguments["fresh"]
    if fresh is not None and fresh > size:
        title = f"`fresh` must be at most {size}: the buffer holds no more"
        raise error("NN314", title, written.span, help=f"replay = buffer({size}, fresh={size})")
    return found


def check_ensembles(
    recipes: Sequence[Recipe], networks: Mapping[str, Network], problems: Problems
) -> None:
    """NN390 for an ensemble whose net another section trains too, or has as a stage."""
    for recipe in recipes:
        if recipe.ensemble is None:
            continue
        own = _nets_of(networks[recipe.net])
        for other in recipes:
            if other is not recipe and own & _nets_of(networks[other.net]):
                with problems.caught():
                    raise not_yet(
                        f"an ensemble of `{recipe.net}`, whose weights two sections train,",
                        recipe.ensemble.span,
                        "train its net in one section, and in no other net",
                    )


def _nets_of(network: Network) -> set[str]:
    """The nets whose weights a net has."""
    return {network.name, *(info.owner for info in network.parameters.values() if info.owner)}


def metrics_beside(answer: WordCall) -> list[WordCall]:
    """The metrics that are told with an answer."""
    assert isinstance(answer.word, Answer)
    known = words("metric")
    return [call(known[name], **given) for name, given in answer.word.metrics.items()]


def _called(value: Any, registry: str, example: str, written: Written) -> WordCall:
    if not isinstance(value, Mention):
        title = f"`{registry}` is a word, not {shown(value)}"
        raise error("NN309", title, written.span, help=example)
    return call_word(value, registry)


def _targets(schema: Schema | None) -> tuple[TargetSchema, ...]:
    return schema.targets if schema is not None else ()


def _unfit(
    word: str, wanted: str, target: TargetSchema, written: Written, instead: str = ""
) -> NndslError:
    numbers = target.kind is TargetKind.NUMBERS
    found = "a number" if numbers else f"one of {len(target.classes)} classes"
    help_ = instead or ("leave `answer` out" if numbers else "answer = refuse(margin=0.2)")
    title = f"`{word}` is for {wanted}, but `{target.name}` is {found}"
    return error("NN321", title, written.span, help=help_)
