"""`nndsl summary`: a table of the parts of a net with shapes, parameters, work and memory."""

from __future__ import annotations

from pathlib import Path

import click

from nndsl import driver
from nndsl.cli.options import data_argument, file_argument, set_option
from nndsl.cli.output import table
from nndsl.cli.verb_render import chosen_net
from nndsl.ir.graph import Node
from nndsl.ir.types import format_shape
from nndsl.lower.result import Network, Part
from nndsl.ops.base import Op


def work_by_label(network: Network) -> dict[str, int]:
    """Floating-point operations of one row by the part that asked for them."""
    work: dict[str, int] = {}
    for node in network.graph.nodes:
        work[node.label] = work.get(node.label, 0) + _flops(node)
    return work


def _flops(node: Node) -> int:
    operation = node.operation
    assert isinstance(operation, Op)
    return operation.flops([value.type for value in node.inputs])


def summary_rows(network: Network) -> list[list[str]]:
    """Header, one row a part, and the totals."""
    work = work_by_label(network)
    rows = [["part", "stage", "output", "parameters", "flop a row"]]
    for part in network.parts:
        if part.is_block:
            continue
        count = sum(network.parameters[name].size for name in part.parameters)
        flops = work.get(part.path, 0)
        rows.append([_indented(part), part.text, format_shape(part.output.type.shape),
                     f"{count:,}" if count else "", f"{flops:,}" if flops else ""])  # fmt: skip
    total = f"{network.parameter_count:,}"
    rows.append(["total", "", "", total, f"{sum(work.values()):,}"])
    return rows


def _indented(part: Part) -> str:
    return "  " * part.parent.count(".") + part.path


@click.command(short_help="Print the parts of nets with their shapes.")
@file_argument()
@data_argument
@click.option("--net", metavar="NAME", help="The net meant; left out: all of them.")
@set_option
def command(file: Path, data: str | None, net: str | None, settings: tuple[str, ...]) -> None:
    """Print a table for each net of FILE: its parts with shapes, parameters and work."""
    opened = driver.open_file(file, data, driver.read_settings(settings), data_needed=False)
    networks = [chosen_net(opened, net)] if net else list(opened.module.networks.values())
    for network in networks:
        bytes_needed = 4 * network.parameter_count
        click.echo(
            f"{network.name}: {network.parameter_count:,} parameters, {bytes_needed:,} bytes"
        )
        click.echo(table(summary_rows(network), right=(3, 4)))
        click.echo()
