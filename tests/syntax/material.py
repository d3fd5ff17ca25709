"""Source texts that the syntax tests share: our samples, the models, and mutants of them."""

from __future__ import annotations

import dataclasses
import random
import re
from pathlib import Path
from typing import Any

from nndsl.diagnostics import Span

ROOT = Path(__file__).resolve().parents[2]
PIECE = re.compile(r'->|"[^"\n]*"|[A-Za-z_]\w*|\d[\w.%]*|[^\s\w]|\n')
SPICE = [
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    "=",
    "->",
    ":",
    "net",
    "if",
    "else",
    "..",
    "~",
    "\n",
    ";",
]
SPICE += ["x", "3", "1e999", '"', "#", "é", "\0", "-", "*", "not", "5 epochs", ".", "\u202e", "'"]


def files() -> list[Path]:
    """Every `.nn` file of the project: the samples here and the models."""
    return sorted((ROOT / "tests/syntax/samples").glob("*.nn")) + sorted(
        (ROOT / "models").glob("*.nn")
    )


def without_spans(node: Any) -> Any:
    """A tree as nested tuples, without its places."""
    if isinstance(node, tuple):
        return tuple(without_spans(item) for item in node)
    if dataclasses.is_dataclass(node) and not isinstance(node, Span):
        values = (
            (field.name, without_spans(getattr(node, field.name)))
            for field in dataclasses.fields(node)
            if not field.name.endswith("span")
        )
        return (type(node).__name__, *values)
    return node


def pieces(text: str) -> list[re.Match[str]]:
    """The words and signs of a text outside its comments."""
    return list(PIECE.finditer(re.sub(r"#[^\n]*", lambda match: " " * len(match[0]), text)))


def mutant(text: str, random_numbers: random.Random) -> str:
    """The text with one to three words deleted, doubled, swapped or put in."""
    for _ in range(random_numbers.randint(1, 3)):
        found = pieces(text)
        if not found:
            return text
        piece = random_numbers.choice(found)
        start, end = piece.span()
        change = random_numbers.randrange(5)
        if change == 0:
            text = text[:start] + text[end:]
        elif change == 1:
            text = text[:end] + " " + piece[0] + text[end:]
        elif change == 2:
            text = text[:start] + random_numbers.choice(SPICE) + text[start:]
        elif change == 3:
            text = text[:start] + random_numbers.choice(SPICE) + text[end:]
        else:
            other = random_numbers.choice(found)
            text = text[:start] + other[0] + text[end:]
    return text
