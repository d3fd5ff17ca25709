"""Characters, numbers and strings that the language does not have: what was meant, in words."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace

from nndsl.diagnostics import Diagnostic, Fix, Label, Source, Span
from nndsl.records import dataclass
from nndsl.syntax.wording import shortened


@dataclass(frozen=True)
class Misread:
    """A piece of text that is no token: its diagnostic, and what is read in its place.

    `filler` is as long as the piece it replaces. `understood` says that it means what was meant,
    so that no mistake follows from it.
    """

    span: Span
    diagnostic: Diagnostic
    filler: str
    understood: bool = True


_WRITTEN: dict[str, tuple[str, str]] = {
    # found: (what to write, filler of the same length)
    "**": ("^", "^ "),
    "&&": ("and", "or"),
    "||": ("or", "or"),
    "|": ("->", "+"),
    "|>": ("->", "->"),
    "=>": ("->", "->"),
    ">>": ("->", "->"),
    "=<": ("<=", "<="),
    "<>": ("!=", "!="),
    ":=": ("=", "= "),
    "===": ("==", "== "),
    "!==": ("!=", "!= "),
    "!": ("not", " "),
    "→": ("->", "+"),
    "⇒": ("->", "+"),
    "−": ("-", "-"),
    "–": ("-", "-"),
    "—": ("-", "-"),
    "×": ("*", "*"),
    "·": ("*", "*"),
    "÷": ("/", "/"),
    "≤": ("<=", "<"),
    "≥": (">=", ">"),
    "≠": ("!=", "<"),
    "…": ("..", "+"),
    "²": ("^2", " "),
    "³": ("^3", " "),
    "“": ('"', " "),
    "”": ('"', " "),
    "„": ('"', " "),
    "\u00a0": (" ", " "),
    "\ufeff": ("", " "),
}
_WORD_WITH_DIGITS = re.compile(r"([A-Za-z_]\w*?)([0-9]+)\Z", re.ASCII)
_UNITS_WRITTEN = re.compile(r"([0-9.]+)(epochs?|steps?|minutes?|hours?)", re.ASCII)
_TIMES_WRITTEN = re.compile(r"([0-9.]+)([A-Za-z_]\w*)", re.ASCII)


def read_badly(source: Source, kind: str, start: int, text: str) -> Misread:
    """Explain a piece of `source` at `start` that is no token; `kind` is the group it matched."""
    if kind == "number":
        return _bad_number(source, start, text)
    first = text[0]
    if first == '"':
        return _open_string(source, start, text)
    if first == "'":
        return _single_quotes(source, start, text)
    if text.startswith("//"):
        return _slashes(source, start, text)
    if first == "." and len(text) > 1:
        return _bad_number(source, start, text)
    if len(text) == 2 and text[1] == "=" and text not in _WRITTEN:
        return _augmented(source, start, text)
    if text in _WRITTEN:
        return _other_sign(source, start, text)
    if first.isalpha() or first == "_":
        return _foreign_name(source, start, text)
    return _unknown(source, start, text)


def _misread(
    span: Span,
    code: str,
    title: str,
    label: str,
    *,
    help: str = "",
    replacement: str | None = None,
    filler: str | None = None,
    understood: bool = True,
) -> Misread:
    """Put the parts together; without a filler the piece is read as the number 0."""
    diagnostic = Diagnostic(
        code,
        title,
        Label(span, label),
        help=(help,) if help else (),
        fix=Fix(span, replacement) if replacement is not None else None,
    )
    return Misread(span, diagnostic, filler or "0" * (span.end - span.start), understood)


def _bad_number(source: Source, start: int, text: str) -> Misread:
    span = Span(source, start, start + len(text))
    word = _WORD_WITH_DIGITS.search(source.text, max(0, start - 40), start)
    if text[0] == "." and word:
        return _glued(span, word[1], word[2] + text)
    meant, why = _number_meant(source.text[max(0, start - 1) : start], text)
    return _misread(
        span,
        "NN105",
        f"`{shortened(text)}` is not a number",
        why,
        help=f"write `{meant}`" if meant else "",
        replacement=meant,
    )


def _glued(span: Span, word: str, number: str) -> Misread:
    """`dense0.5`: a name and a number without the bracket between them."""
    whole = replace(span, start=span.start - len(word) - len(number) + (span.end - span.start))
    return _misread(
        whole,
        "NN105",
        f"`{shortened(word + number)}` is neither a name nor a number",
        "a bracket is missing between them",
        help=f"write `{shortened(word)}({number})`",
        filler="x" * (whole.end - whole.start),
        understood=False,
    )


def _number_meant(before: str, text: str) -> tuple[str | None, str]:
    """What to write instead of a bad number, as far as can be guessed, and what is wrong."""
    if not text.isascii():
        plain = "".join(str(unicodedata.digit(c, c)) for c in text)
        return (plain if plain.isascii() else None), "digits are 0 to 9"
    if text[0] == ".":
        if before[-1:].isalnum() or before[-1:] in (")", "]", "_"):
            return f"[{text[1:]}]", "counting stands in square brackets, from 1"
        return f"0{text}", "a number begins with a digit"
    if "_" in text and text.replace("_", "").isdecimal():
        return text.replace("_", ""), "digits stand together, without `_`"
    if unit := _UNITS_WRITTEN.fullmatch(text):
        return f"{unit[1]} {unit[2]}", "a space stands before the unit"
    if "x" in text:
        return None, "sizes are whole numbers or single capitals: `3x32x32`, `3xHxW`, `[3, n]`"
    if text.count(".") > 1:
        return None, "a number has one point"
    if product := _TIMES_WRITTEN.fullmatch(text):
        if product[2] in ("e", "E"):
            return f"{text}0", "the power of ten is missing"
        return f"{product[1]} * {product[2]}", "names begin with a letter, products need `*`"
    return None, "numbers look like `3`, `0.5`, `1e-3` or `10%`"


def _open_string(source: Source, start: int, text: str) -> Misread:
    """A quote without its partner: the string is taken to end at the first `,`, `)` or the like."""
    length = re.match(r'"[^,()\[\]{};#=]*', text)
    end = start + len((length[0] if length else text).rstrip())
    span = Span(source, start, max(end, start + 1))
    return _misread(
        span,
        "NN107",
        'this text has no closing `"`',
        "a text begins here and does not end on this line",
        help=f'write `{shortened(span.text)}"`',
        replacement=f'{span.text}"',
    )


def _single_quotes(source: Source, start: int, text: str) -> Misread:
    closed = len(text) > 1 and text.endswith("'")
    span = Span(source, start, start + len(text) if closed else start + 1)
    return _misread(
        span,
        "NN106",
        "single quotes are not part of the language",
        "texts stand in double quotes",
        help=f'write `"{shortened(text.strip(chr(39)))}"`' if closed else "",
        replacement=f'"{text[1:-1]}"' if closed else None,
        understood=closed,
        filler='"' + "x" * (len(text) - 2) + '"' if closed else " ",
    )


def _slashes(source: Source, start: int, text: str) -> Misread:
    return _misread(
        Span(source, start, start + 2),
        "NN106",
        "`//` is not part of the language",
        "comments begin with `#`",
        help="write `#`",
        replacement="#",
        filler=" " * len(text),
    )


def _augmented(source: Source, start: int, text: str) -> Misread:
    return _misread(
        Span(source, start, start + 2),
        "NN106",
        f"`{text}` is not part of the language",
        "nothing is ever changed once it has a value",
        help=f"give the result a name of its own: `new = old {text[0]} ...`",
        filler="= ",
    )


def _other_sign(source: Source, start: int, text: str) -> Misread:
    written, filler = _WRITTEN[text]
    shown = f"`{text}`" if text.isprintable() and not text.isspace() else _described(text)
    instead = f"write `{written}`" if written.strip() else "write a plain space"
    return _misread(
        Span(source, start, start + len(text)),
        "NN106",
        f"{shown} is not part of the language",
        instead,
        replacement=written,
        filler=filler,
        understood=text not in ("“", "”", "„", "²", "³"),
    )


def _foreign_name(source: Source, start: int, text: str) -> Misread:
    return _misread(
        Span(source, start, start + len(text)),
        "NN106",
        f"the name `{shortened(text)}` has letters outside a-z, A-Z, 0-9 and _",
        "names are written without accents and other alphabets",
        help=f'a column of that name stands in quotes: `"{shortened(text)}"`',
        filler="x" * len(text),
    )


def _unknown(source: Source, start: int, text: str) -> Misread:
    words = {
        "%": ("`%` stands only right after a number, as in `10%`", ""),
        "\\": ("a line goes on by itself inside brackets and after an operator", ""),
        "?": ("there is no `a ? b : c`", "write `b if a else c`"),
        "&": ("there is no such operator", "write `and`"),
        ".": ("a name is missing after this, or a digit before it", "write `x.shape`, `0.5`"),
    }
    label, help = words.get(text, ("no part of the language begins so", ""))
    shown = f"`{text}`" if text.isprintable() and not text.isspace() else _described(text)
    return _misread(
        Span(source, start, start + len(text)),
        "NN106",
        f"{shown} is not part of the language",
        label,
        help=help,
        filler=" ",
        understood=False,
    )


def _described(character: str) -> str:
    """An invisible character by its number and name."""
    name = unicodedata.name(character, "a control character").lower()
    return f"the invisible character U+{ord(character):04X} ({name})"
