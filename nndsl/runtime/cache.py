"""Compiled kernels kept on disk, so that the next process need not compile them again.

A file here becomes machine code of the next run, so nothing is loaded that this user's own nndsl
did not write: the folder belongs to the user alone (0700), links are never followed, and every
entry carries an HMAC-SHA256 of its key and its code under a secret of this folder (0600). Whatever
is not right (truncated, changed, planted, foreign, unreadable, no space) counts as absent: the
kernel is compiled again, silently.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
import stat
from pathlib import Path

MAGIC = b"nndsl object 1\n"
SECRET_NAME = "secret"
SECRET_BYTES = 32
MAXIMUM_BYTES = 1 << 24
_UNSAFE = stat.S_IWGRP | stat.S_IWOTH | stat.S_IRGRP | stat.S_IROTH


def default_folder() -> Path:
    """`NNDSL_CACHE_DIR`, else `nndsl` in the user's cache folder."""
    chosen = os.environ.get("NNDSL_CACHE_DIR")
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "nndsl"


class Cache:
    """Objects by key (hexadecimal text) in one folder. No method raises for what it finds there."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder: Path | None = None
        self._secret = b""
        try:
            self._folder = folder or default_folder()
            _private_folder(self._folder)
            self._secret = _secret(self._folder)
        except (OSError, RuntimeError, ValueError):
            self._folder = None  # works without a cache

    @property
    def usable(self) -> bool:
        """Whether entries can be read at all."""
        return self._folder is not None

    def load(self, key: str) -> bytes | None:
        """The object stored under `key`, or None."""
        if self._folder is None:
            return None
        try:
            content = _read_owned(self._folder / f"{key}.o", MAXIMUM_BYTES)
        except OSError:
            return None
        if not content.startswith(MAGIC):
            return None
        signature = content[len(MAGIC) : len(MAGIC) + 32]
        code = content[len(MAGIC) + 32 :]
        return code if hmac.compare_digest(signature, self._sign(key, code)) else None

    def store(self, key: str, code: bytes) -> None:
        """Keep `code` under `key`; a full or read-only disk keeps nothing."""
        if self._folder is None:
            return
        temporary = self._folder / f"{key}.{secrets.token_hex(8)}.tmp"
        try:
            _write_private(temporary, MAGIC + self._sign(key, code) + code)
            temporary.replace(self._folder / f"{key}.o")
        except OSError:
            with contextlib.suppress(OSError):
                temporary.unlink()

    def clear(self) -> int:
        """Delete all entries; how many there were."""
        if self._folder is None:
            return 0
        removed = 0
        for path in [*self._folder.glob("*.o"), *self._folder.glob("*.tmp")]:
            with contextlib.suppress(OSError):
                path.unlink()
                removed += 1
        return removed

    def _sign(self, key: str, code: bytes) -> bytes:
        return hmac.digest(self._secret, key.encode() + b"\0" + code, hashlib.sha256)


def _private_folder(folder: Path) -> None:
    """Make the folder if need be; refuse one that is a link, foreign or open to others."""
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
    _check_owned(os.lstat(folder), stat.S_ISDIR, stat.S_IWGRP | stat.S_IWOTH)


def _check_owned(status: os.stat_result, kind: object, refused: int) -> None:
    wanted = kind(status.st_mode) if callable(kind) else False
    if os.name == "posix" and (status.st_uid != os.geteuid() or status.st_mode & refused):
        raise PermissionError("not this user's own")
    if not wanted:
        raise PermissionError("not a plain file or folder")


def _read_owned(path: Path, limit: int) -> bytes:
    """Content of a plain file of this user that others can neither write nor read."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    flags |= getattr(os, "O_NONBLOCK", 0)  # a planted pipe must not hang the run
    descriptor = os.open(path, flags)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        _check_owned(status, stat.S_ISREG, _UNSAFE)
        if status.st_size > limit:
            raise PermissionError("too large")
        return file.read(limit)


def _write_private(path: Path, content: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
        file.write(content)


def _secret(folder: Path) -> bytes:
    """The folder's secret, made at first use."""
    path = folder / SECRET_NAME
    with contextlib.suppress(FileNotFoundError):
        found = _read_owned(path, SECRET_BYTES)
        if len(found) == SECRET_BYTES:
            return found
        path.unlink()
    temporary = folder / f"{SECRET_NAME}.{secrets.token_hex(8)}.tmp"
    _write_private(temporary, secrets.token_bytes(SECRET_BYTES))
    try:
        os.link(temporary, path)  # fails when another process was first: its secret holds
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
    return _read_owned(path, SECRET_BYTES)
