"""Trainings as a whole: from a file and its data to a run folder.

The command line and the Python API both end here; what runs, is checked, compiled and trained is
the same for both.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import field
from functools import partial
from math import prod
from pathlib import Path

import numpy as np

from nndsl import compilation, driver
from nndsl.data import (
    Split,
    fold_count,
    folds,
    invert_pictures,
    invert_target,
    schema_to_json,
    split_rows,
    target_of,
)
from nndsl.data.series import naive_forecast
from nndsl.diagnostics import error
from nndsl.lower.result import Network, Recipe
from nndsl.model.buckets import CompiledBuckets, in_buckets
from nndsl.model.source_files import data_files, source_files
from nndsl.model.streams import require_unbroken
from nndsl.records import dataclass
from nndsl.schema import Schema, TargetKind
from nndsl.train import folder as folders
from nndsl.train.checkpoint import Checkpoint
from nndsl.train.ensembles import train_job
from nndsl.train.events import Observer
from nndsl.train.folds import FoldsResult, train_folds
from nndsl.train.job import Output, RunResult, TrainingJob
from nndsl.train.record import RunRecord

WORTH_THREADS_FLOPS = 3_000_000
"""Floating-point operations of a step below which a second thread does not pay."""
DISTORTION_FLOPS = 700
"""Floating-point operations that a step does in the time in which one number is distorted."""


@dataclass(frozen=True)
class Options:
    """How to train, beside what the file says. `record` is that of a run which goes on."""

    out: Path | None = None
    seed: int | None = None
    threads: int | None = None  # None: as many as pay
    settings: Mapping[str, str] = field(default_factory=dict)
    data: str | None = None
    only: str | None = None  # train the sections of this net alone
    command: tuple[str, ...] = ()
    record: RunRecord | None = None


@dataclass(frozen=True)
class Trained:
    """One `train` section after it has run. `run` is the folder that `--resume` takes."""

    recipe: Recipe
    network: Network
    schema: Schema
    result: RunResult
    folder: Path
    run: Path


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


def split_of(opened: driver.Opened, recipe: Recipe) -> Split:
    """Which rows train, validate and test."""
    specification = opened.specification_of(recipe)
    schema = opened.module.schemas[specification.name]
    return split_rows(opened.tables[specification.name], schema, specification, recipe.seed)


def train_section(
    opened: driver.Opened,
    recipe: Recipe,
    place: tuple[folders.RunFolder, Path],
    start: dict[str, np.ndarray] | None,
    options: Options,
    observer: Observer,
    checkpoint: Checkpoint | None = None,
) -> Trained:
    """Run one `train` section from `start`, a checkpoint, or drawn weights.

    `place` is the folder that it writes into, and that of the whole run.
    """
    folder, run = place
    split = split_of(opened, recipe)
    job, fitted = make_job(opened, recipe, split, options, folder, start)
    result = train_job(job, observer, checkpoint)
    return Trained(recipe, job.network, fitted, result, folder.path, run)


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
    if recipe.carry:
        require_unbroken(split, recipe)
    threads = options.threads or _threads_worth(network, recipe, len(split.train))
    training: compilation.Compiled | compilation.CompiledRounds | CompiledBuckets
    if recipe.buckets:
        training, evaluation = in_buckets(opened, recipe, rows.train, threads)
    else:
        training, evaluation = compilation.compile_both(recipe, len(split.train), threads)
    job = TrainingJob(
        recipe,
        network,
        training.executable,
        evaluation.executable,
        judged_of(network, rows.schema, recipe),
        rows.train,
        rows.validation,
        rows.test,
        recipe.seed,
        threads,
        levels=rows.levels,
        initial=start,
        graph=None if recipe.turns or recipe.buckets else training.graph,
        folder=folder,
        documents={**source_files(opened), folders.SCHEMA: schema_to_json(rows.schema)},
        record=_record(opened, recipe, options),
        notes=rows.notes,
        score_train=any("train_" in e.span.text for e in recipe.expectations),
    )
    return job, rows.schema


def _record(opened: driver.Opened, recipe: Recipe, options: Options) -> RunRecord:
    section = 1 + [r is recipe for r in opened.module.recipes].index(True)
    before = options.record
    return RunRecord(
        "running",
        recipe.net,
        before.command if before is not None else options.command or tuple(sys.argv),
        before.settings if before is not None else dict(opened.settings),
        data_files(opened),
        section=section,
    )


def _threads_worth(network: Network, recipe: Recipe, rows: int) -> int:
    """Two threads where a step is long enough to share, else one. Results are the same.

    Of two cores one is left to what distorts pictures, where that takes a good part of a step.
    """
    batch = compilation.batch_of(recipe, rows)
    flops = 6 * network.parameter_count * batch
    numbers = sum(prod(s for s in shape if isinstance(s, int)) for shape in network.inputs.values())
    beside = bool(recipe.augment.chain) and 5 * DISTORTION_FLOPS * numbers * batch > flops
    cores = (os.cpu_count() or 1) - beside
    return max(1, min(2, cores)) if flops > WORTH_THREADS_FLOPS else 1


def outputs_of(network: Network, schema: Schema, recipe: Recipe) -> tuple[Output, ...]:
    """Each output of the net that a target judges, with its (first) target."""
    outputs = []
    targets = {target.name: target for target in schema.targets}
    for name in network.graph.outputs:
        if name not in recipe.targets:
            continue  # an objective compares it with no target
        target = targets[recipe.targets[name][0]]
        numbers = target.kind is TargetKind.NUMBERS
        invert = invert_pictures if target.pictures else invert_target
        outputs.append(
            Output(
                name,
                target.name,
                target.kind,
                target.classes,
                partial(invert, target) if numbers else None,
                target.pictures,
                partial(target_of, target) if numbers and not target.shape else None,
                target.sequence,
                naive_forecast(schema, target),
            )
        )
    return tuple(outputs)


def guesses_of(recipe: Recipe) -> tuple[Output, ...]:
    """Each output that is judged by an input of the data, whose ids it tells."""
    return tuple(
        Output(g.output, g.input, TargetKind.CLASSES, sequence=True, places=g.places)
        for g in recipe.guesses
    )


def judged_of(network: Network, schema: Schema, recipe: Recipe) -> tuple[Output, ...]:
    """All outputs that a training has figures of."""
    return (*outputs_of(network, schema, recipe), *guesses_of(recipe))


def new_folder(out: Path | None, stem: str) -> folders.RunFolder:
    """The folder of a new run: the one asked for, else the next free `runs/<stem>-<n>`."""
    if out is not None:
        return folders.create_at(out)
    return folders.create_numbered(Path("runs"), stem)


def folds_asked(opened: driver.Opened, only: str | None) -> int | None:
    """The folds that `split = kfold(10)` asks for in the data of the section to be trained."""
    return fold_count(opened.specification_of(chosen_recipes(opened, only)[-1]))


def train_in_folds(
    opened: driver.Opened, stem: str, count: int, options: Options, observer: Observer
) -> tuple[FoldsResult, Path]:
    """Cross-validation of the file's last `train` section; writes `folds.csv` into a run folder."""
    recipe = chosen_recipes(opened, options.only)[-1]
    specification = opened.specification_of(recipe)
    table = opened.tables[specification.name]
    schema = opened.module.schemas[specification.name]
    splits: Sequence[Split] = folds(table, schema, specification, recipe.seed, count)
    with new_folder(options.out, stem) as folder:

        def job_of(fold: int) -> TrainingJob:
            return make_job(opened, recipe, splits[fold - 1], options)[0]

        return train_folds(job_of, count, observer, folder), folder.path
