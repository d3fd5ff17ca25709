"""The grammar as text, and the LALR parser of it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from nndsl.syntax.tables import parser_from_tables

if TYPE_CHECKING:
    from lark import Lark, Token
    from lark import Tree as ParseTree

START_RULES = ("start", "value")


def grammar_text() -> str:
    """The text of `grammar/nn.lark`: the copy inside the package, else the sibling folder's."""
    package = Path(__file__).resolve().parents[1]
    packaged = package / "grammar" / "nn.lark"
    file = packaged if packaged.is_file() else package.parent / "grammar" / "nn.lark"
    return file.read_text(encoding="utf-8")


@cache
def lark_parser() -> Lark:
    """The parser: from the stored tables (5 ms), or made of the grammar where those do not fit.

    Lark's own `cache=` is a pickle in a shared folder that others can plant, so it stays off.
    """
    grammar = grammar_text()
    return parser_from_tables(grammar) or parser_from_grammar(grammar)


def parser_from_grammar(grammar: str) -> Lark:
    """The parser that Lark makes of a grammar (0.1 s).

    The lexer is `basic`: what a token is never depends on where it stands, so that a text with
    mistakes can be cut into tokens before anyone tries to understand it.
    """
    from lark import Lark

    return Lark(
        grammar,
        parser="lalr",
        lexer="basic",
        start=list(START_RULES),
        propagate_positions=True,
        maybe_placeholders=True,
    )


def parse_tokens(tokens: list[Token], rule: str) -> ParseTree[Token] | None:
    """The parse tree of laid-out tokens for a start rule, or None when one does not fit."""
    from lark import Token, UnexpectedToken

    parser = lark_parser().parse_interactive(start=rule)
    try:
        for token in tokens:
            parser.feed_token(token)
        root: ParseTree[Token] = parser.feed_token(Token("$END", ""))
    except UnexpectedToken:
        return None
    return root
