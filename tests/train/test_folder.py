"""Run folders: never overwritten, locked, probed, and read with suspicion."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from nndsl.diagnostics import NndslError
from nndsl.runtime import durable
from nndsl.train.folder import RunFolder, create_at, create_numbered, read_text
from nndsl.train.record import RunRecord, from_text, to_text
from nndsl.train.saved import read_run
from nndsl.train.session import train
from tests.train.doubles import job


def test_folders_are_numbered_and_never_reused(tmp_path):
    parent = tmp_path / "deep" / "runs"
    for number in (1, 2, 3):
        with create_numbered(parent, "iris") as folder:
            assert folder.path == parent / f"iris-{number}"
            folder.write({"run.json": b"{}"})
    (parent / "iris-2" / "run.json").unlink()
    (parent / "iris-7").mkdir()
    (parent / "iris-more").mkdir()
    with create_numbered(parent, "iris") as folder:
        assert folder.path == parent / "iris-8"


def test_many_at_once_get_different_folders(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        folders = list(pool.map(lambda _: create_numbered(tmp_path, "m"), range(16)))
    assert len({folder.path for folder in folders}) == 16
    for folder in folders:
        folder.close()


def test_a_folder_that_stayed_empty_goes_away(tmp_path):
    create_numbered(tmp_path, "m").close()
    assert list(tmp_path.iterdir()) == []


def test_a_given_folder_must_be_empty(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / f".x.1{durable.SUFFIX}").write_bytes(b"")
    with create_at(tmp_path / "empty") as folder:
        folder.write({"run.json": b"{}"})
    with pytest.raises(NndslError, match=r"NN060: the folder .* is not empty \(1 files\)"):
        create_at(tmp_path / "empty")
    (tmp_path / "file").write_bytes(b"")
    for bad in ("file", "file/below"):
        with pytest.raises(NndslError, match="NN060"):
            create_at(tmp_path / bad)
    assert (tmp_path / "empty" / "run.json").read_bytes() == b"{}"


def test_a_folder_is_held_by_one_training(tmp_path):
    with create_at(tmp_path / "run") as folder:
        folder.write({"run.json": b"{}"})
        with pytest.raises(NndslError, match=rf"NN613: another training \(process {os.getpid()}\)"):
            RunFolder(tmp_path / "run")
    RunFolder(tmp_path / "run").close()
    assert [p.name for p in (tmp_path / "run").iterdir()] == ["run.json"]


def test_the_lock_of_a_killed_training_is_no_lock(tmp_path):
    text = (
        "import os, sys; from pathlib import Path; from nndsl.train.folder import create_at\n"
        "folder = create_at(Path(sys.argv[1])); folder.write({'run.json': b'{}'})\n"
        "os.kill(os.getpid(), 9)"
    )
    child = subprocess.run([sys.executable, "-c", text, str(tmp_path / "run")])
    assert child.returncode == -9
    assert (tmp_path / "run" / ".lock").exists()
    RunFolder(tmp_path / "run").close()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_found_before_training(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(NndslError, match="NN611"):
        create_numbered(tmp_path, "m")
    tmp_path.chmod(0o700)


def test_a_folder_that_cannot_be_written_is_found_before_training(tmp_path, monkeypatch):
    real = os.open

    def refuse(path, *given):
        if str(path).endswith(durable.SUFFIX):
            raise OSError(30, "Read-only file system")
        return real(path, *given)

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(NndslError, match=r"NN611: cannot write into .*: read-only file system"):
        create_at(tmp_path / "run")
    assert not (tmp_path / "run").exists()


def trained(path):
    with create_at(path) as folder:
        train(job(folder=folder))
    return path


@pytest.mark.parametrize("name", ["model.nn", "schema.json", "run.json", "weights.safetensors"])
def test_missing_and_linked_files_are_refused(tmp_path, name):
    path = trained(tmp_path / "run")
    file = path / name
    file.rename(tmp_path / "elsewhere")
    with pytest.raises(NndslError, match="NN506: there is no file"):
        read_run(path)
    file.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NndslError, match="NN507"):
        read_run(path)


def test_no_folder_and_no_text_are_said(tmp_path):
    with pytest.raises(NndslError, match="NN506: there is no run folder"):
        read_run(tmp_path / "absent")
    (tmp_path / "model.nn").write_bytes(b"net \xff")
    with pytest.raises(NndslError, match=r"NN502.*byte 4"):
        read_text(tmp_path, "model.nn")


def test_a_record_comes_back():
    record = RunRecord("finished", "N", ("nndsl", "train"), {"lr": "1"}, metrics={"a": 0.5})
    assert from_text(to_text(record), "run.json") == record


CHANGES = {
    "module": "os",
    "seed": -1,
    "epochs": 1.5,
    "threads": True,
    "status": "done",
    "command": "rm -rf",
    "settings": {"lr": 1},
    "metrics": {"a": "1"},
    "metrics2": None,
    "rows": [1],
    "best_epoch": "1",
    "seconds": None,
    "versions": 3,
}


@pytest.mark.parametrize("key", CHANGES)
def test_wrong_records_are_refused(key):
    found = json.loads(to_text(RunRecord("finished", "N")))
    found[key] = CHANGES[key]
    with pytest.raises(NndslError, match="NN502"):
        from_text(json.dumps(found), "run.json")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "NN502"),
        ("[]", "NN502"),
        ('{"format": 1}', "NN502"),
        ('{"format": 2}', "NN505"),
        ('{"format": 1, "format": 1}', "NN502"),
        ('{"format": NaN}', "NN502"),
        ("[" * 100_000, "NN502"),
    ],
)
def test_damaged_records_are_refused(text, code):
    with pytest.raises(NndslError, match=code):
        from_text(text, "run.json")
