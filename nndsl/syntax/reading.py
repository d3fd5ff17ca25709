"""From bytes to text: what a source file may be before anyone looks at its words."""

from __future__ import annotations

import stat
from pathlib import Path

from nndsl.diagnostics import NndslError, Source, Span, error

MAXIMUM_BYTES = 1 << 20
"""Largest source file: 1 MiB, about thirty thousand lines."""

_TABLES = (".csv", ".tsv", ".parquet", ".npy", ".npz")
_BYTE_ORDER_MARKS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16", b"\x1f\x8b": "gzip"}


def read_source(path: str | Path) -> Source:
    """Read a source file; the name shown in messages is the path as it was given.

    A UTF-8 byte order mark is skipped, and the line ends of Windows and old Macs become plain.
    Errors: NN020 (no such file), NN021 (cannot be read, or a table), NN101 (not a text), NN102
    (too large).
    """
    name, path = str(path), Path(path)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            kind = "a folder" if path.is_dir() else "not a plain file"
            sources = sorted(path.glob("*.nn")) if path.is_dir() else []
            help = f"the source in it is {sources[0]}" if len(sources) == 1 else ()
            raise error("NN021", f"cannot read {name}: it is {kind}", help=help)
        if path.suffix.lower() in _TABLES:
            raise error(
                "NN021",
                f"{name} is a table, and a `.nn` file is wanted",
                help=f"`nndsl new {name}` writes a `.nn` file to begin with",
            )
        with path.open("rb") as file:
            data = file.read(MAXIMUM_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise _missing(name, path) from None
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or str(problem)
        raise error("NN021", f"cannot read {name}: {reason.lower()}") from None
    return decode_source(name, data)


def decode_source(name: str, data: bytes) -> Source:
    """The text of bytes that came from a file or from standard input, shown under `name`.

    Errors: NN101 (NUL bytes, invalid UTF-8, another encoding), NN102 (more than 1 MiB).
    """
    if len(data) > MAXIMUM_BYTES:
        raise _too_large(name)
    mark = _BYTE_ORDER_MARKS.get(data[:2])
    if mark is not None:
        raise error("NN101", f"{name} is not a text in UTF-8: it looks like {mark}")
    if b"\0" in data:
        raise error(
            "NN101", f"{name} is not a text: byte {data.index(0) + 1} is zero", help=_SAVE_AS_UTF8
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise _invalid(name, data, problem) from None
    return Source(name, text.replace("\r\n", "\n").replace("\r", "\n"))


def check_size(source: Source) -> None:
    """Refuse a text that did not come through `read_source` and is too large (NN102)."""
    if len(source.text) > MAXIMUM_BYTES:
        raise _too_large(source.name)


_SAVE_AS_UTF8 = "save the file as plain text in UTF-8"


def _missing(name: str, path: Path) -> NndslError:
    """The file is not there; name others like it in the same folder."""
    from nndsl.diagnostics import nearest

    try:
        known = [p.name for p in path.parent.iterdir() if p.suffix == path.suffix]
    except OSError:
        known = []
    close = nearest(path.name, known, 1)
    return error(
        "NN020",
        f"there is no file {name}",
        help=[f"did you mean `{path.with_name(close[0])}`?"] if close else (),
    )


def _too_large(name: str) -> NndslError:
    return error(
        "NN102",
        f"{name} is larger than 1 MiB, the limit for a source file",
        help='data belong in their own files: `csv("...")`',
    )


def _invalid(name: str, data: bytes, problem: UnicodeDecodeError) -> NndslError:
    """A byte that is no UTF-8: shown at its place in the readable rest."""
    start = problem.start
    before = data[:start].decode("utf-8", "replace")
    source = Source(name, before + "\ufffd" + data[start + 1 :].decode("utf-8", "replace"))
    return error(
        "NN101",
        f"{name} is not a text in UTF-8: byte {start + 1} is 0x{data[start]:02x}",
        Span(source, len(before), len(before) + 1),
        "this byte belongs to another encoding",
        help=_SAVE_AS_UTF8,
    )
