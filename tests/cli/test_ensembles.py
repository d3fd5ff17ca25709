"""`ensemble =` from the source to predictions, and what a stopped ensemble leaves."""

from __future__ import annotations

import csv
import json
import os
import runpy
import signal
from pathlib import Path

import numpy as np
import pytest

import nndsl as library
from nndsl.diagnostics import NndslError
from tests.cli.test_resume import files, stopped_after

assert stopped_after

VOTING = """data iris = csv("iris.csv", target=species) { shuffle = false }
net Flowers on iris { dense(6) -> relu -> dropout(0.1) -> dense(iris.classes) -> softmax }
train Flowers { epochs = 12; ensemble = committee(3, answer=vote); expect test_accuracy >= 0 }
expect Flowers([[5.1, 3.5, 1.4, 0.2]])[1] >= 0
"""


@pytest.fixture
def trained(nndsl, place) -> Path:
    (place / "m.nn").write_text(VOTING)
    ended = nndsl("train", "m.nn", "--out", "run", "--json")
    assert ended.code == 0, ended.err
    events = [record["event"] for record in ended.records]
    assert events.count("member_start") == events.count("member") == 3
    return place


def predicted(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_members_are_runs_with_their_seeds(nndsl, trained):
    for number in (1, 2, 3):
        words = ("--set", "ensemble=none", "--seed", number - 1, "--out", f"s{number}", "--quiet")
        assert nndsl("train", "m.nn", *words).code == 0
        for name in ("weights.safetensors", "history.csv"):
            theirs = (trained / f"s{number}" / name).read_bytes()
            assert (trained / f"run/member-{number}" / name).read_bytes() == theirs


def test_all_members_answer(nndsl, trained):
    assert nndsl("predict", "run", "iris.csv", "-o", "p.csv").code == 0
    rows = predicted(trained / "p.csv")
    model = library.load(trained / "run")
    shares = np.stack([member.predict(trained / "iris.csv") for member in model.members])
    counts = np.stack([(shares.argmax(axis=-1) == c).sum(axis=0) for c in range(3)], axis=1)
    said = (counts + 1e-3 * shares.mean(axis=0)).argmax(axis=1)
    names = sorted({row["species"] for row in rows})
    assert [row["predicted_species"] for row in rows] == [names[i] for i in said]
    assert model.answer(trained / "iris.csv") == [names[i] for i in said]
    figures = nndsl("evaluate", "run", "iris.csv", "--json").records[-1]["metrics"]
    right = [row["predicted_species"] == row["species"] for row in rows]
    assert figures["accuracy"] == pytest.approx(np.mean(right))
    assert nndsl("export", "run", "--to", "numpy", "-o", "network.py").code == 0
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    (alone,) = runpy.run_path(str(trained / "network.py"))["answers"](columns)
    assert alone == [names[i] for i in said]


def test_each_member_and_all_together_are_told(nndsl, trained):
    said = nndsl("train", "m.nn", "--out", "again")
    lines = said.out.splitlines()
    assert [line.split()[1] for line in lines if line.startswith("member ")] == [
        "1/3",
        "2/3",
        "3/3",
    ]
    (summary,) = (line for line in lines if line.startswith("members "))
    alone = [float(row["test_accuracy"]) for row in predicted(trained / "again/members.csv")]
    assert f"{min(alone):.3f} to {max(alone):.3f}, mean {np.mean(alone):.3f}" in summary
    record = json.loads((trained / "again/run.json").read_text())
    (test,) = (line for line in lines if line.startswith("test "))
    assert f"accuracy {record['metrics']['test_accuracy']:.3f}" in test
    assert files(trained / "again") == files(trained / "run")


def test_one_set_of_weights_is_asked_of_members(nndsl, trained):
    model = library.load(trained / "run")
    assert model.members[1].weights["dense[1].weight"].shape == (6, 4)
    for ask in (
        lambda: model.weights,
        model.arrays,
        lambda: model.train_step(trained / "iris.csv"),
        lambda: model.loss_and_gradients(trained / "iris.csv"),
    ):
        with pytest.raises(NndslError, match="NN076"):
            ask()
    ended = nndsl("surface", "run", "dense[1].bias[1]", "dense[1].bias[2]", "-o", "x.svg")
    assert (ended.code, "NN076" in ended.err) == (2, True)


def test_fitting_from_python_gives_the_members_of_the_run(trained):
    model = library.load(trained / "m.nn")
    assert model.members == ()
    result = model.fit()
    assert len(result.members) == 3
    ours = library.load(trained / "run")
    for one, other in zip(model.members, ours.members, strict=True):
        for name in one.weights:
            np.testing.assert_array_equal(one.weights[name], other.weights[name])


@pytest.mark.parametrize("epochs", [1, 12, 17, 36])
def test_a_stopped_ensemble_goes_on_to_the_same_bits(nndsl, trained, stopped_after, epochs):
    stopped_after(epochs)
    broken = nndsl("train", "m.nn", "--out", "broken", "--json")
    if epochs < 36:
        assert broken.code == 130
        refused = nndsl("predict", "broken", "iris.csv")
        assert (refused.code, "NN511" in refused.err) == (5, True)
        assert "--resume broken" in refused.err
        ended = nndsl("train", "--resume", "broken", "--threads", "2", "--json")
        assert ended.code == 0, ended.out
    assert files(trained / "broken") == files(trained / "run")
    again = nndsl("train", "--resume", "broken")
    assert (again.code, "NN062" in again.err) == (2, True)


def test_a_killed_ensemble_goes_on_to_the_same_bits(nndsl, process, place):
    text = VOTING.replace("epochs = 12", "epochs = 1000")
    (place / "m.nn").write_text(text)
    child = process("train", "m.nn", "--out", "broken", "--json")
    for line in child.stdout:
        if json.loads(line)["event"] == "member":
            break
    os.kill(child.pid, signal.SIGKILL)
    child.communicate(timeout=20)
    assert json.loads((place / "broken/run.json").read_text())["status"] == "running"
    assert nndsl("train", "--resume", "broken", "--quiet").code == 0
    assert nndsl("train", "m.nn", "--out", "whole", "--quiet").code == 0
    assert files(place / "broken") == files(place / "whole")


def test_a_missing_member_is_never_left_out(nndsl, trained):
    (trained / "run/member-2").rename(trained / "gone")
    ended = nndsl("predict", "run", "iris.csv")
    assert (ended.code, "NN511" in ended.err, "`member-2`" in ended.err) == (5, True, True)


def test_folds_report_and_the_weights_in_expectations(nndsl, trained):
    folds = nndsl("train", "m.nn", "--folds", "3", "--json")
    assert len(folds.result["folds"]) == 3
    assert nndsl("report", "run").code == 0
    page = (trained / "run/report.html").read_text()
    assert "The 3 members alone" in page
    (trained / "run/members.csv").write_text("member,seed,epochs,best_epoch,test_accuracy\n1,x\n")
    damaged = nndsl("report", "run")
    assert (damaged.code, "NN502" in damaged.err) == (5, True)
    told = VOTING + "expect Flowers.dense[1].bias == [0, 0, 0, 0, 0, 0]\n"
    (trained / "m.nn").write_text(told)
    ended = nndsl("train", "m.nn", "--out", "asked", "--quiet")
    assert (ended.code, "NN076" in ended.err) == (2, True)


SEVERAL = """data iris = csv("iris.csv", target=species)
data length = csv("iris.csv", target=petal_length)
net Kinds on iris { dense(4) -> tanh -> dense(iris.classes) -> softmax }
net Alone on iris { dense(iris.classes) -> softmax }
net Long on length { dense(4) -> tanh -> dense(1) }
train Kinds { epochs = 4; ensemble = committee(2, answer=vote) }
train Alone { epochs = 4 }
train Long { epochs = 4; ensemble = bagging(2) }
"""


@pytest.mark.parametrize("epochs", [2, 6, 8, 10, 13, 19])
def test_ensembles_among_other_nets_go_on(nndsl, place, stopped_after, epochs):
    """Stopped in a member of the first and the last net, in the single one, and between them."""
    (place / "m.nn").write_text(SEVERAL)
    assert nndsl("train", "m.nn", "--out", "whole", "--quiet").code == 0
    stopped_after(epochs)
    assert nndsl("train", "m.nn", "--out", "broken", "--json").code == 130
    assert nndsl("train", "--resume", "broken", "--quiet").code == 0
    assert files(place / "broken") == files(place / "whole")
    assert nndsl("predict", "broken/Long", "iris.csv", "-o", "p.csv").code == 0


def test_one_net_of_several_alone(nndsl, place):
    (place / "m.nn").write_text(SEVERAL)
    assert nndsl("train", "m.nn", "--only", "Long", "--out", "run", "--quiet").code == 0
    assert (place / "run/member-2/weights.safetensors").exists()


BOTH = """data iris = csv("iris.csv") { target = [petal_length, species] }
net Both on iris {
  h = dense(6) -> tanh
  length = h -> dense(1)
  kind = h -> dense(iris.classes) -> softmax
  (length, kind)
}
train Both { loss = (mse, cross_entropy); epochs = 8; ensemble = committee(3, answer=vote) }
"""


def test_classes_vote_and_numbers_beside_them_are_averaged(nndsl, place):
    (place / "m.nn").write_text(BOTH)
    assert nndsl("train", "m.nn", "--out", "run", "--quiet").code == 0
    model = library.load(place / "run")
    alone = [member.predict(place / "iris.csv") for member in model.members]
    said = model.predict(place / "iris.csv")
    # turned back into centimetres after the mean, which is the same for a linear step
    expected = np.mean([one["length"] for one in alone], axis=0)
    np.testing.assert_allclose(said["length"], expected, rtol=1e-6)
    votes = np.stack([one["kind"].argmax(axis=1) for one in alone])
    shares = np.stack([(votes == c).mean(axis=0) for c in range(3)], axis=1)
    np.testing.assert_allclose(said["kind"], shares, atol=1e-6)
    assert nndsl("export", "run", "--to", "numpy", "-o", "network.py").code == 0
    with (place / "iris.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    length, kind = runpy.run_path(str(place / "network.py"))["predict"](columns)
    np.testing.assert_allclose(length.reshape(-1), said["length"].reshape(-1), rtol=1e-5)
    np.testing.assert_allclose(kind, said["kind"], atol=1e-6)
