"""Each exit code with a command that gives it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import nndsl.cli.verb_check
from nndsl.cli.main import run


def changed(place: Path, old: str, new: str, name: str = "m.nn") -> str:
    text = (place / "iris.nn").read_text()
    assert old in text
    (place / name).write_text(text.replace(old, new))
    return name


def test_0_all_is_well(nndsl):
    assert nndsl("check", "iris.nn").code == 0


def test_1_an_expectation_does_not_hold(nndsl, place):
    name = changed(place, "epochs = 10", "epochs = 1; expect test_accuracy > 1")
    ended = nndsl("train", name)
    assert ended.code == 1
    assert "NN901" in ended.err and "m.nn:6:" in ended.err
    assert nndsl("train", name, "--json").result["event"] == "result"
    (place / "e.nn").write_text("net A { input x: [1]; dense(1, weights=2, bias=0) }\n"
                                "expect A([3]) == 5\n")  # fmt: skip
    assert nndsl("check", "e.nn").code == 1


def test_2_usage(nndsl, place):
    for words in (["trian"], ["train"], ["train", "iris.nn", "--folds", "1"], ["predict"],
                  ["train", "nothing.nn"], ["train", "iris.nn", "--set", "epochs"]):  # fmt: skip
        assert nndsl(*words).code == 2, words


def test_3_source(nndsl, place):
    assert nndsl("check", changed(place, "relu", "rleu")).code == 3
    assert nndsl("check", changed(place, "}", "", "n.nn")).code == 3


def test_4_data(nndsl, place):
    (place / "bad.csv").write_text((place / "iris.csv").read_text().replace("4.9", "abc", 1))
    ended = nndsl("train", "iris.nn", "bad.csv")
    assert ended.code == 4
    assert not (place / "runs").exists()


def test_5_model_file(nndsl, place):
    nndsl("train", "iris.nn", "--out", "run", "--quiet")
    weights = place / "run/weights.safetensors"
    content = bytearray(weights.read_bytes())
    content[-5] ^= 1
    weights.write_bytes(content)
    ended = nndsl("predict", "run", "iris.csv")
    assert (ended.code, "NN50" in ended.err) == (5, True)
    assert nndsl("predict", "nowhere", "iris.csv").code == 5


def test_6_resources(nndsl, place):
    ended = nndsl("train", changed(place, "dense(8)", "dense(60000) -> relu -> dense(60000)"))
    assert (ended.code, "NN601" in ended.err) == (6, True)
    assert not list((place / "runs").glob("*"))


def test_7_divergence(nndsl, place):
    name = changed(place, "epochs = 10", "optimizer = sgd(1e30); epochs = 10")
    ended = nndsl("train", name)
    assert (ended.code, "NN701" in ended.err) == (7, True)
    assert nndsl("train", name, "--json").records[-1]["code"] == "NN701"


@pytest.fixture
def broken(monkeypatch):
    def fails(*_, **__):
        raise RuntimeError("a wheel came off")

    monkeypatch.setattr(nndsl.cli.verb_check.driver, "open_file", fails)


def test_70_a_bug_of_ours(nndsl, broken, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    ended = nndsl("check", "iris.nn")
    assert ended.code == 70
    assert "Traceback" not in ended.err
    (report,) = tmp_path.glob("nndsl-bug-*.txt")
    assert str(report) in ended.err
    assert "a wheel came off" in report.read_text()
    assert "Traceback" in report.read_text()
    record = nndsl("check", "iris.nn", "--json").result
    assert record["event"] == "bug"
    assert Path(record["report"]).exists()


def test_debug_shows_the_traceback(nndsl, broken, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for words in (["--debug", "check", "iris.nn"], ["check", "iris.nn", "--debug"]):
        ended = nndsl(*words)
        assert (ended.code, "Traceback" in ended.err) == (70, True)


def test_debug_of_a_user_error(nndsl):
    ended = nndsl("check", "nothing.nn", "--debug")
    assert (ended.code, "Traceback" in ended.err) == (2, True)
    assert "Traceback" not in nndsl("check", "nothing.nn").err


def test_memory_that_is_used_up(nndsl, monkeypatch):
    def fails(*_, **__):
        raise MemoryError

    monkeypatch.setattr(nndsl_module().driver, "open_file", fails)
    ended = nndsl("check", "iris.nn", "--json")
    assert (ended.code, ended.result["code"]) == (6, "NN602")


def nndsl_module():
    return nndsl.cli.verb_check


def test_130_interrupted_before_anything_is_trained(nndsl, place, monkeypatch):
    def stops(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("nndsl.model.training.compilation.compile_both", stops)
    ended = nndsl("train", "iris.nn")
    assert (ended.code, ended.err.strip()) == (130, "interrupted")
    assert not list((place / "runs").glob("*"))


def test_a_module_and_a_command_are_the_same(place):
    for command in ([sys.executable, "-m", "nndsl"], [str(Path(sys.executable).parent / "nndsl")]):
        if not shutil.which(command[0]):
            continue
        ended = subprocess.run([*command, "--version"], capture_output=True, text=True, cwd=place)
        assert ended.returncode == 0
        assert ended.stdout.startswith("nndsl, version ")


def test_nothing_is_imported_from_the_current_folder(place, kernels):
    """A folder of somebody else's cannot put a module of its own in our way."""
    for name in ("numpy", "lark", "graphviz", "click"):
        (place / f"{name}.py").write_text("raise SystemExit('planted')\n")
    command = Path(sys.executable).parent / "nndsl"
    if not command.exists():
        pytest.skip("nndsl is not installed as a command")
    ended = subprocess.run([str(command), "check", "iris.nn"], cwd=place, capture_output=True)
    assert (ended.returncode, b"planted" in ended.stderr) == (0, False)


def test_the_exit_code_is_a_plain_number():
    assert run(["--version"]) == 0
