"""After a kill or on a full disk there is a whole checkpoint, and going on gives the same run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nndsl.diagnostics import NndslError
from nndsl.train.folder import RunFolder, create_at
from nndsl.train.saved import read_checkpoint, read_run
from nndsl.train.session import train
from tests.train.doubles import job, recipe
from tests.train.test_resume import same
from tests.train.test_session import Recorder

EPOCHS = 60
CHILD = f"""
import sys
from pathlib import Path
from nndsl.train.events import Observer
from nndsl.train.folder import RunFolder, create_at
from nndsl.train.saved import read_checkpoint
from nndsl.train.session import train
from tests.train.doubles import job, recipe

class Told(Observer):
    said = False
    def on_save(self, event):
        if not self.said:
            self.said = True
            print("saved", flush=True)

path = Path(sys.argv[1])
checkpoint = read_checkpoint(path) if path.exists() else None
with (RunFolder(path) if checkpoint else create_at(path)) as folder:
    the_job = job(recipe(epochs={EPOCHS}), folder=folder, delay=0.001, save_seconds=0.0)
    train(the_job, Told(), checkpoint)
"""


def crash(path: Path, root: Path, after: float) -> bool:
    """Train (or go on) in another process and kill it; whether it was still at work."""
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path)], cwd=root, stdout=subprocess.PIPE
    )
    child.stdout.readline()
    time.sleep(after)
    child.send_signal(signal.SIGKILL)
    code = child.wait()
    child.stdout.close()
    return code == -signal.SIGKILL


def crash_trials(folder: Path, root: Path, count: int) -> None:
    whole = train(job(recipe(epochs=EPOCHS)))
    for trial in range(count):
        path = folder / f"run-{trial}"
        if not (crash(path, root, 0.002 + 0.1 * (trial * 0.618 % 1)) and crash(path, root, 0.03)):
            continue
        assert read_run(path).record.status == "running"
        with RunFolder(path) as opened:
            rest = train(
                job(recipe(epochs=EPOCHS), folder=opened), checkpoint=read_checkpoint(path)
            )
        same(whole, rest)


def test_a_run_that_crashed_twice_ends_as_if_it_had_not(tmp_path, root):
    crash_trials(tmp_path, root, 2)


@pytest.mark.slow
def test_a_hundred_runs_that_crashed(tmp_path, root):
    crash_trials(tmp_path, root, 100)


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 64 KiB, where one may be mounted."""
    path = tmp_path / "disk"
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "nndsl-test", str(path)]
    root = os.name == "posix" and os.geteuid() == 0
    if not root or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no disk can be mounted here")
    yield path
    subprocess.run(["umount", str(path)], check=True)


def full_disk_trials(disk: Path, count: int) -> None:
    """Fill the disk to the last pages at some checkpoint; training goes on, all files are whole."""
    warned = 0
    for trial in range(count):
        path, filler = disk / f"run-{trial}", disk / "filler"

        class Filling(Recorder):
            def on_epoch(self, event, *, at=2 + trial % 7, filler=filler, left=trial % 5):
                if event.epoch == at:
                    status = os.statvfs(disk)
                    free = status.f_bavail * status.f_frsize
                    filler.write_bytes(b"x" * max(0, free - left * status.f_frsize))

        seen = Filling()
        with create_at(path) as folder:
            the_job = job(recipe(epochs=10), folder=folder, save_seconds=0.0)
            try:
                train(the_job, seen)
            except NndslError as problem:
                assert problem.diagnostics[0].code == "NN610"
            warned += len(seen.named("Noted"))
            checkpoint = read_checkpoint(path) if list(path.glob("checkpoint*")) else None
            filler.unlink()
            if checkpoint is not None:
                rest = train(job(recipe(epochs=10), folder=folder), checkpoint=checkpoint)
                assert rest.steps == 60
            read_run(path)
        for file in path.iterdir():
            file.unlink()
    assert warned


def test_a_full_disk_loses_nothing(small_disk):
    full_disk_trials(small_disk, 10)


@pytest.mark.slow
def test_a_hundred_full_disks_lose_nothing(small_disk):
    full_disk_trials(small_disk, 100)
