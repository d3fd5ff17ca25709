"""`nndsl show`: any stage of the compiler, as text."""

from __future__ import annotations

from pathlib import Path

import click

from nndsl import compilation, driver
from nndsl.cli import stages
from nndsl.cli.options import data_argument, file_argument, net_option, set_option
from nndsl.cli.verb_render import chosen_net
from nndsl.ir.text import print_graph
from nndsl.lower.result import Network, Recipe

STAGES = ("data", "ast", "ir", "passes", "memory", "kernels", "defaults")


@click.command(short_help="Show a stage of the compiler as text.")
@click.argument("stage", type=click.Choice(STAGES), metavar="STAGE")
@file_argument()
@data_argument
@net_option
@click.option("--after", metavar="PASS", help="With `ir`: the graph after this pass.")
@set_option
def command(
    stage: str,
    file: Path,
    data: str | None,
    net: str | None,
    after: str | None,
    settings: tuple[str, ...],
) -> None:
    """Run the compiler on FILE up to STAGE and print what it has made.

    \b
      data      columns, what they are used as, what is odd about them
      ast       the syntax tree
      ir        the network as a graph; `--after PASS`: the training step after a pass
      passes    what each pass changed
      memory    what a training takes, and where every value of a step lives
      kernels   the calls of a training step and the text of their kernels
      defaults  what the file leaves out, and what is taken
    """  # noqa: D301 (click reads the escape)
    needed = stage in ("data", "memory", "kernels")
    opened = driver.open_file(file, data, driver.read_settings(settings), data_needed=needed)
    module = opened.module
    if stage == "data":
        from nndsl.cli.data_text import data_text

        click.echo(data_text(opened))
        return
    if stage == "ast":
        click.echo(stages.tree_text(opened.file))
        return
    if stage == "defaults":
        click.echo(stages.defaults_text(module.networks.values(), module.recipes))
        return
    network = chosen_net(opened, net)
    recipe = stages.last_recipe(opened, network)
    if stage == "ir":
        click.echo(_ir_text(network, recipe, after))
        return
    for name, step in _steps_of(stages.require_recipe(recipe, network)):
        text = stages.passes_text(step) if stage == "passes" else _step_text(stage, opened, step)
        click.echo(f"{name}{text}")


def _steps_of(recipe: Recipe) -> list[tuple[str, Recipe]]:
    """The training step, or that of each update under its name."""
    if not recipe.turns:
        return [("", recipe)]
    return [(f"update {turn.name}\n\n", turn.recipe) for turn in recipe.turns]


def _step_text(stage: str, opened: driver.Opened, recipe: Recipe) -> str:
    """Memory or kernels of a training step, for the rows that the run will have."""
    from nndsl.model.training import split_of

    if stage == "memory":
        return stages.memory_text(stages.footprint(opened, recipe))
    rows = len(split_of(opened, recipe).train)
    graph = compilation.training_graph(recipe)
    return stages.kernels_text(compilation.program_of(graph, recipe, rows))


def _ir_text(network: Network, recipe: Recipe | None, after: str | None) -> str:
    if after is None or recipe is None:
        return print_graph(network.graph)
    found = [(name, stages.graph_after(step, after)) for name, step in _steps_of(recipe)]
    return "\n".join(f"{name}{print_graph(graph)}" for name, graph in found)
