"""What `train` prints: for people, for logs, for programs."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys

import pytest

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
RESULT = {"event", "metric", "test", "mean", "std", "folds"}


def test_a_ten_epoch_run_prints_at_most_25_lines(nndsl):
    ended = nndsl("train", "iris.nn")
    assert ended.code == 0
    lines = (ended.out + ended.err).splitlines()
    assert len(lines) <= 25
    assert max(map(len, lines)) <= 100
    assert len([line for line in lines if line.startswith("epoch ")]) == 10
    assert not CONTROL.search(ended.out + ended.err)


def test_a_long_run_prints_few_lines(nndsl):
    ended = nndsl("train", "iris.nn", "--set", "epochs=2000")
    assert len(ended.out.splitlines()) <= 35


def test_quiet_says_nothing(nndsl):
    ended = nndsl("train", "iris.nn", "--quiet")
    assert (ended.code, ended.out, ended.err) == (0, "", "")


def test_every_json_line_is_an_object_with_an_event(nndsl):
    ended = nndsl("train", "iris.nn", "--json")
    assert ended.err == ""
    events = [record["event"] for record in ended.records]
    assert events[0] == "start" and events[-1] == "result"
    assert events.count("epoch") == 10
    result = ended.result
    assert set(result) >= RESULT
    assert result["metric"] == "accuracy"
    assert 0 <= result["test"] <= 1
    assert (result["mean"], result["std"], result["folds"]) == (None, None, None)


def test_json_of_folds(nndsl, place):
    ended = nndsl("train", "iris.nn", "--folds", "3", "--json", "--set", "epochs=2")
    result = ended.result
    assert [r["event"] for r in ended.records] == ["fold"] * 3 + ["result"]
    assert result["test"] is None
    assert len(result["folds"]) == 3
    assert result["mean"] == pytest.approx(sum(result["folds"]) / 3)
    assert result["std"] >= 0
    assert (place / "runs/iris-1/folds.csv").read_text().startswith("fold,train_rows,")


def test_json_without_test_rows(nndsl, place):
    text = (place / "iris.nn").read_text().replace(
        "species)", "species) { split = [80%, 20%] }")  # fmt: skip
    (place / "m.nn").write_text(text)
    result = nndsl("train", "m.nn", "--json").result
    assert (result["event"], result["test"]) == ("result", None)


@pytest.mark.parametrize(
    ("words", "code", "name"),
    [
        (["train", "nothing.nn"], 2, "NN020"),
        (["train", "iris.nn", "--epochs", "3"], 2, "NN004"),
        (["train", "bad.nn"], 3, "NN301"),
        (["train", "iris.nn", "nothing.csv"], 4, "NN401"),
        (["predict", "runs/none", "iris.csv"], 5, "NN506"),
    ],
)
def test_errors_as_json(nndsl, place, words, code, name):
    (place / "bad.nn").write_text((place / "iris.nn").read_text().replace("relu", "rleu"))
    ended = nndsl(*words, "--json")
    assert ended.code == code
    assert ended.err == ""
    first = ended.records[0]
    assert (first["event"], first["code"], first["severity"]) == ("diagnostic", name, "error")


@pytest.mark.parametrize(
    ("words", "help"),
    [
        ("train iris.csv", "`nndsl new iris.csv` writes a `.nn` file"),
        ("predict iris.nn iris.csv", "`nndsl train iris.nn` makes one"),
        ("train iris.nn --epochs 5", "`--set epochs=...`"),
        ("train iris.nn --fold 5", "did you mean `--folds`?"),
    ],
)
def test_what_was_meant_is_guessed(nndsl, words, help):
    ended = nndsl(*words.split())
    assert ended.code != 0
    assert help in " ".join(ended.err.split())


def test_folds_for_people(nndsl):
    lines = nndsl("train", "iris.nn", "--folds", "3", "--set", "epochs=2").out.splitlines()
    assert [line.split()[0] for line in lines] == ["fold", "fold", "fold", "mean", "saved"]


def test_a_terminal_shows_one_live_line(place, kernels):
    """One line is written again and again; what stays is what a log has, less the epochs."""
    controller, terminal = pty.openpty()
    environment = {**os.environ, "NNDSL_CACHE_DIR": str(kernels), "TERM": "xterm", "COLUMNS": "90"}
    child = subprocess.Popen(
        [sys.executable, "-m", "nndsl", "train", "iris.nn", "--set", "epochs=3000"],
        cwd=place, stdout=terminal, stderr=terminal, stdin=terminal, env=environment,
    )  # fmt: skip
    os.close(terminal)
    shown = b""
    while True:
        try:
            piece = os.read(controller, 65536)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    assert child.wait(timeout=60) == 0
    os.close(controller)
    text = shown.decode()
    assert "━" in text and " s left" in text
    screen = emulated(text)
    assert [line.split()[0] for line in screen if line][:4] == ["data", "net", "train", "epoch"]
    assert sum(line.startswith("epoch") for line in screen) == 1
    assert not any("━" in line for line in screen)
    assert screen[-1].startswith("next ")
    assert not text.rstrip().endswith("\x1b[?25l"), "the cursor is left hidden"
    assert text.rfind("\x1b[?25h") > text.rfind("\x1b[?25l")


def emulated(text: str) -> list[str]:
    """The lines that remain on a terminal that knows line ends, erasing and moving up."""
    lines, row = [""], 0
    for piece in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|\r|\n|[^\x1b\r\n]+", text):
        if piece == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif piece.endswith("A") and piece.startswith("\x1b["):
            row -= int(piece[2:-1] or 1)
        elif piece == "\x1b[2K":
            lines[row] = ""
        elif not piece.startswith(("\x1b", "\r")):
            lines[row] += piece
    return [line.rstrip() for line in lines if line.strip()]


@pytest.mark.parametrize("dumb", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_colour_where_none_is_wanted(place, kernels, dumb):
    controller, terminal = pty.openpty()
    environment = {**os.environ, "NNDSL_CACHE_DIR": str(kernels), "TERM": "xterm", **dumb}
    child = subprocess.Popen(
        [sys.executable, "-m", "nndsl", "check", "nothing.nn"],
        cwd=place, stdout=terminal, stderr=terminal, env=environment,
    )  # fmt: skip
    os.close(terminal)
    assert child.wait(timeout=30) == 2
    shown = os.read(controller, 65536)
    os.close(controller)
    assert b"NN020" in shown
    assert b"\x1b" not in shown


def test_nobody_reads_on(place, kernels):
    """`nndsl train iris.nn | head -1`: no crash, and the run is saved."""
    environment = {**os.environ, "NNDSL_CACHE_DIR": str(kernels)}
    command = f"{sys.executable} -m nndsl train iris.nn | head -1; echo ${{PIPESTATUS[0]}}"
    ended = subprocess.run(
        ["bash", "-c", command], cwd=place, env=environment, capture_output=True, text=True
    )
    assert ended.stdout.splitlines() == ["data    96 train / 24 val / 30 test rows (seed 0)", "0"]
    assert ended.stderr == ""
    assert (place / "runs/iris-1/weights.safetensors").exists()
