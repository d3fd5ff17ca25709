"""Where the pixels of many pictures are: in memory, in one large file, in many small ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from nndsl.data.images.decoding import Frame, decode
from nndsl.diagnostics import Diagnostic, NndslError, Place, error
from nndsl.records import dataclass

MOST_PROBLEMS = 5
"""Damaged files that are told at once."""


class Pixels(Protocol):
    """Pictures by their number, decoded when asked for."""

    @property
    def count(self) -> int:
        """How many there are."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height, width."""

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """uint8 or float32."""

    def read(self, rows: np.ndarray) -> np.ndarray:
        """Pictures [len(rows), channels, height, width]."""

    def digest(self) -> bytes:
        """A few bytes that differ when the pictures do."""


@dataclass(frozen=True, eq=False)
class ArrayPixels:
    """Pictures in memory: uint8 or float32 [count, channels, height, width]."""

    array: np.ndarray

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.array)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height, width."""
        _, channels, height, width = self.array.shape
        return channels, height, width

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """uint8 or float32."""
        return self.array.dtype

    def read(self, rows: np.ndarray) -> np.ndarray:
        """Pictures [len(rows), channels, height, width]."""
        return np.asarray(self.array[rows])

    def digest(self) -> bytes:
        """Of all pixels."""
        from hashlib import blake2b  # slow to import, and seldom needed

        return blake2b(np.ascontiguousarray(self.array).data, digest_size=16).digest()


@dataclass(frozen=True, eq=False)
class StoredPixels:
    """Pictures one after another in a file that is too large for memory; its length was checked.

    `offset` is where the first one begins, `dtype` (of any byte order) that of the numbers.
    """

    path: Path
    name: str
    offset: int
    stored: np.dtype[np.generic]
    count: int
    shape: tuple[int, int, int]

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """uint8, or float32 for all other numbers."""
        return np.dtype(np.uint8 if self.stored == np.uint8 else np.float32)

    def read(self, rows: np.ndarray) -> np.ndarray:
        """Pictures [len(rows), channels, height, width]; NN420 when the file has become shorter."""
        found = np.empty((len(rows), *self.shape), self.dtype)
        size = self.stored.itemsize * int(np.prod(self.shape))
        with self.path.open("rb") as stream:
            for place, row in enumerate(rows.tolist()):
                stream.seek(self.offset + row * size)
                raw = stream.read(size)
                if len(raw) != size:
                    title = f"{self.name} has become shorter while it was read"
                    raise error("NN420", title, place=Place(self.name))
                found[place] = np.frombuffer(raw, self.stored).reshape(self.shape)
        return found

    def digest(self) -> bytes:
        """Of the file's length and time."""
        state = self.path.stat()
        return f"{state.st_size} {state.st_mtime_ns} {self.offset} {self.shape}".encode()


@dataclass(frozen=True, eq=False)
class FilePixels:
    """One PNG or JPEG file for each picture. `names` are those that messages use."""

    paths: Sequence[Path]
    names: Sequence[str]
    frame: Frame

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.paths)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height, width."""
        return self.frame.shape

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """Bytes."""
        return np.dtype(np.uint8)

    def read(self, rows: np.ndarray) -> np.ndarray:
        """Pictures [len(rows), channels, height, width]; the first few damaged files as errors."""
        found = np.empty((len(rows), *self.shape), np.uint8)
        problems: list[Diagnostic] = []
        for place, row in enumerate(rows.tolist()):
            try:
                found[place] = decode(self.paths[row], self.names[row], self.frame)
            except NndslError as problem:
                problems += problem.diagnostics
            except OSError as problem:
                title = f"{self.names[row]} cannot be read: {problem.strerror}"
                problems += error("NN425", title, place=Place(self.names[row])).diagnostics
            if len(problems) >= MOST_PROBLEMS:
                break
        if problems:
            raise NndslError(problems)
        return found

    def digest(self) -> bytes:
        """Of the names, lengths and times of all files."""
        from hashlib import blake2b

        made = blake2b(repr(self.frame).encode(), digest_size=16)
        for path, name in zip(self.paths, self.names, strict=True):
            state = path.stat()
            made.update(f"{name} {state.st_size} {state.st_mtime_ns}\n".encode())
        return made.digest()
