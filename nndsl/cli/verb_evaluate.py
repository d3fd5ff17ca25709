"""`nndsl evaluate`: the figures of a trained network on a data file that has the target."""

from __future__ import annotations

from pathlib import Path

import click

from nndsl.cli.options import json_option, run_argument, set_option
from nndsl.cli.output import emit, show_diagnostics
from nndsl.cli.progress import figure
from nndsl.cli.results import limits_records, limits_table
from nndsl.diagnostics import error


@click.command(short_help="Judge a trained network on a data file.")
@run_argument
@click.argument("data")
@set_option
@json_option
def command(run: Path, data: str, settings: tuple[str, ...], as_json: bool) -> None:
    """Judge the network of the folder RUN on DATA, a file that has the target (`-`: stdin)."""
    from nndsl.driver import read_settings
    from nndsl.model import running

    loaded = running.load_run(run, read_settings(settings))
    answers = running.answer(loaded, data)
    show_diagnostics(answers.notes, json=as_json)
    if not answers.metrics:
        names = ", ".join(f"`{target.name}`" for target in loaded.schema.targets)
        raise error(
            "NN424",
            f"`{data}` has no column {names} to compare with",
            help="give a file that has it; `nndsl predict` needs none",
        )
    if as_json:
        told = {"limits": limits_records(answers.limits)} if answers.limits is not None else {}
        emit({"event": "evaluated", "rows": answers.table.rows, "metrics": answers.metrics, **told})
        return
    shown = "  ".join(figure(name, value) for name, value in answers.metrics.items())
    click.echo(f"{answers.table.rows} rows  {shown}")
    if answers.limits is not None:
        click.echo(limits_table(answers.limits))
