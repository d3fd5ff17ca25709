"""`report = [curves, weights(Net.hidden, size=8x8)]`: the pictures that the report shows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from nndsl.diagnostics import error
from nndsl.lower.names import not_yet
from nndsl.lower.nets import NetDefinition
from nndsl.lower.paths import resolve
from nndsl.lower.train_settings import Settings, Written
from nndsl.lower.values import Given, Mention, NetLike, Part
from nndsl.lower.words import bind, find_word, shown
from nndsl.vocab.arguments import ArgumentProblem, Mistake, argument_error
from nndsl.vocab.pictures import Picture, Shapes
from nndsl.vocab.registry import WordCall, words

LATER = ("boundary", "landscape", "maps", "paths", "reconstructions", "samples", "surface", "tsne")


def chosen_pictures(settings: Settings, definition: NetDefinition) -> tuple[WordCall, ...]:
    """The pictures asked for, their arguments checked against the net.

    Errors: NN301 for an unknown picture, NN309 for what is none, NN311 to NN315 for arguments,
    NN318 for a part that is not there, NN390 for pictures of later.
    """
    written = settings.run.get("report")
    found: list[WordCall] = []
    if written is None:
        return ()
    with written.scope.problems.caught():
        value = written.evaluated()
        for item in value if isinstance(value, list | tuple) else [value]:
            with written.scope.problems.caught():
                found.append(_picture(item, written, definition))
    return tuple(found)


def _picture(item: Any, written: Written, definition: NetDefinition) -> WordCall:
    if not isinstance(item, Mention):
        raise error(
            "NN309",
            f"`report` is a list of pictures, not {shown(item)}",
            written.span,
            help=f"such as `[{', '.join(list(words('picture'))[:2])}]`",
        )
    if item.name in LATER:
        raise not_yet(f"the picture `{item.name}`", item.span)
    word = find_word(item, "picture")
    given = tuple(replace(g, value=_paths(g.value, g, definition)) for g in item.given or ())
    call = bind(replace(item, given=given), word).call
    _check(call, item, definition)
    return call


def _paths(value: Any, given: Given, definition: NetDefinition) -> Any:
    """The learnt arrays that a part of the net stands for; other values as they are."""
    if not isinstance(value, NetLike | Part):
        return value
    net = value.net if isinstance(value, Part) else value
    if net is not definition:
        raise error(
            "NN318",
            f"`{given.span.text}` is no part of `{definition.name}`, which is trained here",
            given.span,
        )
    if isinstance(value, Part):
        return tuple(resolve(definition, value.query, value.span))
    return tuple(definition.parameter_names())


def _check(call: WordCall, item: Mention, definition: NetDefinition) -> None:
    word = call.word
    assert isinstance(word, Picture)
    expected = word.problem(_shapes(definition), call.arguments) if word.problem else ""
    if expected:
        name, place = _blamed(item)
        problem = ArgumentProblem(word, Mistake.REFUSED, name, None, call.arguments[name], expected)
        raise argument_error(problem, item.span, {name: place.span} if place else None)


def _blamed(item: Mention) -> tuple[str, Given | None]:
    """The last argument that was written: the ones before say what it must fit."""
    names = list(words("picture")[item.name].parameters)
    given = list(item.given or ())
    if not given:
        return names[0], None
    last = given[-1]
    return last.name or names[len(given) - 1], last


def _shapes(definition: NetDefinition) -> Shapes:
    """The sizes of the net's arrays, in the layout that people see."""
    drafts = definition.elaborated().elaboration.drafts
    return {
        name: tuple(draft.shape[i] for i in draft.axes or range(len(draft.shape)))
        for name, draft in drafts.items()
    }
