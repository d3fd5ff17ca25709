"""`nndsl show`: any stage of the compiler, as text."""

from __future__ import annotations

from pathlib import Path

import click

from nndsl import driver
from nndsl.cli import stages
from nndsl.cli.verb_check import set_option
from nndsl.cli.verb_render import chosen_net
from nndsl.diagnostics import error
from nndsl.ir.text import print_graph
from nndsl.lower.result import Network, Recipe

STAGES = ("ast", "ir", "passes", "memory", "kernels", "defaults")


@click.command(help="Show a stage of the compiler for FILE: " + ", ".join(STAGES) + ".")
@click.argument("stage", type=click.Choice(STAGES))
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("data", required=False)
@click.option("--net", help="The net; the last of the file when left out.")
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
    """Run the compiler up to the stage and print it."""
    opened = driver.open_file(file, data, driver.read_settings(settings), data_needed=False)
    module = opened.module
    if stage == "ast":
        click.echo(stages.tree_text(opened.file))
        return
    if stage == "defaults":
        click.echo(stages.defaults_text(module.networks.values(), module.recipes))
        return
    network = chosen_net(opened, net)
    recipe = next((r for r in reversed(module.recipes) if r.net == network.name), None)
    click.echo(_stage_text(stage, network, recipe, after))


def _stage_text(stage: str, network: Network, recipe: Recipe | None, after: str | None) -> str:
    if stage == "ir":
        return _ir_text(network, recipe, after)
    if recipe is None:
        raise error("NN013", f"the file has no `train {network.name}` section to compile")
    if stage == "passes":
        return stages.passes_text(recipe)
    batch = recipe.batch or driver.EVALUATION_BATCH
    graph = driver.training_graph(recipe)
    if stage == "memory":
        return stages.memory_text(graph, batch, 8 if recipe.precision == "float64" else 4)
    return stages.kernels_text(driver.program_of(graph, recipe, batch))


def _ir_text(network: Network, recipe: Recipe | None, after: str | None) -> str:
    if after is None or recipe is None:
        return print_graph(network.graph)
    text = stages.graph_after(recipe, after)
    if text is None:
        names = ", ".join(dict.fromkeys(p.name for p in driver.training_passes(recipe)))
        raise error("NN017", f"there is no pass `{after}`", help=f"passes: {names}")
    return text
