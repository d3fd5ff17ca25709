"""`let` and `defaults` lines, the same in every body."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nndsl.diagnostics import NndslError, nearest
from nndsl.lower.evaluate import evaluate
from nndsl.lower.names import unknown_name
from nndsl.lower.problems import NeedsDataError, PoisonedError
from nndsl.lower.provenance import given_of
from nndsl.lower.scopes import Scope
from nndsl.lower.values import POISON, Composite, Definition, Given, Mention, is_tensor
from nndsl.lower.words import arranged_for_block, defaults_line, sorts_of, unknown_word
from nndsl.syntax import tree
from nndsl.vocab.registry import lookup, nearest_words, registries

WITH_DEFAULTS = ("layer", "form", "activation", "optimizer", "loss", "schedule", "initializer")


def define_let(statement: tree.Let, scope: Scope) -> None:
    """`let name = value`; an override by name takes the value's place. Spaces are for `tune`.

    What fails poisons the name: nobody is told of its uses.
    """
    try:
        _define(statement, scope)
    except (NndslError, PoisonedError, NeedsDataError):
        if statement.name not in scope.names:
            scope.define(statement.name, POISON, statement.name_span, "poison")
        raise


def _define(statement: tree.Let, scope: Scope) -> None:
    override = scope.session.overrides.get(statement.name)
    if override is not None:
        scope.session.used_overrides.add(statement.name)
    written = override or statement.value
    value = evaluate(written, scope)
    for mention in _mentions(value):
        if not sorts_of(mention.name) and not _may_be_choice(mention):
            raise unknown_word(mention, tuple(registries()), scope.visible())
    scope.define(statement.name, value, statement.name_span, "let", scope.source(written))


def _mentions(value: Any) -> Iterator[Mention]:
    """A word, or those that arithmetic puts together."""
    if isinstance(value, Mention):
        yield value
    elif isinstance(value, Composite):
        yield from _mentions(value.left)
        yield from _mentions(value.right)


def _may_be_choice(mention: Mention) -> bool:
    """Whether a bare word may be the choice of some argument: `same`, `none`."""
    if mention.given is not None:
        return False
    for members in registries().values():
        for word in members.values():
            for parameter in word.parameters.values():
                if mention.name in getattr(parameter, "choices", ()):
                    return True
    return mention.name in ("none", "all")


def run_defaults(statement: tree.Defaults, scope: Scope) -> None:
    """`defaults word(args)`: checked at once, in force from here on."""
    given = given_arguments(statement.arguments, scope)
    definition = scope.lookup(statement.word)
    if isinstance(definition, Definition):
        line = arranged_for_block(definition, given, statement.span, scope.defaults)
        scope.defaults = line
        return
    word = lookup(statement.word, WITH_DEFAULTS)
    if word is None:
        raise _unknown(statement)
    scope.defaults = defaults_line(word, given, statement.span, scope.defaults)


def _unknown(statement: tree.Defaults) -> NndslError:
    near = nearest_words(statement.word, WITH_DEFAULTS) or nearest(statement.word, ["train"])
    known = near or [name for sort in ("layer",) for name in registries().get(sort, {})]
    return unknown_name(
        "NN301",
        f"`defaults` sets arguments of a word; nothing is called `{statement.word}`",
        statement.word,
        known,
        statement.word_span,
    )


def given_arguments(arguments: tuple[tree.Argument, ...], scope: Scope) -> tuple[Given, ...]:
    """Arguments evaluated, with their places; one that fails poisons all."""
    found: list[Given] = []
    failed = False
    for argument in arguments:
        with scope.problems.caught() as outcome:
            value: Any = evaluate(argument.value, scope)
        failed = failed or outcome.failed
        if not outcome.failed and not is_tensor(value):
            found.append(given_of(argument, value, scope))
    if failed:
        raise PoisonedError
    return tuple(found)
