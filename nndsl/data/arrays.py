"""IDX files (the format of MNIST) and NumPy files as columns. Headers are checked before use.

An array [rows, a, b, ...] becomes one column whose rows hold a*b*... numbers. Nothing that a
header declares is allocated before it agrees with the length of the file.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from tokenize import TokenError
from typing import IO

import numpy as np

from nndsl.data.memory import require_memory
from nndsl.data.table import CategoryColumn, NumberColumn, TableColumn
from nndsl.diagnostics import NndslError, Place, error

IMAGE, LABEL = "image", "label"
VALUES = "x"

_IDX_TYPES = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
GZIP = b"\x1f\x8b"
_MOST_AXES = 8
LONGEST_HEADER = 4 + 4 * _MOST_AXES
_COPIES = 2.0
_HEADER_PROBLEMS = (
    *(ValueError, KeyError, EOFError, OSError, TypeError, AttributeError),
    *(SyntaxError, TokenError, RecursionError, MemoryError),
)
"""All that NumPy's reader of a header (a Python literal, never executed) may raise."""


def read_idx(path: Path, name: str) -> np.ndarray:
    """The array in an IDX file, plain or gzip; NN420 when header and length disagree."""
    raw = path.read_bytes()
    if raw.startswith(GZIP):
        return _read_packed_idx(raw, name)
    header, dtype, shape = idx_header(raw[:LONGEST_HEADER], name)
    require_length(name, shape, dtype, header, len(raw))
    return _array(raw, header, dtype, shape)


def require_length(
    name: str, shape: tuple[int, ...], dtype: np.dtype, header: int, found: int
) -> None:
    """NN420 unless a file of `found` bytes holds just a header and what it declares."""
    expected = header + math.prod(shape) * dtype.itemsize
    if found != expected:
        raise _damaged(name, shape, dtype, found, expected)


def _read_packed_idx(raw: bytes, name: str) -> np.ndarray:
    unpack = zlib.decompressobj(31)
    try:
        first = unpack.decompress(raw, LONGEST_HEADER)
        header, dtype, shape = idx_header(first, name)
        expected = header + math.prod(shape) * dtype.itemsize
        declared = struct.unpack("<I", raw[-4:])[0]  # gzip ends with its length modulo 2**32
        if declared != expected % 2**32:
            raise _damaged(name, shape, dtype, declared, expected)
        require_memory(name, _COPIES * expected, f"an array of {_by(shape)}")
        rest = unpack.decompress(unpack.unconsumed_tail, expected - len(first) + 1)
    except zlib.error as problem:
        raise _broken(name, f"its gzip data is damaged ({problem})") from None
    if len(first) + len(rest) != expected or not unpack.eof:
        raise _damaged(name, shape, dtype, len(first) + len(rest), expected)
    return _array(first + rest, header, dtype, shape)


def idx_header(head: bytes, name: str) -> tuple[int, np.dtype, tuple[int, ...]]:
    """Length of the header, element type and shape."""
    if len(head) < 4 or head[:2] != b"\0\0" or head[2] not in _IDX_TYPES:
        raise _broken(name, "it does not begin as an IDX file does (0, 0, type, axes)")
    axes = head[3]
    if not 1 <= axes <= _MOST_AXES or len(head) < 4 + 4 * axes:
        raise _broken(name, f"its header declares {axes} axes")
    shape = struct.unpack(f">{axes}I", head[4 : 4 + 4 * axes])
    return 4 + 4 * axes, np.dtype(_IDX_TYPES[head[2]]), shape


def _array(raw: bytes, header: int, dtype: np.dtype, shape: tuple[int, ...]) -> np.ndarray:
    array = np.frombuffer(raw, dtype=dtype, offset=header).reshape(shape)
    return array.astype(dtype.newbyteorder("="), copy=False)


def _damaged(
    name: str, shape: tuple[int, ...], dtype: np.dtype, found: int, expected: int
) -> NndslError:
    return error(
        "NN420",
        f"{name} declares {_by(shape)} numbers of {dtype.itemsize} bytes, its length differs",
        place=Place(name),
        notes=[f"{expected:,} bytes are needed, {found:,} are there"],
        help="the file is damaged or cut off: get it again",
    )


def _broken(name: str, reason: str) -> NndslError:
    return error("NN420", f"{name} cannot be read: {reason}", place=Place(name))


def _by(shape: tuple[int, ...]) -> str:
    return " x ".join(f"{size:,}" for size in shape)


def read_numpy(path: Path, name: str) -> dict[str, np.ndarray]:
    """The arrays of a .npy (called `x`) or .npz file; objects and pickles are refused."""
    with path.open("rb") as stream:
        magic = stream.read(4)
        stream.seek(0)
        if magic == b"\x93NUM":
            return {VALUES: _read_npy(stream, path.stat().st_size, name)}
        if magic[:2] != b"PK":
            raise _broken(name, "it is neither a .npy nor a .npz file")
        return _read_npz(stream, name)


def _read_npz(stream: IO[bytes], name: str) -> dict[str, np.ndarray]:
    import zipfile

    arrays = {}
    try:
        with zipfile.ZipFile(stream) as archive:
            for member in archive.infolist():
                if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise _broken(name, f"`{member.filename}` is packed in an unknown way")
                key = member.filename.removesuffix(".npy")
                with archive.open(member) as content:
                    arrays[key] = _read_npy(content, member.file_size, f"{name}:{key}")
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError) as problem:
        raise _broken(name, str(problem)) from None
    if not arrays:
        raise _broken(name, "it holds no array")
    return arrays


def npy_header(stream: IO[bytes], size: int, name: str) -> tuple[np.dtype, tuple[int, ...], bool]:
    """Element type, shape, and whether the first axis runs fastest; the stream stands behind it.

    NN420 unless the header agrees with `size`, the bytes that are there.
    """
    try:
        version = np.lib.format.read_magic(stream)
        reader = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, fortran, dtype = reader(stream)
    except _HEADER_PROBLEMS as problem:
        raise _broken(name, f"its header is damaged ({problem})") from None
    if dtype.hasobject or dtype.fields is not None or dtype.kind not in "biufUS":
        raise _broken(name, f"it holds {dtype}, not numbers or texts")
    expected = math.prod(shape) * dtype.itemsize
    there = size - stream.tell()
    if expected != there or min(shape, default=0) < 0:
        raise _damaged(name, tuple(map(int, shape)), dtype, there, expected)
    return dtype, tuple(map(int, shape)), bool(fortran)


def _read_npy(stream: IO[bytes], size: int, name: str) -> np.ndarray:
    """One array."""
    dtype, shape, fortran = npy_header(stream, size, name)
    expected = math.prod(shape) * dtype.itemsize
    require_memory(name, _COPIES * expected, f"an array of {_by(shape)}")
    raw = stream.read(expected)
    if len(raw) != expected:
        raise _damaged(name, shape, dtype, len(raw), expected)
    array = np.frombuffer(raw, dtype=dtype)
    return array.reshape(shape, order="F" if fortran else "C")


def as_columns(arrays: Mapping[str, np.ndarray], name: str) -> tuple[dict[str, TableColumn], int]:
    """Arrays as columns of a table, and the number of rows, which must be equal."""
    columns: dict[str, TableColumn] = {}
    rows: dict[str, int] = {}
    for key, array in arrays.items():
        if array.ndim == 0:
            raise _broken(name, f"`{key}` is a single number, not one for each row")
        rows[key] = len(array)
        columns[key] = _column(key, array, name)
    if len(set(rows.values())) > 1:
        listed = ", ".join(f"`{key}` {count:,}" for key, count in rows.items())
        raise error(
            "NN421",
            f"the arrays of {name} have different numbers of rows",
            place=Place(name),
            notes=[f"rows: {listed}"],
            help="inputs and labels must have one row for each example",
        )
    return columns, next(iter(rows.values()))


def _column(key: str, array: np.ndarray, name: str) -> TableColumn:
    if array.dtype.kind in "US":
        if array.ndim > 1:
            raise _broken(name, f"`{key}` holds texts in {array.ndim} axes")
        distinct, codes = np.unique(array.astype(str), return_inverse=True)
        return CategoryColumn(key, codes.astype(np.int32), tuple(map(str, distinct)))
    if array.dtype.kind == "b":
        array = array.astype(np.uint8)
    alone = array.ndim == 1 or math.prod(array.shape[1:]) == 1
    values = array.reshape(-1).astype(np.float64) if alone else array.reshape(len(array), -1)
    if values.dtype.kind == "f" and np.isinf(values).any():
        row = int(np.argwhere(np.isinf(values))[0][0])
        raise error(
            "NN405",
            f"`{key}` of {name} has an infinite number in row {row + 1}",
            place=Place(name, None, key),
            help="only finite numbers can be learnt from",
        )
    return NumberColumn(key, values)
