"""A command line inside the test process, in a folder of its own with a shared kernel cache."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from nndsl.cli.main import run

MODELS = Path(__file__).resolve().parents[2] / "models"

IRIS = """data iris = csv("iris.csv", target=species)
net Flowers on iris {
  dense(8) -> relu
  dense(iris.classes) -> softmax
}
train Flowers { epochs = 10 }
"""


@dataclass(frozen=True)
class Ended:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def records(self) -> list[dict[str, Any]]:
        """The output as JSON, one object a line."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def result(self) -> dict[str, Any]:
        """The last object."""
        return self.records[-1]


Command = Callable[..., Ended]


@pytest.fixture(scope="session")
def kernels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that all tests of the session warm for each other."""
    return tmp_path_factory.mktemp("kernels")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kernels: Path) -> Path:
    """The current folder, with `iris.csv` and a six-line `iris.nn`."""
    shutil.copy(MODELS / "iris.csv", tmp_path)
    (tmp_path / "iris.nn").write_text(IRIS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NNDSL_CACHE_DIR", str(kernels))
    return tmp_path


@pytest.fixture
def nndsl(place: Path, capfd: pytest.CaptureFixture[str], monkeypatch) -> Command:
    """Run `nndsl` with these words in this process."""

    def call(*words: str | Path, given: str | bytes = "") -> Ended:
        data = given.encode() if isinstance(given, str) else given
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        capfd.readouterr()
        code = run([str(word) for word in words])
        said = capfd.readouterr()
        return Ended(int(code), said.out, said.err)

    return call


@pytest.fixture
def process(place: Path, kernels: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start a real `python -m nndsl`; those still running at the end of the test are killed."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*words: str | Path, **more: Any) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "NNDSL_CACHE_DIR": str(kernels), **more.pop("env", {})}
        child = subprocess.Popen(
            [sys.executable, "-m", "nndsl", *map(str, words)],
            cwd=place,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # shells start what runs in the background with Ctrl-C ignored, and children inherit it
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
            **more,
        )
        started.append(child)
        return child

    yield start
    for child in started:
        if child.poll() is None:
            child.kill()
            child.communicate()
