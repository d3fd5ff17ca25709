"""`nndsl bench`: how long a training step takes."""

from __future__ import annotations

import statistics
import time
from dataclasses import replace
from pathlib import Path

import click

from nndsl import compilation, driver
from nndsl.cli.options import data_argument, file_argument, set_option
from nndsl.cli.output import emit
from nndsl.params import TimeLength

ROUNDS = 9


@click.command(short_help="Time training steps.")
@file_argument()
@data_argument
@click.option(
    "--steps", type=click.IntRange(1), default=1000, metavar="N", help="Steps in a round (1000)."
)
@click.option(
    "--threads",
    type=click.IntRange(1, 64),
    default=1,
    metavar="N",
    help="Threads of the kernels (1).",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@set_option
def command(
    file: Path,
    data: str | None,
    steps: int,
    threads: int,
    as_json: bool,
    settings: tuple[str, ...],
) -> None:
    """Time training steps of the last `train` section of FILE: nine rounds after a warm-up."""
    from nndsl.model.training import Options, chosen_recipes, make_job, split_of
    from nndsl.train.feeding import feed_of
    from nndsl.train.initial import initial_parameters
    from nndsl.train.plan import plan
    from nndsl.train.replay import do_steps

    opened = driver.open_file(file, data, driver.read_settings(settings))
    recipe = chosen_recipes(opened)[-1]
    split = split_of(opened, recipe)
    job, _ = make_job(opened, recipe, split, Options(threads=threads))
    feed = feed_of(job)
    job = replace(job, feed=feed)
    job.training.set_parameters(initial_parameters(job.network, recipe.seed))
    for name, array in job.train.items() if feed is None else ():
        job.training.bind(name, array)
    rows = len(split.train) if feed is None else feed.count
    planned = plan(replace(recipe, length=TimeLength((ROUNDS + 1.0) * steps, "step")), rows)
    seconds, first = [], 0
    for _ in range(ROUNDS + 1):
        start = time.perf_counter()
        do_steps(job, planned, first, steps)
        seconds.append((time.perf_counter() - start) / steps)
        first += steps
    timed = seconds[1:]
    figures = {"median": statistics.median(timed), "min": min(timed), "max": max(timed)}
    batch = compilation.batch_of(recipe, rows)
    if as_json:
        emit({"step_seconds": figures, "threads": threads, "batch": batch, "net": recipe.net})
        return
    shown = ", ".join(f"{name} {1e6 * value:.2f}" for name, value in figures.items())
    click.echo(f"{recipe.net}: microseconds a step: {shown} (batch {batch}, {threads} thread(s))")
