"""Formulas for a terminal, and as a LaTeX document that compiles as it is."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from nndsl.render.formulas import Formula, Formulas, Section
from nndsl.scalar.notation_text import to_plain

WIDTH = 100
INDENT = "  "
WIDEST_COLUMN = 44
"""A longer formula stands on a line of its own, its spaces and notes below it."""

HEAD = r"""\documentclass{article}
\usepackage{amsmath,amssymb}
\usepackage[margin=2cm]{geometry}
\allowdisplaybreaks
\begin{document}
"""
LETTERS = {"α": r"\alpha", "δ": r"\delta", "⁽ˡ⁾": "^{(l)}", "⁽⁰⁾": "^{(0)}"}
"""Letters of remarks and notes, which are plain text."""


def formulas_text(found: Formulas) -> str:
    """The formulas as plain text, at most `WIDTH` columns wide where formulas allow it."""
    parts = [f"{found.title}", ""]
    for section in found.sections:
        parts += [*_section_text(section), ""]
    return "\n".join(parts)


def columns_of(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(1 for letter in text if not unicodedata.combining(letter))


def _section_text(section: Section) -> Iterable[str]:
    yield section.title + (f": {_lowered(section.remark)}" if section.remark else "")
    texts = [formula.text for formula in section.formulas]
    fitting = [columns_of(text) for text in texts if columns_of(text) <= WIDEST_COLUMN]
    width = max(fitting, default=0)
    for text, formula in zip(texts, section.formulas, strict=True):
        yield from _lines(text, formula, width)


def _lowered(remark: str) -> str:
    return remark[:1].lower() + remark[1:] if remark[:1].isascii() else remark


def _lines(text: str, formula: Formula, width: int) -> Iterable[str]:
    where = to_plain(formula.where) if formula.where else ""
    beside = "   ".join(part for part in (where, formula.note) if part)
    padding = " " * max(width - columns_of(text), 0)
    line = f"{INDENT}{text}{padding}   {beside}".rstrip()
    if columns_of(line) <= WIDTH or not beside:
        yield line
        return
    yield (
        f"{INDENT}{text}{padding}   {where}".rstrip()
        if columns_of(text) <= width
        else (f"{INDENT}{text}")
    )
    if columns_of(text) > width and where:
        yield f"{INDENT}{' ' * width}   {where}"
    if formula.note:
        yield f"{INDENT}{' ' * width}   {formula.note}"


def formulas_document(all_found: Iterable[Formulas]) -> str:
    """A complete LaTeX document with the formulas of some networks."""
    body = "\n".join(formulas_latex(found) for found in all_found)
    return f"{HEAD}{body}\\end{{document}}\n"


def formulas_latex(found: Formulas) -> str:
    """The formulas for a LaTeX document with amsmath and amssymb: a section of aligned lines."""
    parts = [rf"\section*{{{_escaped(found.title)}}}"]
    for section in found.sections:
        remark = f" {_with_symbols(section.remark)}" if section.remark else ""
        parts += [rf"\subsection*{{{_escaped(section.title)}}}{remark}", r"\begin{align*}"]
        parts.append(" \\\\\n".join(map(_aligned, section.formulas)))
        parts.append(r"\end{align*}")
    return "\n".join(parts) + "\n"


def _aligned(formula: Formula) -> str:
    """A line of `align*`: the relation sign, the spaces and the note each at its column."""
    shown = formula.latex
    for sign in (" = ", r" \in ", r" \sim "):
        left, found, right = shown.partition(sign)
        if found:
            shown = f"{left} &{sign.rstrip()} {right}"
            break
    else:
        shown = f"{shown} &"
    beside = [formula.where] if formula.where else []
    beside += [rf"\text{{{_escaped(formula.note)}}}"] if formula.note else []
    joined = r" \quad ".join(beside)
    return f"  {shown} && {joined}" if beside else f"  {shown}"


def _with_symbols(remark: str) -> str:
    """A remark on formulas: its single letters are symbols, and join with what stands beside."""
    marked = re.sub(r"\b(?<!')[A-Zb-z]\b", lambda found: f"\0{found[0]}\0", remark)
    return _escaped(marked).replace("\0", "$").replace("$$", "")


def _escaped(text: str) -> str:
    """Plain text as it may stand in a LaTeX document."""
    for letter in "\\{}":
        text = text.replace(letter, " ")
    for letter in "#$%&_":
        text = text.replace(letter, f"\\{letter}")
    text = text.replace("^", r"\textasciicircum{}").replace("~", r"\textasciitilde{}")
    for letter, latex in LETTERS.items():
        text = text.replace(letter, f"${latex}$")
    return text
