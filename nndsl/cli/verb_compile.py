"""`nndsl compile`: build and cache the kernels, and say what the compiler did."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nndsl import compilation, driver
from nndsl.cli import stages
from nndsl.cli.options import data_argument, file_argument, output_option, set_option
from nndsl.cli.output import require_writable
from nndsl.ir.text import print_graph
from nndsl.lower.result import Recipe
from nndsl.runtime.durable import write_file

if TYPE_CHECKING:
    from nndsl.codegen.footprint import Footprint


@click.command(short_help="Compile the nets of a file; explain how.")
@file_argument()
@data_argument
@click.option("--explain", is_flag=True, help="Print passes, memory plan and kernels.")
@output_option("DIR", "Write the graph, the plan and each kernel as text into this folder.")
@set_option
def command(
    file: Path,
    data: str | None,
    explain: bool,
    output: Path | None,
    settings: tuple[str, ...],
) -> None:
    """Compile the nets that FILE trains; the kernels are kept for later runs."""
    from nndsl.model.training import chosen_recipes, split_of

    if output is not None:
        require_writable(output, folder=True)
    opened = driver.open_file(file, data, driver.read_settings(settings))
    for recipe in chosen_recipes(opened):
        start = time.perf_counter()
        training, evaluation = compilation.compile_both(recipe, len(split_of(opened, recipe).train))
        seconds = time.perf_counter() - start
        new = training.executable.compiled + evaluation.executable.compiled
        kernels = len(training.program.kernels) + len(evaluation.program.kernels)
        click.echo(
            f"{recipe.net}: {kernels} kernels, {new} of them new, in {seconds:.2f} s; "
            f"{len(training.program.calls)} calls and {stages.flops_text(training.program.calls)}"
        )
        found = stages.footprint(opened, recipe)
        click.echo(f"training takes {stages.footprint_line(found)}")
        if explain:
            _explain(recipe, training, found)
        if output is not None:
            _write(recipe, training, output)


def _explain(
    recipe: Recipe, compiled: compilation.Compiled | compilation.CompiledRounds, found: Footprint
) -> None:
    click.echo("\n" + stages.passes_text(recipe))
    click.echo("\n" + stages.memory_text(found))
    click.echo("\n" + stages.kernels_text(compiled.program, full=False) + "\n")


def _write(
    recipe: Recipe, compiled: compilation.Compiled | compilation.CompiledRounds, folder: Path
) -> None:
    """The graph, the plan and each kernel as files of text."""
    kernels = folder / "kernels"
    kernels.mkdir(parents=True, exist_ok=True)
    graph = print_graph(compiled.graph)
    write_file(folder / f"{recipe.net}.ir.txt", (graph.rstrip() + "\n").encode())
    calls = stages.kernels_text(compiled.program, full=False)
    write_file(folder / f"{recipe.net}.calls.txt", (calls + "\n").encode())
    for kernel in compiled.program.kernels:
        write_file(kernels / f"{kernel.name}.txt", (stages.kernel_text(kernel) + "\n").encode())
    click.echo(f"wrote   {folder}")
