"""Matrices in rows, as people see them, and in panels, as products read them fastest.

Panels of `width` columns stand one after another, the last one narrower; inside a panel its rows
follow each other. There is no padding: the numbers are the same, in another order.
"""

from __future__ import annotations

import numpy as np

Array = np.ndarray


def to_panels(array: Array, flat: Array, width: int) -> None:
    """Write a matrix [rows, columns] into `flat` as panels."""
    rows, columns = array.shape
    for first in range(0, columns, width):
        last = min(first + width, columns)
        flat[rows * first : rows * last].reshape(rows, last - first)[...] = array[:, first:last]


def to_rows(flat: Array, shape: tuple[int, ...], width: int) -> Array:
    """The matrix of `shape` (rows, columns) whose panels are in `flat`."""
    rows, columns = shape
    array = np.empty(shape, flat.dtype)
    for first in range(0, columns, width):
        last = min(first + width, columns)
        array[:, first:last] = flat[rows * first : rows * last].reshape(rows, last - first)
    return array


def place(index: tuple[int, ...], shape: tuple[int, ...], width: int = 0) -> int:
    """Where the number at `index` stands; `width` 0: in rows, whatever the number of axes."""
    if not width:
        return int(np.ravel_multi_index(index, shape)) if shape else 0
    (row, column), (rows, columns) = index, shape
    first = column // width * width
    return rows * first + row * min(width, columns - first) + column - first
