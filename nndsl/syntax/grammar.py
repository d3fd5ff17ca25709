"""The grammar as text, and the LALR parser made from it once per process."""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lark import Lark

START_RULES = ("start", "value")


def grammar_text() -> str:
    """The text of `grammar/nn.lark`: the copy inside the package, else the sibling folder's."""
    packaged = resources.files("nndsl").joinpath("grammar", "nn.lark")
    if packaged.is_file():
        return packaged.read_text(encoding="utf-8")
    sibling = Path(__file__).resolve().parents[2] / "grammar" / "nn.lark"
    return sibling.read_text(encoding="utf-8")


@cache
def lark_parser() -> Lark:
    """The parser: built at the first use (about 60 ms), never stored on disk.

    Lark's own `cache=` is a pickle in a shared folder that others can plant, so it stays off.
    The lexer is `basic`: what a token is never depends on where it stands, so that a text with
    mistakes can be cut into tokens before anyone tries to understand it.
    """
    from lark import Lark

    return Lark(
        grammar_text(),
        parser="lalr",
        lexer="basic",
        start=list(START_RULES),
        propagate_positions=True,
        maybe_placeholders=True,
    )
