"""`nndsl predict`: answers of a trained network, joined to the rows they were made for."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from pathlib import Path

import click

from nndsl.cli.options import json_option, output_option, run_argument, set_option
from nndsl.cli.output import emit, require_writable, show_diagnostics
from nndsl.cli.progress import figure
from nndsl.diagnostics import counted, error

_OTHER_PICTURES = frozenset((".jpg", ".jpeg", ".svg", ".pdf", ".gif", ".bmp", ".webp", ".tiff"))
"""Endings of pictures that samples are not written as; others are names of tables."""


@click.command(short_help="Predict the rows of a data file.")
@run_argument
@click.argument("data", required=False)
@output_option("FILE", "The CSV to write (`-`: stdout); left out: DATA's name with -predicted.")
@click.option("--net", metavar="NAME", help="Another net of the run, such as its generator.")
@click.option(
    "--count",
    type=int,
    metavar="N",
    help="N answers to random numbers in place of DATA; with `-o x.png` a sheet of pictures.",
)
@set_option
@json_option
def command(
    run: Path,
    data: str | None,
    output: Path | None,
    net: str | None,
    count: int | None,
    settings: tuple[str, ...],
    as_json: bool,
) -> None:
    """Write the rows of DATA (`-`: stdin) with the answers of the network of the folder RUN.

    The columns of DATA are matched by name and kept; `predicted_...` and `probability_...` follow.
    A row that `answer = refuse(...)` leaves open has an empty `predicted_...`.

    \b
      nndsl predict runs/flowers-1 new.csv --set "answer=refuse(0.2)"
      nndsl predict runs/gan-1 --net Generator --count 64 -o made.png
    """  # noqa: D301 (click reads the escape)
    from nndsl.driver import read_settings
    from nndsl.model import running
    from nndsl.model.inner_nets import inner_net

    if count is not None:
        _samples(run, net, count, output, as_json=as_json)
        return
    if data is None:
        raise click.UsageError("Missing argument 'DATA'.")
    path = output or Path(f"{'stdin' if data == '-' else Path(data).stem}-predicted.csv")
    to_output = str(path) == "-"
    if not to_output:
        require_writable(path)
    loaded = running.load_run(run, read_settings(settings))
    loaded = inner_net(loaded, net or running.only_net(loaded))
    answers = running.answer(loaded, data)
    show_diagnostics(answers.notes, json=as_json and not to_output)
    if to_output:
        if any(prediction.target.pictures for prediction in answers.predictions):
            raise error("NN428", "predicted pictures are files, not text for standard output",
                        help="-o predicted.csv")  # fmt: skip
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


def _samples(run: Path, net: str | None, count: int, output: Path | None, *, as_json: bool) -> None:
    """Answers of a net to random numbers, as a table or as a sheet of pictures."""
    from nndsl.model import running
    from nndsl.model.inner_nets import inner_net, write_samples

    if count < 1:
        raise click.UsageError("--count takes a number of at least 1.")
    path = output or Path(f"{run.name}-samples.csv")
    if path.suffix.lower() in _OTHER_PICTURES:
        raise error("NN015", f"cannot draw `{path.name}`",
                    help="-o made.png for pictures, -o made.csv for a table")  # fmt: skip
    require_writable(path)
    loaded = running.load_run(run)
    write_samples(inner_net(loaded, net or running.only_net(loaded)), count, path)
    if as_json:
        emit({"event": "sampled", "count": count, "out": str(path)})
        return
    click.echo(f"wrote   {path}: {counted(count, 'answer')} to random numbers")
