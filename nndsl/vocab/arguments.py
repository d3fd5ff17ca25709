"""Arguments of words: one routine that checks them all, and the diagnostics of its mistakes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import Any

import numpy as np

from nndsl.diagnostics import Fix, NndslError, Span, counted, error, nearest
from nndsl.params import Parameter, ParameterError, Real, Ref
from nndsl.records import dataclass
from nndsl.scalar.expression import Expression
from nndsl.vocab.registry import Word, WordCall, words

OTHER_NAMES = {
    "learning_rate": "lr",
    "rate": "lr",
    "weight_decay": "decay",
    "l2": "decay",
    "epsilon": "eps",
    "beta_1": "beta1",
    "beta_2": "beta2",
    "negative_slope": "alpha",
    "slope": "alpha",
    "p": "rate",
    "probability": "rate",
    "size": "units",
    "neurons": "units",
    "out_features": "units",
    "filters": "channels",
    "out_channels": "channels",
    "kernel_size": "size",
    "kernel": "size",
    "pool_size": "size",
    "padding": "pad",
    "strides": "stride",
    "dilation_rate": "dilation",
    "ceil_mode": "ceil",
    "count_include_pad": "count_pad",
    "scale_factor": "factor",
    "use_bias": "bias",
    "kernel_initializer": "init",
    "initializer": "init",
    "label_smoothing": "smooth",
    "smoothing": "smooth",
    "sigma": "std",
    "stddev": "std",
    "gamma": "factor",
    "watch": "metric",
    "monitor": "metric",
}
"""What other libraries call an argument; suggested where the word has the argument on the right."""


class Mistake(Enum):
    """What may be wrong with an argument; the value is the code of its diagnostic."""

    UNKNOWN = "NN311"
    MISSING = "NN312"
    TWICE = "NN313"
    REFUSED = "NN314"
    TOO_MANY = "NN315"


@dataclass
class ArgumentProblem(Exception):  # noqa: N818 (a person's mistake, told in their words)
    """One mistake in the arguments of a word, without places.

    `argument` is the name of the argument; `position` its index among the positional ones, when
    it was given so. `expected` completes 'must be ...'; `near` are names that may be meant.
    """

    word: Word
    mistake: Mistake
    argument: str = ""
    position: int | None = None
    value: Any = None
    expected: str = ""
    near: tuple[str, ...] = ()

    def __str__(self) -> str:
        return problem_title(self)


def bind_arguments(
    word: Word,
    positional: Sequence[Any] = (),
    named: Mapping[str, Any] | Iterable[tuple[str, Any]] = (),
) -> dict[str, Any]:
    """The word's arguments by name, converted, defaults filled in; else `ArgumentProblem`.

    A number that may change with time is also accepted as a scalar expression or as the call of a
    schedule. A default that names a word becomes its `WordCall`.
    """
    given = _by_name(word, positional, named)
    bound: dict[str, Any] = {}
    for name, parameter in word.parameters.items():
        if name in given:
            position, value = given[name]
            bound[name] = _converted(word, name, parameter, position, value)
        elif parameter.required:
            raise ArgumentProblem(word, Mistake.MISSING, name, expected=parameter.describe())
        else:
            bound[name] = default_of(parameter)
    for name, parameter in word.parameters.items():
        if isinstance(parameter, Real) and parameter.above:
            _require_above(word, name, parameter.above, given, bound)
    return bound


def _require_above(
    word: Word,
    name: str,
    lesser: str,
    given: Mapping[str, tuple[int | None, Any]],
    bound: Mapping[str, Any],
) -> None:
    """`uniform(0.05)` says only where it begins: that may not be at its end, or above."""
    low, high = bound[lesser], bound[name]
    if low < high:
        return
    wrong, expected = name, f"above `{lesser}`, which is {value_text(low)}"
    if name not in given:
        wrong, expected = lesser, f"below `{name}`, which is {value_text(high)}"
    position, value = given[wrong]
    raise ArgumentProblem(word, Mistake.REFUSED, wrong, position, value, expected)


def default_of(parameter: Parameter) -> Any:
    """The default of an optional parameter; the name of a word becomes a `WordCall`."""
    if isinstance(parameter, Ref) and isinstance(parameter.default, str):
        return call(words(parameter.registry)[parameter.default])
    return parameter.default


def call(word: Word, *positional: Any, **named: Any) -> WordCall:
    """The word with its arguments, the others at their defaults."""
    return WordCall(word, bind_arguments(word, positional, named))


def near_arguments(word: Word, name: str) -> tuple[str, ...]:
    """The arguments of the word that a person may have meant, best first."""
    other = OTHER_NAMES.get(name.lower(), "")
    return (other,) if other in word.parameters else tuple(nearest(name, word.parameters))


def _by_name(
    word: Word, positional: Sequence[Any], named: Mapping[str, Any] | Iterable[tuple[str, Any]]
) -> dict[str, tuple[int | None, Any]]:
    """Each argument's position (None for a named one) and value, by its name."""
    names = list(word.parameters)
    if len(positional) > len(names):
        value = positional[len(names)]
        raise ArgumentProblem(word, Mistake.TOO_MANY, position=len(names), value=value)
    given: dict[str, tuple[int | None, Any]] = {
        name: (index, value)
        for index, (name, value) in enumerate(zip(names, positional, strict=False))
    }
    for name, value in named.items() if isinstance(named, Mapping) else named:
        if name not in word.parameters:
            raise ArgumentProblem(word, Mistake.UNKNOWN, name, near=near_arguments(word, name))
        if name in given:
            raise ArgumentProblem(word, Mistake.TWICE, name, given[name][0], value)
        given[name] = (None, value)
    return given


def _converted(
    word: Word, name: str, parameter: Parameter, position: int | None, value: Any
) -> Any:
    if isinstance(parameter, Real) and parameter.schedule and _is_schedule(value):
        return value
    try:
        return parameter.convert(value)
    except ParameterError as refused:
        near = nearest(value, refused.near) if isinstance(value, str) else ()
        raise ArgumentProblem(
            word, Mistake.REFUSED, name, position, value, refused.expected, tuple(near)
        ) from None


def _is_schedule(value: Any) -> bool:
    return isinstance(value, Expression) or getattr(value, "registry", None) == "schedule"


def problem_title(problem: ArgumentProblem) -> str:
    """The mistake in one line."""
    word, argument = problem.word.name, problem.argument
    match problem.mistake:
        case Mistake.UNKNOWN:
            return f"`{word}` has no argument `{argument}`"
        case Mistake.MISSING:
            return f"`{word}` needs the argument `{argument}`: {problem.expected}"
        case Mistake.TWICE:
            return f"`{argument}` of `{word}` is given twice"
        case Mistake.REFUSED:
            shown = value_text(problem.value)
            return f"`{argument}` of `{word}` must be {problem.expected}; got {shown}"
    most = len(problem.word.parameters)
    takes = f"at most {counted(most, 'argument')}" if most else "no arguments"
    return f"`{word}` takes {takes}"


def value_text(value: Any) -> str:
    """A value as a person would write it, shortened."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"{value:g}" if abs(value) < 1e6 else str(value)
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, list | tuple):
        shown = ", ".join(value_text(v) for v in value[:4])
        return f"[{shown}{', ...' if len(value) > 4 else ''}]"
    unit = getattr(value, "unit", None)
    if isinstance(unit, str):
        return f"{value.value:g} {unit}{'' if value.value == 1 or not unit else 's'}".rstrip()
    name, span = getattr(value, "name", None), getattr(value, "span", None)
    if isinstance(name, str):
        text = f"`{name}`"
    elif isinstance(span, Span):
        text = f"`{' '.join(span.text.split())}`"
    else:
        text = value if isinstance(value, str) else "something else"
    return text if len(text) <= 40 else text[:37] + "..."


def usage(word: Word) -> str:
    """The word with its arguments, as the manual shows it: `leaky_relu(alpha=0.01)`."""
    shown = [
        name
        if parameter.required or parameter.default is None
        else f"{name}={value_text(parameter.default)}"
        for name, parameter in word.parameters.items()
    ]
    given = [*word.first, *shown]
    return f"{word.name}({', '.join(given)})" if given else word.name


def argument_error(
    problem: ArgumentProblem, span: Span | None, spans: Mapping[str | int, Span] | None = None
) -> NndslError:
    """The diagnostic of a problem, NN311 to NN315.

    `span` is the word as written; `spans` the places of arguments, by name and by position.
    """
    places = spans or {}
    named = places.get(problem.argument)
    counted = places.get(problem.position) if problem.position is not None else None
    is_twice = problem.mistake is Mistake.TWICE
    place = named or counted
    wrong = {Mistake.UNKNOWN: named, Mistake.REFUSED: place}.get(problem.mistake)
    return error(
        problem.mistake.value,
        problem_title(problem),
        place or span,
        _label(problem),
        secondary=[(counted if is_twice and named else None, "first given here")],
        help=_help(problem),
        fix=Fix(wrong, problem.near[0]) if wrong is not None and problem.near else None,
    )


def _label(problem: ArgumentProblem) -> str:
    match problem.mistake:
        case Mistake.UNKNOWN:
            return "no such argument"
        case Mistake.MISSING:
            return f"`{problem.argument}` is missing here"
        case Mistake.TWICE:
            return "given again here"
        case Mistake.REFUSED:
            return f"must be {problem.expected}"
    return "one too many"


def _help(problem: ArgumentProblem) -> str:
    if problem.near:
        return "did you mean " + " or ".join(f"`{name}`" for name in problem.near) + "?"
    if problem.mistake is Mistake.TWICE:
        return f"leave one `{problem.argument}` out"
    return f"write `{usage(problem.word)}`"
