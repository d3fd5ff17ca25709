"""The code cache: what is not this user's own, whole and unchanged is never used."""

import os
import shutil
import stat
import subprocess
import sys

import numpy as np
import pytest

from nndsl.codegen.target import host_target
from nndsl.runtime.cache import MAGIC, SECRET_NAME, Cache, default_folder
from nndsl.runtime.compiler import Machine
from nndsl.runtime.executable import load
from tests.runtime.small import SIZE, program

posix = pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
KEY = "a" * 64


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def entry(folder):
    """The file of one entry."""
    Cache(folder).store(KEY, b"code")
    return folder / f"{KEY}.o"


def test_what_is_stored_is_found(folder):
    cache = Cache(folder)
    assert cache.load(KEY) is None
    cache.store(KEY, b"code")
    assert cache.load(KEY) == b"code"
    assert Cache(folder).load(KEY) == b"code"
    assert Cache(folder).load("b" * 64) is None


def test_clear_deletes_entries_and_keeps_working(folder, entry):
    cache = Cache(folder)
    (folder / "left.tmp").write_bytes(b"")
    assert cache.clear() == 2
    assert cache.load(KEY) is None
    cache.store(KEY, b"new")
    assert cache.load(KEY) == b"new"


@posix
def test_only_the_user_can_read_and_write(folder, entry):
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(entry.stat().st_mode) == 0o600
    assert stat.S_IMODE((folder / SECRET_NAME).stat().st_mode) == 0o600


def test_every_changed_byte_and_every_truncation_is_refused(folder, entry):
    content = entry.read_bytes()
    cache = Cache(folder)
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= 1
        entry.write_bytes(bytes(changed))
        assert cache.load(KEY) is None
        entry.write_bytes(content[:place])
        assert cache.load(KEY) is None
    entry.write_bytes(content)
    assert cache.load(KEY) == b"code"


def test_an_entry_of_another_key_or_folder_is_refused(folder, entry, tmp_path):
    shutil.copy(entry, folder / f"{'b' * 64}.o")
    assert Cache(folder).load("b" * 64) is None
    other = tmp_path / "other"
    Cache(other)
    shutil.copy(entry, other / entry.name)
    assert Cache(other).load(KEY) is None


def test_a_planted_payload_is_refused(folder, entry):
    entry.write_bytes(MAGIC + b"\0" * 32 + b"payload")
    assert Cache(folder).load(KEY) is None
    entry.write_bytes(b"payload")
    assert Cache(folder).load(KEY) is None


@posix
def test_links_pipes_and_folders_are_refused(folder, entry, tmp_path):
    moved = tmp_path / "moved.o"
    entry.rename(moved)
    entry.symlink_to(moved)
    assert Cache(folder).load(KEY) is None
    entry.unlink()
    os.mkfifo(entry)
    assert Cache(folder).load(KEY) is None
    entry.unlink()
    entry.mkdir()
    assert Cache(folder).load(KEY) is None
    Cache(folder).store(KEY, b"code")  # cannot replace a folder: nothing happens
    assert Cache(folder).load(KEY) is None


@posix
@pytest.mark.parametrize("mode", [0o666, 0o620, 0o602, 0o644])
def test_files_open_to_others_are_refused(folder, entry, mode):
    entry.chmod(mode)
    assert Cache(folder).load(KEY) is None


@posix
def test_a_folder_that_others_can_write_or_a_link_is_not_used(folder, entry, tmp_path):
    folder.chmod(0o777)
    assert not Cache(folder).usable
    assert Cache(folder).load(KEY) is None
    folder.chmod(0o700)
    link = tmp_path / "link"
    link.symlink_to(folder)
    assert not Cache(link).usable
    assert Cache(folder).load(KEY) == b"code"


@posix
@pytest.mark.skipif(os.name == "posix" and os.geteuid() != 0, reason="changes owners")
def test_files_of_another_owner_are_refused(folder, entry):
    os.chown(entry, 12345, 12345)
    assert Cache(folder).load(KEY) is None
    os.chown(entry, 0, 0)
    os.chown(folder, 12345, 12345)
    assert not Cache(folder).usable


def test_a_lost_or_short_secret_makes_a_new_one(folder, entry):
    (folder / SECRET_NAME).write_bytes(b"short")
    assert Cache(folder).load(KEY) is None
    (folder / SECRET_NAME).unlink()
    cache = Cache(folder)
    assert cache.load(KEY) is None
    cache.store(KEY, b"again")
    assert Cache(folder).load(KEY) == b"again"


def test_no_place_for_a_folder_means_no_cache(tmp_path):
    (tmp_path / "file").write_text("")
    cache = Cache(tmp_path / "file" / "cache")
    cache.store(KEY, b"code")
    assert cache.load(KEY) is None
    assert cache.clear() == 0


def test_a_full_disk_keeps_nothing(folder, monkeypatch):
    cache = Cache(folder)

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("nndsl.runtime.cache._write_private", full)
    cache.store(KEY, b"code")
    monkeypatch.undo()
    assert cache.load(KEY) is None
    assert list(folder.glob("*.tmp")) == []


def test_the_folder_is_the_users(monkeypatch, tmp_path):
    monkeypatch.setenv("NNDSL_CACHE_DIR", str(tmp_path / "chosen"))
    assert default_folder() == tmp_path / "chosen"
    monkeypatch.delenv("NNDSL_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "nndsl"


def run_small(folder):
    executable = load(program(), store=Cache(folder))
    executable.set_parameters({"p": np.arange(SIZE)})
    executable.run(0, 3)
    return executable.compiled, executable.parameters()["p"]


def test_cold_and_warm_runs_give_the_same_bits(folder):
    compiled, cold = run_small(folder)
    assert compiled == 3
    again, warm = run_small(folder)
    assert again == 0
    np.testing.assert_array_equal(cold, warm)


def test_a_planted_kernel_is_compiled_again_and_never_run(folder, tmp_path):
    """Object code that would write a file, in the place of every entry."""
    run_small(folder)
    payload = Machine(host_target()).object_code(
        "define void @halve(ptr %a, ptr %b, i64 %c, i64 %d) { call void @llvm.trap() ret void }\n"
        "declare void @llvm.trap()",
        optimise=False,
    )
    entries = list(folder.glob("*.o"))
    for path in entries:
        path.write_bytes(MAGIC + b"\0" * 32 + payload)
    compiled, result = run_small(folder)
    assert compiled == len(entries) == 3
    assert result[8] == 1.0


def test_a_warm_run_does_not_import_numba(folder):
    code = (
        "import sys, numpy\n"
        "from pathlib import Path\n"
        "from nndsl.runtime.cache import Cache\n"
        "from nndsl.runtime.executable import load\n"
        "from tests.runtime.small import program\n"
        f"executable = load(program(), store=Cache(Path({str(folder)!r})))\n"
        "executable.run(0, 1)\n"
        "print(executable.compiled, 'numba' in sys.modules)\n"
    )
    run_small(folder)
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.split() == ["0", "False"]
