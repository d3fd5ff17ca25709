"""Files that are whole or absent: written beside the target, flushed to the disk, renamed.

Whenever the process is killed, the disk fills up or a call fails, the target still holds all of
its old content or all of its new one. What a killed process leaves behind are temporary files with
the ending `SUFFIX`; `sweep` removes them.
"""

from __future__ import annotations

import contextlib
import errno
import os
import threading
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
        _write_synced({path: pieces[name] for name, path in temporary.items()})
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
    """Make and remove an empty file, so that a bad folder is found before any work."""
    path = folder / f".probe.{os.getpid()}{SUFFIX}"
    try:
        os.close(_open(path))
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


def _open(path: Path) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
    return os.open(path, flags | getattr(os, "O_BINARY", 0), 0o666)


def _write_synced(contents: Mapping[Path, Sequence[bytes | memoryview]]) -> None:
    """Write new files, then wait until all of them are on the disk."""
    descriptors: list[int] = []
    try:
        for path, pieces in contents.items():
            descriptors.append(_open(path))
            for piece in pieces:
                left = memoryview(piece)
                while left:
                    left = left[os.write(descriptors[-1], left) :]
        _sync(descriptors)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def _sync(descriptors: Sequence[int]) -> None:
    """Flush files at the same time: a disk is waited for once, not once for each."""
    problems: list[OSError] = []

    def sync(descriptor: int) -> None:
        try:
            os.fsync(descriptor)
        except OSError as problem:
            problems.append(problem)

    others = [threading.Thread(target=sync, args=(descriptor,)) for descriptor in descriptors[1:]]
    for thread in others:
        thread.start()
    for descriptor in descriptors[:1]:
        sync(descriptor)
    for thread in others:
        thread.join()
    if problems:
        raise problems[0]


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
