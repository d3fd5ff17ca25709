"""Trainings and trained networks as a whole: from a file and its data to a run folder, and back.

The command line and the Python API both end here; what runs, is checked, compiled and trained is
the same for both.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from nndsl import driver
from nndsl.data import Split, folds, invert_target, schema_to_json, split_rows
from nndsl.diagnostics import error
from nndsl.lower.result import Network, Recipe
from nndsl.schema import Schema, TargetKind
from nndsl.syntax.resolved import resolved_text
from nndsl.train import folder as folders
from nndsl.train.events import Observer
from nndsl.train.folds import FoldsResult, train_folds
from nndsl.train.job import Output, RunResult, TrainingJob
from nndsl.train.record import RunRecord
from nndsl.train.session import train

WORTH_THREADS_FLOPS = 3_000_000
"""Floating-point operations of a step below which a second thread does not pay."""


@dataclass(frozen=True)
class Options:
    """How to train, beside what the file says."""

    out: Path | None = None
    seed: int | None = None
    threads: int | None = None  # None: as many as pay
    settings: Mapping[str, str] = field(default_factory=dict)
    data: str | None = None
    only: str | None = None  # train the sections of this net alone
    command: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trained:
    """One `train` section after it has run."""

    recipe: Recipe
    network: Network
    schema: Schema
    result: RunResult
    folder: Path


def open_for_training(path: Path, options: Options) -> driver.Opened:
    """Read and lower a file for training; a seed on the command line is a setting like others."""
    settings = dict(options.settings)
    if options.seed is not None:
        settings["seed"] = str(options.seed)
    return driver.open_file(path, options.data, settings)


def chosen_recipes(opened: driver.Opened, only: str | None = None) -> list[Recipe]:
    """The `train` sections to run, in the order of the file; NN013 when there is none."""
    recipes = [r for r in opened.module.recipes if only is None or r.net == only]
    if not recipes:
        nets = ", ".join(dict.fromkeys(r.net for r in opened.module.recipes))
        what = f"no `train {only}` section" if only else "no `train` section"
        hint = f"it trains {nets}" if nets else f"add `train {_last_net(opened)} {{ }}` to the file"
        raise error("NN013", f"the file has {what}", help=hint)
    return recipes


def _last_net(opened: driver.Opened) -> str:
    return next(reversed(opened.module.networks), "Net")


def train_file(
    opened: driver.Opened, stem: str, options: Options, observer: Observer
) -> list[Trained]:
    """Run the `train` sections of a file in order, each in its run folder.

    A file that trains one net has one run folder; one that trains several has a folder for each
    net inside. Sections of the same net go on from where the last one stopped.
    """
    recipes = chosen_recipes(opened, options.only)
    several = len({recipe.net for recipe in recipes}) > 1
    base = _new_folder(options.out, stem)
    weights: dict[str, dict[str, np.ndarray]] = {}
    done: list[Trained] = []
    open_folders: dict[str, folders.RunFolder] = {}
    try:
        for recipe in recipes:
            if recipe.net not in open_folders:
                path = base.path / recipe.net
                open_folders[recipe.net] = folders.create_at(path) if several else base
            folder = open_folders[recipe.net]
            trained = _train_section(
                opened, recipe, folder, weights.get(recipe.net), options, observer
            )
            weights[recipe.net] = {**trained.result.parameters, **trained.result.states}
            done.append(trained)
            if trained.result.exit_code:
                break
    finally:
        for folder in {*open_folders.values(), base}:
            folder.close()
    return done


def _new_folder(out: Path | None, stem: str) -> folders.RunFolder:
    return (
        folders.create_at(out) if out is not None else folders.create_numbered(Path("runs"), stem)
    )


def _train_section(
    opened: driver.Opened,
    recipe: Recipe,
    folder: folders.RunFolder | None,
    start: dict[str, np.ndarray] | None,
    options: Options,
    observer: Observer,
) -> Trained:
    specification = opened.specification_of(recipe)
    table = opened.tables[specification.name]
    schema = opened.module.schemas[specification.name]
    split = split_rows(table, schema, specification, recipe.seed)
    job, fitted = make_job(opened, recipe, split, options, folder, start)
    result = train(job, observer)
    where = folder.path if folder is not None else Path()
    return Trained(recipe, job.network, fitted, result, where)


def make_job(
    opened: driver.Opened,
    recipe: Recipe,
    split: Split,
    options: Options,
    folder: folders.RunFolder | None = None,
    start: dict[str, np.ndarray] | None = None,
) -> tuple[TrainingJob, Schema]:
    """Everything that `nndsl.train` needs for one section on one split of the rows."""
    network = opened.module.networks[recipe.net]
    rows = driver.rows_of(opened, recipe, split)
    threads = options.threads or _threads_worth(network, recipe, len(split.train))
    training = driver.compile_training(recipe, len(split.train), threads)
    evaluation = driver.compile_evaluation(recipe, threads)
    specification = opened.specification_of(recipe)
    table = opened.tables[specification.name]
    record = RunRecord(
        "running",
        network.name,
        command=options.command or tuple(sys.argv),
        settings=dict(opened.settings),
        data={specification.name: str(table.origin.path or table.origin.name)},
    )
    job = TrainingJob(
        recipe,
        network,
        training.executable,
        evaluation.executable,
        outputs_of(network, rows.schema),
        rows.train,
        rows.validation,
        rows.test,
        recipe.seed,
        threads,
        initial=start,
        graph=training.graph,
        folder=folder,
        documents={
            folders.MODEL: resolved_text(opened.file, opened.settings),
            folders.SCHEMA: schema_to_json(rows.schema),
        },
        record=record,
    )
    return job, rows.schema


def _threads_worth(network: Network, recipe: Recipe, rows: int) -> int:
    """Two threads where a step is long enough to share, else one. Results are the same."""
    flops = 6 * network.parameter_count * driver.batch_of(recipe, rows)
    return min(2, os.cpu_count() or 1) if flops > WORTH_THREADS_FLOPS else 1


def outputs_of(network: Network, schema: Schema) -> tuple[Output, ...]:
    """Each output of the net with the target it is judged by; outputs beyond repeat the first."""
    outputs = []
    for position, name in enumerate(network.graph.outputs):
        target = schema.targets[position if position < len(schema.targets) else 0]
        numbers = target.kind is TargetKind.NUMBERS
        outputs.append(
            Output(
                name,
                target.name,
                target.kind,
                target.classes,
                partial(invert_target, target) if numbers else None,
            )
        )
    return tuple(outputs)


def train_in_folds(
    opened: driver.Opened, stem: str, count: int, options: Options, observer: Observer
) -> tuple[FoldsResult, Path]:
    """Cross-validation of the file's last `train` section; writes `folds.csv` into a run folder."""
    recipe = chosen_recipes(opened, options.only)[-1]
    specification = opened.specification_of(recipe)
    table = opened.tables[specification.name]
    schema = opened.module.schemas[specification.name]
    splits: Sequence[Split] = folds(table, schema, specification, recipe.seed, count)
    with _new_folder(options.out, stem) as folder:

        def job_of(fold: int) -> TrainingJob:
            return make_job(opened, recipe, splits[fold - 1], options)[0]

        return train_folds(job_of, count, observer, folder), folder.path


def result_record(trained: Trained) -> dict[str, object]:
    """The last line of `--json`: metric, its test value, and nothing of folds."""
    verdict = trained.result.verdict
    return {
        "event": "result",
        "metric": verdict.metric if verdict is not None else None,
        "test": verdict.value if verdict is not None else None,
        "mean": None,
        "std": None,
        "folds": None,
        "out": str(trained.folder),
    }


def folds_record(result: FoldsResult, folder: Path) -> dict[str, object]:
    """The last line of `--json` with `--folds`."""
    return {
        "event": "result",
        "metric": result.metric,
        "test": None,
        "mean": result.mean,
        "std": result.deviation,
        "folds": list(result.values),
        "out": str(folder),
    }
