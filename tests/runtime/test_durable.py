"""Files are whole or unchanged: when calls fail, the disk is full, or the process is killed."""

from __future__ import annotations

import errno
import itertools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nndsl.diagnostics import NndslError
from nndsl.runtime import durable

OLD = {"a.bin": b"old a" * 100, "b.bin": b"old b" * 200}
NEW = {"a.bin": [b"new a" * 150, memoryview(b"more")], "b.bin": b"new b" * 50}


def joined(content) -> bytes:
    return content if isinstance(content, bytes) else b"".join(bytes(piece) for piece in content)


def state(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir()}


@pytest.fixture
def folder(tmp_path) -> Path:
    durable.write_files(tmp_path, OLD)
    return tmp_path


def test_files_are_replaced(folder):
    durable.write_files(folder, NEW)
    assert state(folder) == {name: joined(content) for name, content in NEW.items()}


def test_a_link_is_replaced_and_not_followed(folder, tmp_path_factory):
    other = tmp_path_factory.mktemp("other") / "precious"
    other.write_bytes(b"keep me")
    (folder / "a.bin").unlink()
    (folder / "a.bin").symlink_to(other)
    durable.write_file(folder / "a.bin", b"new")
    assert other.read_bytes() == b"keep me"
    assert not (folder / "a.bin").is_symlink()


def failing(monkeypatch, call: str, number: int, code: int, *, forever: bool) -> None:
    """Let the `number`th use of an `os` function fail, and every later one if `forever`."""
    real, count = getattr(os, call), itertools.count()

    def fail(*given, **named):
        here = next(count)
        if here == number or (forever and here > number):
            raise OSError(code, os.strerror(code))
        return real(*given, **named)

    monkeypatch.setattr(os, call, fail)


CALLS = {"open": 3, "write": 3, "fsync": 3, "replace": 2}
CODES = (errno.ENOSPC, errno.EIO, errno.EINTR, errno.EDQUOT, errno.EROFS)


@pytest.mark.parametrize("forever", [False, True])
@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("call", CALLS)
def test_a_failed_call_leaves_each_file_old_or_new(folder, call, code, forever):
    for number in range(CALLS[call] + 1):
        durable.write_files(folder, OLD)
        with pytest.MonkeyPatch.context() as patch:
            failing(patch, call, number, code, forever=forever)
            if number == CALLS[call]:
                durable.write_files(folder, NEW)
            else:
                with pytest.raises(NndslError):
                    durable.write_files(folder, NEW)
        found = state(folder)
        assert set(found) == set(OLD)
        for name, content in found.items():
            assert content in (OLD[name], joined(NEW[name]))


def test_a_failed_write_changes_no_file_at_all(folder, monkeypatch):
    failing(monkeypatch, "write", 2, errno.ENOSPC, forever=False)
    with pytest.raises(NndslError, match=r"NN610: no space left .*: 1,004 bytes needed"):
        durable.write_files(folder, NEW)
    assert state(folder) == OLD


@pytest.mark.parametrize(
    ("code", "name"), [(errno.EACCES, "NN611"), (errno.EROFS, "NN611"), (errno.EIO, "NN612")]
)
def test_other_failures_have_their_own_codes(folder, monkeypatch, code, name):
    failing(monkeypatch, "write", 0, code, forever=False)
    with pytest.raises(NndslError, match=name):
        durable.write_files(folder, NEW)


def test_probing_leaves_nothing(folder, monkeypatch):
    durable.probe(folder)
    assert state(folder) == OLD
    with pytest.raises(NndslError, match="NN612"):
        durable.probe(folder / "absent")


def test_leftovers_are_swept(folder):
    (folder / f".a.bin.123{durable.SUFFIX}").write_bytes(b"half")
    assert durable.sweep(folder) == 1
    assert state(folder) == OLD


CHILD = """
import sys
from pathlib import Path
from nndsl.runtime import durable
folder, number = Path(sys.argv[1]), 0
print("ready", flush=True)
while True:
    number += 1
    content = bytes([number % 256]) * {size}
    durable.write_files(folder, {"a.bin": content, "b.bin": content})
"""


def killed(folder: Path, after: float, size: int) -> None:
    """Kill a process that does nothing but overwrite the files, at some moment."""
    text = CHILD.replace("{size}", str(size))
    child = subprocess.Popen([sys.executable, "-c", text, str(folder)], stdout=subprocess.PIPE)
    assert child.stdout.readline() == b"ready\n"
    time.sleep(after)
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()


def kill_trials(folder: Path, count: int, size: int) -> None:
    durable.write_files(folder, {name: b"\0" * size for name in OLD})
    for trial in range(count):
        killed(folder, 0.005 + 0.1 * (trial * 0.618 % 1), size)
        durable.sweep(folder)
        found = state(folder)
        assert set(found) == {"a.bin", "b.bin"}
        for content in found.values():
            assert len(content) == size
            assert len(set(content)) == 1


def test_a_killed_writer_leaves_whole_files(tmp_path):
    kill_trials(tmp_path, 10, 1 << 20)


@pytest.mark.slow
def test_a_killed_writer_leaves_whole_files_a_hundred_times(tmp_path):
    kill_trials(tmp_path, 100, 8 << 20)


LIMITED = """
import resource, sys
from pathlib import Path
from nndsl.runtime import durable
from nndsl.diagnostics import NndslError
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    durable.write_files(Path(sys.argv[1]), {"a.bin": b"n" * 1000, "b.bin": b"n" * 10_000})
except NndslError as problem:
    print(problem.diagnostics[0].code, problem.diagnostics[0].title)
"""


def test_a_file_that_may_not_grow_changes_nothing(folder):
    child = subprocess.run(
        [sys.executable, "-c", LIMITED, str(folder)], capture_output=True, text=True, check=True
    )
    assert child.stdout.startswith("NN610 no space left")
    assert "11,000 bytes needed" in child.stdout
    assert state(folder) == OLD


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 256 KiB, where one may be mounted."""
    path = tmp_path / "disk"
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "nndsl-test", str(path)]
    if (
        os.name != "posix"
        or os.geteuid() != 0
        or subprocess.run(mount, capture_output=True).returncode
    ):
        pytest.skip("no disk can be mounted here")
    yield path
    subprocess.run(["umount", str(path)], check=True)


def test_a_full_disk_changes_nothing(small_disk):
    durable.write_files(small_disk, {"a.bin": b"o" * 100_000, "b.bin": b"o"})
    for size in range(80_000, 300_000, 11_000):
        new = {"a.bin": b"n" * size, "b.bin": b"n" * 5_000}
        try:
            durable.write_files(small_disk, new)
        except NndslError as problem:
            assert problem.diagnostics[0].code == "NN610"
            assert problem.exit_code == 6
            found = state(small_disk)
            assert found == {"a.bin": b"o" * 100_000, "b.bin": b"o"}
        else:
            assert state(small_disk) == new
            durable.write_files(small_disk, {"a.bin": b"o" * 100_000, "b.bin": b"o"})
