"""`answer =` from the source to the CSV: refused rows, thresholds, what may be set anew."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

import nndsl as library

REFUSING = """data iris = csv("iris.csv", target=species)
net Flowers on iris { dense(8) -> relu -> dense(iris.classes) -> softmax }
train Flowers { epochs = 30; answer = refuse(margin=0.1) }
"""
DECIDING = """data class = csv("pass_class.csv", target=passed)
net Pass on class { dense(1) -> sigmoid }
train Pass { epochs = 20; answer = threshold(0.3) }
"""


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def flowers(nndsl, place):
    (place / "m.nn").write_text(REFUSING)
    assert nndsl("train", "m.nn", "--out", "run", "--quiet").code == 0
    return place


def test_refused_rows_have_no_answer_and_two_shares(nndsl, flowers):
    ended = nndsl("predict", "run", "iris.csv", "-o", "p.csv", "--json")
    *refused, last = ended.records
    found = rows(flowers / "p.csv")
    empty = [i for i, row in enumerate(found, 1) if row["predicted_species"] == ""]
    assert 0 < len(empty) < 150
    assert [one["row"] for one in refused] == empty
    assert last["refused"] == len(empty)
    assert last["metrics"]["refused"] == len(empty) / 150
    for one in refused:
        first, second = one["between"].values()
        assert 0 <= first - second < 0.1
        row = found[one["row"] - 1]
        told = sorted((float(row[f"probability_{name}"]) for name in one["between"]), reverse=True)
        assert told == pytest.approx([first, second], abs=1e-5)
    answered = [row for row in found if row["predicted_species"]]
    right = sum(row["predicted_species"] == row["species"] for row in answered)
    assert last["metrics"]["accuracy"] == pytest.approx(right / len(answered))
    said = nndsl("predict", "run", "iris.csv", "-o", "p.csv").out
    assert f"150 rows with predictions, {len(empty)} of them refused" in said


def test_a_network_that_answers_nothing(nndsl, place):
    """Figures of answers have no meaning then; everything that tells them says so."""
    (place / "m.nn").write_text(REFUSING.replace("margin=0.1", "margin=0.99"))
    ended = nndsl("train", "m.nn", "--set", "epochs=2", "--out", "run", "--report")
    assert ended.code == 0, ended.err
    assert "none of the 30 rows got an answer" in ended.out
    told = "It gives no answer for <code>species</code> on any of the test rows."
    assert told in (place / "run/report.html").read_text()
    record = json.loads((place / "run/run.json").read_text())
    assert record["metrics"]["test_refused"] == 1
    assert "test_accuracy" not in record["metrics"]
    ended = nndsl("predict", "run", "iris.csv", "-o", "p.csv")
    assert "150 of them refused" in ended.out


def test_the_run_tells_the_share_refused(flowers):
    record = json.loads((flowers / "run/run.json").read_text())
    assert set(record["metrics"]) >= {"val_refused", "test_refused", "test_accuracy"}
    assert "val_refused" in (flowers / "run/history.csv").read_text().splitlines()[0]


def test_the_answer_alone_may_be_set_anew(nndsl, flowers):
    def figures(*words: str) -> dict[str, float]:
        return nndsl("evaluate", "run", "iris.csv", *words, "--json").records[-1]["metrics"]

    assert figures("--set", "answer=argmax").get("refused", 0) == 0
    strict = figures("--set", "answer=refuse(0.5)")
    assert strict["refused"] > figures()["refused"] > 0
    assert strict["accuracy"] >= figures("--set", "answer=argmax")["accuracy"]
    refused = nndsl("evaluate", "run", "iris.csv", "--set", "epochs=3")
    assert (refused.code, "NN010" in refused.err) == (2, True)
    wrong = nndsl("predict", "run", "iris.csv", "--set", "answer=threshold(0.5)")
    assert (wrong.code, "NN321" in wrong.err) == (3, True)


def test_evaluate_tells_what_other_margins_would_give(nndsl, flowers):
    said = nndsl("evaluate", "run", "iris.csv").out.splitlines()
    assert said[1].split() == ["margin", "accuracy", "refused"]
    (own,) = (line for line in said if line.endswith("this run"))
    assert own.split()[0] == "0.1"
    record = nndsl("evaluate", "run", "iris.csv", "--json").result
    table = {line["margin"]: line for line in record["limits"]}
    assert table[0.1] == {"margin": 0.1, **record["metrics"]}
    refused = [table[margin]["refused"] for margin in sorted(table)]
    assert refused == sorted(refused)
    assert refused[0] == 0
    alone = nndsl("evaluate", "run", "iris.csv", "--set", "answer=argmax", "--json").result
    assert "limits" not in alone


def test_python_and_exported_files_answer_alike(nndsl, flowers):
    nndsl("predict", "run", "iris.csv", "-o", "p.csv")
    ours = [row["predicted_species"] for row in rows(flowers / "p.csv")]
    model = library.load(flowers / "run")
    assert [name or "" for name in model.answer(flowers / "iris.csv")] == ours
    free = library.load(flowers / "run", settings={"answer": "argmax"})
    assert None not in free.answer(flowers / "iris.csv")
    assert nndsl("export", "run", "--to", "numpy", "-o", "network.py").code == 0
    import runpy

    with (flowers / "iris.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    columns = {name: [row[name] for row in table] for name in table[0]}
    (said,) = runpy.run_path(str(flowers / "network.py"))["answers"](columns)
    assert [name or "" for name in said] == ours


def test_precision_and_recall_at_a_threshold(nndsl, place, root):
    (place / "pass_class.csv").write_bytes((root / "models/pass_class.csv").read_bytes())
    (place / "m.nn").write_text(DECIDING)
    assert nndsl("train", "m.nn", "--out", "run", "--quiet").code == 0

    def figures(limit: float) -> dict[str, float]:
        words = ("evaluate", "run", "pass_class.csv", "--set", f"answer=threshold({limit})")
        return nndsl(*words, "--json").records[-1]["metrics"]

    low, high = figures(0.05), figures(0.95)
    assert list(low) == ["accuracy", "precision", "recall"]
    assert low["recall"] == 1.0
    assert high["recall"] < low["recall"]
    model = library.load(place / "run")
    said = model.answer(place / "pass_class.csv")
    shares = model.predict(place / "pass_class.csv")[:, 0]
    second = max({row["passed"] for row in rows(place / "pass_class.csv")})
    assert [name == second for name in said] == (shares > 0.3).tolist()
