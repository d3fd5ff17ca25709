"""`nndsl summary`: a table of the parts of a net with shapes, parameters, work and memory."""

from __future__ import annotations

from pathlib import Path

import click

from nndsl import compilation, driver
from nndsl.cli.options import data_argument, file_argument, set_option
from nndsl.cli.output import table
from nndsl.cli.verb_render import chosen_net
from nndsl.ir.types import format_shape
from nndsl.lower.result import Network, Part, Recipe
from nndsl.render.diagram_cost import Cost, flops_of, nodes_of_parts, part_costs

REAL_BYTES = 4


def summary_rows(network: Network) -> list[list[str]]:
    """Header, one row a part, the operations between parts, and the totals.

    Weights that a part before has are counted there. `values` are the bytes of what one row of
    the data leaves behind for the next part, in float32.
    """
    owned, between = nodes_of_parts(network)
    costs = part_costs(network, owned)
    rows = [["part", "stage", "output", "parameters", "flop a row", "weights", "values a row"]]
    for part, cost in zip(network.parts, costs, strict=True):
        if not part.is_block:
            shape = format_shape(part.output.type.shape)
            rows.append([_indented(part), part.shown, shape, *_cost_cells(cost)])
    others = Cost(flops=flops_of(between))
    if others.flops:
        rows.append(["", "between the stages", "", *_cost_cells(others)])
    total = Cost(
        network.parameter_count,
        flops=sum(cost.flops for cost in costs) + others.flops,
        values=sum(cost.values for cost in costs),
    )
    rows.append(["total", "", "", *_cost_cells(total)])
    return rows


def _cost_cells(cost: Cost) -> list[str]:
    """Parameters, work and bytes; nothing stands for none."""
    parameters = "shared" if cost.is_shared else _number(cost.parameters)
    memory = [_number(REAL_BYTES * count) for count in (cost.parameters, cost.values)]
    return [parameters, _number(cost.flops), *memory]


def _number(number: int) -> str:
    return f"{number:,}" if number else ""


def _indented(part: Part) -> str:
    return "  " * part.parent.count(".") + part.path


def _training_line(opened: driver.Opened, recipe: Recipe) -> str:
    """What a training of the net takes of memory."""
    from nndsl.cli import stages  # as is the compiler, only where something is trained
    from nndsl.model.training import split_of

    rows = len(split_of(opened, recipe).train)
    told = stages.footprint_line(stages.footprint(opened, recipe))
    return f"training {compilation.batch_of(recipe, rows)} rows at a time takes {told}"


@click.command(short_help="Print the parts of nets with their shapes.")
@file_argument()
@data_argument
@click.option("--net", metavar="NAME", help="The net meant; left out: all of them.")
@set_option
def command(file: Path, data: str | None, net: str | None, settings: tuple[str, ...]) -> None:
    """Print a table for each net of FILE: its parts with shapes, parameters, work and bytes."""
    opened = driver.open_file(file, data, driver.read_settings(settings), data_needed=False)
    networks = [chosen_net(opened, net)] if net else list(opened.module.networks.values())
    for network in networks:
        bytes_needed = REAL_BYTES * network.parameter_count
        click.echo(
            f"{network.name}: {network.parameter_count:,} parameters, {bytes_needed:,} bytes"
        )
        click.echo(table(summary_rows(network), right=(3, 4, 5, 6)))
        for recipe in opened.module.recipes:
            if recipe.net == network.name and recipe.data in opened.tables:
                click.echo(_training_line(opened, recipe))
        click.echo()
