"""A stage as people are shown it: `conv(64, 3)` where the source of a block has `conv(c, k)`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from nndsl.diagnostics import Span
from nndsl.lower.constants import is_number
from nndsl.lower.values import Definition, Given, Mention

LONGEST_LIST = 6
_CALLED = re.compile(r"[\w.]+(?=\s*\()")
_LITERAL = re.compile(r"-?[\d.][\w.]*((?<=[eE])-\d+)?%?")


def with_values(name: str, span: Span, given: Iterable[Given]) -> str:
    """The text of a stage, its name and constants in place of the names that stand for them."""
    source = span.source
    inside = (g for g in given if g.span.source is source and g.span.start > span.start)
    text, place = "", span.start
    for argument in sorted(inside, key=lambda g: g.span.start):
        shown = _shown(argument)
        if shown and place <= argument.span.start and argument.span.end <= span.end:
            text += source.text[place : argument.span.start] + shown
            place = argument.span.end
    text += source.text[place : span.end]
    called = _CALLED.match(text)
    if called is None:
        return name  # bare, and its span may be that of a longer chain
    if called[0].rpartition(".")[2] != name:
        text = name + text[called.end() :]
    return " ".join(text.split())


def _shown(argument: Given) -> str:
    """A value in a few letters; "" where the source says it as well."""
    value = argument.value
    if _LITERAL.fullmatch(argument.span.text):
        return ""
    if isinstance(value, list | tuple) and 0 < len(value) <= LONGEST_LIST:
        items = [_one(item) for item in value]
        return f"[{', '.join(items)}]" if all(items) else ""
    return _one(value)


def _one(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if is_number(value):
        return f"{value:.6g}" if isinstance(value, float) else str(value)
    if isinstance(value, Definition):
        return value.name
    return value.name if isinstance(value, Mention) and value.given is None else ""
