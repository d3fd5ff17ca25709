"""`nndsl predict`: answers of a trained network, joined to the rows they were made for."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from pathlib import Path

import click

from nndsl.cli.options import set_option
from nndsl.cli.output import counted, emit, require_writable, show_diagnostics
from nndsl.cli.progress import figure


@click.command(short_help="Predict the rows of a data file.")
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("data")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="CSV",
    help="The file to write (`-`: stdout); left out: DATA's name with -predicted.",
)
@set_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def command(
    run: Path, data: str, output: Path | None, settings: tuple[str, ...], as_json: bool
) -> None:
    """Write the rows of DATA (`-`: stdin) with the answers of the network of the folder RUN.

    The columns of DATA are matched by name and kept; `predicted_...` and `probability_...` follow.
    A row that `answer = refuse(...)` leaves open has an empty `predicted_...`.

    \b
      nndsl predict runs/flowers-1 new.csv --set "answer=refuse(0.2)"
    """  # noqa: D301 (click reads the escape)
    from nndsl.driver import read_settings
    from nndsl.model import running

    path = output or Path(f"{'stdin' if data == '-' else Path(data).stem}-predicted.csv")
    to_output = str(path) == "-"
    if not to_output:
        require_writable(path)
    loaded = running.load_run(run, read_settings(settings))
    answers = running.answer(loaded, data)
    show_diagnostics(answers.notes, json=as_json and not to_output)
    if to_output:
        with tempfile.TemporaryDirectory() as folder:
            whole = Path(folder) / "predicted.csv"
            running.write_answers(answers, whole)
            click.echo(whole.read_bytes(), nl=False)
        return
    running.write_answers(answers, path)
    refused = answers.refused
    if as_json:
        for one in refused:
            emit({"event": "refused", **asdict(one)})
        emit({"event": "predicted", "rows": answers.table.rows, "out": str(path),
              "refused": len(refused), "metrics": answers.metrics})  # fmt: skip
        return
    without = f", {len(refused)} of them refused" if refused else ""
    click.echo(f"wrote   {path}: {counted(answers.table.rows, 'row')} with predictions{without}")
    if answers.metrics:
        click.echo("figures " + "  ".join(figure(n, v) for n, v in answers.metrics.items()))
