"""Cutting a text into tokens, and what can be wrong before any of them is looked at.

One pass of a regular expression finds what the language has no word for: strings that do not end,
numbers that are none, letters and signs of other alphabets or languages. Each is reported and
overwritten by harmless characters of the same length, so that the rest can be read as usual and
one mistake is one message.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import field
from typing import TYPE_CHECKING

from lark import Token

from nndsl.diagnostics import Diagnostic, NndslError, Source
from nndsl.records import dataclass
from nndsl.syntax.grammar import lark_parser
from nndsl.syntax.wording import MAXIMUM_PROBLEMS

if TYPE_CHECKING:
    from nndsl.syntax.misspelt import Misread

_PIECES = re.compile(
    r"""
      [ \t\r\n]+ | \#[^\n]* | "[^"\n]*" | [A-Za-z_][A-Za-z0-9_]*(?!\w)
    | (?P<number>\d+\w*(?:\.\d\w*)*(?:(?<=[eE])[+-]\w+)?%?(?![\w]))
    | (?P<foreign>
          " [^\n]* | '[^'\n]*'? | //[^\n]* | [^\W\d]\w* | \.\d[\w.]*
        | \*\* | && | \|[|>]? | => | >> | =< | <> | [:+*/-]= | [=!]== | !(?!=)
      )
    | -> | \.\. | \.(?=[A-Za-z_]) | [=!<>]= | [()\[\]{},=:;~+\-*/^<>]
    | (?P<other>.)
    """,
    re.VERBOSE,
)
_GOOD_NUMBER = re.compile(
    r"[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?%?|[0-9]+(x([0-9]+|[A-Z]))+", re.ASCII
)


@dataclass(frozen=True)
class Lexed:
    """The tokens of a text with line ends, and what could not be read.

    `skipped` holds the offsets of what was overwritten: mistakes found later in the same statement
    are likely to be consequences.
    """

    tokens: list[Token]
    problems: list[Diagnostic] = field(default_factory=list)
    skipped: list[int] = field(default_factory=list)


def tokens_of(source: Source) -> Lexed:
    """Cut a text into the tokens of the grammar; offsets are those of the source.

    Errors: NN105 to NN107 when there are ten of them; fewer are returned as `problems`.
    """
    text = source.text
    problems: list[Diagnostic] = []
    skipped: list[int] = []
    parts: list[str] = []
    done = line = 0
    for misread in _misread(source):
        start = max(misread.span.start, done)  # a filler may reach back, but not into another
        end = misread.span.start + len(misread.filler)
        parts += [text[done:start], misread.filler[start - end :]]
        done = end
        if not misread.understood:
            skipped.append(start)
        if misread.span.line != line:  # what follows on the same line is often its consequence
            line = misread.span.line
            problems.append(misread.diagnostic)
        if len(problems) == MAXIMUM_PROBLEMS:
            raise NndslError(problems)
    readable = "".join([*parts, text[done:]]) if parts else text
    return Lexed(list(lark_parser().lex(readable)), problems, skipped)


def _misread(source: Source) -> Iterator[Misread]:
    """Every piece of the text that is no token of the language, with its diagnostic.

    After each the search begins anew where its filler ends: of an open string only the likely
    part is taken, and the rest of the line is read like any other text.
    """
    begin = 0
    while (found := _next_misread(source, begin)) is not None:
        yield found
        begin = found.span.start + len(found.filler)


def _next_misread(source: Source, begin: int) -> Misread | None:
    for match in _PIECES.finditer(source.text, begin):
        kind = match.lastgroup
        if kind is None or (kind == "number" and _GOOD_NUMBER.fullmatch(match[0])):
            continue
        from nndsl.syntax.misspelt import read_badly  # only where something is

        return read_badly(source, kind, match.start(), match[0])
    return None
