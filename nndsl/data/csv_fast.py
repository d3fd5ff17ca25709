"""Large plain CSV files through DuckDB: the same table as `csv_text` gives, several times sooner.

Taken only where both must agree: the bytes are scanned first (no quotes, no blank lines, one kind
of line end, no unexpected spaces, nothing that only DuckDB would read as a number), the dialect
and the types are fixed, the counts are compared. Anything odd gives None, and the careful reader
finds the result or the mistake.
"""

from __future__ import annotations

import codecs
import itertools
import re
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from nndsl.data.cells import (
    KEPT_AS_NUMBER,
    ColumnBuilder,
    Gathered,
    NotTextError,
    missing_numbers,
)
from nndsl.data.csv_text import Head, Records, Text, gather
from nndsl.data.engine import connect, failures, identifier, quoted
from nndsl.data.table import MISSING_CODE
from nndsl.diagnostics import NndslError

SMALLEST = 1_000_000
"""Bytes below which the careful reader is done before DuckDB is loaded (measured: 1.2 MB)."""

_SAMPLE = 200
_CHUNK = 1 << 24
_OVERLAP = 4
_TAIL = 4096
_UNDERSCORED = re.compile(rb"[0-9]_[0-9]")
_CONTROLS = (b"\x00", b"\x0b", b"\x0c", b"\x1c", b"\x1d", b"\x1e", b"\x1f")
_WIDE_SPACES = (
    b"\xc2\x85",
    b"\xc2\xa0",
    b"\xe1\x9a\x80",
    b"\xe2\x80",
    b"\xe2\x81",
    b"\xe3\x80\x80",
)


def read_fast(text: Text, head: Head, keep: frozenset[str]) -> Records | None:
    """The records of a large plain file, None when it has to be read with care."""
    options = text.options
    plain = options.decimal == "." and options.encoding == "utf-8-sig" and len(head.names) > 1
    if text.path is None or not plain or head.unnamed_end:
        return None
    lines = _scan(text.path, head.separator, head.spaced, len(head.names))
    if lines is None:
        return None
    try:
        sample = gather(text, head, _SAMPLE, keep)
    except (NndslError, NotTextError):
        return None
    numeric = [
        column.is_number and name not in keep
        for name, column in zip(head.names, sample.columns, strict=True)
    ]
    complete = not any(bool(np.any(column.codes == MISSING_CODE)) for column in sample.columns)
    if complete and not options.missing:
        found = _query(text, head, numeric, lines, keep, [""])
        if found is not None:
            return found
    return _query(text, head, numeric, lines, keep, _spellings(options.missing, head.spaced))


def _scan(path: Path, separator: str, spaced: bool, columns: int) -> int | None:
    """Number of lines when nothing in the bytes can be read in two ways, else None.

    Separators are counted because DuckDB overlooks an empty cell too many at the end of a line.
    """
    lines = carriage = pairs = separators = 0
    last = b"\n"
    decode = codecs.getincrementaldecoder("utf-8")("strict")
    with path.open("rb") as stream:
        left = _length_without_blank_end(stream)
        while chunk := stream.read(min(_CHUNK, left)):
            left -= len(chunk)
            window = last[-_OVERLAP:] + chunk
            if _is_doubtful(window, separator.encode(), spaced):
                return None
            if not chunk.isascii() and not _is_plain_text(decode, chunk, window):
                return None
            lines += chunk.count(b"\n")
            separators += chunk.count(separator.encode())
            if b"\r" in window:
                carriage += chunk.count(b"\r")
                pairs += window.count(b"\r\n") - last[-_OVERLAP:].count(b"\r\n")
            last = chunk
    even = separators == (lines + 1) * (columns - 1)
    return lines + 1 if even and carriage in (0, lines) and pairs == carriage else None


def _length_without_blank_end(stream: BinaryIO) -> int:
    """Bytes up to and without the line end of the last line that is not blank."""
    size = stream.seek(0, 2)
    stream.seek(max(0, size - _TAIL))
    tail = stream.read()
    stream.seek(0)
    return size - (len(tail) - len(tail.rstrip(b"\r\n")))


def _is_doubtful(window: bytes, separator: bytes, spaced: bool) -> bool:
    """Whether bytes can be read in two ways. One-byte searches first: they cost next to nothing.

    Spaces beside separators make no doubt in a file known to have them: both readers trim.
    """
    tokens = [b"\n\n"]
    if not spaced and b" " in window:
        tokens += [b" \n", b" \r", b"\n ", b" " + separator, separator + b" "]
    if b"\r" in window:
        tokens += [b"\n\r"]
    single = [b'"', *_CONTROLS] + ([b"\t"] if separator != b"\t" else [])
    return any(token in window for token in (*single, *tokens)) or (
        b"_" in window and _UNDERSCORED.search(window) is not None
    )


def _is_plain_text(decoder: codecs.IncrementalDecoder, chunk: bytes, window: bytes) -> bool:
    """Whether bytes beyond ASCII are UTF-8 and hold no space that Python would trim."""
    try:
        decoder.decode(chunk)
    except UnicodeDecodeError:
        return False
    return not any(space in window for space in _WIDE_SPACES)


def _query(
    text: Text,
    head: Head,
    numeric: list[bool],
    lines: int,
    keep: frozenset[str],
    spellings: list[str],
) -> Records | None:
    """One query for all columns; None when its answer is not surely that of `csv_text`."""
    path = text.path
    assert path is not None
    columns = ", ".join(
        f"{quoted(f'c{i}')}: '{'DOUBLE' if number else 'VARCHAR'}'"
        for i, number in enumerate(numeric)
    )
    missing = ", ".join(map(quoted, spellings))
    names = ", ".join(identifier(f"c{i}") for i in range(len(numeric)))
    connection = connect(path)
    try:
        found = connection.execute(
            f"SELECT {names} FROM read_csv({quoted(str(path))}, auto_detect = false, "
            f"strict_mode = true, delim = {quoted(head.separator)}, quote = '', escape = '', "
            f"header = {str(head.header).lower()}, nullstr = [{missing}], columns = {{{columns}}})"
        ).fetchnumpy()
    except failures():
        return None
    finally:
        connection.close()
    rows = lines - head.header
    absent = missing_numbers(text.options.missing)
    gathered = [
        _numbers(found[f"c{i}"], absent)
        if number
        else _texts(found[f"c{i}"], text, head.names[i] in keep)
        for i, number in enumerate(numeric)
    ]
    if any(column is None or len(column.numbers) != rows for column in gathered):
        return None
    starts = np.arange(1 + head.header, rows + 1 + head.header, dtype=np.int64)
    return Records(head, [column for column in gathered if column is not None], starts)


def _spellings(missing: frozenset[str], spaced: bool) -> list[str]:
    """Every spelling of a missing value, as DuckDB compares letter by letter."""
    spellings = {"", "?", *missing}
    for word in ("na", "n/a", "nan", "null"):
        letters = [sorted({letter, letter.upper()}) for letter in word]
        spellings.update("".join(choice) for choice in itertools.product(*letters))
    return sorted(spellings | {" " + text for text in spellings} if spaced else spellings)


def _numbers(found: Any, absent: list[float]) -> Gathered | None:
    """A DOUBLE column; None when a cell was `inf` or `nan`, or a number that means missing."""
    empty, values = cells_of(found)
    if absent and np.isin(values if empty is None else values[~empty], absent).any():
        return None
    if empty is None:
        codes = np.full(len(values), KEPT_AS_NUMBER, dtype=np.int32)
        return Gathered(values, codes, (), len(values), 0, 0) if _all_finite(values) else None
    if not _all_finite(values[~empty]):
        return None
    values = np.where(empty, np.nan, values)
    codes = np.where(empty, MISSING_CODE, KEPT_AS_NUMBER).astype(np.int32)
    return Gathered(values, codes, (), len(values) - int(np.count_nonzero(empty)), 0, 0)


def _all_finite(values: np.ndarray) -> bool:
    return bool(np.isfinite(values).all())


def cells_of(found: Any) -> tuple[np.ndarray | None, np.ndarray]:
    """Which cells of an array from DuckDB are empty (None: none), and the cells."""
    mask = getattr(found, "mask", None)  # asked so, numpy.ma is not imported for plain arrays
    return (None, found) if mask is None else (np.broadcast_to(mask, found.shape), found.data)


def _texts(found: Any, text: Text, keep: bool) -> Gathered | None:
    """A VARCHAR column, judged cell by cell like every other."""
    empty, cells = cells_of(found)
    texts = cells.tolist() if empty is None else np.where(empty, "", cells).tolist()
    builder = ColumnBuilder(text.options.missing, text.options.decimal, keep_texts=True)
    try:
        builder.add(texts)
    except NotTextError:
        return None
    gathered = builder.finish()
    return None if gathered.is_number and not keep else gathered
