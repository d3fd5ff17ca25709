"""Rows made beside the training: the same bits however they come, and what they are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nndsl import driver
from nndsl.data.images import preparing
from nndsl.diagnostics import NndslError, Source
from nndsl.model.training import Options, make_job, split_of
from nndsl.random import permutation
from nndsl.train import feeding
from nndsl.train.checkpoint import Checkpoint
from nndsl.train.ensembles import train_job
from nndsl.train.events import Observer, Saved
from nndsl.train.feeding import feed_of
from nndsl.train.folder import create_at
from nndsl.train.job import TrainingJob
from nndsl.train.replay import do_steps
from nndsl.train.resuming import job_fingerprints
from nndsl.train.saved import read_checkpoint
from nndsl.train.session import train
from tests.data.images.helpers import make_folder

TEXT = """
data d = images("pictures") { split = [20, 4] }
net N on d { flatten -> dense(4) -> tanh -> dropout(0.2) -> dense(d.classes) -> softmax }
train N { batch = 3; epochs = 4; optimizer = momentum(0.05); keep = last; LINE }
"""
DISTORTED = "augment = shift(1) -> random_flip -> elastic(sigma=2, strength=4)"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_folder(tmp_path / "pictures")
    return tmp_path


def job(folder: Path, line: str = "", text: str = TEXT) -> TrainingJob:
    opened = driver.open_source(Source("m.nn", text.replace("LINE", line)), folder)
    (recipe,) = opened.module.recipes
    return make_job(opened, recipe, split_of(opened, recipe), Options(threads=1))[0]


def weights(job: TrainingJob) -> np.ndarray:
    return np.concatenate([a.ravel() for a in train(job).parameters.values()])


def test_rows_that_come_late_train_to_the_same_bits(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = job(folder)
    assert feed_of(there) is None
    expected = weights(there)
    monkeypatch.setattr(preparing, "KEPT_SHARE", 0.0)
    for steps in (1, 4, 1000):
        monkeypatch.setattr(feeding, "LEAST_STEPS", steps)
        monkeypatch.setattr(feeding, "PIECE_NUMBERS", 1)
        late = job(folder)
        assert feed_of(late) is not None
        assert np.array_equal(weights(late), expected)


@pytest.mark.parametrize(
    "line", [DISTORTED, f"{DISTORTED} -> mixup(0.4)", "augment = copies(3, shift(1))"]
)
def test_distorted_rows_do_not_depend_on_pieces(
    folder: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    monkeypatch.setattr(feeding, "PIECE_NUMBERS", 1)
    found = []
    for steps in (1, 3, 1000):
        monkeypatch.setattr(feeding, "LEAST_STEPS", steps)
        found.append(weights(job(folder, line)))
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(found[0], found[2])
    assert not np.array_equal(found[0], weights(job(folder)))


def test_steps_may_be_done_in_any_portions(folder: Path) -> None:
    found = []
    for portions in ((28,), (1,) * 28, (5, 9, 14)):
        made = job(folder, DISTORTED)
        train(made)  # weights are set, and then set again
        made = replace(made, feed=feed_of(made))
        plan = feeding.Plan(20, 20, 3, 7, 28)
        made.training.set_parameters({n: np.full_like(a, 0.1) for n, a in
                                      made.training.parameters().items()})  # fmt: skip
        made.training.set_states({n: a * 0 for n, a in made.training.states().items()})
        first = 0
        for portion in portions:
            assert do_steps(made, plan, first, portion) == portion
            first += portion
        found.append(np.concatenate([a.ravel() for a in made.training.parameters().values()]))
    assert np.array_equal(found[0], found[1])
    assert np.array_equal(found[0], found[2])


def test_copies_show_each_picture_as_it_is_and_distorted(folder: Path) -> None:
    made = job(folder, "augment = copies(4, pixel_noise(0.1))")
    feed = feed_of(made)
    assert feed is not None
    assert feed.count == 80
    plan = feeding.Plan(80, 80, 80, 1, 1)
    rows = feed.batch(plan, 0)
    order = permutation(80, made.seed, 0)
    assert np.array_equal(rows["label"], made.train["label"][order % 20])
    same = [np.array_equal(x, made.train["input"][e % 20])
            for x, e in zip(rows["input"], order, strict=True)]  # fmt: skip
    assert np.array_equal(same, order < 20)
    result = train(made)
    assert result.steps == 4 * 27


def test_mixed_numbers_are_mixed_as_the_pictures_are(folder: Path) -> None:
    names = [f"{kind}/{n}.png,{n + 10 * (kind == 'ring')}" for kind in ("cross", "ring")
             for n in range(12)]  # fmt: skip
    (folder / "t.csv").write_text("file,t\n" + "\n".join(names) + "\n")
    text = TEXT.replace('images("pictures")', 'images("pictures", labels="t.csv", target=t)')
    text = text.replace("dense(d.classes) -> softmax", "dense(1)")
    made = job(folder, "augment = mixup(1)", text)
    feed = feed_of(made)
    assert feed is not None
    plan = feeding.Plan(20, 20, 20, 1, 1)
    rows = feed.batch(plan, 0)
    x = made.train["input"].reshape(20, -1).astype(np.float64)
    both = np.concatenate([x, made.train["t"].astype(np.float64)], axis=1)
    given = np.concatenate([rows["input"].reshape(20, -1), rows["t"]], axis=1)
    order = permutation(20, made.seed, 0)
    for row, e in zip(given, order, strict=True):
        errors = []
        for other in both:
            away = both[e] - other
            share = ((row - other) @ away) / max(away @ away, 1e-12)
            errors.append(np.abs(other + share * away - row).max())
        assert min(errors) < 1e-5


ROADS = """
data road = roads(60, size=9x10) { target = steer -> bump(7, width=2) }
net N on road { flatten -> dense(4) -> tanh -> dense(7) }
train N { batch = 4; epochs = 2; loss = mse; keep = last; LINE }
"""


def test_the_target_follows_the_picture(folder: Path) -> None:
    line = "augment = copies(3, shift_view(0.6) -> pixel_noise(0.1) -> rotate_view(6))"
    made = job(folder, line, ROADS)
    feed = feed_of(made)
    assert feed is not None
    rows = len(made.train["steer"])
    plan = feeding.Plan(3 * rows, 3 * rows, 3 * rows, 1, 2)
    (output,) = made.outputs
    assert output.restore is not None
    steer = output.restore(made.train["steer"])
    for step in (0, 1):
        order = permutation(3 * rows, made.seed, step)
        found = feed.batch(plan, step)["steer"]
        change = (output.restore(found) - steer[order % rows])[:, 0]
        assert not change[order < rows].any()
        assert 0.1 < np.abs(change[order >= rows]).mean() < 0.5
    assert np.array_equal(weights(job(folder, line, ROADS)), weights(job(folder, line, ROADS)))


class Watching(Observer):
    """Keeps every checkpoint that is written."""

    def __init__(self) -> None:
        self.kept: list[Checkpoint] = []

    def on_save(self, event: Saved) -> None:
        self.kept.append(read_checkpoint(event.folder))


def test_resuming_goes_on_with_the_same_pictures(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nndsl.train.loop.CHUNK_SECONDS", 1e-12)
    expected = weights(job(folder, DISTORTED))
    watching = Watching()
    with create_at(folder / "run") as run:
        train(replace(job(folder, DISTORTED), folder=run, save_seconds=0.0), watching)
    assert len(watching.kept) > 3
    for checkpoint in watching.kept[:: len(watching.kept) // 3]:
        made = job(folder, DISTORTED)
        again = train(made, None, replace(checkpoint, fingerprints=job_fingerprints(made)))
        found = np.concatenate([a.ravel() for a in again.parameters.values()])
        assert np.array_equal(found, expected)


def test_a_damaged_picture_that_is_met_late_ends_the_training(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparing, "KEPT_SHARE", 0.0)
    made = job(folder)
    for path in (folder / "pictures" / "ring").iterdir():
        path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(NndslError) as caught:
        train(made)
    assert caught.value.diagnostics[0].code == "NN425"


def test_members_of_an_ensemble_differ_in_their_distortions(folder: Path) -> None:
    made = job(folder, f"{DISTORTED}; ensemble = committee(2)")
    result = train_job(made)
    for number, member in enumerate(result.members):
        alone = job(folder, f"{DISTORTED}; seed = {number}")
        rows = replace(alone, train=made.train, validation=made.validation)
        expected = weights(rows)
        found = np.concatenate([a.ravel() for a in member.parameters.values()])
        assert np.array_equal(found, expected)
