"""Writes docs/words.md and docs/reference/ from the definitions of the words.

    python docs/make_words.py

A test compares the files with what this writes, so a new word comes with its page and its picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import nndsl.vocab  # noqa: F401  (importing it registers the words)
from nndsl.lower.constants import FUNCTIONS
from nndsl.lower.tensors import ELEMENTWISE, REDUCTIONS
from nndsl.render.plots import line_chart
from nndsl.render.word_page import Argument, WordPage, bounded, word_page
from nndsl.render.word_sorts import SORTS, Sort, example, words_of
from nndsl.vocab.arguments import value_text
from nndsl.vocab.registry import Word

DOCS = Path(__file__).parent
PAGE = DOCS / "words.md"
REFERENCE = DOCS / "reference"
PICTURES = REFERENCE / "pictures"
LENGTH = "a length such as"
PICTURE_SIZE = (380, 240)

HEAD = """# Words

Written by `python docs/make_words.py` from the definitions in `nndsl/vocab/`; not by hand. How words are put
together is in [language.md](language.md). A word's own page has its formula, arguments, an example and the source;
`nndsl doc WORD` shows it in a terminal. Arguments stand in the order in which they may be given without their name;
those with `=` or in brackets may be left out, those marked † may be schedules.
"""


def escaped(text: str) -> str:
    """Text as it may stand in a cell of a table."""
    return text.replace("|", "\\|").replace("\n", " ")


def slug(sort: Sort) -> str:
    """The name of a sort's page, and its anchor in the list of all words."""
    return sort.title.lower().replace(" ", "-")


def written(word: Word) -> str:
    """The word with its arguments, as in the list of all words."""
    shown = list(word.first)
    for name, parameter in word.parameters.items():
        mark = "†" if getattr(parameter, "schedule", False) else ""
        if parameter.required:
            shown.append(f"{name}{mark}")
        elif parameter.default is None:
            shown.append(f"[{name}]")
        else:
            shown.append(f"{name}{mark}={value_text(parameter.default)}")
    return f"({', '.join(shown)})" if shown else ""


def row(sort: Sort, word: Word) -> str:
    """A word in the list of all words."""
    link = f"[`{word.name}`](reference/{slug(sort)}.md#{word.name})"
    arguments = f" `{escaped(written(word)).replace('`', '')}`" if written(word) else ""
    return f"| {link}{arguments} | {escaped(word.doc)} |"


def names(found: Iterable[str]) -> str:
    """Words in a sentence."""
    return ", ".join(f"`{name}`" for name in found)


def page() -> str:
    """The list of all words."""
    lines = [HEAD]
    for sort in SORTS:
        rows = [row(sort, word) for word in words_of(sort).values()]
        lines += [f"## {sort.title}", "", sort.use, "", "| word | meaning |", "|---|---|", *rows, ""]
    lines += [
        "## Functions",
        "",
        f"On constants and constant arrays: {names(FUNCTIONS)}, and `least_squares(data)`.",
        f"On tensors, number by number: {names(ELEMENTWISE)}; over everything: {names(REDUCTIONS)}.",
    ]
    return "\n".join(lines) + "\n"


# --- the reference --------------------------------------------------------------------------


def reference(sort: Sort) -> tuple[str, Mapping[str, str]]:
    """The page of a sort, and its pictures by name."""
    first = next(iter(words_of(sort).values()))
    lines = [f"# {sort.title}", "", f"[All words](../words.md) | {sort.use}", "",
             "The line of each example stands in a file such as this one:", "", "```nn",
             example(sort, first).file.rstrip(), "```", ""]  # fmt: skip
    pictures = {}
    for word in words_of(sort).values():
        found = word_page(sort, word)
        name = f"{slug(sort)}-{word.name}.svg"
        if found.plot is not None:
            pictures[name] = picture(found)
        lines += entry(found, name if found.plot is not None else "")
    return "\n".join(lines).rstrip() + "\n", pictures


def picture(found: WordPage) -> str:
    """The plot of a word."""
    assert found.plot is not None
    plot = bounded(found.plot)
    return line_chart(plot.series, x_label=plot.x_label, size=PICTURE_SIZE,
                      alternative=f"plot of {found.word.name}")  # fmt: skip


def entry(found: WordPage, picture_name: str) -> list[str]:
    """The part of the page about one word."""
    word = found.word
    lines = [f"## {word.name}", "", " ".join((word.doc, *found.notes)), ""]
    for formula in found.formulas:
        note = f" \\qquad \\text{{({formula.note})}}" if formula.note else ""
        lines += ["```math", formula.latex + note, "```"]
    lines += [""] if found.formulas else []
    if picture_name:
        lines += [f"![{word.name}](pictures/{picture_name})", ""]
    if found.arguments:
        lines += ["| argument | | left out | meaning |", "|---|---|---|---|"]
        lines += [*map(argument, found.arguments), ""]
    lines += [f"Example: `{found.example.line}`", ""]
    return lines + ([f"Source: {word.see}", ""] if word.see else [])


def argument(found: Argument) -> str:
    """An argument as a row of its table."""
    mark = "†" if found.may_change else ""
    allowed = "a [length](../language.md#lengths)" if found.allowed.startswith(LENGTH) else found.allowed
    default = f"`{found.default}`" if found.default else ""
    return f"| `{found.name}`{mark} | {escaped(allowed)} | {default} | {escaped(found.meaning)} |"


def files() -> dict[Path, str]:
    """Everything that this writes, by its place."""
    found = {PAGE: page()}
    for sort in SORTS:
        text, pictures = reference(sort)
        found[REFERENCE / f"{slug(sort)}.md"] = text
        found |= {PICTURES / name: drawn for name, drawn in pictures.items()}
    return found


def main() -> None:
    """Write the files, and remove those of words that are gone."""
    wanted = files()
    for old in {*REFERENCE.rglob("*.md"), *PICTURES.glob("*.svg")} - set(wanted):
        old.unlink()
    PICTURES.mkdir(parents=True, exist_ok=True)
    for path, text in wanted.items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
