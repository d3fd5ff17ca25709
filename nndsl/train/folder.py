"""The run folder: made once, locked while a training writes into it, files whole or absent.

It holds `model.nn` (the resolved source), `schema.json`, `weights.safetensors`, `history.csv`,
`run.json` and, while a run can go on, `checkpoint.safetensors`. That of an ensemble holds a table
`members.csv` and, in a folder for each member, its weights, history and record. Nothing in it is
executed, and no file in it names another.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType

from nndsl.diagnostics import NndslError, error
from nndsl.runtime import durable
from nndsl.runtime.weights import read_regular

MODEL = "model.nn"
SCHEMA = "schema.json"
WEIGHTS = "weights.safetensors"
HISTORY = "history.csv"
RECORD = "run.json"
CHECKPOINT = "checkpoint.safetensors"
FOLDS = "folds.csv"
MEMBERS = "members.csv"

_LOCK = ".lock"
_TEXT_LIMIT = 64 << 20


class RunFolder:
    """A folder that this process alone writes into, until `close` or the end of a `with`."""

    def __init__(self, path: Path) -> None:
        """Lock an existing folder, clean up after killed writers, and try whether it is writable.

        Raises NN613 when another training holds it, NN610-NN612 when it cannot be written.
        """
        self.path = path
        self._lock: int | None = _acquire(path)
        try:
            durable.sweep(path)
            durable.probe(path)
        except NndslError:
            self.close()
            raise

    def __enter__(self) -> RunFolder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def write(self, contents: Mapping[str, durable.Content]) -> None:
        """Replace files, in the order given, each whole or not at all."""
        durable.write_files(self.path, contents)

    def inner(self, name: str) -> RunFolder:
        """The folder of a part of this run, made where it is not there."""
        path = self.path / name
        with _folder_errors(path):
            path.mkdir(exist_ok=True)
        return RunFolder(path)

    def remove(self, name: str) -> None:
        """Delete a file if it is there."""
        try:
            (self.path / name).unlink(missing_ok=True)
        except OSError as problem:
            raise durable.write_error(problem, self.path, 0) from problem

    def close(self) -> None:
        """Give up the lock; a folder that stayed empty is removed again."""
        if self._lock is None:
            return
        with contextlib.suppress(OSError):
            (self.path / _LOCK).unlink()
        os.close(self._lock)
        self._lock = None
        with contextlib.suppress(OSError):
            self.path.rmdir()


def member(number: int) -> str:
    """The name of a member's folder; members are counted from 1."""
    return f"member-{number}"


def create_numbered(parent: Path, stem: str) -> RunFolder:
    """A new folder `<parent>/<stem>-<n>` with the next free n; never one that exists."""
    number = max(_numbers(parent, stem), default=0) + 1
    with _folder_errors(parent):
        parent.mkdir(parents=True, exist_ok=True)
        while True:
            path = parent / f"{stem}-{number}"
            try:
                path.mkdir()
            except FileExistsError:
                number += 1
            else:
                return RunFolder(path)


def create_at(path: Path) -> RunFolder:
    """A new folder at `path`, or an existing one that is empty; NN060 when it holds anything."""
    with _folder_errors(path.parent):
        path.mkdir(parents=True, exist_ok=True)
        content = [p.name for p in path.iterdir()]
    if any(name != _LOCK and not name.endswith(durable.SUFFIX) for name in content):
        raise _exists(path, len(content))
    return RunFolder(path)


def read_text(folder: Path, name: str) -> str:
    """The text of a file in a run folder; links, pipes and damaged texts are refused (NN5xx)."""
    if folder.suffix == ".nn" and folder.is_file():
        raise error(
            "NN506",
            f"`{folder}` is no run folder but a source",
            help=f"`nndsl train {folder}` makes one and names it when it ends",
        )
    if not folder.is_dir():
        raise error(
            "NN506",
            f"there is no run folder `{folder}`",
            help="give the folder that `nndsl train` named when it ended, such as `runs/iris-1`",
        )
    content = read_regular(folder / name, limit=_TEXT_LIMIT)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as problem:
        raise error(
            "NN502", f"`{folder / name}` is damaged: byte {problem.start} is no text"
        ) from None


def _numbers(parent: Path, stem: str) -> Iterator[int]:
    if not parent.is_dir():
        return
    pattern = re.compile(re.escape(stem) + r"-(\d{1,9})")
    for path in parent.iterdir():
        if match := pattern.fullmatch(path.name):
            yield int(match[1])


@contextlib.contextmanager
def _folder_errors(where: Path) -> Iterator[None]:
    try:
        yield
    except FileExistsError as problem:
        raise error(
            "NN060",
            f"`{problem.filename}` exists and is not a folder",
            help="choose another folder with `--out DIR`",
        ) from None
    except NotADirectoryError as problem:
        raise error(
            "NN060",
            f"`{problem.filename}` lies inside something that is not a folder",
            help="choose another folder with `--out DIR`",
        ) from None
    except OSError as problem:
        raise durable.write_error(problem, where, 0) from problem


def _exists(path: Path, files: int) -> NndslError:
    return error(
        "NN060",
        f"the folder `{path}` is not empty ({files} files): a run is never overwritten",
        help=(
            "choose another folder with `--out DIR`, or leave `--out` away",
            f"to go on with the run in it: nndsl train --resume {path}",
        ),
    )


def _acquire(folder: Path) -> int:
    """Descriptor of the locked file; the system gives the lock up when the process ends."""
    path = folder / _LOCK
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o644)
        except OSError as problem:
            raise durable.write_error(problem, folder, 0) from problem
        try:
            _lock_whole(descriptor)
        except OSError:
            raise _held(descriptor, folder) from None
        if _still_there(descriptor, path):
            _sign(descriptor, folder)
            return descriptor
        os.close(descriptor)


def _held(descriptor: int, folder: Path) -> NndslError:
    holder = os.read(descriptor, 20).decode("ascii", "replace").strip() or "of unknown number"
    os.close(descriptor)
    return error(
        "NN613",
        f"another training (process {holder}) is writing into `{folder}`",
        help="wait for it, stop it, or choose another folder with `--out DIR`",
    )


def _sign(descriptor: int, folder: Path) -> None:
    """Write this process's number into the lock, for the message of the next one."""
    try:
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
    except OSError as problem:
        os.close(descriptor)
        raise durable.write_error(problem, folder, 20) from problem


def _still_there(descriptor: int, path: Path) -> bool:
    """Whether the locked file is the one under its name: its last owner may have removed it."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


if sys.platform == "win32":  # pragma: no cover

    def _lock_whole(descriptor: int) -> None:
        import msvcrt

        os.lseek(descriptor, 1 << 20, os.SEEK_SET)  # beyond the text, which stays readable
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        os.lseek(descriptor, 0, os.SEEK_SET)

else:

    def _lock_whole(descriptor: int) -> None:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
