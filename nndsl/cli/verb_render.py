"""`nndsl render`: a network as a picture."""

from __future__ import annotations

from pathlib import Path

import click

from nndsl import driver
from nndsl.cli.verb_check import set_option
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


@click.command(help="Draw a net of FILE as SVG, PNG, PDF or Graphviz source.")
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("data", required=False)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="x.svg, x.png, x.pdf, x.dot")
@click.option("--net", help="The net to draw; the last of the file when left out.")
@set_option
def command(
    file: Path, data: str | None, output: Path | None, net: str | None, settings: tuple[str, ...]
) -> None:
    """Lower the file, draw the net, write the picture whole or not at all."""
    from nndsl.render.diagram import diagram_source
    from nndsl.render.layout import FORMATS, draw

    path = output or Path(file.stem + ".svg")
    kind = path.suffix.lower().removeprefix(".")
    if kind not in FORMATS:
        raise error("NN015", f"cannot draw `{path.name}`", help="formats: " + ", ".join(FORMATS))
    opened = driver.open_file(file, data, driver.read_settings(settings), data_needed=False)
    network = chosen_net(opened, net)
    write_file(path, draw(diagram_source(network), kind))
    click.echo(f"{network.name} drawn in {path}", err=True)
