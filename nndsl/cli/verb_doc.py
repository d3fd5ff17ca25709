"""`nndsl doc`: the manual page of a word of the language."""

from __future__ import annotations

import sys

import click

from nndsl.cli.output import width_of
from nndsl.diagnostics import NndslError, error


@click.command(short_help="Show what a word does: formula, arguments, example.")
@click.argument("word", required=False)
def command(word: str | None) -> None:
    """Show the page of WORD: formula, derivative, plot, arguments, an example, its source.

    Without WORD, list all words of the language by sort.
    """
    import nndsl.vocab  # noqa: F401  (the definitions register themselves)
    from nndsl.render.word_page import word_page
    from nndsl.render.word_sorts import by_name
    from nndsl.render.word_text import WIDTH, overview_text, page_text

    width = width_of(sys.stdout, WIDTH)
    if word is None:
        click.echo(overview_text(width).rstrip())
        return
    found = by_name(word) or by_name(word.lower())
    if not found:
        raise _unknown(word)
    pages = [page_text(word_page(sort, one), width) for sort, one in found]
    click.echo("\n".join(pages).rstrip())


def _unknown(name: str) -> NndslError:
    from nndsl.lower.train_settings import SETTINGS
    from nndsl.render.word_sorts import near_names
    from nndsl.schema import SOURCE_OPTIONS
    from nndsl.syntax.wording import ITEM_WORDS

    near = " or ".join(f"`{one}`" for one in near_names(name))
    help = f"did you mean {near}?" if near else "`nndsl doc` lists all words"
    if name in SETTINGS:
        help = f"`{name}` is a setting of `train`: docs/language.md, Training"
    elif name in SOURCE_OPTIONS:
        help = f"`{name}` reads data: docs/language.md, Data"
    elif name in ITEM_WORDS:
        help = f"`{name}` begins a part of a file: docs/language.md"
    return error("NN022", f"there is no word `{name}`", help=help)
