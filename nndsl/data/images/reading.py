"""`images(...)`: what the path names, a folder, an array, or a single picture, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from nndsl.data import arrays
from nndsl.data.csv_file import read_csv
from nndsl.data.formats import first_bytes, other_format
from nndsl.data.images.column import ImageColumn
from nndsl.data.images.decoding import Frame, is_picture, measure, unlike
from nndsl.data.images.folder import Listing, list_folder
from nndsl.data.images.pixels import ArrayPixels, FilePixels, Pixels, StoredPixels
from nndsl.data.location import locate
from nndsl.data.memory import all_bytes
from nndsl.data.options import csv_options, value_of
from nndsl.data.table import CategoryColumn, Origin, Table, TableColumn
from nndsl.diagnostics import Diagnostic, NndslError, Place, error
from nndsl.records import dataclass
from nndsl.schema import DataSpecification, Schema

IMAGE, LABEL = arrays.IMAGE, arrays.LABEL
LARGE_SHARE = 0.125
"""Of the whole memory: a plain file above it is read row by row."""
MOST_MEASURED = 64
"""Headers looked at before any picture is decoded."""
_ARRAY_NAMES = (IMAGE, "images", arrays.VALUES)
_LABEL_NAMES = (LABEL, "labels", "y")


@dataclass(frozen=True)
class Wanted:
    """What is known of the pictures before they are looked at: from the source, or from a run."""

    size: tuple[int, int] | None = None
    channels: int | None = None
    fit: bool = False
    whose: str = "the other pictures are"
    levels: bool = False  # of a target: numbered colours are classes


def read_images(
    specification: DataSpecification,
    path: Path,
    name: str,
    folder: Path,
    expected: Schema | None = None,
) -> Table:
    """The table of an `images(...)`: the column `image`, and `label` where there are labels.

    `folder` is where a file of labels is looked for. With `expected`, the schema of a trained run,
    the pictures are to be as its were. Raises NN403, NN418, NN420, NN421, NN425-NN427.
    """
    wanted = wanted_of(specification, expected)
    labels = _labels(specification, folder, expected)
    if path.is_dir():
        return _folder(specification, path, name, folder, wanted, labels)
    head = first_bytes(path, None)
    if is_picture(head):
        listing = Listing((path,), (path.name,), None)
        return _of_files(listing, name, path, wanted, {})
    if head.startswith((b"\x93NUMPY", b"PK\x03\x04")):
        written = value_of(specification, "labels", None)
        pixels, columns = of_numpy(path, name, folder, (written, labels), _targets(specification))
    elif head.startswith((b"\x1f\x8b", b"\0\0")):
        pixels, columns = of_idx(path, name, folder, labels)
    else:
        raise other_format(
            name, "no folder, PNG, JPEG, IDX or NumPy file", "name a folder of pictures"
        )
    require_shape(pixels.shape, wanted, name)
    return _table(pixels, name, path, columns)


def _labels(specification: DataSpecification, folder: Path, expected: Schema | None) -> Any:
    """The option `labels`; new data may come without that file."""
    labels = value_of(specification, "labels", None)
    absent = isinstance(labels, str) and not (folder / labels).is_file()
    return None if expected is not None and absent else labels


def wanted_of(specification: DataSpecification, expected: Schema | None) -> Wanted:
    """What the options of a source say, or the run that the pictures are for; NN418."""
    size = value_of(specification, "size", None)
    sizes = [size, size] if isinstance(size, int) and not isinstance(size, bool) else size
    if sizes is not None and not _is_size(sizes):
        raise _refused(specification, "size", "one number, or height x width: 28, 30x32")
    channels = value_of(specification, "channels", None)
    if channels not in (None, 1, 3) or isinstance(channels, bool):
        raise _refused(specification, "channels", "1 for grey or 3 for colours")
    if expected is not None:
        known = next((i.shape for i in expected.inputs if len(i.shape) == 3), None)
        if known is not None:
            whose = "the network was trained on"
            return Wanted((known[1], known[2]), known[0], sizes is not None, whose)
    return Wanted(None if sizes is None else (sizes[0], sizes[1]), channels, sizes is not None)


def _is_size(sizes: Any) -> bool:
    whole = isinstance(sizes, list) and len(sizes) == 2 and all(type(s) is int for s in sizes)
    return whole and min(sizes) >= 1 and sizes[0] * sizes[1] <= 1 << 26


def _refused(specification: DataSpecification, option: str, expected: str) -> NndslError:
    place = specification.options[option].span
    return error("NN418", f"`{option}` must be {expected}", place, "cannot be used")


# --- files ----------------------------------------------------------------------------------


def _folder(
    specification: DataSpecification,
    path: Path,
    name: str,
    folder: Path,
    wanted: Wanted,
    labels: Any,
) -> Table:
    if labels is not None:
        listing, columns = _labelled(specification, path, folder, str(labels))
        return _of_files(listing, name, path, wanted, columns)
    listing = list_folder(path, name, specification.path_span)
    columns = {LABEL: _categories(listing.classes)} if listing.classes is not None else {}
    return _of_files(listing, name, path, wanted, columns)


def _categories(classes: Sequence[str]) -> CategoryColumn:
    distinct = tuple(sorted(set(classes)))
    code = {text: number for number, text in enumerate(distinct)}
    return CategoryColumn(LABEL, np.array([code[c] for c in classes], np.int32), distinct)


def _labelled(
    specification: DataSpecification, path: Path, folder: Path, labels: str
) -> tuple[Listing, dict[str, TableColumn]]:
    """The files that the first column of a CSV file names, and its other columns."""
    span = specification.options["labels"].span
    table = read_csv(labels, locate(labels, folder, span), None, csv_options(specification))
    first = next(iter(table.columns))
    names = [text or "" for text in table.columns[first].texts()]
    for row, name in enumerate(names):
        if not _lies_in(path, name):
            raise error(
                "NN427",
                f"{table.row_name(row)} of {labels} names `{name}`, which is no file of the folder",
                span,
                place=table.place(row, first),
                help="the first column has the names of the pictures, relative to their folder",
            )
    others = {key: column for key, column in table.columns.items() if key != first}
    return Listing(tuple(path / n for n in names), tuple(names), None, table.notes), others


def _lies_in(folder: Path, name: str) -> bool:
    """Whether a name is that of a file in the folder, links followed."""
    try:
        found = (folder / name).resolve()
        return found.is_file() and found.is_relative_to(folder.resolve())
    except (OSError, ValueError, RuntimeError):  # too long, or links in a circle
        return False


def _of_files(
    listing: Listing, name: str, path: Path, wanted: Wanted, columns: dict[str, TableColumn]
) -> Table:
    frame = frame_of(listing, wanted)
    pixels = FilePixels(listing.paths, listing.names, frame)
    found = _table(pixels, name, path, columns, listing.notes)
    return replace(found, names=listing.names)


def frame_of(listing: Listing, wanted: Wanted) -> Frame:
    """Size and channels of the first file, unless they are said; a few more are compared."""
    count = len(listing.paths)
    few = np.unique(np.linspace(0, count - 1, min(count, MOST_MEASURED)).astype(np.int64))
    frame: Frame | None = None
    for row in few.tolist():
        path, name = listing.paths[row], listing.names[row]
        found = measure(path, name, wanted.channels, levels=wanted.levels)
        if frame is None:
            height, width = wanted.size or found[1:]
            shape = (found[0], height, width)
            convert = wanted.channels is not None
            frame = Frame(shape, convert, wanted.fit, wanted.whose, wanted.levels)
        fits = found == frame.shape or (frame.fit and found[0] == frame.shape[0])
        if not fits:
            raise unlike(name, found, frame)
    assert frame is not None
    return frame


# --- arrays ---------------------------------------------------------------------------------


def of_idx(
    path: Path, name: str, folder: Path, labels: Any = None
) -> tuple[Pixels, dict[str, TableColumn]]:
    """Pictures of an IDX file, and the column of their labels."""
    columns: dict[str, TableColumn] = {}
    if isinstance(labels, str):
        found = arrays.read_idx(locate(labels, folder), labels)
        columns, _ = arrays.as_columns({LABEL: found}, labels)
    if _is_large(path):
        with path.open("rb") as stream:
            raw = stream.read(arrays.LONGEST_HEADER)
        if not raw.startswith(arrays.GZIP):
            offset, dtype, shape = arrays.idx_header(raw, name)
            arrays.require_length(name, shape, dtype, offset, path.stat().st_size)
            inner = _layout(shape, name)[0]
            return StoredPixels(path, name, offset, dtype, shape[0], inner), columns
    return _in_memory(arrays.read_idx(path, name), name), columns


def _targets(specification: DataSpecification) -> tuple[str, ...]:
    """The names that the target is written by."""
    found = value_of(specification, "target", ())
    items = found if isinstance(found, list | tuple) else (found,)
    return tuple(item for item in items if isinstance(item, str))


def of_numpy(
    path: Path,
    name: str,
    folder: Path,
    labels: tuple[Any, Any] = (None, None),
    targets: Sequence[str] = (),
) -> tuple[Pixels, dict[str, TableColumn]]:
    """Pictures, and the columns beside them: labels, and arrays of pictures that are `targets`.

    `labels` are as written, the name of an array or of a file, and None for an absent file.
    """
    with path.open("rb") as stream:
        if stream.read(4) == b"\x93NUM" and _is_large(path):
            stream.seek(0)
            dtype, shape, fortran = arrays.npy_header(stream, path.stat().st_size, name)
            inner, channels_last = _layout(shape, name)
            if not fortran and not channels_last and dtype.kind in "uif":
                stored = StoredPixels(path, name, stream.tell(), dtype, shape[0], inner)
                return stored, _labels_of({}, labels, folder, name)
    found = arrays.read_numpy(path, name)
    key = next((k for k in _ARRAY_NAMES if k in found), None)
    if key is None:
        many = [k for k, array in found.items() if array.ndim >= 3 and k not in targets]
        if len(many) != 1:
            raise _no_array(name, list(found))
        key = many[0]
    pixels = _in_memory(found.pop(key), name)
    columns = _labels_of(found, labels, folder, name)
    for other in (n for n in targets if n in found and n not in columns and found[n].ndim > 2):
        beside = _in_memory(as_levels(found[other]), f"`{other}` of {name}")
        columns[other] = ImageColumn(other, beside, np.arange(beside.count))
    return pixels, columns


def as_levels(array: np.ndarray) -> np.ndarray:
    """Whole numbers from 0 to 255 as bytes, other numbers as they are: classes are few levels."""
    if array.dtype.kind not in "iuf" or array.dtype == np.uint8 or not array.size:
        return array
    low, high = array.min(), array.max()
    if not (low >= 0 and high <= 255):
        return array
    made = array.astype(np.uint8)
    return made if array.dtype.kind != "f" or bool(np.all(made == array)) else array


def _no_array(name: str, found: Sequence[str]) -> NndslError:
    return error(
        "NN427",
        f"{name} has no array called {', '.join(_ARRAY_NAMES)}",
        place=Place(name),
        notes=[f"its arrays: {', '.join(found)}"],
        help="call the pictures `image` and their classes `label`",
    )


def _labels_of(
    found: dict[str, np.ndarray], labels: tuple[Any, Any], folder: Path, name: str
) -> dict[str, TableColumn]:
    """The labels: an array of the same file by its name, else a .npy file."""
    written, file = labels
    key = written if written in found else None
    if written is None:
        key = next((k for k in _LABEL_NAMES if k in found), None)
    if key is not None:
        return arrays.as_columns({LABEL: found[key]}, name)[0]
    if file is None:
        return {}
    beside = arrays.read_numpy(locate(str(file), folder), str(file))
    return arrays.as_columns({LABEL: next(iter(beside.values()))}, str(file))[0]


def _is_large(path: Path) -> bool:
    return path.stat().st_size > LARGE_SHARE * all_bytes()


def _layout(shape: Sequence[int], name: str) -> tuple[tuple[int, int, int], bool]:
    """Channels, height, width of an array's pictures, and whether the channels stand last."""
    inner = tuple(shape[1:])
    if len(inner) == 2 and min(inner):
        return (1, inner[0], inner[1]), False
    if len(inner) == 3 and min(inner) and inner[0] in (1, 3):
        return (inner[0], inner[1], inner[2]), False
    if len(inner) == 3 and min(inner) and inner[2] in (1, 3):
        return (inner[2], inner[0], inner[1]), True
    raise error(
        "NN426",
        f"{name} is {' x '.join(map(str, shape))}: these are no pictures",
        place=Place(name),
        help="pictures are rows x height x width, with 1 or 3 channels before or after that",
    )


def _in_memory(array: np.ndarray, name: str) -> ArrayPixels:
    inner, channels_last = _layout(array.shape, name)
    if array.dtype.kind not in "biuf":
        raise error("NN420", f"{name} holds {array.dtype}, not numbers", place=Place(name))
    if array.dtype not in (np.uint8, np.float32):
        array = array.astype(np.uint8 if array.dtype.kind == "b" else np.float32)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        row = int(np.argwhere(~np.isfinite(array.reshape(len(array), -1)).all(axis=1))[0][0])
        raise error(
            "NN405", f"picture {row + 1} of {name} has a number that is not finite",
            place=Place(name), help="only finite numbers can be learnt from",
        )  # fmt: skip
    if channels_last:
        array = array.transpose(0, 3, 1, 2)
    return ArrayPixels(np.ascontiguousarray(array).reshape(len(array), *inner))


def require_shape(shape: tuple[int, int, int], wanted: Wanted, name: str) -> None:
    """Arrays are taken as they are: `size` and `channels` can only agree."""
    size, channels = wanted.size or shape[1:], wanted.channels or shape[0]
    if (channels, *size) != shape:
        raise error(
            "NN426",
            f"{name} holds pictures of {'x'.join(map(str, shape))}, "
            f"not {channels}x{size[0]}x{size[1]}",
            place=Place(name),
            help="arrays are not scaled or converted: leave `size` and `channels` out",
        )


def _table(
    pixels: Pixels,
    name: str,
    path: Path,
    columns: dict[str, TableColumn],
    notes: tuple[Diagnostic, ...] = (),
) -> Table:
    if not pixels.count:
        raise error("NN410", f"{name} has no rows", place=Place(name))
    for key, column in columns.items():
        if len(column.missing) != pixels.count:
            raise error(
                "NN421",
                f"{name} has {pixels.count:,} pictures and {len(column.missing):,} labels",
                place=Place(name, None, key),
                help="inputs and labels must have one row for each example",
            )
    numbers = np.arange(pixels.count, dtype=np.int64)
    image = ImageColumn(IMAGE, pixels, numbers)
    return Table(
        Origin(name, "images", path), {IMAGE: image, **columns}, pixels.count, numbers, notes=notes
    )
