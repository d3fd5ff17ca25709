"""Errors about a constant told where the constant is written, not where its name is used.

`dense(width)` with `let width = 0` forty lines above: what is to be changed is the 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from nndsl.diagnostics import Diagnostic, Label, NndslError, Span, error
from nndsl.lower.constants import is_number
from nndsl.lower.scopes import Scope
from nndsl.lower.values import Given
from nndsl.params import Array, Int, OneOf, Parameter, Real, odd_row, uneven_rows
from nndsl.syntax import tree
from nndsl.vocab.arguments import ArgumentProblem, Mistake, argument_error


def given_of(argument: tree.Argument, value: Any, scope: Scope) -> Given:
    """An argument with its value and with the expression that the value comes from."""
    written, source = argument.value, scope.source(argument.value)
    return Given(value, written.span, argument.name, argument.name_span, source)


def refused(problem: ArgumentProblem, given: Given | None) -> NndslError | None:
    """NN314 at the number that an argument's name stands for, or NN322; None for all others."""
    if given is None or problem.mistake is not Mistake.REFUSED:
        return None
    parameter = problem.word.parameters[problem.argument]
    if _takes(parameter, Array) and (found := uneven(given)):
        return found
    source = given.source
    if source is None or source.span == given.span or not is_number(given.value):
        return None
    if not _takes(parameter, Int) and not _takes(parameter, Real):
        return None
    (told,) = argument_error(problem, source.span).diagnostics
    used = Label(given.span, f"`{given.span.text}` is {source.span.text} here")
    return NndslError(replace(told, secondary=(used,)))


def _takes(parameter: Parameter, sort: type[Parameter]) -> bool:
    if isinstance(parameter, OneOf):
        return any(_takes(option, sort) for option in parameter.options)
    return isinstance(parameter, sort)


def uneven(given: Given) -> NndslError | None:
    """NN322 at the row of a list that is longer or shorter than the others, None without one."""
    found = odd_row(given.value)
    if found is None:
        return None
    source, span, usual = given.source, given.span, None
    if isinstance(source, tree.ListOf):
        span, usual = (source.items[i].value.span for i in found)
    elif source is not None:
        span = source.span
    elsewhere = given.span if source is not None and source.span != given.span else None
    return error(
        "NN322",
        f"the rows of a list have different lengths: {uneven_rows(given.value)}",
        span,
        f"row {found[0] + 1}" if usual is not None else "",
        secondary=[(usual, f"row {found[1] + 1}"), (elsewhere, "used here")],
        help="is a comma or a number missing, or one too many?",
    )


def require_even(written: tree.Expression, value: Any, scope: Scope) -> None:
    """NN322 for a list whose rows have different lengths, before arithmetic with it."""
    if isinstance(value, list):
        problem = uneven(Given(value, written.span, source=scope.source(written)))
        if problem is not None:
            raise problem


def other_size(
    net: str, takes: str, size: str, declared: tuple[Span, bool], places: tuple[Span, Span]
) -> NndslError:
    """NN203 for a net that is asked about a constant of another size.

    `declared`: where the net says what it takes, and whether an `input` line does. `places`: the
    call and the constant. A constant with a name may stand in many calls; then the `input` line
    is what differs, and `of_one_constant` knows better where several nets refuse the same one.
    """
    (called, written), (line, is_input) = places, declared
    title = f"net `{net}` takes {takes}, here is {size}"
    help = "give one example, such as `[0, 1]`, or a list of them"
    within = called.source is written.source and called.start <= written.start < called.end
    if within or not is_input:
        return error("NN203", title, called, secondary=[(line, f"takes {takes}")], help=help)
    others = [(called, f"is given {size} here"), (written, _WRITTEN)]
    return error("NN203", title, line, f"takes {takes}", secondary=others, help=help)


_WRITTEN = "this constant"


def of_one_constant(errors: Sequence[Diagnostic]) -> list[Diagnostic]:
    """The errors with one at a constant that several nets refuse, instead of one at each net."""
    groups: dict[object, list[Diagnostic]] = {}
    for problem in errors:
        groups.setdefault(_constant_of(problem) or id(problem), []).append(problem)
    return [_at_constant(group) if len(group) > 1 else group[0] for group in groups.values()]


def _constant_of(problem: Diagnostic) -> Span | None:
    return next((label.span for label in problem.secondary if label.text == _WRITTEN), None)


def _at_constant(problems: Sequence[Diagnostic]) -> Diagnostic:
    place = _constant_of(problems[0])
    assert place is not None  # this is what the errors have in common
    nets = tuple(p.primary for p in problems[:2] if p.primary is not None)
    note = f"{len(problems)} nets refuse this constant, so its size may be what is wrong"
    return replace(problems[0], primary=Label(place), secondary=nets, notes=(note,))
