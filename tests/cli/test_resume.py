"""Ctrl-C and after: what was saved goes on to the very bits of a run that nobody stopped."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest

LONG = """data iris = csv("iris.csv", target=species)
let width = 6
net Flowers on iris {
  dense(width) -> relu -> dropout(0.1)
  dense(iris.classes) -> softmax
}
train Flowers { epochs = 6000; optimizer = momentum(0.01, beta=0.9) }
"""

TWO = """import "lib/blocks.nn" as lib
data iris = csv("iris.csv", target=species)
data oaks = csv("iris.csv", target=petal_length)
net Body on iris {
  h = lib.unit(8)
  dense(iris.classes)
}
net Two on iris {
  Body -> relu -> dense(4)
  dense(iris.classes)
}
net Length on oaks { dense(5) -> tanh -> dense(1) }
train Body { epochs = 4 }
train Two { epochs = 4 }
train Body { epochs = 5; batch = 16 }
train Length { epochs = 3 }
"""


@pytest.fixture
def stopped_after(monkeypatch):
    """Make this process get SIGINT once so many epochs have ended."""
    import os

    from nndsl.cli.progress import JsonObserver
    from nndsl.train.loop import Loop

    assert Loop
    count = {"left": -1}
    told = JsonObserver.on_epoch

    def counting(self, event):
        told(self, event)
        count["left"] -= 1
        if count["left"] == 0:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(JsonObserver, "on_epoch", counting)

    def after(epochs: int) -> None:
        count["left"] = epochs

    return after


def files(folder: Path) -> dict[str, bytes]:
    """What a run is: weights and history by path."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.suffix in (".safetensors", ".csv", ".nn") or path.name == "schema.json"
    }


def test_ctrl_c_in_a_real_process(process, nndsl, place):
    (place / "long.nn").write_text(LONG.replace("6000", "300000"))
    child = process("train", "long.nn", "--out", "run", "--json")
    for line in child.stdout:
        if json.loads(line)["event"] == "epoch":
            break
    before = time.perf_counter()
    child.send_signal(signal.SIGINT)
    rest, err = child.communicate(timeout=60)
    assert time.perf_counter() - before < 2.0
    assert child.returncode == 130
    assert err == b""
    assert json.loads(rest.splitlines()[-1])["event"] == "result"
    assert json.loads((place / "run/run.json").read_text())["status"] == "interrupted"
    assert nndsl("predict", "run", "iris.csv", "-o", "p.csv").code == 0


def test_ctrl_c_while_it_starts(process, place):
    """Before there is anything to save: a short word, and no folder is left."""
    child = process("train", "iris.nn", "--set", "epochs=1000000")
    time.sleep(0.12)
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=60)
    assert child.returncode in (130, -signal.SIGINT)
    assert b"Error" not in err or child.returncode == -signal.SIGINT


@pytest.mark.parametrize("threads", [1, 2])
def test_going_on_gives_the_same_bits(nndsl, place, stopped_after, threads):
    words = ["--set", "width=9", "--set", "epochs=40", "--seed", "5", "--json"]
    (place / "long.nn").write_text(LONG)
    (place / "moved.csv").write_bytes((place / "iris.csv").read_bytes())
    assert nndsl("train", "long.nn", "moved.csv", *words, "--out", "whole").code == 0
    stopped_after(17)
    broken = nndsl("train", "long.nn", "moved.csv", *words, "--out", "broken")
    assert broken.code == 130
    assert broken.result["test"] is None
    (place / "long.nn").unlink()
    ended = nndsl("train", "--resume", "broken", "--threads", threads, "--json")
    assert ended.code == 0, ended.out
    assert ended.records[0]["resumed_epoch"] == 17
    assert files(place / "broken") == files(place / "whole")
    record = json.loads((place / "broken/run.json").read_text())
    assert record["settings"] == {"width": "9", "epochs": "40", "seed": "5"}
    assert record["status"] == "finished"
    again = nndsl("train", "--resume", "broken")
    assert (again.code, "NN062" in again.err) == (2, True)


@pytest.mark.parametrize("epochs", [2, 4, 6, 8, 11, 13, 14])
def test_several_sections_go_on_in_order(nndsl, place, stopped_after, epochs):
    """Stopped inside each section, and right at the end of one."""
    (place / "lib").mkdir()
    (place / "lib/blocks.nn").write_text("block x -> unit(n) { x -> dense(n) -> elu }\n")
    (place / "two.nn").write_text(TWO)
    assert nndsl("train", "two.nn", "--out", "whole", "--quiet").code == 0
    stopped_after(epochs)
    assert nndsl("train", "two.nn", "--out", "broken", "--json").code == 130
    (place / "two.nn").unlink()
    (place / "lib/blocks.nn").unlink()
    ended = nndsl("train", "--resume", "broken", "--json")
    assert ended.code == 0, ended.out
    assert files(place / "broken") == files(place / "whole")
    assert nndsl("train", "--resume", "broken").code == 2
    several = nndsl("predict", "broken", "iris.csv")
    assert (several.code, "holds runs: Body, Length, Two" in several.err) == (5, True)
    assert nndsl("predict", "broken/Body", "iris.csv", "-o", "p.csv").code == 0


def test_a_run_killed_between_two_sections(nndsl, place, monkeypatch):
    """The first section is saved; the second had not begun."""
    text = LONG.replace("epochs = 6000", "epochs = 3") + "train Flowers { epochs = 4 }\n"
    (place / "two.nn").write_text(text)
    assert nndsl("train", "two.nn", "--out", "whole", "--quiet").code == 0

    import nndsl.model.sections as sections

    real, calls = sections.train_section, []

    def second_time_killed(*given):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*given)

    monkeypatch.setattr(sections, "train_section", second_time_killed)
    assert nndsl("train", "two.nn", "--out", "broken", "--quiet").code == 130
    monkeypatch.undo()
    monkeypatch.chdir(place)
    assert nndsl("train", "--resume", "broken", "--quiet").code == 0
    assert files(place / "broken") == files(place / "whole")
    assert (place / "whole/history-1.csv").read_text().count("\n") == 4
    assert (place / "whole/history.csv").read_text().count("\n") == 5


def test_weights_and_tables_written_in_the_source(nndsl, place, stopped_after):
    (place / "w.csv").write_text("0.5,1.5\n-1,2\n")
    (place / "m.nn").write_text(
        "data t = table(a=grid(0..1, 30), b=grid(1..3, 30), y=grid(2..9, 30)) "
        "{ target = y }\n"
        'net A on t { dense(2, weights=csv("w.csv")) -> tanh -> dense(1) }\n'
        "train A { epochs = 8 }\n"
    )
    assert nndsl("train", "m.nn", "--out", "whole", "--quiet").code == 0
    stopped_after(3)
    assert nndsl("train", "m.nn", "--out", "broken", "--json").code == 130
    assert nndsl("train", "--resume", "broken", "--quiet").code == 0
    assert files(place / "broken") == files(place / "whole")
    (place / "w.csv").unlink()
    (place / "n.csv").write_text("a,b\n1,2\n")
    assert nndsl("predict", "whole", "n.csv").code == 0


def test_changed_data_are_refused(nndsl, place, stopped_after):
    stopped_after(3)
    assert nndsl("train", "iris.nn", "--out", "run", "--json").code == 130
    table = (place / "iris.csv").read_text()
    (place / "iris.csv").write_text(table.replace("5.1", "5.2", 1))
    ended = nndsl("train", "--resume", "run")
    assert (ended.code, "NN508" in ended.err) == (5, True)
    (place / "iris.csv").write_text(table)
    assert nndsl("train", "--resume", "run", "--quiet").code == 0


def test_data_from_standard_input(nndsl, place, stopped_after):
    table = (place / "iris.csv").read_text()
    assert nndsl("train", "iris.nn", "--out", "whole", "--quiet").code == 0
    stopped_after(3)
    assert nndsl("train", "iris.nn", "-", "--out", "run", "--json", given=table).code == 130
    assert nndsl("train", "--resume", "run", "--quiet", given=table).code == 0
    assert files(place / "run") == files(place / "whole")


def test_folds_that_are_stopped(process, place):
    (place / "long.nn").write_text(LONG.replace("6000", "20000"))
    child = process("train", "long.nn", "--folds", "20", "--json")
    child.stdout.readline()
    time.sleep(0.1)
    child.send_signal(signal.SIGINT)
    rest, _ = child.communicate(timeout=60)
    assert child.returncode == 130
    result = json.loads(rest.splitlines()[-1])
    assert result["event"] == "result"
    assert 0 < len(result["folds"]) < 20
    assert not list((place / "runs").iterdir())


def test_resume_takes_nothing_else(nndsl, place):
    for words in (["iris.nn"], ["--seed", "1"], ["--set", "epochs=3"], ["--folds", "3"],
                  ["--out", "x"]):  # fmt: skip
        ended = nndsl("train", "--resume", "run", *words)
        assert (ended.code, "NN016" in ended.err) == (2, True), words
    assert nndsl("train", "--resume", "nothing").code == 5


def test_an_import_that_leaves_the_run_folder_is_refused(nndsl, place):
    assert nndsl("train", "iris.nn", "--out", "run", "--quiet").code == 0
    model = place / "run/model.nn"
    (place / "other.nn").write_text("let x = 1\n")
    for path in ("../other.nn", "/etc/passwd", "model.nn", "import-a/../../other.nn"):
        model.write_text(f'import "{path}" as o\n' + (place / "iris.nn").read_text())
        ended = nndsl("predict", "run", "iris.csv")
        assert (ended.code, "NN502" in ended.err) == (5, True), path


def test_two_trainings_in_one_folder(process, nndsl, place):
    (place / "long.nn").write_text(LONG.replace("6000", "300000"))
    child = process("train", "long.nn", "--out", "run", "--json")
    child.stdout.readline()
    ended = nndsl("train", "iris.nn", "--out", "run")
    child.send_signal(signal.SIGINT)
    child.communicate(timeout=60)
    assert ended.code in (2, 6)
    assert "NN613" in ended.err or "NN060" in ended.err
