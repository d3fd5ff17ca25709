"""Ctrl-C and SIGTERM save and stop within two seconds; a second one stops at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from nndsl.train.interruption import Interruption
from nndsl.train.saved import read_checkpoint, read_run

CHILD = """
import sys
from pathlib import Path
from nndsl.train.events import Observer
from nndsl.train.folder import create_at
from nndsl.train.session import train
from tests.train.doubles import job, recipe

class Told(Observer):
    def on_epoch(self, event):
        if event.epoch == 3:
            print("ready", flush=True)

with create_at(Path(sys.argv[1])) as folder:
    result = train(job(recipe(epochs=100_000), folder=folder, delay=float(sys.argv[2])), Told())
sys.exit(result.exit_code)
"""


def started(path, root, delay: float = 0.0) -> subprocess.Popen:
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path), str(delay)], cwd=root, stdout=subprocess.PIPE
    )
    assert child.stdout.readline() == b"ready\n"
    return child


def ended(child: subprocess.Popen) -> tuple[int, float]:
    before = time.perf_counter()
    code = child.wait(timeout=10)
    child.stdout.close()
    return code, time.perf_counter() - before


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_saves_and_ends(tmp_path, root, number, code):
    child = started(tmp_path / "run", root)
    child.send_signal(number)
    found, seconds = ended(child)
    assert found == code
    assert seconds < 2.0
    checkpoint = read_checkpoint(tmp_path / "run")
    assert checkpoint.step > 0
    assert read_run(tmp_path / "run").record.status == "interrupted"


def test_a_second_signal_ends_at_once(tmp_path, root):
    child = started(tmp_path / "run", root, delay=0.03)
    child.send_signal(signal.SIGINT)
    time.sleep(0.002)
    child.send_signal(signal.SIGINT)
    found, seconds = ended(child)
    assert found in (-signal.SIGINT, 130)
    assert seconds < 2.0


def test_kills_during_training_leave_a_usable_checkpoint(tmp_path, root):
    text = CHILD.replace("folder=folder,", "folder=folder, save_seconds=0.0,")
    for trial in range(3):
        path = tmp_path / f"run-{trial}"
        child = subprocess.Popen(
            [sys.executable, "-c", text, str(path), "0"], cwd=root, stdout=subprocess.PIPE
        )
        assert child.stdout.readline() == b"ready\n"
        time.sleep(0.01 + 0.05 * trial)
        child.kill()
        ended(child)
        assert read_checkpoint(path).step > 0


def test_handlers_are_put_back():
    before = signal.getsignal(signal.SIGINT)
    with Interruption() as interruption:
        assert signal.getsignal(signal.SIGINT) != before
        os.kill(os.getpid(), signal.SIGINT)
        assert interruption.signal == signal.SIGINT
        assert interruption.exit_code == 130
        assert signal.getsignal(signal.SIGINT) == signal.SIG_DFL
    assert signal.getsignal(signal.SIGINT) == before


def test_in_other_threads_nothing_is_caught():
    before = signal.getsignal(signal.SIGINT)
    seen = []

    def work():
        with Interruption():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]
