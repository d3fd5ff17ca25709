"""`nndsl diff`: what changed between two networks, as text and as a picture."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nndsl import driver
from nndsl.cli.options import output_option
from nndsl.cli.output import say, table, wants_color
from nndsl.cli.verb_render import chosen_net, open_option, picture_format
from nndsl.diagnostics import counted
from nndsl.runtime.durable import write_file

if TYPE_CHECKING:
    from nndsl.render.diagram_diff import Difference

COLORS = {"+": "green", "-": "red", "~": "yellow", " ": "yellow"}


@click.command(short_help="Show what changed between two nets.")
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@output_option("PICTURE", "Draw both in one picture: x.svg, x.png, x.pdf or x.dot.")
@open_option
@click.option(
    "--net", metavar="NAME", help="The net meant in both files; left out: the last of each."
)
def command(
    before: Path, after: Path, output: Path | None, opened: tuple[str, ...], net: str | None
) -> None:
    """Compare a net of BEFORE with one of AFTER: stages, shapes, parameters, work.

    `+` was added, `-` removed, `~` changed (as it was, then as it is).
    """
    from nndsl.render.diagram import picture_bytes
    from nndsl.render.diagram_diff import difference, difference_picture
    from nndsl.render.diagram_fold import picture_of

    kind = picture_format(output) if output is not None else ""
    pictures = [
        picture_of(chosen_net(driver.open_file(path, data_needed=False), net), opened)
        for path in (before, after)
    ]
    found = difference(*pictures)
    for sign, path, picture in zip("-+", (before, after), pictures, strict=True):
        say(f"{sign * 3} {path}  {picture.title}  {' · '.join(picture.notes)}")
    _tell(found)
    if output is not None:
        write_file(output, picture_bytes(difference_picture(found), kind))
        say(f"wrote   {output}")


def _tell(found: Difference) -> None:
    from nndsl.render.diagram_diff import difference_rows
    from nndsl.render.diagram_theme import printable

    rows = difference_rows(found)
    same = sum(pair.status == "same" for pair in found.pairs)
    if not rows:
        say("the networks are the same" if found.is_empty else "the outputs have other names")
        return
    say("")
    color = wants_color(sys.stdout)
    for line in table([[printable(cell) for cell in row] for row in rows]).splitlines():
        say(click.style(line, fg=COLORS[line[0]]) if color else line)
    say("")
    say(f"the same: {counted(same, 'stage')}")
