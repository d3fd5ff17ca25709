"""`nndsl fmt`: a file in canonical form."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from nndsl.cli.output import require_writable
from nndsl.runtime.durable import write_file
from nndsl.syntax.format import format_text
from nndsl.syntax.parser import decode_source, read_source


@click.command(short_help="Write files in canonical form.")
@click.argument("files", nargs=-1, required=True)
@click.option("--check", is_flag=True, help="Change nothing; exit 1 when a file would change.")
def command(files: tuple[str, ...], check: bool) -> int:
    """Write FILES in canonical form, in place; `-` goes from standard input to standard output."""
    changed = 0
    for name in files:
        if name == "-":
            source = decode_source("standard input", sys.stdin.buffer.read())
        else:
            source = read_source(Path(name))
        text = format_text(source)
        if text != source.text:
            changed += 1
            if name != "-":
                _change(Path(name), text, check)
        if name == "-" and not check:
            click.echo(text.encode(), nl=False)
    return 1 if check and changed else 0


def _change(path: Path, text: str, check: bool) -> None:
    if check:
        click.echo(f"{path} would change")
        return
    require_writable(path)
    write_file(path, text.encode())
    click.echo(f"wrote   {path}")
