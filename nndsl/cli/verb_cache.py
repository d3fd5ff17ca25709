"""`nndsl cache`: where compiled kernels are kept, and how to forget them."""

from __future__ import annotations

import click

from nndsl.runtime.cache import Cache, default_folder


@click.group(help="The compiled kernels that nndsl keeps between runs.")
def command() -> None:
    """Group of the cache's verbs."""


@command.command(help="Forget all compiled kernels.")
def clear() -> None:
    """Remove every entry."""
    count = Cache(default_folder()).clear()
    click.echo(f"{count} kernels forgotten", err=True)


@command.command(help="Print the folder.")
def path() -> None:
    """The folder that holds the kernels."""
    click.echo(str(default_folder()))
