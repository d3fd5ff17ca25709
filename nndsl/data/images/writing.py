"""Predicted pictures as files: PNG in the levels of their target, NumPy where they are no bytes."""

from __future__ import annotations

import io
from pathlib import Path, PurePosixPath

import numpy as np

from nndsl.data.table import Table
from nndsl.diagnostics import Place, error
from nndsl.runtime.durable import write_error, write_file
from nndsl.schema import Schema, TargetKind, TargetSchema

_DRAWN = (1, 3)
"""Channels that a PNG may have."""


def levels_of(target: TargetSchema, values: np.ndarray) -> np.ndarray:
    """Class numbers [rows, 1, height, width] as levels of grey; numbers as they are.

    A pixel without an answer (-1) has the level halfway between the first class and the last.
    """
    if target.kind is not TargetKind.CLASSES:
        return values
    levels = [int(level) for level in target.classes]
    made: np.ndarray = np.array([*levels, (levels[0] + levels[-1]) // 2], np.uint8)[values]
    return made


def are_bytes(target: TargetSchema, schema: Schema) -> bool:
    """Whether the pictures of a target were whole numbers of 0 to 255 in one or three channels."""
    if target.kind is TargetKind.CLASSES:
        return True
    column = next(c for c in schema.columns if c.name == target.name)
    if column.minimum is None or column.maximum is None:
        return False
    low, high, channels = float(column.minimum), float(column.maximum), target.shape[0]
    whole = low.is_integer() and high.is_integer()
    return whole and low >= 0 and 1 < high <= 255 and channels in _DRAWN


def require_own_folder(folder: Path, table: Path) -> None:
    """NN428 unless the folder is new or empty, or holds what an earlier `table` names."""
    if not folder.exists():
        return
    named = table.read_text("utf-8", "replace") if table.is_file() else ""
    inside = sorted(folder.rglob("*")) if folder.is_dir() else [folder]
    for path in inside:
        name = f"{folder.name}/{path.relative_to(folder).as_posix()}"
        if not path.is_dir() and name not in named:
            raise error(
                "NN428",
                f"the predicted pictures belong in `{folder}`, which holds other files",
                place=Place(str(path)),
                help=f"name another table: -o {folder.name}-predicted.csv",
            )


def write_pictures(
    table: Table,
    target: TargetSchema,
    values: np.ndarray,
    folder: Path,
    *,
    as_bytes: bool,
    inner: str = "",
) -> list[str]:
    """Write a picture [channels, height, width] for each row; the files' names, [rows].

    They stand in `folder`, or in the folder `inner` of it, and are called as the row's own file,
    else by its number. Each appears complete or not at all; NN610-NN612 when that is not possible.
    """
    names = [PurePosixPath(inner) / name for name in _names(table, ".png" if as_bytes else ".npy")]
    written = levels_of(target, values)
    for name, picture in zip(names, written, strict=True):
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise write_error(problem, path.parent, 0) from problem
        write_file(path, _png(picture) if as_bytes else _npy(picture))
    return [f"{folder.name}/{name}" for name in names]


def _names(table: Table, ending: str) -> list[str]:
    """Names of files inside a folder, one for each row."""
    if table.names is None:
        return [f"{int(record) + 1}{ending}" for record in table.records]
    plain = [PurePosixPath(name).with_suffix(ending) for name in table.names]
    inside = all(not name.is_absolute() and ".." not in name.parts for name in plain)
    if inside and len(set(plain)) == len(plain):
        return [str(name) for name in plain]
    return [f"{row + 1}{ending}" for row in range(table.rows)]


def _png(picture: np.ndarray) -> bytes:
    from PIL import Image  # only who writes pictures waits for it

    pixels = np.clip(np.rint(picture), 0, 255).astype(np.uint8).transpose(1, 2, 0)
    stream = io.BytesIO()
    Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(stream, "PNG")
    return stream.getvalue()


def _npy(picture: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, picture.astype(np.float32), allow_pickle=False)
    return stream.getvalue()
