"""`nndsl fmt`: a file in canonical form."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from nndsl.diagnostics import Source
from nndsl.syntax.format import format_text
from nndsl.syntax.parser import read_source


@click.command(help="Write FILES in canonical form; `-` reads standard input.")
@click.argument("files", nargs=-1, required=True)
@click.option("--check", is_flag=True, help="Change nothing; exit 1 when a file would change.")
def command(files: tuple[str, ...], check: bool) -> int:
    """Format each file in place."""
    changed = 0
    for name in files:
        source = Source("<stdin>", sys.stdin.read()) if name == "-" else read_source(Path(name))
        text = format_text(source)
        if name == "-":
            click.echo(text, nl=False)
        elif text != source.text:
            changed += 1
            if check:
                click.echo(f"{name} would change", err=True)
            else:
                Path(name).write_text(text, encoding="utf-8")
                click.echo(f"{name} written", err=True)
    return 1 if check and changed else 0
