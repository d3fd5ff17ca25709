"""`nndsl render`: a network as a picture."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nndsl import driver
from nndsl.cli.options import (
    Command,
    data_argument,
    file_argument,
    net_option,
    output_option,
    set_option,
)
from nndsl.cli.output import require_writable, say
from nndsl.diagnostics import error, nearest
from nndsl.lower.result import Network
from nndsl.runtime.durable import write_file

if TYPE_CHECKING:
    from nndsl.ir.graph import Graph
    from nndsl.render.diagram_picture import Picture


def chosen_net(opened: driver.Opened, name: str | None) -> Network:
    """The net asked for, else the last of the file; NN014 when there is none."""
    networks = opened.module.networks
    if not networks:
        raise error("NN014", "the file has no net")
    if name is None:
        return networks[next(reversed(networks))]
    if name not in networks:
        near = nearest(name, networks)
        hint = f"did you mean `{near[0]}`?" if near else "nets: " + ", ".join(networks)
        raise error("NN014", f"the file has no net `{name}`", help=hint)
    return networks[name]


def open_option(function: Command) -> Command:
    """`--open NAME`, several times."""
    return click.option(
        "--open",
        "opened",
        multiple=True,
        metavar="NAME",
        help="Unfold a block, or the part at a path; `all` unfolds everything.",
    )(function)


def picture_format(path: Path, formats: Sequence[str] = ()) -> str:
    """The form of a picture by its name's ending; NN015 for none of them, NN005 for a folder."""
    from nndsl.render.layout import FORMATS

    known = formats or FORMATS
    kind = path.suffix.lower().removeprefix(".")
    if kind not in known:
        many = "formats" if len(known) > 1 else "the format"
        raise error("NN015", f"cannot draw `{path.name}`", help=f"{many}: {', '.join(known)}")
    require_writable(path)
    return kind


@click.command(short_help="Draw a net as SVG, PNG, PDF or DOT, or in the terminal.")
@file_argument()
@data_argument
@output_option("PICTURE", "x.svg, x.png, x.pdf or x.dot; left out: FILE's name with .svg.")
@click.option("--terminal", is_flag=True, help="Draw with letters, here.")
@open_option
@click.option(
    "--unroll",
    type=click.IntRange(1, 8),
    metavar="STEPS",
    help="Draw so many steps of recurrences in place of the arrow that leads back.",
)
@click.option("--fused", is_flag=True, help="Show which kernel computes which stages.")
@click.option(
    "--ir",
    "after",
    is_flag=False,
    flag_value="",
    metavar="[PASS]",
    help="Draw the graph, or that of the training step after a pass.",
)
@net_option
@set_option
def command(
    file: Path,
    data: str | None,
    output: Path | None,
    terminal: bool,
    opened: tuple[str, ...],
    unroll: int | None,
    fused: bool,
    after: str | None,
    net: str | None,
    settings: tuple[str, ...],
) -> None:
    """Draw a net of FILE: a box for each stage, shapes on the arrows. Nothing else is needed.

    Blocks that repeat or are large are one box; what repeats is drawn once, with how often.
    """
    from nndsl.render.diagram import picture_bytes

    stem = "stdin" if str(file) == driver.STANDARD_INPUT else file.stem
    path = output or Path(stem + ".svg")
    kind = picture_format(path) if not terminal or output is not None else ""
    read = driver.open_file(file, data, driver.read_settings(settings), data_needed=False)
    network = chosen_net(read, net)
    picture = _picture(read, network, opened, fused, after)
    if unroll is not None:
        from nndsl.render.diagram_unroll import unrolled

        picture = unrolled(picture, unroll)
    if terminal:
        from nndsl.render.diagram_terminal import can_show, terminal_text

        say(terminal_text(picture, ascii_only=not can_show(sys.stdout.encoding)).rstrip())
    if kind:
        write_file(path, picture_bytes(picture, kind))
        say(f"wrote   {path}: {network.name}")


def _picture(
    read: driver.Opened,
    network: Network,
    opened: tuple[str, ...],
    fused: bool,
    after: str | None,
) -> Picture:
    """What is to be drawn: the net folded, its kernels, or the compiler's graph."""
    from nndsl.render.diagram_compiler import graph_picture, kernels_picture
    from nndsl.render.diagram_fold import picture_of

    if after is not None:
        return graph_picture(*_graph(read, network, after))
    return kernels_picture(network) if fused else picture_of(network, opened)


def _graph(read: driver.Opened, network: Network, after: str) -> tuple[Graph, str]:
    """The graph of the net, or of its training step after a pass, with a title."""
    if not after:
        return network.graph, network.name
    from nndsl.cli import stages  # as the compiler, only where its graphs are drawn

    recipe = stages.require_recipe(stages.last_recipe(read, network), network)
    return stages.graph_after(recipe, after), f"{network.name}: a training step after {after}"
