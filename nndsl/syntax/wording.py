"""How the pieces of a text are called when people read of them; the reserved words."""

from __future__ import annotations

from collections.abc import Iterable


def terminals(text: str) -> frozenset[str]:
    """A set of words written in one string."""
    return frozenset(text.split())


_RESERVED_TEXT = (
    "import as let data block cell net on train input share defaults update minimize expect "
    "for in if else and or not"
)
RESERVED = tuple(_RESERVED_TEXT.split())
"""The words that can never be a name, in the order of the language reference."""

ITEM_WORDS = ("import", "data", "block", "cell", "net", "train")
"""Words that begin a part of a file and never stand inside braces."""

STATEMENT_WORDS = ("let", "defaults", "expect", "input", "share", "for", "update", "minimize")
"""Words that begin a statement and never stand inside an expression."""

MAXIMUM_DEPTH = 200
"""How many levels a tree may have: brackets, operators, arrows and bodies all count."""

MAXIMUM_PROBLEMS = 10
"""How many mistakes one run shows."""

UNITS = ("epoch", "step", "minute", "hour")

KEYWORD_TERMINALS = frozenset(word.upper() for word in RESERVED)

OPERATOR_TERMINALS = terminals("OR AND COMPARE ARROW RANGE PLUS MINUS TIMES OVER POWER EQUAL TILDE")
"""Terminals that need a value on their right, and all but MINUS one on their left."""

VALUE_ENDS = terminals("NAME FIELD NUMBER QUANTITY DIMENSIONS STRING RPAR RSQB")
"""Terminals that a value can end with."""

VALUE_STARTS = terminals("NAME NUMBER QUANTITY DIMENSIONS STRING LPAR LSQB MINUS NOT")
"""Terminals that a value can begin with."""

OPENERS = {"LPAR": "RPAR", "LSQB": "RSQB", "LBRACE": "RBRACE"}
"""Opening bracket to closing bracket, by terminal."""

SIGNS = {
    "LPAR": "(",
    "RPAR": ")",
    "LSQB": "[",
    "RSQB": "]",
    "LBRACE": "{",
    "RBRACE": "}",
    "COMMA": ",",
    "COLON": ":",
    "EQUAL": "=",
    "TILDE": "~",
    "ARROW": "->",
    "RANGE": "..",
    "PLUS": "+",
    "MINUS": "-",
    "TIMES": "*",
    "OVER": "/",
    "POWER": "^",
}

_PLAIN = {
    "NAME": "a name",
    "FIELD": "`.name`",
    "NUMBER": "a number",
    "QUANTITY": "a length of time",
    "DIMENSIONS": "a shape",
    "STRING": "a text in quotes",
    "COMPARE": "a comparison",
    "_NEWLINE": "a new line",
    "$END": "the end of the file",
}


def plain(terminal: str) -> str:
    """What people call a terminal of the grammar: a sign in quotes, or a few words."""
    if terminal in SIGNS:
        return f"`{SIGNS[terminal]}`"
    if terminal in KEYWORD_TERMINALS:
        return f"`{terminal.lower()}`"
    return _PLAIN[terminal]


def listed(words: Iterable[str]) -> str:
    """`a`, `a or b`, `a, b or c`."""
    words = list(words)
    if len(words) < 2:
        return "".join(words)
    return ", ".join(words[:-1]) + " or " + words[-1]


def shortened(text: str, limit: int = 30) -> str:
    """The text on one line, cut in the middle where it is longer than `limit` characters."""
    text = " ".join(text.split())
    if len(text) <= limit:
        return text
    half = (limit - 3) // 2
    return f"{text[:half]}...{text[-half:]}"
