"""`nndsl explain CODE`: the page of an error."""

from __future__ import annotations

import click

from nndsl.catalogue import codes, page
from nndsl.diagnostics import error, nearest


@click.command(short_help="Explain an error code such as NN203.")
@click.argument("code")
def command(code: str) -> None:
    """Print the page of the error CODE: what it means, an example, and the mended one."""
    wanted = code.upper()
    known = codes()
    if wanted not in known:
        near = nearest(wanted, known)
        raise error(
            "NN001",
            f"there is no error code `{code}`",
            help=f"did you mean `{near[0]}`?" if near else "codes look like NN203",
        )
    click.echo(page(wanted).rstrip())
