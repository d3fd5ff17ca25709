"""What commands import: the time of a short run is mostly the time of imports."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from nndsl.cli.main import nndsl_command

NETWORK = """
data d = csv("d.csv", target=y)
net Net on d {
  dense(3) -> tanh
  dense(d.classes) -> softmax
}
train Net { epochs = 2 }
"""
CODE = "import sys; from nndsl.cli.main import run; code = run(sys.argv[1:]); print(*sys.modules)"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = "\n".join(f"{i},{i % 7},{'ab'[i % 2]}" for i in range(40))
    (tmp_path / "d.csv").write_text(f"u,v,y\n{rows}\n")
    (tmp_path / "net.nn").write_text(NETWORK)
    return tmp_path


def imported(folder: Path, *arguments: str, cache: Path | None = None) -> set[str]:
    """The modules in a fresh process after a command."""
    done = subprocess.run(
        [sys.executable, "-c", CODE, *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "NNDSL_CACHE_DIR": str(cache or folder / "cache")},
    )
    return set(done.stdout.splitlines()[-1].split())


SLOW = {"numba", "duckdb", "rich", "graphviz", "importlib.metadata", "fractions", "numpy.ma.core"}
"""Libraries of 5 to 500 ms that most runs do without."""
UNUSED = {
    "nndsl.data.arrays", "nndsl.data.generated", "nndsl.data.images.reading",
    "nndsl.data.images.targets", "nndsl.data.inline", "nndsl.data.parquet",
    "nndsl.data.predictions", "nndsl.ir.text", "nndsl.lower.spelling", "nndsl.syntax.misspelt",
    "nndsl.syntax.recovery",
}  # fmt: skip
"""Modules that explain mistakes, read other files than tables, or write: 0.2 to 1.5 ms each."""


def test_check_imports_no_compiler(folder: Path) -> None:
    found = imported(folder, "check", "net.nn")
    assert not found & (
        SLOW
        | UNUSED
        | {"llvmlite", "nndsl.compilation", "nndsl.passes.pipeline", "nndsl.train.session"}
    )
    (folder / "d.csv").unlink()
    assert not imported(folder, "check", "net.nn") & (SLOW | {"llvmlite"})


def test_fmt_imports_no_networks(folder: Path) -> None:
    assert not imported(folder, "fmt", "--check", "net.nn") & (SLOW | {"numpy", "llvmlite"})


def test_help_imports_no_verb(folder: Path) -> None:
    found = imported(folder, "--help")
    assert not {m for m in found if m.startswith("nndsl.cli.verb_")} and "numpy" not in found


def test_help_says_of_verbs_what_they_say() -> None:
    context = click.Context(nndsl_command)
    told = nndsl_command.get_help(context)
    for name in nndsl_command.list_commands(context):
        command = nndsl_command.get_command(context, name)
        assert command is not None
        assert re.search(rf"^  {name} +{re.escape(command.get_short_help_str())}$", told, re.M)


def test_a_warm_train_imports_no_compiler(folder: Path) -> None:
    cache = folder / "cache"
    assert "numba" in imported(folder, "train", "net.nn", "--out", "one", cache=cache)
    assert not imported(folder, "train", "net.nn", "--out", "two", cache=cache) & (SLOW | UNUSED)


def test_quick_settings_are_the_command_s_alone() -> None:
    code = "import gc; before = gc.get_threshold(); import nndsl.cli.main, nndsl.driver\n"
    code += "assert gc.get_threshold() == before"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_end_leaves_nothing_out(tmp_path: Path) -> None:
    """What is registered for Python's end is done, and a profiler gets its figures."""
    code = (
        "import atexit, sys; sys.argv = ['nndsl', 'doc', 'relu']; from nndsl.cli.main import main\n"
    )
    code += "atexit.register(print, 'registered'); main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "registered")
    profile = tmp_path / "figures"
    watched = [
        sys.executable,
        "-m",
        "cProfile",
        "-o",
        str(profile),
        "-m",
        "nndsl",
        "explain",
        "NN999",
    ]
    subprocess.run(watched, check=True, capture_output=True)
    assert profile.stat().st_size > 0
