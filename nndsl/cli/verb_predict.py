"""`nndsl predict`: answers of a trained network, joined to the rows they were made for."""

from __future__ import annotations

from pathlib import Path

import click

from nndsl.cli.output import emit, show_diagnostics
from nndsl.cli.progress import figure


@click.command(help="Predict the rows of DATA with the network of the folder RUN.")
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("data")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The CSV file to write.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def command(run: Path, data: str, output: Path | None, as_json: bool) -> None:
    """Write the input's columns followed by prediction and probabilities."""
    from nndsl.model import running

    loaded = running.load_run(run)
    answers = running.answer(loaded, data)
    path = output or Path(f"{'stdin' if data == '-' else Path(data).stem}-predicted.csv")
    running.write_answers(answers, path)
    show_diagnostics(answers.notes, json=as_json)
    if as_json:
        emit({"event": "predicted", "rows": answers.table.rows, "out": str(path),
              "metrics": answers.metrics})  # fmt: skip
        return
    click.echo(f"wrote   {path}: {answers.table.rows} rows with predictions")
    if answers.metrics:
        click.echo("figures " + "  ".join(figure(n, v) for n, v in answers.metrics.items()))
