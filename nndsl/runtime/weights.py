"""Weight files: safetensors with a checksum over every byte, so that damage is always found.

The header's metadata has one key, `nndsl`, whose text is JSON: `checksum`, `format`, `values`.
The checksum is SHA-256 over the whole file with the checksum's own digits written as zeros. It
stands at a fixed place, because the library writes the metadata first. Nothing in such a file is
executed, and nothing in it names another file.

Source of the container: https://github.com/huggingface/safetensors (README, "Format").
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nndsl.diagnostics import NndslError, error
from nndsl.runtime.durable import Content, write_file

FORMAT = 1
HEADER_LIMIT = 16 << 20
"""A longer header is refused unread: it would hold about 200,000 tensors."""

_DIGITS = 64
_ZEROS = "0" * _DIGITS
_BEFORE = b'{"__metadata__":{"nndsl":"{\\"checksum\\":\\"'
_CHECKSUM = 8 + len(_BEFORE)
_DTYPES = {"int64": "I64", "float64": "F64", "float32": "F32", "int32": "I32"}
"""Names of elements in the order in which the library writes the arrays that have them."""
_ELEMENTS = tuple(_DTYPES)


def save(path: Path, tensors: Mapping[str, np.ndarray], metadata: Mapping[str, Any]) -> None:
    """Write arrays and a JSON-able mapping; the file is whole or, after any failure, unchanged."""
    write_file(path, encode(tensors, metadata))


def load(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Arrays by name and the mapping, of a file written by `save`; anything else is refused."""
    return decode(read_regular(path), str(path))


def encode(tensors: Mapping[str, np.ndarray], metadata: Mapping[str, Any]) -> Content:
    """The bytes of a weight file, in pieces. Equal arguments give equal bytes.

    The pieces are the arrays themselves, not copies: do not change them before they are written.
    """
    for name, tensor in tensors.items():
        if tensor.dtype.name not in _ELEMENTS:
            raise ValueError(f"{name} holds {tensor.dtype.name}: only {', '.join(_ELEMENTS)}")
    inner = {"checksum": _ZEROS, "format": FORMAT, "values": dict(metadata)}
    text = json.dumps(inner, separators=(",", ":"), allow_nan=False)
    arrays = {name: np.asarray(tensors[name], order="C") for name in _in_order(tensors)}
    header = _header(arrays, {"nndsl": text})
    pieces = [array.reshape(-1).view(np.uint8).data for array in arrays.values()]
    digest = hashlib.sha256(header)
    for piece in pieces:
        digest.update(piece)
    checksum = digest.hexdigest().encode()
    return [header[:_CHECKSUM], checksum, header[_CHECKSUM + _DIGITS :], *pieces]


def _in_order(tensors: Mapping[str, np.ndarray]) -> list[str]:
    """The names in the order of the library: by element, then by name."""
    return sorted(tensors, key=lambda name: (_ELEMENTS.index(tensors[name].dtype.name), name))


def _header(arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> bytes:
    """What stands before the arrays, byte for byte as the library writes it.

    The library itself copies all arrays twice, which may be more than there is room for.
    """
    entries: dict[str, Any] = {"__metadata__": dict(metadata)}
    end = 0
    for name, array in arrays.items():
        start, end = end, end + array.nbytes
        entries[name] = {"dtype": _DTYPES[array.dtype.name], "shape": list(array.shape),
                         "data_offsets": [start, end]}  # fmt: skip
    text = json.dumps(entries, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def decode(content: bytes, name: str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The opposite of `encode`; `name` is what messages call the file."""
    header = _checked_header(content, name)
    _check_sum(content, name)
    values = _values(header, name)
    return _tensors(content, name), values


def read_regular(path: Path, limit: int | None = None) -> bytes:
    """The bytes of an ordinary file: no link, pipe or device is followed or opened for reading."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        if path.is_symlink():
            raise _not_ordinary(path)
        descriptor = os.open(path, flags | getattr(os, "O_BINARY", 0))
    except OSError as problem:
        raise _unreadable(path, problem) from problem
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise _not_ordinary(path)
        if limit is not None and status.st_size > limit:
            raise error("NN502", f"`{path}` is damaged: it is {status.st_size:,} bytes long")
        with open(descriptor, "rb", closefd=False) as file:
            return file.read()
    except OSError as problem:
        raise _unreadable(path, problem) from problem
    finally:
        os.close(descriptor)


def _not_ordinary(path: Path) -> NndslError:
    return error(
        "NN507",
        f"`{path}` is no ordinary file (a link, a pipe, a folder or a device)",
        help="copy the file itself to this place",
    )


def _unreadable(path: Path, problem: OSError) -> NndslError:
    if isinstance(problem, FileNotFoundError):
        return error("NN506", f"there is no file `{path}`")
    return error("NN507", f"cannot read `{path}`: {(problem.strerror or 'unknown reason').lower()}")


def _checked_header(content: bytes, name: str) -> bytes:
    """The header's text, after the lengths were compared with what is really there."""
    if len(content) < _CHECKSUM + _DIGITS or content[8:_CHECKSUM] != _BEFORE:
        raise _not_ours(content, name)
    length = int.from_bytes(content[:8], "little")
    if length > HEADER_LIMIT:
        raise error("NN502", f"`{name}` is damaged: its header claims {length:,} bytes")
    if 8 + length > len(content):
        raise _incomplete(name, len(content), 8 + length)
    return content[8 : 8 + length]


def _not_ours(content: bytes, name: str) -> NndslError:
    start = 8 + min(len(_BEFORE), max(0, len(content) - 8))
    if content[8:start] == _BEFORE[: start - 8] and len(content) < _CHECKSUM + _DIGITS:
        return _incomplete(name, len(content), None)
    kind = next((kind for magic, kind in _MAGIC if content.startswith(magic)), "")
    return error(
        "NN501",
        f"`{name}` is not a weight file of nndsl" + (f": it is {kind}" if kind else ""),
        help="give a run folder that `nndsl train` wrote",
    )


_MAGIC = (
    (b"PK\x03\x04", "a zip archive (PyTorch, NumPy or Keras)"),
    (b"\x80\x02", "a pickle, which is never opened: it could run anything"),
    (b"\x80\x03", "a pickle, which is never opened: it could run anything"),
    (b"\x80\x04", "a pickle, which is never opened: it could run anything"),
    (b"\x80\x05", "a pickle, which is never opened: it could run anything"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x89HDF", "an HDF5 file (Keras)"),
)


def _incomplete(name: str, present: int, needed: int | None) -> NndslError:
    of = f" of {needed:,}" if needed is not None else ""
    return error("NN503", f"`{name}` is incomplete: {present:,}{of} bytes are there")


def _check_sum(content: bytes, name: str) -> None:
    found = content[_CHECKSUM : _CHECKSUM + _DIGITS]
    view = memoryview(content)
    digest = hashlib.sha256(view[:_CHECKSUM])
    digest.update(_ZEROS.encode())
    digest.update(view[_CHECKSUM + _DIGITS :])
    if digest.hexdigest().encode() != found:
        raise error(
            "NN504",
            f"`{name}` is damaged: its content does not match its checksum",
            help="use a copy of the file, or train again",
        )


def _values(header: bytes, name: str) -> dict[str, Any]:
    try:
        outer = strict_json(header.decode())
        inner = strict_json(outer["__metadata__"]["nndsl"])
        version, values, keys = inner["format"], inner["values"], set(inner)
        entries = [set(entry) for key, entry in outer.items() if key != "__metadata__"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise error("NN502", f"`{name}` is damaged: its header cannot be read") from None
    if version != FORMAT:
        raise error(
            "NN505",
            f"`{name}` has format {version}, and this nndsl reads format {FORMAT}",
            help="use the nndsl that wrote it (see run.json), or train again",
        )
    known = {"dtype", "shape", "data_offsets"}
    if keys != {"checksum", "format", "values"} or any(entry != known for entry in entries):
        raise error("NN502", f"`{name}` is damaged: its header has unknown keys")
    if not isinstance(values, dict):
        raise error("NN502", f"`{name}` is damaged: its header has no values")
    return values


def _tensors(content: bytes, name: str) -> dict[str, np.ndarray]:
    from safetensors import SafetensorError
    from safetensors.numpy import load as deserialize

    try:
        tensors: dict[str, np.ndarray] = deserialize(content)
    except (SafetensorError, ValueError, KeyError, TypeError) as problem:
        raise error("NN502", f"`{name}` is damaged: {problem}") from None
    for tensor_name, tensor in tensors.items():
        if tensor.dtype.name not in _ELEMENTS:
            raise error("NN502", f"`{name}`: `{tensor_name}` holds {tensor.dtype.name} numbers")
    return tensors


def strict_json(text: str) -> Any:
    """JSON without repeated keys, NaN or infinity; ValueError for anything else."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("a key is given twice")
        return found

    def refuse(constant: str) -> Any:
        raise ValueError(f"{constant} is no number of JSON")

    return json.loads(text, object_pairs_hook=unique, parse_constant=refuse)
