"""`nndsl explain`: the page of an error, or the formulas of a network."""

from __future__ import annotations

import re
import sys
import textwrap
from pathlib import Path

import click

from nndsl.catalogue import codes, page
from nndsl.cli.options import net_option, set_option
from nndsl.cli.output import width_of
from nndsl.diagnostics import error, nearest

PAGE = 100
"""Columns of a page where no terminal says less."""
_CODE = re.compile(r"[A-Za-z]{1,3}[0-9]{1,4}")


@click.command(short_help="Explain an error code such as NN203, or a network in formulas.")
@click.argument("what", metavar="CODE|FILE")
@click.argument("data", required=False)
@click.option("--latex", is_flag=True, help="A complete LaTeX document instead of plain text.")
@net_option
@set_option
def command(
    what: str, data: str | None, latex: bool, net: str | None, settings: tuple[str, ...]
) -> None:
    """Print the page of the error CODE, or the formulas of the nets of FILE.

    The formulas are those of this network, with its sizes and numbers: the forward pass, each
    activation with its derivative, the loss, back-propagation, the update, the start of the
    weights.
    """
    if _CODE.fullmatch(what) and not Path(what).is_file():
        click.echo(_wrapped(_page(what).rstrip(), width_of(sys.stdout, PAGE)))
        return
    if what.isidentifier() and not Path(what).exists():
        raise error(
            "NN020",
            f"there is no file {what}",
            help=f"of a word of the language: `nndsl doc {what}`",
        )
    click.echo(_formulas(Path(what), data, net, settings, latex=latex).rstrip())


def _page(code: str) -> str:
    wanted = code.upper()
    known = codes()
    if wanted not in known:
        near = nearest(wanted, known)
        raise error(
            "NN001",
            f"there is no error code `{code}`",
            help=f"did you mean `{near[0]}`?" if near else "codes look like NN203",
        )
    return page(wanted)


def _wrapped(page: str, width: int) -> str:
    """The page with its paragraphs in lines; what stands in fences stays as it is."""
    lines, fenced = [], False
    for line in page.splitlines():
        fenced ^= line.startswith("```")
        fits = fenced or len(line) <= width
        lines.append(line if fits else textwrap.fill(line, width, break_long_words=False))
    return "\n".join(lines)


def _formulas(
    file: Path, data: str | None, net: str | None, settings: tuple[str, ...], *, latex: bool
) -> str:
    from nndsl import driver  # the page of an error does not wait for these
    from nndsl.cli.verb_render import chosen_net
    from nndsl.render.formula_text import formulas_document, formulas_text
    from nndsl.render.formulas import formulas

    opened = driver.open_file(file, data, driver.read_settings(settings), data_needed=False)
    networks = list(opened.module.networks.values()) if net is None else []
    if not networks:
        networks = [chosen_net(opened, net)]
    recipes = {recipe.net: recipe for recipe in reversed(opened.module.recipes)}
    found = [formulas(network, recipes.get(network.name)) for network in networks]
    return formulas_document(found) if latex else "\n".join(map(formulas_text, found))
