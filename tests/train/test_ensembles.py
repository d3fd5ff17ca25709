"""Ensembles: members as single trainings, broken runs that go on, what they answer together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nndsl.diagnostics import NndslError
from nndsl.train.ensembles import bootstrap_sample, train_job
from nndsl.train.events import Observer
from nndsl.train.folder import RunFolder, create_at
from nndsl.train.folds import train_folds
from nndsl.train.job import RunResult, TrainingJob
from nndsl.train.record import FORMAT
from nndsl.train.saved import read_checkpoint, read_members, read_record
from nndsl.train.session import train
from nndsl.vocab.arguments import call
from nndsl.vocab.registry import words
from tests.train.compiled import compiled_job
from tests.train.doubles import SoftmaxRegression, flowers, job, recipe
from tests.train.test_session import Recorder, equal

MEMBERS = 3


class MemberRecorder(Recorder):
    def on_member_start(self, event):
        self.events.append(event)

    def on_member(self, event):
        self.events.append(event)


def ensemble_job(word: str = "committee", epochs: int = 4, **given) -> TrainingJob:
    answer = given.pop("answer", "vote")
    ensemble = call(words("ensemble")[word], MEMBERS, answer)
    return job(recipe(epochs, ensemble=ensemble), **given)


def files(folder: Path) -> dict[str, bytes]:
    """What a run is: weights, histories and tables by path."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.suffix in (".safetensors", ".csv", ".nn")
    }


def test_members_are_what_single_trainings_with_their_seeds_are() -> None:
    result = train_job(ensemble_job())
    assert len(result.members) == MEMBERS
    for number, member in enumerate(result.members):
        alone = train(job(recipe(4), seed=number))
        assert equal(member.parameters, alone.parameters)
        assert member.history.to_csv() == alone.history.to_csv()
        assert member.metrics == alone.metrics
    assert result.epochs == 4 * MEMBERS


def test_members_of_bagging_learn_from_samples() -> None:
    result = train_job(ensemble_job("bagging"))
    for number, member in enumerate(result.members):
        drawn = bootstrap_sample(number, 96)
        rows = {name: array[drawn] for name, array in flowers(96, 1).items()}
        assert equal(member.parameters, train(job(recipe(4), seed=number, train=rows)).parameters)


@given(st.integers(0, 2**32 - 1), st.integers(1, 2000))
def test_a_bootstrap_sample_is_drawn_with_replacement(seed: int, rows: int) -> None:
    drawn = bootstrap_sample(seed, rows)
    assert drawn.shape == (rows,)
    assert 0 <= drawn.min() <= drawn.max() < rows
    assert np.array_equal(drawn, bootstrap_sample(seed, rows))
    if rows > 500:
        assert len(np.unique(drawn)) / rows == pytest.approx(1 - np.exp(-1), abs=0.1)


@pytest.mark.parametrize("answer", ["vote", "mean"])
def test_figures_are_those_of_the_common_answer(answer: str) -> None:
    result = train_job(ensemble_job(answer=answer))
    test = flowers(30, 3)
    shares = []
    for member in result.members:
        network = SoftmaxRegression()
        network.set_parameters(member.parameters)
        shares.append(network.evaluate(test)["output"])
    if answer == "mean":
        said = np.mean(shares, axis=0).argmax(axis=1)
    else:
        votes = np.stack([s.argmax(axis=1) for s in shares])
        counts = np.stack([(votes == c).sum(axis=0) for c in range(3)], axis=1)
        said = (counts + 1e-3 * np.mean(shares, axis=0)).argmax(axis=1)
    assert result.metrics["test_accuracy"] == np.mean(said == test["species"])
    losses = [member.metrics["test_loss"] for member in result.members]
    assert result.metrics["test_loss"] == pytest.approx(np.mean(losses))
    assert result.verdict is not None
    assert result.verdict.right == np.sum(said == test["species"])


def test_what_the_folder_holds(tmp_path: Path) -> None:
    with create_at(tmp_path / "run") as folder:
        result = train_job(ensemble_job(folder=folder))
    held = sorted(str(p.relative_to(tmp_path / "run")) for p in (tmp_path / "run").rglob("*.*"))
    inner = ["history.csv", "run.json", "weights.safetensors"]
    own = ["history.csv", "members.csv", "model.nn", "run.json", "schema.json"]
    assert held == sorted([*own, *(f"member-{k}/{n}" for k in (1, 2, 3) for n in inner)])
    record = read_record(tmp_path / "run")
    assert (record.status, record.format) == ("finished", FORMAT)
    assert record.metrics == result.metrics
    table = (tmp_path / "run/members.csv").read_text().splitlines()
    assert table[0].startswith("member,seed,epochs,best_epoch,val_loss")
    assert [line.split(",")[:3] for line in table[1:]] == [
        ["1", "0", "4"],
        ["2", "1", "4"],
        ["3", "2", "4"],
    ]
    assert [float(line.split(",")[-1]) for line in table[1:]] == [
        member.metrics["test_accuracy"] for member in result.members
    ]
    history = (tmp_path / "run/history.csv").read_text().splitlines()
    assert len(history) == 5
    firsts = [member.history.column("val_loss")[0] for member in result.members]
    column = history[0].split(",").index("val_loss")
    assert float(history[1].split(",")[column]) == np.mean(firsts)


def test_who_watches_is_told_the_member() -> None:
    seen = MemberRecorder()
    train_job(ensemble_job(epochs=2), seen)
    names = [type(event).__name__ for event in seen.events]
    one = ["MemberStarted", "EpochEnded", "EpochEnded", "MemberEnded"]
    assert [n for n in names if n in one] == one * MEMBERS
    assert names.count("Started") == names.count("Ended") == 1
    assert [e.seed for e in seen.named("MemberEnded")] == [0, 1, 2]


# --- broken and resumed ---------------------------------------------------------------------


class Counting(SoftmaxRegression):
    """Sends its process a signal after so many steps of all members together."""

    left = -1

    def run(self, first_step, steps, **given):
        done = super().run(first_step, steps, **given)
        self.left -= done
        if self.left + done > 0 >= self.left:
            os.kill(os.getpid(), signal.SIGINT)
        return done


def interrupted(path: Path, after: int, word: str) -> RunResult:
    double = Counting(0.1, 16)
    double.left = after
    with create_at(path) as folder:
        return train_job(ensemble_job(word, training=double, folder=folder))


@pytest.mark.parametrize("word", ["committee", "bagging"])
@pytest.mark.parametrize("after", [1, 13, 24, 25, 40, 48, 60])
def test_a_broken_run_goes_on_as_if_nothing_had_been(tmp_path, monkeypatch, word, after) -> None:
    monkeypatch.setattr("nndsl.train.loop.CHUNK_SECONDS", 1e-12)
    with create_at(tmp_path / "whole") as folder:
        whole = train_job(ensemble_job(word, folder=folder))
    broken = interrupted(tmp_path / "broken", after, word)
    assert (broken.status, broken.exit_code) == ("interrupted", 130)
    assert read_record(tmp_path / "broken").status == "interrupted"
    with pytest.raises(NndslError, match="NN511"):
        read_members(tmp_path / "broken", MEMBERS)
    seen = MemberRecorder()
    with RunFolder(tmp_path / "broken") as folder:
        checkpoint = read_checkpoint(tmp_path / "broken")
        rest = train_job(ensemble_job(word, folder=folder, threads=2), seen, checkpoint)
    assert rest.metrics == whole.metrics
    assert rest.history.to_csv() == whole.history.to_csv()
    assert (rest.epochs, rest.steps) == (whole.epochs, whole.steps)
    for ours, theirs in zip(rest.members, whole.members, strict=True):
        assert equal(ours.parameters, theirs.parameters)
    assert files(tmp_path / "broken") == files(tmp_path / "whole")
    assert [e.member for e in seen.named("MemberEnded")] == [1, 2, 3]
    assert len(seen.named("Started")) == 1


KILLED = """
import sys
from pathlib import Path
from nndsl.train.ensembles import train_job
from nndsl.train.folder import create_at
from tests.train.test_ensembles import ensemble_job, Told

with create_at(Path(sys.argv[1])) as folder:
    train_job(ensemble_job("bagging", 15, folder=folder, delay=0.001, save_seconds=0.0), Told())
"""


class Told(Observer):
    """Says on standard output that a member has saved a checkpoint."""

    def on_save(self, event):
        print(event.folder, flush=True)


@pytest.mark.parametrize("member", [1, 3])
def test_a_run_killed_inside_a_member_goes_on_to_the_same_bits(tmp_path, root, member) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path / "broken")], cwd=root, stdout=subprocess.PIPE
    )
    for line in child.stdout:
        if line.decode().strip().endswith(f"member-{member}"):
            break
    child.kill()
    child.wait()
    child.stdout.close()
    assert (tmp_path / f"broken/member-{member}/checkpoint.safetensors").exists()
    with create_at(tmp_path / "whole") as folder:
        train_job(ensemble_job("bagging", 15, folder=folder))
    with RunFolder(tmp_path / "broken") as folder:
        going_on = ensemble_job("bagging", 15, folder=folder)
        train_job(going_on, None, read_checkpoint(tmp_path / "broken"))
    assert files(tmp_path / "broken") == files(tmp_path / "whole")


def test_a_run_killed_while_it_writes_a_finished_member(tmp_path: Path) -> None:
    """Its record is there, and the checkpoint before it is there still."""
    with create_at(tmp_path / "whole") as folder:
        train_job(ensemble_job(folder=folder))
    interrupted(tmp_path / "broken", 30, "committee")
    for name in ("weights.safetensors", "history.csv", "run.json"):
        content = (tmp_path / "whole/member-2" / name).read_bytes()
        (tmp_path / "broken/member-2" / name).write_bytes(content)
    with RunFolder(tmp_path / "broken") as folder:
        train_job(ensemble_job(folder=folder), None, read_checkpoint(tmp_path / "broken"))
    finished = files(tmp_path / "broken")
    finished.pop("member-2/checkpoint.safetensors", None)
    assert finished == files(tmp_path / "whole")


def test_changed_data_are_refused_between_members_too(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("nndsl.train.loop.CHUNK_SECONDS", 1e-12)
    interrupted(tmp_path / "run", 24, "committee")
    changed = replace(ensemble_job(), train=flowers(96, 7))
    with pytest.raises(NndslError, match="NN508"):
        train_job(changed, None, read_checkpoint(tmp_path / "run"))


def test_a_member_that_is_missing_is_named(tmp_path: Path) -> None:
    with create_at(tmp_path / "run") as folder:
        train_job(ensemble_job(folder=folder))
    assert len(read_members(tmp_path / "run", MEMBERS)) == MEMBERS
    with pytest.raises(NndslError, match=r"NN511: .*`member-3` is one too many"):
        read_members(tmp_path / "run", 2)
    with pytest.raises(NndslError, match=r"NN511: .*`member-4` is not there"):
        read_members(tmp_path / "run", 4)
    (tmp_path / "run/member-2/weights.safetensors").unlink()
    with pytest.raises(NndslError, match=r"NN511: .*`member-2` is not there"):
        read_members(tmp_path / "run", MEMBERS)


def test_folds_of_an_ensemble() -> None:
    def make_job(fold: int) -> TrainingJob:
        return ensemble_job(train=flowers(80 + fold, fold), test=flowers(20, 100 + fold))

    result = train_folds(make_job, 2)
    alone = [train_job(make_job(fold)).metrics["test_accuracy"] for fold in (1, 2)]
    assert list(result.values) == alone


# --- real networks --------------------------------------------------------------------------


def test_compiled_members_are_single_trainings_for_any_thread_count() -> None:
    settings = "seed = 3; ensemble = committee(2)"
    one, two = (train_job(compiled_job(settings, threads)) for threads in (1, 2))
    for number, members in enumerate(zip(one.members, two.members, strict=True)):
        # the split of the rows is that of the run, so only the seed differs
        alone = train(replace(compiled_job("seed = 3"), seed=3 + number))
        assert equal(members[0].parameters, alone.parameters)
        assert equal(members[1].parameters, alone.parameters)
    assert one.metrics == two.metrics


# --- what goes wrong ------------------------------------------------------------------------


def test_a_member_that_diverges_ends_the_run(tmp_path: Path) -> None:
    ensemble = call(words("ensemble")["committee"], MEMBERS)
    with create_at(tmp_path / "run") as folder:
        ruined = job(recipe(5, lr=1e38, ensemble=ensemble), lr=1e38, folder=folder)
        with pytest.raises(NndslError, match="NN701"):
            train_job(ruined)
    assert read_record(tmp_path / "run").status == "diverged"
    assert read_record(tmp_path / "run").stopped == "the loss of member 1 was not finite"


def test_without_rows_nothing_is_begun(tmp_path: Path) -> None:
    with create_at(tmp_path / "run") as folder, pytest.raises(NndslError, match="NN392"):
        train_job(ensemble_job(folder=folder, train={}))
    assert not (tmp_path / "run").exists()
