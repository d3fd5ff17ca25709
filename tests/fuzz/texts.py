"""Texts that nobody would write: models with many mistakes, pieces of several models, and files
grown from the grammar alone. Text number i of a seed is the same in every run.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from functools import cache

from nndsl.syntax.grammar import grammar_text, parser_from_grammar
from nndsl.vocab.registry import registries
from tests.syntax.material import SPICE, files, mutant, pieces

NUMBERS = ("0", "1", "2", "3", "7", "16", "0.5", "1e-3", "1e308", "99999999999", "20%", "1..3")
VALUES = {
    "NUMBER": NUMBERS,
    "QUANTITY": ("5 epochs", "1 step", "0 epochs", "30 minutes", "1e9 steps"),
    "DIMENSIONS": ("3x8x8", "8x8", "0x1", "3xHxW"),
    "STRING": ('"iris.csv"', '"digits.csv"', '"zoo.nn"', '"species"', '""', '"no such"'),
    "COMPARE": ("==", "!=", "<", "<=", ">", ">="),
    "_NEWLINE": ("\n", "; "),
}
DEEP = 11
"""Levels of the grammar after which the shortest way out is taken."""


@cache
def models() -> tuple[str, ...]:
    """The sources that texts are made of."""
    return tuple(path.read_text(encoding="utf-8") for path in files())


@cache
def model_pieces() -> tuple[str, ...]:
    """Every different word and sign of the models."""
    return tuple(sorted({piece[0] for text in models() for piece in pieces(text)}))


@cache
def names() -> tuple[str, ...]:
    """Names that a file may hold: words, their arguments, and what the models call things."""
    words = {name: word for members in registries().values() for name, word in members.items()}
    arguments = {name for word in words.values() for name in word.parameters}
    written = {piece for piece in model_pieces() if piece.isidentifier()}
    return tuple(sorted(set(words) | arguments | written))


def mangled(chance: random.Random) -> str:
    """A model with one to six words or signs deleted, doubled, swapped, or put in."""
    text = mutant(chance.choice(models()), chance)
    return text if chance.random() < 0.5 else mutant(text, chance)


def exchanged(chance: random.Random) -> str:
    """A model in which some words are words of other models and some numbers extreme ones."""
    text = chance.choice(models())
    for _ in range(chance.randint(1, 5)):
        found = pieces(text)
        piece = chance.choice(found)
        if piece[0].isidentifier():
            other = chance.choice(names())
        elif piece[0][0].isdigit():
            other = chance.choice((*NUMBERS, *SPICE))
        else:
            other = chance.choice(model_pieces())
        text = text[: piece.start()] + other + text[piece.end() :]
    return text


def spliced(chance: random.Random) -> str:
    """A model with lines of others: put in, put in the place of its own, or in another order."""
    lines = chance.choice(models()).splitlines()
    others = chance.choice(models()).splitlines()
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(lines))
        match chance.randrange(4):
            case 0:
                lines.insert(place, chance.choice(others))
            case 1:
                lines[place] = chance.choice(others)
            case 2:
                lines.insert(place, lines.pop(chance.randrange(len(lines))))
            case _:
                lines.insert(place, chance.choice(lines))
    return "\n".join(lines)


def varied(chance: random.Random) -> str:
    """A model with words of the same sort and other sizes in the place of its own: often right."""
    text = chance.choice(models())
    kin = {name: tuple(members) for members in registries().values() for name in members}
    for _ in range(chance.randint(1, 6)):
        piece = chance.choice([p for p in pieces(text) if p[0] in kin or p[0].isdecimal()])
        others = kin.get(piece[0]) or ("0", "1", "2", "3", "5", "20", "1000")
        text = text[: piece.start()] + chance.choice(others) + text[piece.end() :]
    return text


# --- files grown from the grammar ------------------------------------------------------------

Rules = dict[str, list[tuple[str, ...]]]
"""The ways to write each symbol that is no terminal."""


@cache
def grammar() -> tuple[Rules, dict[str, str], dict[str, int]]:
    """The rules, the texts of fixed terminals, and how many levels each symbol needs at least."""
    parser = parser_from_grammar(grammar_text())
    rules: Rules = {}
    for rule in parser.rules:
        ways = rules.setdefault(rule.origin.name, [])
        ways.append(tuple(symbol.name for symbol in rule.expansion))
    fixed = {t.name: t.pattern.value for t in parser.terminals if t.pattern.type == "str"}
    return rules, fixed, _levels(rules)


def _levels(rules: Rules) -> dict[str, int]:
    levels: dict[str, int] = {}
    while len(levels) < len(rules):
        for name, ways in rules.items():
            known = [way for way in ways if all(s in levels or s not in rules for s in way)]
            if known:
                levels.setdefault(name, 1 + min(_needed(way, levels) for way in known))
    return levels


def _needed(way: tuple[str, ...], levels: dict[str, int]) -> int:
    return max((levels.get(symbol, 0) for symbol in way), default=0)


def grown(chance: random.Random) -> str:
    """A file that the grammar allows, of words at random: right in form, seldom in meaning."""
    few = [chance.choice(names()) for _ in range(8)]
    return _written("start", 0, chance, few)


def _written(symbol: str, depth: int, chance: random.Random, few: list[str]) -> str:
    rules, fixed, levels = grammar()
    if symbol not in rules:
        return _terminal(symbol, fixed, chance, few)
    ways = rules[symbol]
    if depth > DEEP:
        least = min(_needed(way, levels) for way in ways)
        ways = [way for way in ways if _needed(way, levels) == least]
    way = chance.choice(ways)
    return "".join(_written(part, depth + 1, chance, few) for part in way)


def _terminal(symbol: str, fixed: dict[str, str], chance: random.Random, few: list[str]) -> str:
    if symbol == "NAME":
        return f" {chance.choice(few if chance.random() < 0.7 else names())} "
    if symbol == "FIELD":
        return f".{chance.choice(names())} "
    return f" {chance.choice(VALUES[symbol]) if symbol in VALUES else fixed[symbol]} "


def inserted(chance: random.Random) -> str:
    """A model with a value or a statement grown from the grammar in the place of a word."""
    text = chance.choice(models())
    piece = chance.choice(pieces(text))
    few = [chance.choice(names()) for _ in range(4)] + re.findall(r"[A-Za-z_]\w*", text)
    new = _written(chance.choice(("expr", "postfix", "statement")), DEEP - 4, chance, few)
    return text[: piece.start()] + new + text[piece.end() :]


WAYS: dict[str, Callable[[random.Random], str]] = {
    "mangled": mangled,
    "exchanged": exchanged,
    "spliced": spliced,
    "varied": varied,
    "grown": grown,
    "inserted": inserted,
}


def text_number(number: int, seed: int) -> tuple[str, str]:
    """The way in which a text was made, and the text."""
    way = list(WAYS)[number % len(WAYS)]
    return way, WAYS[way](random.Random(f"{seed} {number}"))
