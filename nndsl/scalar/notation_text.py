"""Formulas as one line of Unicode text: `e⁻ˣ`, `W⁽¹⁾`, `a / (b + c)`, `x if x > 0 else 0`."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from nndsl.scalar.notation import (
    SYMBOLS,
    TIMES,
    Accent,
    Box,
    Cases,
    Fence,
    Fraction,
    Root,
    Row,
    Script,
    Symbol,
    read,
)

_PARTIAL = Symbol(SYMBOLS["partial"], "letter")
_MARKS = {"hat": "\u0302", "tilde": "\u0303", "bar": "\u0304"}


def to_plain(latex: str) -> str:
    """The formula as one line of Unicode text; `NotationError` where it cannot be read."""
    return plain(read(latex))


_ABOVE = dict(zip("0123456789+−=()ijlnrstxyzTLabcdefghkmopuvw′",
                  "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁱʲˡⁿʳˢᵗˣʸᶻᵀᴸᵃᵇᶜᵈᵉᶠᵍʰᵏᵐᵒᵖᵘᵛʷ′", strict=True))  # fmt: skip
_BELOW = dict(zip("0123456789+−=()aehijklmnoprstuvx",
                  "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", strict=True))  # fmt: skip

MOST_RAISED = 3
"""Characters that may be raised or lowered letter by letter; longer words are hard to read so."""


def plain(box: Box) -> str:
    """A box as text."""
    if isinstance(box, Symbol):
        return box.text
    if isinstance(box, Row):
        return "".join(_plain_items(box.items))
    if isinstance(box, Fraction):
        return _plain_fraction(box)
    if isinstance(box, Root):
        inner = plain(box.inner)
        return f"√{inner}" if _is_atom(box.inner) else f"√({inner})"
    if isinstance(box, Script):
        return _plain_script(box)
    if isinstance(box, Fence):
        return box.left + plain(box.inner) + box.right
    if isinstance(box, Accent):
        mark = _MARKS[box.mark]
        return unicodedata.normalize("NFC", plain(box.inner) + mark)
    return _plain_cases(box)


def _plain_items(items: tuple[Box, ...]) -> Iterator[str]:
    """The boxes of a row with the spaces and brackets that a line of text needs."""
    for index, item in enumerate(items):
        if isinstance(item, Symbol) and item.kind in ("operator", "relation"):
            yield _spaced(item, items[index - 1] if index else None)
        elif item == TIMES and (_is_word(items[index - 1 : index]) or _is_word(items[index + 1 :])):
            yield " · "
        elif _needs_brackets(items, index):
            yield f"({plain(item)})"
        else:
            yield plain(item)


def _is_word(boxes: tuple[Box, ...]) -> bool:
    """Whether a factor is a word, so that a mere space would not part it from another.

    `boxes` are what stands before a space, or all that follows it: a function is no factor.
    """
    if not boxes or any(isinstance(box, Fence) for box in boxes[1:2]):
        return False
    base = boxes[0].base if isinstance(boxes[0], Script) else boxes[0]
    return isinstance(base, Symbol) and base.kind == "name" and len(base.text) > 1


def _spaced(sign: Symbol, before: Box | None) -> str:
    if sign.text in ",;":
        return sign.text + " "
    if sign.kind == "relation" or sign.text in "·⊙×∧∨±":
        return f" {sign.text} "
    if sign.text in "+−":
        is_sign = before is None or (
            isinstance(before, Symbol) and before.kind in ("operator", "relation", "text")
        )
        return sign.text if is_sign else f" {sign.text} "
    return sign.text


def _needs_brackets(items: tuple[Box, ...], index: int) -> bool:
    """Whether a fraction or a choice, written in a line, would mix with what is beside it."""
    if not isinstance(items[index], Fraction | Cases):
        return False
    is_part = isinstance(items[index], Cases) and not _is_whole_side(items, index)
    return is_part or _in_product(items, index)


def _in_product(items: tuple[Box, ...], index: int) -> bool:
    """Whether a factor stands beside the box at `index`."""
    around = (*items[max(index - 1, 0) : index], *items[index + 1 : index + 2])
    return any(
        isinstance(other, Symbol) and (other.text == " " or other.text in "·⊙∑") for other in around
    )


def _is_whole_side(items: tuple[Box, ...], index: int) -> bool:
    """Whether the box is all that stands beside a relation."""
    sides = (items[index - 1] if index else None, items[index + 1 : index + 2])
    before = sides[0] is None or (isinstance(sides[0], Symbol) and sides[0].kind == "relation")
    return before and not sides[1]


def _plain_fraction(box: Fraction) -> str:
    above, below = plain(box.above), plain(box.below)
    if _has_sum(box.above):
        above = f"({above})"
    is_slope = box.below.items[:1] == (_PARTIAL,)
    if not _is_atom(box.below) and not is_slope:
        below = f"({below})"
    short = is_slope or max(len(above), len(below)) <= MOST_RAISED
    return f"{above}/{below}" if short else f"{above} / {below}"


def _plain_script(box: Script) -> str:
    base = plain(box.base)
    below = "" if box.below is None else _raised(box.below, _BELOW, "_")
    above = "" if box.above is None else _raised(box.above, _ABOVE, "^")
    return base + below + above


def _raised(row: Row, letters: dict[str, str], sign: str) -> str:
    inner = plain(row)
    close = inner.replace(" − ", "−").replace(" + ", "+").replace(" × ", "x")
    is_short = len(close) <= MOST_RAISED or close.startswith("(") or "×" in inner
    if is_short and all(letter in letters for letter in close):
        return "".join(letters[letter] for letter in close)
    is_letter = len(row.items) == 1 and isinstance(row.items[0], Symbol | Fence)
    return sign + (inner if is_letter else f"({inner})")


def _plain_cases(box: Cases) -> str:
    """`a if c else b`: as conditions are written in the language itself."""
    *some, (last, _) = box.rows
    chosen = [f"{plain(value)} {plain(condition)}" for value, condition in some]
    return " else ".join([*chosen, plain(last)])


def _is_atom(row: Row) -> bool:
    """Whether a row needs no brackets beside an operator."""
    if len(row.items) != 1:
        is_call = len(row.items) == 2 and isinstance(row.items[1], Fence)
        return is_call and isinstance(row.items[0], Symbol | Script)
    only = row.items[0]
    if isinstance(only, Row):
        return _is_atom(only)
    return not isinstance(only, Fraction | Cases)


def _has_sum(row: Row) -> bool:
    return any(
        isinstance(item, Cases)
        or (isinstance(item, Symbol) and (item.kind == "relation" or item.text in "+−"))
        for item in row.items
    )
