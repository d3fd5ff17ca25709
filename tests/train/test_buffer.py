"""The buffer of `replay`: what it holds in each epoch; going on and back change nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nndsl import driver
from nndsl.diagnostics import NndslError, Source
from nndsl.model.training import Options, make_job, split_of
from nndsl.random import permutation
from nndsl.schema import TargetKind
from nndsl.train.buffer import Buffer, errors
from nndsl.train.feeding import feed_of
from nndsl.train.folder import create_at
from nndsl.train.job import Output, TrainingJob
from nndsl.train.plan import Plan
from nndsl.train.replay import do_steps, replay
from nndsl.train.resuming import job_fingerprints
from nndsl.train.session import train
from tests.train.test_feeding import Watching

ROADS = """
data d = roads(40, size=6x7) { target = steer -> bump(5, width=2) }
net N on d { flatten -> dense(3) -> sigmoid -> dense(5) -> sigmoid }
train N { batch = 4; epochs = 5; loss = mse; optimizer = momentum(0.3); keep = last; LINE }
"""
COPIES = "augment = copies(3, shift_view(0.6)); "
EASIEST = COPIES + "replay = buffer(10, replace=easiest)"


def job(line: str, threads: int = 1, text: str = ROADS) -> TrainingJob:
    opened = driver.open_source(Source("m.nn", text.replace("LINE", line)), Path.cwd())
    (recipe,) = opened.module.recipes
    return make_job(opened, recipe, split_of(opened, recipe), Options(threads=threads))[0]


def weights(made: TrainingJob) -> np.ndarray:
    return np.concatenate([a.ravel() for a in made.training.parameters().values()])


def started(line: str) -> tuple[TrainingJob, Buffer, Plan]:
    """A job with all weights at one number, its buffer, and a plan of five epochs."""
    made = job(line)
    feed = feed_of(made)
    assert isinstance(feed, Buffer)
    start = np.random.default_rng(3)
    made.training.set_parameters(
        {n: start.normal(0, 0.3, a.shape) for n, a in made.training.parameters().items()}
    )
    made.training.set_states({n: a * 0 for n, a in made.training.states().items()})
    return replace(made, feed=feed), feed, Plan(10, 10, 4, 3, 15)


def held(feed: Buffer) -> np.ndarray:
    return np.sort(feed.state()["held"])


def test_the_oldest_give_way_to_the_next_copies() -> None:
    made, feed, plan = started(COPIES + "replay = buffer(10, replace=oldest)")
    for epoch in range(5):
        do_steps(made, plan, 3 * epoch, 3)
        np.testing.assert_array_equal(held(feed), 3 * epoch + np.arange(10))
    assert feed.count == 10


def test_the_easiest_give_way() -> None:
    made, feed, plan = started(EASIEST)
    do_steps(made, plan, 0, 3)
    rows = {n: np.concatenate([feed.batch(plan, s)[n] for s in range(3)]) for n in made.train}
    numbers = feed.state()["held"][permutation(10, made.seed, 0)]
    made.evaluation.take(made.training, list(made.network.parameters))
    said = made.evaluation.evaluate(rows)["output"]
    wrong = ((said.astype(np.float64) - rows["steer"]) ** 2).mean(axis=1)
    do_steps(made, plan, 3, 3)
    stay = numbers[np.argsort(wrong)[3:]]
    np.testing.assert_array_equal(held(feed), np.sort([*stay, 10, 11, 12]))


def test_chance_lets_any_of_them_go() -> None:
    made, feed, plan = started("replay = buffer(10, replace=random, fresh=4)")
    do_steps(made, plan, 0, 3)
    oldest = 0
    for epoch in range(1, 5):
        before = held(feed)
        do_steps(made, plan, 3 * epoch, 3)
        assert set(held(feed)) - set(before) == set(range(4 * epoch + 6, 4 * epoch + 10))
        oldest += set(before) - set(held(feed)) == set(before[:4])
    assert oldest < 2


def test_examples_arrive_picture_by_picture_and_each_as_it_is_first() -> None:
    made, feed, _ = started(COPIES + "replay = buffer(12, replace=oldest)")
    rows = len(made.train["steer"])
    found = feed._examples(np.arange(3 * rows - 3, 3 * rows + 6))["input"]
    last, first = permutation(rows, made.seed, 0)[-1], permutation(rows, made.seed, 1)[:2]
    for place, row in zip((0, 3, 6), (last, *first), strict=True):
        assert np.array_equal(found[place], made.train["input"][row])
        assert not np.array_equal(found[place + 1], made.train["input"][row])


def test_steps_may_be_done_in_any_portions_and_again() -> None:
    found = []
    for portions in ((15,), (1,) * 15, (4, 6, 5)):
        made, feed, plan = started(EASIEST)
        first = 0
        for portion in portions:
            do_steps(made, plan, first, portion)
            first += portion
        found.append((weights(made), held(feed)))
    for other, numbers in found[1:]:
        assert np.array_equal(other, found[0][0])
        assert np.array_equal(numbers, found[0][1])


def test_going_back_brings_the_same_examples() -> None:
    from nndsl.train.keeping import Snapshot

    made, feed, plan = started(EASIEST)
    do_steps(made, plan, 0, 4)
    training = made.training
    then = Snapshot(4, 1, training.parameters(), training.states(), None, feed.state())
    do_steps(made, plan, 4, 9)
    expected = weights(made)
    replay(made, plan, then, 13)
    assert np.array_equal(weights(made), expected)


def test_resuming_and_threads_give_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nndsl.train.loop.CHUNK_SECONDS", 1e-12)
    expected = train(job(EASIEST)).parameters
    watching = Watching()
    with create_at(tmp_path / "run") as run:
        train(replace(job(EASIEST, 2), folder=run, save_seconds=0.0), watching)
    assert len(watching.kept) > 10
    for checkpoint in watching.kept[::4]:
        made = job(EASIEST)
        assert checkpoint.feed["held"].shape == (10,)
        again = train(made, None, replace(checkpoint, fingerprints=job_fingerprints(made)))
        for name, array in again.parameters.items():
            assert np.array_equal(array, expected[name])


def test_a_buffer_holds_no_more_than_there_is() -> None:
    made = job("replay = buffer(1000)")
    feed = feed_of(made)
    assert feed is not None
    assert feed.count == len(made.train["steer"])
    assert train(job("replay = none")).steps == train(made).steps


def test_errors_of_classes_and_of_several_targets() -> None:
    classes = Output("c", "k", TargetKind.CLASSES, ("a", "b"))
    both = Output("n", "x", TargetKind.NUMBERS)
    said = {"c": np.array([[0.2], [0.9]]), "n": np.array([[1.0, 2.0], [0.0, 0.0]])}
    rows = {"k": np.array([0, 0]), "x": np.array([[1.0], [0.0]]), "y": np.array([[0.0], [1.0]])}
    found = errors([classes, both], said, rows, {"n": ("x", "y"), "c": ("k",)})
    np.testing.assert_allclose(found, [0.2 + 2.0, 0.9 + 0.5])


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("replay = buffer(0)", "NN314"),
        ("replay = buffer(10, replace=hardest)", "NN314"),
        ("replay = buffer(10, fresh=11)", "NN314"),
        ("replay = 200", "NN309"),
        ("replay = bufer(10)", "NN301"),
    ],
)
def test_mistakes(line: str, code: str) -> None:
    with pytest.raises(NndslError) as caught:
        job(line)
    assert [d.code for d in caught.value.diagnostics] == [code]
