"""`nndsl surface`: the loss of a trained network over two of its weights, as a picture."""

from __future__ import annotations

from pathlib import Path

import click

from nndsl.cli.options import run_argument
from nndsl.cli.verb_render import picture_format
from nndsl.diagnostics import error
from nndsl.runtime.durable import write_file


@click.command(short_help="Draw the error surface over two weights.")
@run_argument
@click.argument("first")
@click.argument("second")
@click.argument("data", required=False)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="The .svg file to write; left out: RUN's name.",
)
@click.option("--low", type=float, default=-10.0, show_default=True, help="Least weight.")
@click.option("--high", type=float, default=10.0, show_default=True, help="Greatest weight.")
def command(
    run: Path,
    first: str,
    second: str,
    data: str | None,
    output: Path | None,
    low: float,
    high: float,
) -> None:
    """Draw how the loss of the network of RUN depends on the weights FIRST and SECOND.

    Weights are written as people see them, counted from 1: dense[1].weight[2,1], dense[2].bias[1].
    The rows are those of the run's data, or of DATA. A ring marks the trained weights.
    """
    from nndsl.model.running import load_run
    from nndsl.model.surface import error_surface
    from nndsl.render.heights import heights_svg

    if not low < high:
        raise error(
            "NN018", f"no weights lie between {low:g} and {high:g}", help="--low -5 --high 5"
        )
    path = output or Path(f"{run.name}-surface.svg")
    picture_format(path, ("svg",))
    loaded = load_run(run)
    found = error_surface(loaded, data, (first, second), low, high)
    title = f"{loaded.network.name}: loss over two weights"
    picture = heights_svg(title, found.names, found.values, found.losses, found.trained)
    write_file(path, picture.encode("utf-8"))
    click.echo(f"wrote   {path}: loss {found.losses.min():.3g} to {found.losses.max():.3g}")
