"""The manual page of a word, and the list of all words, for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from nndsl.render.formula_text import columns_of
from nndsl.render.terminal_plot import terminal_plot
from nndsl.render.word_page import Argument, WordPage, bounded
from nndsl.render.word_sorts import SORTS, words_of

WIDTH = 92
INDENT = "  "
WIDEST_FORMULA = 66


def page_text(page: WordPage, width: int = WIDTH) -> str:
    """A page as plain text, in lines of at most `width` columns but for plots and examples."""
    blocks = [
        _wrapped(f"{page.usage} - {page.sort.name}", width),
        _wrapped(" ".join((page.word.doc, *page.notes)), width),
        "\n".join(_wrapped(line, width, INDENT, 3 * INDENT) for line in _formula_lines(page)),
        terminal_plot(bounded(page.plot).series, page.plot.x_label) if page.plot else "",
        _titled("arguments", _argument_lines(page.arguments, width)),
        _titled("example", (INDENT + line for line in page.example.file.splitlines())),
        _wrapped(f"source   {page.word.see}", width) if page.word.see else "",
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _wrapped(text: str, width: int, indent: str = "", further: str | None = None) -> str:
    """Lines of a text; one that fits stays as it is."""
    if columns_of(text) + len(indent) <= width:
        return indent + text
    more = indent if further is None else further
    return textwrap.fill(text, width, initial_indent=indent, subsequent_indent=more,
                         break_long_words=False, break_on_hyphens=False)  # fmt: skip


def _titled(title: str, lines: Iterable[str]) -> str:
    found = list(lines)
    return "\n".join([title, *found]) if found else ""


def _formula_lines(page: WordPage) -> Iterable[str]:
    texts = [formula.text for formula in page.formulas]
    fitting = [columns_of(text) for text in texts if columns_of(text) <= WIDEST_FORMULA]
    for text, formula in zip(texts, page.formulas, strict=True):
        padding = " " * max(max(fitting, default=0) - columns_of(text), 0)
        yield f"{text}{padding}   {formula.note}".rstrip()


def _argument_lines(arguments: Sequence[Argument], whole: int) -> Iterable[str]:
    width = max((len(a.name) for a in arguments), default=0)
    for a in arguments:
        default = f", default {a.default}" if a.default else ""
        change = ", or a schedule" if a.may_change else ""
        meaning = f": {a.meaning}" if a.meaning else ""
        told = textwrap.wrap(f"{a.allowed}{default}{change}{meaning}", whole - width - 5)
        yield f"{INDENT}{a.name:<{width}}   {told[0]}"
        yield from (f"{INDENT}{'':<{width}}   {line}" for line in told[1:])


def overview_text(width: int = WIDTH) -> str:
    """All words by sort."""
    blocks = []
    for sort in SORTS:
        names = ", ".join(words_of(sort))
        use = sort.use.partition(".")[0].replace(" marked †", "")
        title = f"{sort.title}: {use[:1].lower()}{use[1:]}"
        blocks.append(f"{_wrapped(title, width)}\n{_wrapped(names, width, INDENT)}")
    return "\n\n".join(blocks) + "\n"
