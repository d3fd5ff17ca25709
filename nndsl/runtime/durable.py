"""Files that are whole or absent: written beside the target, flushed to the disk, renamed.

Whenever the process is killed, the disk fills up or a call fails, the target still holds all of
its old content or all of its new one. What a killed process leaves behind are temporary files with
the ending `SUFFIX`; `sweep` removes them.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from nndsl.diagnostics import NndslError, error

SUFFIX = ".nndsl-new"
Content = bytes | Sequence[bytes | memoryview]
"""The bytes of a file, in one piece or in several to be written one after the other."""

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


def write_file(path: Path, content: Content) -> None:
    """Replace the file at `path`, or leave it as it is and raise (NN610-NN612)."""
    write_files(path.parent, {path.name: content})


def write_files(folder: Path, contents: Mapping[str, Content]) -> None:
    """Replace files of one folder in the order given, each whole or not at all.

    All are on the disk before the first is renamed, so that a full disk changes none of them.
    """
    pieces = {name: _pieces(content) for name, content in contents.items()}
    temporary = {name: folder / f".{name}.{os.getpid()}{SUFFIX}" for name in pieces}
    try:
        for name, path in temporary.items():
            _write_synced(path, pieces[name])
        for name, path in temporary.items():
            os.replace(path, folder / name)  # noqa: PTH105
        _sync_folder(folder)
    except OSError as problem:
        for path in temporary.values():
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
        needed = sum(len(piece) for content in pieces.values() for piece in content)
        raise write_error(problem, folder, needed) from problem


def sweep(folder: Path) -> int:
    """Remove what killed writers left in `folder`; the number of files removed.

    Only for a folder in which nobody else writes now.
    """
    removed = 0
    for path in folder.glob(f".*{SUFFIX}"):
        with contextlib.suppress(OSError):
            path.unlink()
            removed += 1
    return removed


def probe(folder: Path) -> None:
    """Write, flush and remove an empty file, so that a bad folder is found before any work."""
    path = folder / f".probe.{os.getpid()}{SUFFIX}"
    try:
        _write_synced(path, [])
    except OSError as problem:
        raise write_error(problem, folder, 0) from problem
    finally:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def write_error(problem: OSError, folder: Path, needed: int) -> NndslError:
    """What to tell a person about a failed write of `needed` bytes into `folder`."""
    if problem.errno in _FULL:
        return error(
            "NN610",
            f"no space left in `{folder}`: {needed:,} bytes needed, {_free(folder):,} free",
            notes=("files written earlier are as they were",),
            help="free some space, or choose another folder with `--out DIR`",
        )
    if problem.errno in _FORBIDDEN:
        return error(
            "NN611",
            f"cannot write into `{folder}`: {_reason(problem)}",
            help="choose a folder of your own with `--out DIR`",
        )
    return error(
        "NN612",
        f"writing into `{folder}` failed: {_reason(problem)}",
        notes=("files written earlier are as they were",),
        help="check the disk, or choose another folder with `--out DIR`",
    )


def _pieces(content: Content) -> Sequence[bytes | memoryview]:
    return [content] if isinstance(content, bytes) else content


def _write_synced(path: Path, pieces: Sequence[bytes | memoryview]) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(path, flags | getattr(os, "O_BINARY", 0), 0o666)
    try:
        for piece in pieces:
            left = memoryview(piece)
            while left:
                left = left[os.write(descriptor, left) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    """Flush the names in a folder; some systems (Windows) have no such call and need none."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _free(folder: Path) -> int:
    try:
        status = os.statvfs(folder)
    except (AttributeError, OSError):
        return 0
    return status.f_bavail * status.f_frsize


def _reason(problem: OSError) -> str:
    return (problem.strerror or "unknown reason").lower()
