"""Which file a data section may read, and how it is opened: plain files only, never fetched.

A path in a `.nn` file stays inside the folder of that file: no absolute path, no `..`, no link
that leads out. A person who names a file on the command line may name any plain file.
"""

from __future__ import annotations

import re
import stat
import sys
from collections.abc import Iterable
from pathlib import Path

from nndsl.diagnostics import Fix, NndslError, Place, Span, error, nearest

STANDARD_INPUT = "-"
_URL = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]+://")
_SPECIAL = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def locate(written: str, folder: Path, span: Span | None = None, *, folders: bool = False) -> Path:
    """The file that a path written in a `.nn` file means; NN401 or NN402 when there is none.

    With `folders` it may be a folder too.
    """
    _refuse_url(written, span)
    path = Path(written)
    if path.is_absolute() or ".." in path.parts or "\0" in written:
        raise error(
            "NN402",
            f"the path `{written}` leaves the folder of the .nn file",
            span,
            "paths are relative to the .nn file and stay in its folder",
            help="put the data beside the .nn file, or name it on the command line: "
            "nndsl train FILE.nn DATA",
        )
    full = folder / path
    _require_plain(full, written, span, folders)
    if not full.resolve().is_relative_to(folder.resolve()):
        raise error(
            "NN402",
            f"`{written}` is a link to a file outside the folder of the .nn file",
            span,
            "leads out of the folder",
            help="name the file on the command line: nndsl train FILE.nn DATA",
        )
    return full


def locate_given(given: Path | str, *, folders: bool = False) -> Path:
    """The file that a person named on the command line: any plain file, anywhere."""
    written = str(given)
    _refuse_url(written, None)
    path = Path(written)
    _require_plain(path, written, None, folders)
    return path


def standard_input() -> bytes:
    """Everything on standard input."""
    return sys.stdin.buffer.read()


def _refuse_url(written: str, span: Span | None) -> None:
    if _URL.match(written):
        raise error(
            "NN402",
            f"`{written}` is an address on the network: nothing is ever fetched",
            span,
            "not a file",
            help="download the file first, then name it",
        )


def _require_plain(path: Path, written: str, span: Span | None, folders: bool) -> None:
    """Raise unless `path` is a regular file (following links), or a folder if they may be."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as problem:
        raise _absent(path, written, span, problem) from None
    if stat.S_ISREG(mode) or (folders and stat.S_ISDIR(mode)):
        return
    what = next((name for test, name in _SPECIAL if test(mode)), "no plain file")
    raise error(
        "NN402",
        f"`{written}` is {what}, not a file",
        span,
        what,
        help=f'name a data file in it; pictures: images("{written}")'
        if what == "a folder"
        else "name a plain file",
        place=None if span is not None else Place(written),
    )


def _absent(path: Path, written: str, span: Span | None, problem: Exception) -> NndslError:
    near = nearest(path.name, _siblings(path))
    reason = "cannot be read" if isinstance(problem, PermissionError) else "does not exist"
    good = str(Path(written).with_name(near[0])) if near else ""
    start = "the folder of the .nn file" if span is not None else "the current folder"
    return error(
        "NN401",
        f"the data file `{written}` {reason}",
        span,
        "not there" if reason == "does not exist" else "not readable",
        help=f"did you mean `{good}`?" if good else f"the path starts at {start}",
        fix=Fix(span, f'"{good}"') if near and span is not None else None,
        place=None if span is not None else Place(written),
    )


def _siblings(path: Path) -> Iterable[str]:
    try:
        return [entry.name for entry in path.parent.iterdir()]
    except (OSError, ValueError):
        return []
