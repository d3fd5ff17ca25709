"""`nndsl train`: from a file and its data to a run folder, or on from a checkpoint."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from nndsl import driver
from nndsl.cli.output import emit, show_diagnostics
from nndsl.cli.progress import choose_observer
from nndsl.cli.results import print_folds, print_trained
from nndsl.cli.verb_check import set_option
from nndsl.diagnostics import ExitCode, error
from nndsl.model import training
from nndsl.model.expectations import failed_after
from nndsl.model.running import resume as resume_run


@click.command(help="Train the nets of FILE, on DATA instead of its own data when given.")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.argument("data", required=False)
@click.option("--out", type=click.Path(path_type=Path), help="The run folder; never overwritten.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), help="Seed of everything random.")
@click.option("--threads", type=click.IntRange(1, 64), help="Threads; results are the same.")
@click.option("--folds", type=click.IntRange(2, 1000), help="Cross-validate with so many folds.")
@click.option("--only", metavar="NET", help="Run the `train` sections of this net alone.")
@click.option("--resume", type=click.Path(path_type=Path), help="Go on with an interrupted run.")
@set_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
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
    settings: tuple[str, ...],
    as_json: bool,
    quiet: bool,
) -> int:
    """Train, then print what came of it and the next command."""
    observer = choose_observer(json=as_json, quiet=quiet)
    if resume is not None:
        if file is not None or out is not None or settings or seed is not None:
            raise error(
                "NN016", "`--resume` takes its settings from the run", help="leave them out"
            )
        return _report([resume_run(resume, threads, observer)], as_json, quiet)
    if file is None:
        raise error("NN016", "which file is to be trained?", help="nndsl train model.nn data.csv")
    options = training.Options(
        out, seed, threads, driver.read_settings(settings), data, only, tuple(sys.argv)
    )
    opened = training.open_for_training(file, options)
    if not quiet:
        show_diagnostics(opened.module.lints, json=as_json)
    if folds is not None:
        result, folder = training.train_in_folds(opened, file.stem, folds, options, observer)
        if as_json:
            emit(training.folds_record(result, folder))
        elif not quiet:
            print_folds(result, folder)
        return result.exit_code
    trained = training.train_file(opened, file.stem, options, observer)
    code = _report(trained, as_json, quiet)
    failed = failed_after(opened, trained) if code == 0 else []
    show_diagnostics(failed, json=as_json)
    return code or int(ExitCode.EXPECTATION if failed else ExitCode.OK)


def _report(trained: list[training.Trained], as_json: bool, quiet: bool) -> int:
    if as_json:
        emit(training.result_record(trained[-1]))
    elif not quiet:
        for each in trained:
            print_trained(each)
    return trained[-1].result.exit_code
