"""`nndsl render`: a network as a picture."""

from __future__ import annotations

from pathlib import Path

import click

from nndsl import driver
from nndsl.cli.options import data_argument, file_argument, net_option, set_option
from nndsl.cli.output import require_writable
from nndsl.diagnostics import error, nearest
from nndsl.lower.result import Network
from nndsl.runtime.durable import write_file


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


@click.command(short_help="Draw a net as SVG, PNG, PDF or DOT.")
@file_argument()
@data_argument
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="PICTURE",
    help="x.svg, x.png, x.pdf or x.dot; left out: FILE's name with .svg.",
)
@click.option(
    "--open",
    "opened",
    multiple=True,
    metavar="NAME",
    help="Unfold a block, or the part at a path; `all` unfolds everything.",
)
@net_option
@set_option
def command(
    file: Path,
    data: str | None,
    output: Path | None,
    opened: tuple[str, ...],
    net: str | None,
    settings: tuple[str, ...],
) -> None:
    """Draw a net of FILE: a box for each stage, shapes on the arrows. Nothing else is needed.

    Blocks that repeat or are large are one box; what repeats is drawn once, with how often.
    """
    from nndsl.render.diagram import diagram_source
    from nndsl.render.layout import FORMATS, draw

    stem = "stdin" if str(file) == driver.STANDARD_INPUT else file.stem
    path = output or Path(stem + ".svg")
    kind = path.suffix.lower().removeprefix(".")
    if kind not in FORMATS:
        raise error("NN015", f"cannot draw `{path.name}`", help="formats: " + ", ".join(FORMATS))
    require_writable(path)
    read = driver.open_file(file, data, driver.read_settings(settings), data_needed=False)
    network = chosen_net(read, net)
    write_file(path, draw(diagram_source(network, opened), kind))
    click.echo(f"wrote   {path}: {network.name}")
