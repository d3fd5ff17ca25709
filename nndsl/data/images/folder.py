"""Folders of pictures: one sub-folder a class, or files that a CSV file names with their labels."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from nndsl.data.images.decoding import ENDINGS
from nndsl.data.table import note
from nndsl.diagnostics import Diagnostic, Place, Span, error, first_of
from nndsl.records import dataclass

_LISTED = 3
_DIGITS = re.compile(r"(\d+)")


@dataclass(frozen=True)
class Listing:
    """The picture files of a folder in a fixed order, each with the name of its class if it has
    one, and what a person should know of the rest.
    """

    paths: tuple[Path, ...]
    names: tuple[str, ...]
    classes: tuple[str, ...] | None
    notes: tuple[Diagnostic, ...] = ()


def list_folder(folder: Path, name: str, span: Span | None) -> Listing:
    """The pictures of a folder; NN427 when there are none, or some outside of the classes.

    Files are in the order of their classes, then of their names, 2.png before 10.png. Links are
    not followed; hidden files are passed over.
    """
    files, folders, skipped = _entries(folder, "")
    classes = {inner: _entries(folder / inner, f"{inner}/") for inner in folders}
    found = {inner: entries[0] for inner, entries in classes.items() if entries[0]}
    skipped += [other for entries in classes.values() for other in entries[2]]
    if files and found:
        raise error(
            "NN427",
            f"{name} has pictures both in sub-folders and beside them: {files[0]}",
            span,
            place=Place(name),
            help="move it into the sub-folder of its class",
        )
    if not files and not found:
        raise _no_pictures(name, span, [inner for inner in folders if not found.get(inner)])
    pairs = [(inner, file) for inner, listed in found.items() for file in listed]
    names = [f"{inner}/{file}" for inner, file in pairs] or files
    return Listing(
        tuple(folder / relative for relative in names),
        tuple(names),
        tuple(inner for inner, _ in pairs) or None,
        _remarks(skipped, [inner for inner in folders if inner not in found]),
    )


def _entries(folder: Path, prefix: str) -> tuple[list[str], list[str], list[str]]:
    """Names of picture files, of folders, and (with the prefix) of what is neither."""
    files: list[str] = []
    folders: list[str] = []
    others: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.name)
            elif entry.is_file(follow_symlinks=False) and entry.name.lower().endswith(ENDINGS):
                files.append(entry.name)
            else:
                others.append(prefix + entry.name)
    return sorted(files, key=_natural), sorted(folders), sorted(others)


def _natural(name: str) -> list[tuple[int, int, str]]:
    """Digits by their number, all else by its letters; the name itself decides between equals."""
    parts = _DIGITS.split(name)
    keys = [(0, int(p), "") if p.isdigit() and p.isascii() else (1, 0, p) for p in parts]
    return [*keys, (1, 0, name)]


def _no_pictures(name: str, span: Span | None, folders: Sequence[str]) -> Exception:
    inside = f"its folders {', '.join(folders[:_LISTED])} have none either" if folders else ""
    return error(
        "NN427",
        f"{name} has no pictures: no file that ends in {', '.join(ENDINGS)}",
        span,
        place=Place(name) if span is None else None,
        notes=[inside] if inside else [],
        help="one sub-folder for each class, with its pictures in it",
    )


def _remarks(skipped: Sequence[str], empty: Sequence[str]) -> tuple[Diagnostic, ...]:
    found = []
    if skipped:
        listed = first_of(skipped, _LISTED)
        found.append(note("NN464", f"no pictures, or links, and left out: {listed}"))
    if empty:
        found.append(note("NN464", f"folders without pictures: {', '.join(empty[:_LISTED])}"))
    return tuple(found)
