"""`nndsl train`: from a file and its data to a run folder, or on from a checkpoint."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from nndsl import driver
from nndsl.cli.options import data_argument, file_argument, json_option, set_option
from nndsl.cli.output import emit, say, show_diagnostics, show_notes
from nndsl.cli.progress import watching
from nndsl.cli.results import folds_record, print_folds, print_trained, result_record
from nndsl.diagnostics import ExitCode, error
from nndsl.model import training
from nndsl.model.expectations import failed_after
from nndsl.model.sections import resume as resume_run
from nndsl.model.sections import train_file
from nndsl.model.settling import Rests
from nndsl.train.events import Observer


@click.command(short_help="Train the nets of a file.")
@file_argument(required=False)
@data_argument
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="RUN",
    help="The run folder; left out: the next free runs/NAME-N. Never overwritten.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**63 - 1),
    metavar="N",
    help="Seed of all random numbers; the same seed gives the same bits.",
)
@click.option(
    "--threads",
    type=click.IntRange(1, 64),
    metavar="N",
    help="Threads of the kernels; results do not depend on it.",
)
@click.option(
    "--folds",
    type=click.IntRange(2, 1000),
    metavar="K",
    help="Cross-validate with K folds instead; writes folds.csv.",
)
@click.option("--only", metavar="NET", help="Run the `train` sections of this net alone.")
@click.option(
    "--resume",
    type=click.Path(path_type=Path),
    metavar="RUN",
    help="Go on with a run that was stopped, instead of FILE.",
)
@click.option("--report", is_flag=True, help="Write RUN/report.html when it is done.")
@set_option
@json_option
@click.option("--quiet", is_flag=True, help="Print errors only.")
def command(
    file: Path | None,
    data: str | None,
    out: Path | None,
    seed: int | None,
    threads: int | None,
    folds: int | None,
    only: str | None,
    resume: Path | None,
    report: bool,
    settings: tuple[str, ...],
    as_json: bool,
    quiet: bool,
) -> int:
    """Train the nets of FILE on their data, or on DATA instead.

    Ctrl-C saves and stops; a second one stops at once.

    \b
      nndsl train flowers.nn
      nndsl train flowers.nn other.csv --set epochs=50 --seed 1
      nndsl train flowers.nn --folds 5
      nndsl train --resume runs/flowers-1
    """  # noqa: D301 (click reads the escape)
    options = training.Options(
        out, seed, threads, driver.read_settings(settings), data, only, tuple(sys.argv)
    )
    tell = _silent if as_json or quiet else print_trained
    with watching(json=as_json, quiet=quiet) as observer:
        if resume is not None:
            if (file, data, out, seed, folds, only, settings) != (*[None] * 6, ()):
                raise error(
                    "NN016",
                    "`--resume` takes the source, the data and all settings from the run",
                    help=f"nndsl train --resume {resume}",
                )
            opened, trained = resume_run(resume, threads, observer, tell)
            return _ended(opened, trained, as_json, report)
        if file is None:
            raise error("NN016", "which file is to be trained?", help="nndsl train FILE.nn")
        opened = training.open_for_training(file, options)
        stem = "stdin" if str(file) == driver.STANDARD_INPUT else file.stem
        if not quiet:
            show_diagnostics(opened.module.lints, json=as_json)
        folds = folds or training.folds_asked(opened, only)
        if folds is not None and report:
            raise error("NN016", "a cross-validation keeps no network to report on",
                        help="leave `--folds` or `--report` away")  # fmt: skip
        if folds is not None:
            return _in_folds(opened, stem, folds, options, observer, as_json, quiet)
        trained = train_file(opened, stem, options, observer, tell)
        return _ended(opened, trained, as_json, report)


def _in_folds(
    opened: driver.Opened,
    stem: str,
    count: int,
    options: training.Options,
    observer: Observer,
    as_json: bool,
    quiet: bool,
) -> int:
    result, folder = training.train_in_folds(opened, stem, count, options, observer)
    if as_json:
        emit(folds_record(result, folder))
    elif not quiet:
        print_folds(result, folder)
    return result.exit_code


def _silent(trained: training.Trained) -> None:
    """Say nothing of a section."""


def _ended(
    opened: driver.Opened, trained: list[training.Trained], as_json: bool, report: bool
) -> int:
    """Write the reports, judge the expectations; with `--json`, the result has the last word."""
    code = trained[-1].result.exit_code
    if report and code == 0:
        _write_reports(trained, as_json)
    rests = Rests()
    failed = failed_after(opened, trained, rests) if code == 0 else []
    show_notes(rests.told(), json=as_json)
    show_diagnostics(failed, json=as_json)
    if as_json:
        emit(result_record(trained[-1]))
    return code or int(ExitCode.EXPECTATION if failed else ExitCode.OK)


def _write_reports(trained: list[training.Trained], as_json: bool) -> None:
    """The report of each net that was trained."""
    from nndsl.model.report.writing import write_report

    for folder in dict.fromkeys(each.folder for each in trained):
        path = write_report(folder)
        if as_json:
            emit({"event": "report", "file": str(path)})
        else:
            say(f"report  {path}")
