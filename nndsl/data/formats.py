"""What a file really is: the formats that people take for CSV by mistake, named by their bytes."""

from __future__ import annotations

from pathlib import Path

from nndsl.diagnostics import NndslError, Place, error

HEAD = 4096

_MAGIC = (
    (b"\x1f\x8b", "a gzip file", "unpack it first: gunzip {name}"),
    (b"PK\x03\x04", "a zip or spreadsheet (.xlsx) file", "save the sheet as CSV"),
    (b"\xd0\xcf\x11\xe0", "an old spreadsheet (.xls) file", "save the sheet as CSV"),
    (b"PAR1", "a Parquet file", 'read it with parquet("{name}")'),
    (b"\x93NUMPY", "a NumPy array", 'read it with array("{name}")'),
    (b"\x89PNG", "a picture", 'read its folder with images("folder")'),
    (b"\xff\xd8\xff", "a picture", 'read its folder with images("folder")'),
    (b"%PDF", "a PDF file", "export the table as CSV"),
    (b"\x89HDF", "an HDF5 file", "export the table as CSV"),
    (b"SQLite format 3", "a database file", "export the table as CSV"),
    (b"BZh", "a bzip2 file", "unpack it first: bunzip2 {name}"),
    (b"\xfd7zXZ", "an xz file", "unpack it first: unxz {name}"),
)


def refuse_other_formats(
    name: str, path: Path | None, content: bytes | None, encoding: str
) -> None:
    """NN403 when the first bytes are those of another format than text in `encoding`."""
    head = first_bytes(path, content)
    for magic, what, remedy in _MAGIC:
        if head.startswith(magic):
            raise other_format(name, what, remedy)
    if "16" in encoding or "32" in encoding:
        return
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or _looks_wide(head):
        raise other_format(name, "text in UTF-16, not in UTF-8", 'csv("{name}", encoding="utf-16")')
    at = head.find(b"\0")
    if at >= 0:
        line = head.count(b"\n", 0, at) + 1
        raise error(
            "NN403",
            f"line {line} of {name} holds a NUL character: this is not a text file",
            place=Place(name, line),
            help="export the table again as CSV in UTF-8",
        )


def first_bytes(path: Path | None, content: bytes | None) -> bytes:
    """The beginning of a file or of given bytes."""
    if path is None:
        return (content or b"")[:HEAD]
    with path.open("rb") as stream:
        return stream.read(HEAD)


def _looks_wide(head: bytes) -> bool:
    """UTF-16 without a byte order mark: every second byte of plain text is zero."""
    even, odd = head[0:200:2], head[1:200:2]
    return len(head) >= 8 and (
        even.count(0) > 0.8 * len(even) > 0 or odd.count(0) > 0.8 * len(odd) > 0
    )


def other_format(name: str, what: str, remedy: str) -> NndslError:
    """NN403: the file is `what`."""
    return error(
        "NN403",
        f"{name} is {what}",
        place=Place(name),
        help=remedy.format(name=name),
    )


def undecodable(
    name: str, path: Path | None, content: bytes | None, remedy: str = ""
) -> NndslError:
    """NN403 with the line of the first byte that is not UTF-8."""
    data = path.read_bytes() if path is not None else (content or b"")
    try:
        data.decode("utf-8-sig")
        line, byte = 1, 0
    except UnicodeDecodeError as problem:
        line = data.count(b"\n", 0, problem.start) + 1
        byte = data[problem.start]
    return error(
        "NN403",
        f"line {line} of {name} is not UTF-8 (byte 0x{byte:02X}): it looks like Latin-1",
        place=Place(name, line),
        help=remedy or f'csv("{name}", encoding="latin-1"), or save the file as UTF-8',
    )
