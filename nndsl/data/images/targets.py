"""Pictures that are to be predicted: masks, or any others, matched with the pictures of a table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePath

import numpy as np

from nndsl.data.formats import first_bytes, other_format
from nndsl.data.images.column import ImageColumn
from nndsl.data.images.folder import Listing, list_folder
from nndsl.data.images.pixels import ArrayPixels, FilePixels, Pixels
from nndsl.data.images.reading import (
    Wanted,
    as_levels,
    frame_of,
    of_idx,
    of_numpy,
    require_shape,
    wanted_of,
)
from nndsl.data.location import locate
from nndsl.data.memory import all_bytes
from nndsl.data.table import Table, note
from nndsl.diagnostics import NndslError, error, first_of
from nndsl.schema import DataSpecification, PictureRequest, Schema

KEPT_SHARE = 0.0625
"""Of the whole memory: so many bytes of targets are decoded once, for their levels are counted."""
_LISTED = 3


def with_pictures(
    table: Table,
    specification: DataSpecification,
    folder: Path,
    expected: Schema | None = None,
    given: Path | None = None,
) -> Table:
    """The table with the pictures that are its target, where the source names any.

    Files go together by their names without ending, arrays by their rows. `given` is the path that
    stands for the one of the source: then the target lies as it does there. New data (`expected`)
    may come without, and does when it is called otherwise: pictures of equal names are no proof.
    Raises NN401-NN403, NN418, NN421, NN425-NN427.
    """
    request = specification.pictures
    if request is None:
        return table
    written = request.path
    if given is not None:
        folder, written = _beside(given, specification.path or "", request.path)
        other_name = given.name != PurePath(specification.path or "").name
        if expected is not None and (other_name or not (folder / written).exists()):
            return table
    path = locate(written, folder, request.path_span, folders=True)
    wanted = _wanted(specification, request, expected)
    if path.is_dir():
        pixels = _of_files(table, request, path, wanted, new=expected is not None)
        if pixels is None:
            return table
    else:
        pixels = _of_array(path, request)
        require_shape(pixels.shape, wanted, written)
        _require_count(table, pixels, request)
    column = ImageColumn(request.name, pixels, np.arange(pixels.count, dtype=np.int64))
    found = table.with_columns({request.name: column})
    if expected is None:
        return found
    return found.with_notes([note("NN465", f"compared with the pictures of {written}")])


def _beside(given: Path, source: str, target: str) -> tuple[Path, str]:
    """The folder and the path in it where the target of a given path lies, as in the source."""
    parts = PurePath(source).parts
    found = given.resolve()
    if found.parts[-len(parts) :] == parts and len(parts) < len(found.parts):
        return found.parents[len(parts) - 1], target
    return given.parent, PurePath(target).name


def _wanted(
    specification: DataSpecification, request: PictureRequest, expected: Schema | None
) -> Wanted:
    """As the options of the target say; its size is that of the pictures beside it."""
    size = {k: v for k, v in specification.options.items() if k == "size"}
    options = {**size, **request.options}
    own = DataSpecification(
        request.name, "images", request.path, options, span=request.span,
        path_span=request.path_span,
    )  # fmt: skip
    wanted = replace(wanted_of(own, None), levels="channels" not in request.options)
    known = expected.targets if expected is not None else ()
    shape = next((t.shape for t in known if t.name == request.name and t.shape), None)
    if shape is None:
        return wanted
    return replace(wanted, size=(shape[1], shape[2]), whose="the network was trained on")


def _of_files(
    table: Table, request: PictureRequest, path: Path, wanted: Wanted, *, new: bool
) -> Pixels | None:
    """The files of a folder in the order of the table; None when new data has not all of them."""
    if table.names is None:
        raise error(
            "NN427",
            f"{table.origin.name} has no file names that those of {request.path} could match",
            request.path_span,
            help="pictures in an array have targets in an array: a .npy file, or one of its .npz",
        )
    listing = list_folder(path, request.path, request.path_span)
    place = {_stem(name): number for number, name in enumerate(listing.names)}
    absent = [name for name in table.names if _stem(name) not in place]
    if absent and new:
        return None
    if absent:
        raise _absent(request, absent, listing)
    chosen = [place[_stem(name)] for name in table.names]
    paths = tuple(listing.paths[number] for number in chosen)
    names = tuple(f"{request.path.rstrip('/')}/{listing.names[number]}" for number in chosen)
    frame = frame_of(Listing(paths, names, None), wanted)
    pixels = FilePixels(paths, names, frame)
    if pixels.count * int(np.prod(pixels.shape)) > KEPT_SHARE * all_bytes():
        return pixels
    return ArrayPixels(pixels.read(np.arange(pixels.count)))


def _stem(name: str) -> str:
    return str(PurePath(name).with_suffix(""))


def _absent(request: PictureRequest, absent: list[str], listing: Listing) -> NndslError:
    return error(
        "NN427",
        f"{request.path} has no picture for {first_of(absent, _LISTED)}",
        request.path_span,
        notes=[f"it has {', '.join(listing.names[:_LISTED])}, ..."],
        help="a target has the name of its picture, but for the ending: 7.jpg and 7.png",
    )


def _of_array(path: Path, request: PictureRequest) -> Pixels:
    """The pictures of an IDX or NumPy file."""
    name, folder, head = request.path, path.parent, first_bytes(path, None)
    if head.startswith((b"\x93NUMPY", b"PK\x03\x04")):
        pixels, _ = of_numpy(path, name, folder)
    elif head.startswith((b"\x1f\x8b", b"\0\0")):
        pixels, _ = of_idx(path, name, folder)
    else:
        raise other_format(name, "no folder, IDX or NumPy file", "name a folder of pictures")
    return ArrayPixels(as_levels(pixels.array)) if isinstance(pixels, ArrayPixels) else pixels


def _require_count(table: Table, pixels: Pixels, request: PictureRequest) -> None:
    if table.rows != pixels.count:
        raise error(
            "NN421",
            f"{table.origin.name} has {table.rows:,} pictures and {request.path} {pixels.count:,}",
            request.path_span,
            help="there must be a target for each picture, in the same order",
        )
