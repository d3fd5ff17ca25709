"""`nndsl bench`: how long a training step takes."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import click

from nndsl import driver
from nndsl.cli.output import emit
from nndsl.cli.verb_check import set_option

ROUNDS = 9


@click.command(help="Time training steps of FILE: medians of nine rounds.")
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("data", required=False)
@click.option("--steps", type=click.IntRange(1), default=1000, help="Steps in a round.")
@click.option("--threads", type=click.IntRange(1, 64), default=1)
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
    """Compile the last `train` section, warm up, then time rounds of steps."""
    from nndsl.data import split_rows
    from nndsl.model.training import Options, chosen_recipes, make_job
    from nndsl.train.initial import initial_parameters

    opened = driver.open_file(file, data, driver.read_settings(settings))
    recipe = chosen_recipes(opened)[-1]
    specification = opened.specification_of(recipe)
    table, schema = opened.tables[specification.name], opened.module.schemas[specification.name]
    split = split_rows(table, schema, specification, recipe.seed)
    job, _ = make_job(opened, recipe, split, Options(threads=threads))
    executable = job.training
    executable.set_parameters(initial_parameters(job.network, recipe.seed))
    for name, array in job.train.items():
        executable.bind(name, array)
    rows = len(split.train)
    seconds, first = [], 0
    for _ in range(ROUNDS + 1):
        start = time.perf_counter()
        executable.run(first, steps, seed=recipe.seed, shuffle=True, rows=rows)
        seconds.append((time.perf_counter() - start) / steps)
        first += steps
    timed = seconds[1:]
    figures = {"median": statistics.median(timed), "min": min(timed), "max": max(timed)}
    batch = driver.batch_of(recipe, rows)
    if as_json:
        emit({"step_seconds": figures, "threads": threads, "batch": batch, "net": recipe.net})
        return
    shown = ", ".join(f"{name} {1e6 * value:.2f}" for name, value in figures.items())
    click.echo(f"{recipe.net}: microseconds a step: {shown} (batch {batch}, {threads} thread(s))")
