"""Words with their arguments: from a mention to a word call with converted values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from nndsl.diagnostics import Fix, NndslError, Span, error, nearest
from nndsl.lower.arguments import arrange
from nndsl.lower.constants import Percent, describe
from nndsl.lower.names import PLANNED, not_yet, suggestion, unknown_name
from nndsl.lower.problems import NeedsDataError, PoisonedError
from nndsl.lower.provenance import refused
from nndsl.lower.values import (
    POISON,
    Composite,
    DefaultsLine,
    Definition,
    Given,
    Mention,
    Shape,
    Stage,
    Table,
    Unknown,
    defaults_for,
    is_tensor,
)
from nndsl.params import (
    Array,
    Choice,
    Figure,
    Int,
    Length,
    OneOf,
    Parameter,
    Real,
    Ref,
    SharedStage,
    TimeLength,
)
from nndsl.records import dataclass
from nndsl.scalar.expression import Expression, constant
from nndsl.vocab.arguments import ArgumentProblem, argument_error, bind_arguments
from nndsl.vocab.registry import (
    Word,
    WordCall,
    example_of,
    lookup,
    nearest_words,
    registries,
    words,
)

STAGE_REGISTRIES = ("layer", "activation")

ScheduleReader = Callable[[Any], Expression]
"""Makes an expression of the clock from a schedule as written."""


@dataclass(frozen=True)
class Bound:
    """A word call, where each written argument stands, and which a `defaults` line gave."""

    call: WordCall
    places: Mapping[str, Span]
    from_defaults: Mapping[str, Span]


def stage_word(name: str) -> Word | None:
    """The layer or activation of that name."""
    return lookup(name, STAGE_REGISTRIES)


def is_stage_word(name: str) -> bool:
    """Whether a bare word is a stage."""
    return stage_word(name) is not None


def sorts_of(name: str) -> list[str]:
    """The registries that have a word of this name."""
    return [sort for sort, members in registries().items() if name in members]


def name_span(mention: Mention) -> Span:
    """The place of the word itself, without its arguments."""
    return Span(mention.span.source, mention.span.start, mention.span.start + len(mention.name))


def unknown_stage(mention: Mention, own: Iterable[str] = ()) -> NndslError:
    """The error for a word that is no stage: planned, of another sort, or misspelt."""
    if mention.name in PLANNED:
        return not_yet(f"the layer `{mention.name}`", mention.span)
    sorts = sorts_of(mention.name)
    if sorts == ["form"]:
        title = f"`{mention.name}` stands around a stage, and there is none in it"
        return error("NN206", title, mention.span, help=example_of(words("form")[mention.name]))
    if sorts:
        near = nearest_words(mention.name, STAGE_REGISTRIES)
        return error(
            "NN206",
            f"`{mention.name}` is {article(sorts[0])} and no stage",
            mention.span,
            "a stage is needed here: a layer, an activation or a block",
            help=f"did you mean `{near[0]}`?" if near else (),
        )
    return unknown_word(mention, (*STAGE_REGISTRIES, "form"), own)


def unknown_word(mention: Mention, sorts: Iterable[str], own: Iterable[str] = ()) -> NndslError:
    """The error for a name that is neither one's own nor a word of these sorts."""
    sorts = tuple(sorts)
    near = nearest_words(mention.name, sorts)
    own = list(own)
    known = [*own, *(name for sort in sorts for name in words(sort))]
    what = f"there is no {sort_text(sorts[0])} called" if len(sorts) == 1 else "nothing is called"
    title = f"{what} `{mention.name}`"
    place = name_span(mention)
    if near:
        is_foreign = not nearest(mention.name, near[:1])  # another library's name for it
        meant = near if is_foreign else nearest(mention.name, [*own, *near])
        hint = "did you mean " + " or ".join(f"`{name}`" for name in meant[:2]) + "?"
        return error("NN301", title, place, help=hint, fix=Fix(place, meant[0]))
    return unknown_name("NN301", title, mention.name, known, place)


def without_quotes(value: Any, sort: str) -> str:
    """The remedy for a word that was written as a text, or an empty text."""
    near = nearest_words(value, (sort,)) if isinstance(value, str) else []
    return f"words stand without quotes: `{near[0]}`" if near else ""


def sort_text(sort: str) -> str:
    """The name of a registry in messages."""
    return "preprocessing step" if sort == "preprocessing" else sort


def article(noun: str) -> str:
    """'an optimizer', 'a loss'."""
    return f"{'an' if noun[:1] in 'aeiou' else 'a'} {noun}"


def find_word(mention: Mention, registry: str) -> Word:
    """The word of one registry that a mention names, or an error with the nearest."""
    found = words(registry).get(mention.name)
    if found is None:
        raise unknown_word(mention, (registry,))
    return found


def bind(mention: Mention, word: Word, schedule: ScheduleReader | None = None) -> Bound:
    """The word with its arguments: as written, else of a `defaults` line, else the declared.

    Errors: NN311 to NN315 as `vocab.arguments` finds them, NN301 for a word that is not known.
    """
    given = list(mention.given or ())
    positional = [g for g in given if g.name is None]
    named = [g for g in given if g.name is not None]
    taken = {*list(word.parameters)[: len(positional)], *(g.name for g in named)}
    lines: dict[str, Span] = {}
    for name, (value, line) in defaults_for(mention.defaults, word.name).items():
        if name not in taken and name in word.parameters:
            named.append(value)
            lines[name] = line
    call = _bind(word, positional, named, mention.span, schedule)
    places = {g.name: g.span for g in named if g.name is not None}
    places |= {n: g.span for n, g in zip(word.parameters, positional, strict=False)}
    return Bound(WordCall(word, call, mention.span), places, lines)


def _bind(
    word: Word,
    positional: list[Given],
    named: list[Given],
    span: Span,
    schedule: ScheduleReader | None,
) -> dict[str, Any]:
    order = list(word.parameters.items())
    missing = {
        name: given.value
        for name, given in _with_names(order, positional, named)
        if isinstance(given.value, Unknown)
    }

    def ready(name: str, parameter: Parameter | None, given: Given) -> Any:
        if parameter is None and given.value is not POISON:
            return given.value  # there is no such argument, whatever its value is
        return 1 if name in missing else prepared(parameter, given, schedule)

    _require_counts(word, _with_names(order, positional, named))
    left_out = {n for n in missing if n in word.parameters and not _is_size(word.parameters[n])}
    first: list[Any] = []
    rest: list[tuple[str, Any]] = []
    for i, g in enumerate(positional):
        name, parameter = order[i] if i < len(order) else ("", None)
        if not left_out:
            first.append(ready(name, parameter, g))
        elif name not in left_out:
            rest.append((name, ready(name, parameter, g)))
    for g in named:
        name = str(g.name)
        if name not in left_out:
            rest.append((name, ready(name, word.parameters.get(name), g)))
    spans: dict[str | int, Span] = {i: g.span for i, g in enumerate(positional)}
    spans |= {str(g.name): g.span for g in named}
    try:
        bound = bind_arguments(word, first, rest)
    except ArgumentProblem as problem:
        if problem.mistake.name == "UNKNOWN":
            spans |= {str(g.name): g.name_span or g.span for g in named}
        given = dict(_with_names(order, positional, named)).get(problem.argument)
        found = refused(problem, given) or argument_error(problem, span, spans)
        raise _joined(problem, given or next(iter(positional), None), found) from None
    return bound | {n: u.name for n, u in missing.items() if n not in left_out}


def _joined(problem: ArgumentProblem, given: Given | None, found: NndslError) -> NndslError:
    """`dense(3, relu)`, `dense(3, activation=relu)` and `relu(dense(3))` are chains of stages."""
    value = given.value if given is not None else None
    name = value.name if isinstance(value, Mention) else str(value)
    if given is None or not is_stage_word(name) or not is_stage_word(problem.word.name):
        return found
    if problem.near:
        return found  # `inti=identity`: the name is misspelt
    (told,) = found.diagnostics
    if isinstance(problem.word.parameters.get(problem.argument), SharedStage):
        text = " ".join(given.span.text.split())
        help = f"`share table = {text}` on a line above, then `{problem.word.name}(table)`"
        return NndslError(replace(told, help=(help,), fix=None))
    chain = f"{problem.word.name}(...) -> {name}"
    if not problem.word.parameters:
        chain = f"{given.span.text} -> {problem.word.name}"
    return NndslError(replace(told, help=(f"stages follow each other: `{chain}`",), fix=None))


def _with_names(
    order: list[tuple[str, Parameter]], positional: list[Given], named: list[Given]
) -> list[tuple[str, Given]]:
    first = [(order[i][0] if i < len(order) else "", g) for i, g in enumerate(positional)]
    return [*first, *((str(g.name), g) for g in named)]


def _require_counts(word: Word, arguments: list[tuple[str, Given]]) -> None:
    """Whole numbers that are more than the size of an array must be known before the data is."""
    for name, given in arguments:
        parameter = word.parameters.get(name)
        if isinstance(given.value, Unknown) and parameter is not None and _holds_int(parameter):
            raise NeedsDataError(given.value.name, given.span)


def _is_size(parameter: Parameter) -> bool:
    return isinstance(parameter, Int) and parameter.is_size


def _holds_int(parameter: Parameter) -> bool:
    """Whether a whole number may be given that is no size."""
    if isinstance(parameter, OneOf):
        return any(_holds_int(option) for option in parameter.options)
    return isinstance(parameter, Int) and not parameter.is_size


def call_word(mention: Mention, registry: str, schedule: ScheduleReader | None = None) -> WordCall:
    """A mention as a word call of one registry."""
    return bind(mention, find_word(mention, registry), schedule).call


def changes_with_time(value: Any) -> bool:
    """A schedule, or arithmetic with one."""
    if isinstance(value, Mention):
        return value.name in words("schedule")
    return isinstance(value, Composite)


def prepared(parameter: Parameter | None, given: Given, schedule: ScheduleReader | None) -> Any:
    """A value as `bind_arguments` takes it: words resolved by what the parameter asks for."""
    value = given.value
    if value is POISON:
        raise PoisonedError
    if isinstance(parameter, Real) and parameter.schedule and changes_with_time(value):
        return schedule(value) if schedule is not None else constant(1.0)
    if isinstance(value, Mention):
        return _prepared_word(parameter, value, schedule)
    if isinstance(value, Percent):
        has_length = isinstance(parameter, Length)
        return TimeLength(float(value), "fraction") if has_length else float(value)
    if isinstance(value, Shape):
        return list(value.sizes)
    if isinstance(value, Table):
        return value.items
    if isinstance(value, np.ndarray) and not _holds_array(parameter):
        return value.tolist()
    return value


def _holds_array(parameter: Parameter | None) -> bool:
    if isinstance(parameter, OneOf):
        return any(_holds_array(option) for option in parameter.options)
    return isinstance(parameter, Array)


def _prepared_word(
    parameter: Parameter | None, mention: Mention, schedule: ScheduleReader | None
) -> Any:
    options = parameter.options if isinstance(parameter, OneOf) else (parameter,)
    for option in options:
        if isinstance(option, Ref) and (mention.name in words(option.registry) or len(options) < 2):
            return call_word(mention, option.registry, schedule)
    wants_choice = any(isinstance(option, Choice | Figure) for option in options)
    if not wants_choice and not sorts_of(mention.name):
        expected = parameter.describe() if parameter is not None else "a value"
        own = mention.own_names()
        close = nearest(mention.name, own)
        raise error(
            "NN301",
            f"nothing is called `{mention.name}`",
            mention.span,
            f"here stands {expected}",
            help=suggestion(mention.name, own) if close else (),
            fix=Fix(mention.span, close[0]) if close else None,
        )
    return mention.name if mention.given is None else shown(mention)


def shown(value: Any) -> str:
    """A value as messages show it."""
    if isinstance(value, Mention):
        return f"`{value.name}`"
    if is_tensor(value):
        return "a tensor"
    if isinstance(value, Stage | Definition):
        return "a stage"
    return describe(value)


def defaults_line(
    word: Word, given: tuple[Given, ...], span: Span, before: DefaultsLine | None
) -> DefaultsLine:
    """A `defaults` line for a word, its arguments checked at once."""
    order = list(word.parameters)
    named = [
        replace(g, name=order[i]) if g.name is None and i < len(order) else g
        for i, g in enumerate(given)
    ]
    optional = {n: replace(p, default=None) for n, p in word.parameters.items()}
    probe = replace(word, parameters=optional)
    positional = [g for g in named if g.name is None]
    _bind(probe, positional, [g for g in named if g.name is not None], span, None)
    return DefaultsLine(word.name, tuple(named), span, before)


def arranged_for_block(
    definition: Definition, given: tuple[Given, ...], span: Span, before: DefaultsLine | None
) -> DefaultsLine:
    """A `defaults` line for a block: its arguments by name."""
    order = getattr(definition, "parameter_names", [])
    arranged = arrange(definition.name, order, given, span)
    named = tuple(replace(g, name=name) for name, g in arranged.items())
    return DefaultsLine(definition.name, named, span, before)
