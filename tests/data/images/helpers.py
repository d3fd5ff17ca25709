"""Small pictures made by the tests: a cross and a ring, in grey and in colour."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
from PIL import Image

from nndsl.data import Table, read_table
from nndsl.schema import DataSpecification
from tests.data.helpers import request

SIDE = 8


def drawn(kind: str, number: int, side: int = SIDE) -> np.ndarray:
    """A cross or a ring, a little different for each number: uint8 [side, side]."""
    place = np.arange(side) - (side - 1) / 2 + (number % 3 - 1) * 0.5
    row, column = place[:, None], place[None]
    if kind == "cross":
        ink = np.minimum(np.abs(row - column), np.abs(row + column)) < 1
    else:
        ink = np.abs(np.hypot(row, column) - side * 0.32) < 1
    return np.where(ink, 255 - number % 60, number % 20).astype(np.uint8)


def make_folder(folder: Path, count: int = 12, side: int = SIDE, ending: str = "png") -> Path:
    """`count` files in each of the folders `cross` and `ring`."""
    for kind in ("cross", "ring"):
        (folder / kind).mkdir(parents=True)
        for number in range(count):
            path = folder / kind / f"{number}.{ending}"
            Image.fromarray(drawn(kind, number, side)).save(path)
    return folder


def idx(array: np.ndarray, packed: bool = False) -> bytes:
    """An IDX file of bytes."""
    raw = struct.pack(f">2xBB{array.ndim}I", 8, array.ndim, *array.shape) + array.tobytes()
    return gzip.compress(raw, mtime=0) if packed else raw


def read(folder: Path, path: str = "pictures", **options: object) -> Table:
    """The table of `images(path, ...)`."""
    return read_table(wanted(path, **options), folder)


def wanted(path: str = "pictures", **options: object) -> DataSpecification:
    """`images(path, ...)` as a request."""
    return request("images", path, options=options)
