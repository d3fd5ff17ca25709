"""`nndsl export`: a trained network as a file that needs no nndsl."""

from __future__ import annotations

from pathlib import Path

import click

from nndsl.cli.options import output_option, run_argument
from nndsl.cli.output import require_writable
from nndsl.runtime.durable import write_file


@click.command(short_help="Write a network as one NumPy file.")
@run_argument
@click.option(
    "--to",
    "form",
    type=click.Choice(["numpy"]),
    default="numpy",
    show_default=True,
    help="What to write.",
)
@output_option("FILE", "The .py file; left out: the run's name with .py.")
def command(run: Path, form: str, output: Path | None) -> None:
    """Write the network of RUN (a run folder, or a .nn file) as one file of Python and NumPy.

    The file prepares a table as training did and gives the same predictions; it holds the weights
    and needs no other file: `python FILE new.csv`.
    """
    from nndsl.model.exporting import exported

    path = output or Path(f"{run.stem.replace('-', '_')}.py")
    require_writable(path)
    text = exported(run, path.name)
    write_file(path, text.encode("utf-8"))
    click.echo(f"wrote   {path}: {len(text.encode()):,} bytes")
