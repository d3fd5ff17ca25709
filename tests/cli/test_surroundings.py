"""Odd places to be started in: no output, narrow encodings, no home, strange names."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


def started(place, kernels, command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {"PATH": os.environ["PATH"], "NNDSL_CACHE_DIR": str(kernels), **environment}
    return subprocess.run(
        ["bash", "-c", command.replace("nndsl", f"{sys.executable} -m nndsl", 1)],
        cwd=place, env=clean, capture_output=True, text=True,
    )  # fmt: skip


def test_closed_output(place, kernels):
    ended = started(place, kernels, "nndsl train iris.nn >&- 2>&-")
    assert ended.returncode == 0
    assert (place / "runs/iris-1/weights.safetensors").exists()
    assert started(place, kernels, "nndsl check nothing.nn >&- 2>&-").returncode == 2


@pytest.mark.parametrize("environment", [{"LANG": "C"}, {"PYTHONIOENCODING": "ascii"}])
def test_narrow_encodings(place, kernels, environment):
    text = (place / "iris.nn").read_text()
    (place / "m.nn").write_text(text.replace("relu", "grün") + "# größe\n")
    ended = started(place, kernels, "nndsl check m.nn", **environment)
    assert ended.returncode == 3
    assert "error[NN" in ended.stderr
    formatted = subprocess.run(
        [sys.executable, "-m", "nndsl", "fmt", "-"], input="# größe\nlet a = 1\n".encode(),
        env={**os.environ, **environment}, capture_output=True,
    )  # fmt: skip
    assert formatted.stdout == "# größe\nlet a = 1\n".encode()


def test_no_home(place, kernels):
    assert started(place, kernels, "nndsl train iris.nn --quiet").returncode == 0
    clean = {"PATH": os.environ["PATH"]}
    ended = subprocess.run(
        [sys.executable, "-m", "nndsl", "check", "iris.nn"], cwd=place, env=clean
    )
    assert ended.returncode == 0


def test_odd_file_names(nndsl, place):
    name = "my net; rm -rf $HOME.nn"
    (place / "iris.nn").rename(place / name)
    ended = nndsl("train", name)
    assert ended.code == 0
    assert ended.out.splitlines()[-1] == (
        "next    nndsl predict 'runs/my net; rm -rf $HOME-1' new.csv"
    )
    assert nndsl("predict", "runs/my net; rm -rf $HOME-1", "iris.csv").code == 0


@pytest.mark.parametrize("name", ["nothing.nn", ".", "iris.csv/x.nn", "\x1b[31mred.nn", "a" * 300])
def test_files_that_are_none(nndsl, name):
    for verb in ("check", "train", "render", "summary"):
        ended = nndsl(verb, name)
        assert ended.code in (2, 3)
        assert "\x1b" not in ended.err
        assert "Traceback" not in ended.err


def test_binary_rubbish(nndsl, place):
    (place / "rubbish.nn").write_bytes(bytes(range(256)) * 10)
    ended = nndsl("check", "rubbish.nn")
    assert (ended.code, "NN101" in ended.err) == (3, True)
    assert nndsl("check", "-", given=bytes(range(256))).code == 3
