"""Small mistakes put into a file on purpose: misspelt names, lost tokens, other sizes.

All of them are enumerated and then drawn by a seed, so that a mutant is the same in every run.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

PIECES = re.compile(
    r"""[ \t\n]+ | \#[^\n]*
      | (?P<string>"[^"\n]*")
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<shape>[0-9]+(?:x[0-9A-Z]+)+)
      | (?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?%?)
      | (?P<sign>->|\.\.|[=!<>]=|[^\s\w])""",
    re.VERBOSE,
)
KINDS = (
    "character dropped",
    "character doubled",
    "characters swapped",
    "token deleted",
    "size changed",
    "brace removed",
    "column renamed",
)
MISSPELT = frozenset({"character dropped", "character doubled", "characters swapped"})


@dataclass(frozen=True)
class Mutant:
    """A file, or the header of its data, with one mistake.

    `line` is the line of the source that the mistake is on; `was` and `now` are the piece before
    and after. For a column, `table` is the name of the CSV file and `header` its first line.
    """

    kind: str
    text: str
    line: int
    was: str
    now: str
    table: str = ""
    header: str = ""

    def __str__(self) -> str:
        return f"{self.kind}, line {self.line}: `{self.was}` -> `{self.now}`"


def misspellings(name: str) -> Iterator[tuple[str, str]]:
    """Kind and text of every way to miss one key: a character dropped, doubled, or swapped."""
    for i in range(len(name)):
        if len(name) > 2 and not (name[i + 1 : i + 2].isdigit() and i == 0):
            yield "character dropped", name[:i] + name[i + 1 :]
        yield "character doubled", name[:i] + name[i] + name[i:]
        swapped = name[:i] + name[i + 1 : i + 2] + name[i] + name[i + 2 :]
        if swapped != name and not swapped[0].isdigit():
            yield "characters swapped", swapped


def other_sizes(text: str) -> Iterator[str]:
    """The number or shape with one size another: a step up or down, zero, ten times as much."""
    if "x" in text:
        parts = text.split("x")
        for place, part in enumerate(parts):
            for other in other_sizes(part) if part.isdecimal() else ():
                yield "x".join([*parts[:place], other, *parts[place + 1 :]])
    elif text.isdecimal():
        size = int(text)
        yield from dict.fromkeys(str(n) for n in (size + 1, abs(size - 1), 0, 10 * size))


def source_mutants(text: str) -> Iterator[Mutant]:
    """Every mutant of a source."""
    for piece in PIECES.finditer(text):
        sort, was = piece.lastgroup, piece[0]
        if sort is None:
            continue
        line = text.count("\n", 0, piece.start()) + 1
        kind = "brace removed" if was == "}" else "token deleted"
        changes = [(kind, "")]
        changes += misspellings(was) if sort == "name" else ()
        changes += (("size changed", n) for n in other_sizes(was) if sort in ("number", "shape"))
        for kind, now in changes:
            changed = text[: piece.start()] + now + text[piece.end() :]
            yield Mutant(kind, changed, line, was, now)


def column_mutants(text: str, table: str, header: str) -> Iterator[Mutant]:
    """A column of `table` that the source names is called something else in the file."""
    columns = header.split(",")
    for column in columns:
        use = re.search(rf"\b{re.escape(column)}\b", text)
        if use is None:
            continue
        line = text.count("\n", 0, use.start()) + 1
        for _, name in misspellings(column):
            if name not in columns:
                renamed = ",".join(name if c == column else c for c in columns)
                yield Mutant("column renamed", text, line, column, name, table, renamed)


def drawn(mutants: list[Mutant], count: int, seed: int) -> list[Mutant]:
    """About `count` mutants, the kinds in turn; all different."""
    chance = random.Random(seed)
    by_kind: dict[str, list[Mutant]] = {kind: [] for kind in KINDS}
    different = {(m.text, m.header): m for m in mutants}
    for mutant in different.values():
        by_kind[mutant.kind].append(mutant)
    for group in by_kind.values():
        chance.shuffle(group)
    found: list[Mutant] = []
    while len(found) < count and any(by_kind.values()):
        found += [group.pop() for group in by_kind.values() if group]
    return found
