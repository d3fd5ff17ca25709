"""The command line in this process, with one kernel cache for all tests of the canon."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from nndsl.cli.main import run


@pytest.fixture(scope="package", autouse=True)
def kernels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A cache that the tests warm for each other."""
    before = os.environ.get("NNDSL_CACHE_DIR")
    os.environ["NNDSL_CACHE_DIR"] = str(tmp_path_factory.mktemp("kernels"))
    yield
    if before is None:
        del os.environ["NNDSL_CACHE_DIR"]
    else:
        os.environ["NNDSL_CACHE_DIR"] = before


@dataclass(frozen=True)
class Ended:
    """What a command left behind."""

    code: int
    out: str
    err: str


@pytest.fixture
def nndsl(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., Ended]:
    """Run `nndsl` with these words, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def call(*words: str | Path) -> Ended:
        capfd.readouterr()
        code = run([str(word) for word in words])
        said = capfd.readouterr()
        return Ended(int(code), said.out, said.err)

    return call
