"""A piece of LaTeX and how tightly it holds together: what formulas are put together from."""

from __future__ import annotations

import re
from enum import IntEnum


class Level(IntEnum):
    """How tightly a piece of LaTeX holds together; what is looser than its place gets brackets."""

    CONDITION = 0
    SUM = 1
    PRODUCT = 2
    FRACTION = 3
    POWER = 4
    LEAF = 5


Piece = tuple[str, Level]
"""LaTeX and how tightly it holds together."""


def closed(part: Piece, loosest: Level) -> str:
    """The LaTeX, in brackets where it is looser than its place allows."""
    text, level = part
    return text if level >= loosest else rf"\left({text}\right)"


def indexed(part: Piece, index: str) -> str:
    """The LaTeX with an index; in brackets where it has one already."""
    text = closed(part, Level.LEAF)
    return rf"\left({text}\right)_{{{index}}}" if "_" in text else f"{text}_{{{index}}}"


def upright(word: str) -> str:
    """A word in upright letters, with what LaTeX would misread escaped."""
    safe = re.sub(r"[^\w .\[\]-]", "", word).replace("_", r"\_")
    return rf"\mathrm{{{safe}}}"
