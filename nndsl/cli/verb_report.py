"""`nndsl report`: everything about a run in one file for a browser."""

from __future__ import annotations

from pathlib import Path

import click

from nndsl.cli.options import output_option, run_argument
from nndsl.cli.output import require_writable


@click.command(short_help="Write the report of a run as one HTML file.")
@run_argument
@click.argument("data", required=False)
@output_option("FILE", "The file to write; left out: RUN/report.html.")
def command(run: Path, data: str | None, output: Path | None) -> None:
    """Write what is to be known of the run in folder RUN as one file that a browser shows.

    The rows are those that the run was trained on, if they are still where they were, else those
    of DATA. The file needs no network and may be passed on.

    \b
      nndsl report runs/flowers-1
      nndsl report runs/flowers-1 flowers.csv -o flowers.html
    """  # noqa: D301 (click reads the escape)
    from nndsl.model.report.writing import NAME, write_report

    require_writable(output or run / NAME)
    path = write_report(run, data, output)
    click.echo(f"wrote   {path}")
