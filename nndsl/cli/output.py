"""What commands print: diagnostics as text or JSON, tables, and nothing of other libraries."""

from __future__ import annotations

import io
import json as json_module
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO

from nndsl.diagnostics import Diagnostic, Severity, error
from nndsl.report_text import render_text, to_json


def is_screen(stream: IO[str] | None) -> bool:
    """Whether a stream is a terminal that can do more than show lines. None: it was closed."""
    return stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"


def wants_color(stream: IO[str] | None) -> bool:
    """Colour only on a terminal, and never when NO_COLOR is set."""
    return is_screen(stream) and "NO_COLOR" not in os.environ


def width_of(stream: IO[str] | None, most: int) -> int:
    """Columns of text on a stream: those of its terminal, `most` where there are more or none."""
    if stream is None or not stream.isatty():
        return most
    try:
        return max(40, min(most, os.get_terminal_size(stream.fileno()).columns))
    except OSError:
        return most


def show_diagnostics(diagnostics: Iterable[Diagnostic], *, json: bool = False) -> None:
    """Print diagnostics: to standard error as text, or to standard output as JSON lines."""
    if json:
        for diagnostic in diagnostics:
            emit({"event": "diagnostic", **to_json(diagnostic)})
        return
    color, width = wants_color(sys.stderr), width_of(sys.stderr, 100)
    for diagnostic in diagnostics:
        print(render_text(diagnostic, width, color), file=sys.stderr)
        print(file=sys.stderr)


def show_notes(diagnostics: Iterable[Diagnostic], *, json: bool = False) -> None:
    """As `show_diagnostics`, but a note is a plain line of the output."""
    found = list(diagnostics)
    plain = [d for d in found if d.severity is Severity.NOTE and not json]
    for note in plain:
        say(f"note    {note.title}")
    show_diagnostics([d for d in found if d not in plain], json=json)


def emit(record: dict[str, object]) -> None:
    """One JSON object on one line of standard output, flushed so that a reader sees it at once."""
    say(json_module.dumps(record, ensure_ascii=False, allow_nan=False))


def say(text: str) -> None:
    """A line on standard output, at once.

    When nobody reads it any more (`| head -1`), work goes on in silence: a training is not lost
    for its progress.
    """
    try:
        print(text, flush=True)
    except BrokenPipeError:
        forget_output()


def forget_output() -> None:
    """Send what is still to be printed nowhere: the reader of our output went away."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def forgive_characters() -> None:
    """Let streams of a narrow encoding show `?` for what they cannot, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def table(rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> str:
    """Rows as aligned columns, two spaces apart; the columns in `right` end flush."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = (
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def require_writable(path: Path, *, folder: bool = False) -> None:
    """NN005 when `path` is there and is no plain file (or no folder): a device, a pipe, a link.

    Files are written beside their target and renamed, which would put a file in its place.
    """
    try:
        there = path.exists() or path.is_symlink()
    except OSError as problem:
        reason = (problem.strerror or "it is no name of a file").lower()
        raise error("NN005", f"cannot write `{path}`: {reason}") from None
    if not there or (path.is_dir() if folder else path.is_file() and not path.is_symlink()):
        return
    kind = "folder" if folder else "plain file"
    raise error("NN005", f"`{path}` is there and is no {kind}", help="choose another name")
