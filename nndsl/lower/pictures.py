"""`report = [curves, weights(Net.hidden, size=8x8)]`: the pictures that the report shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from nndsl.diagnostics import error
from nndsl.lower.names import not_yet
from nndsl.lower.nets import NetDefinition, parameters_of
from nndsl.lower.paths import located, resolve
from nndsl.lower.train_settings import Settings, Written
from nndsl.lower.values import Given, Mention, NetLike, Part
from nndsl.lower.words import bind, find_word, shown
from nndsl.params import Int, NetIn, PlaceIn
from nndsl.vocab.arguments import ArgumentProblem, Mistake, argument_error
from nndsl.vocab.pictures import Picture, Shapes
from nndsl.vocab.registry import WordCall, words

LATER = ("landscape", "paths", "surface", "tsne")


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
    is_place = any(isinstance(p, PlaceIn) for p in word.parameters.values())
    of_nets = any(isinstance(p, NetIn) for p in word.parameters.values())
    find = _net if of_nets else _place if is_place else _arrays
    given = tuple(replace(g, value=_found(g, definition, find)) for g in item.given or ())
    call = bind(replace(item, given=given), word).call
    _check(call, item, definition, _outputs(definition) if is_place else _shapes(definition))
    return call


Find = Callable[[NetDefinition, NetLike | Part], Any]


def _found(given: Given, definition: NetDefinition, find: Find) -> Any:
    """What a part of the net stands for; other values as they are."""
    value = given.value
    if not isinstance(value, NetLike | Part):
        return value
    net = value.net if isinstance(value, Part) else value
    is_net = net is value and find is _net
    inside = is_net and isinstance(net, NetDefinition) and parameters_of(definition, net)
    if net is not definition and not inside:
        raise error(
            "NN318",
            f"`{given.span.text}` is no part of `{definition.name}`, which is trained here",
            given.span,
        )
    return find(definition, value)


def _arrays(definition: NetDefinition, value: NetLike | Part) -> tuple[str, ...]:
    """The paths of the learnt arrays of a part, or of all."""
    if isinstance(value, Part):
        return tuple(resolve(definition, value.query, value.span))
    return tuple(definition.parameter_names())


def _net(definition: NetDefinition, value: NetLike | Part) -> Any:
    """The name of a net; a part of one is none."""
    return value.name if isinstance(value, NetLike) else None


def _place(definition: NetDefinition, value: NetLike | Part) -> str | None:
    """The path of a stage, block or named line; None for the net itself."""
    if not isinstance(value, Part):
        return None
    return located(definition.name, list(_outputs(definition)), value.query, value.span)


def _check(call: WordCall, item: Mention, definition: NetDefinition, shapes: Shapes) -> None:
    word = call.word
    assert isinstance(word, Picture)
    expected = word.problem(shapes, call.arguments) if word.problem else ""
    if expected:
        name, place = _blamed(item)
        problem = ArgumentProblem(word, Mistake.REFUSED, name, None, call.arguments[name], expected)
        raise argument_error(problem, item.span, {name: place.span} if place else None)


def _blamed(item: Mention) -> tuple[str, Given | None]:
    """The last argument that was written: the ones before say what it must fit; counts fit all."""
    parameters = words("picture")[item.name].parameters
    names = list(parameters)
    given = {g.name or names[i]: g for i, g in enumerate(item.given or ())}
    blamed = [n for n in given if not isinstance(parameters[n], Int)]
    return (blamed[-1], given[blamed[-1]]) if blamed else (names[0], None)


def _shapes(definition: NetDefinition) -> Shapes:
    """The sizes of the net's arrays, in the layout that people see."""
    drafts = definition.elaborated().elaboration.drafts
    return {
        name: tuple(draft.shape[i] for i in draft.axes or range(len(draft.shape)))
        for name, draft in drafts.items()
    }


def _outputs(definition: NetDefinition) -> Shapes:
    """What stages, blocks and named lines give for one row, by path."""
    made = definition.elaborated().elaboration
    named = {path: tensor.shape for path, tensor in made.points.items()}
    return {**named, **{part.path: part.output.type.shape[1:] for part in made.parts}}
