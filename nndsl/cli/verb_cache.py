"""`nndsl cache`: where compiled kernels are kept, and how to forget them."""

from __future__ import annotations

import click

from nndsl.runtime.cache import Cache, default_folder


@click.group(short_help="Find or clear the compiled kernels.")
def command() -> None:
    """The compiled kernels that nndsl keeps between runs (NNDSL_CACHE_DIR moves them)."""


@command.command(help="Forget all compiled kernels.")
def clear() -> None:
    """Remove every entry."""
    count = Cache(default_folder()).clear()
    click.echo(f"{count} kernels forgotten")


@command.command(help="Print the folder.")
def path() -> None:
    """The folder that holds the kernels."""
    click.echo(str(default_folder()))
