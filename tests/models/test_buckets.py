"""`buckets = 4`: batches of rows of like lengths, cut to what they need, learn the same."""

from __future__ import annotations

import numpy as np
import pytest

import nndsl
from nndsl.diagnostics import NndslError
from nndsl.model.buckets import lengths_chosen, lengths_of
from nndsl.runtime.buckets import Buckets
from nndsl.train.ensembles import train_job
from nndsl.train.initial import initial_parameters
from nndsl.train.job import TrainingJob
from tests.models.running import job_of, opened_text

DATA = """data reviews = csv("reviews.csv") {
  target = positive
  input words = review -> words(40, length=24)
}
"""
ENDING = "dense(1) -> sigmoid"
NETS = (
    f"embed(6) -> lstm(5) -> last -> {ENDING}",
    f"embed(6) -> both(gru(4)) -> last -> {ENDING}",
    f"embed(4) + sinusoidal(4) -> attention(2) -> global_avg_pool -> {ENDING}",
)


@pytest.fixture
def reviews(tmp_path, rng):
    words = [f"w{number}" for number in range(30)]
    rows = []
    for number in range(300):
        count = int(rng.integers(1, 8)) if number % 4 else int(rng.integers(8, 24))
        text = " ".join(rng.choice(words, count))
        rows.append(f"{text},{'yes' if 'w1' in text.split() else 'no'}")
    (tmp_path / "reviews.csv").write_text("review,positive\n" + "\n".join(rows) + "\n")
    return tmp_path


def job(folder, net: str, train: str = "buckets = 3") -> TrainingJob:
    return job_of(
        opened_text(
            f"{DATA}net A on reviews {{ {net} }}\n"
            f"train A {{ {train}; batch = 8; epochs = 3; precision = float64; keep = last\n"
            "  optimizer = adam(1e-2) }\n",
            folder,
        )
    )


def begun(found: TrainingJob) -> TrainingJob:
    found.training.set_parameters(initial_parameters(found.network, 0))
    for name, array in found.train.items():
        found.training.bind(name, array)
    return found


def test_lengths() -> None:
    ids = np.array([[3, 4, 0, 0], [0, 0, 0, 0], [1, 0, 2, 0], [1, 1, 1, 1]])
    np.testing.assert_array_equal(lengths_of(ids, 0), [2, 1, 3, 4])


def test_lengths_hold_equal_shares_of_rows() -> None:
    lengths = np.array([2] * 50 + [5] * 25 + [20] * 25)
    assert lengths_chosen({"x": lengths}, {"x": 30}, 4) == [{"x": 2}, {"x": 5}, {"x": 20}]
    other = {"x": lengths, "y": lengths // 2}
    assert lengths_chosen(other, {"x": 30, "y": 15}, 2) == [{"x": 2, "y": 1}, {"x": 20, "y": 10}]


@pytest.mark.parametrize("net", NETS)
def test_steps_are_those_on_whole_rows(net: str, reviews) -> None:
    cut = begun(job(reviews, net))
    whole = job(reviews, net, "buckets = none")
    whole.training.set_parameters(initial_parameters(whole.network, 0))
    assert isinstance(cut.training, Buckets)
    rows, steps = len(cut.train["words"]), -(-len(cut.train["words"]) // 8)
    used = set()
    for step in range(steps + 2):
        epoch, inside = divmod(step, steps)
        chosen = cut.training.order(0, epoch, rows)[inside * 8 : inside * 8 + 8]
        for name, array in whole.train.items():
            whole.training.bind(name, np.ascontiguousarray(array[chosen]))
        whole.training.run(step, 1, total_steps=100, steps_per_epoch=steps)
        cut.training.run(step, 1, seed=0, total_steps=100)
        used.add(cut.training._last)
        assert cut.training.output("data_loss") == pytest.approx(
            whole.training.output("data_loss"), rel=1e-9
        )
    assert len(used) == 3
    ours, theirs = cut.training, whole.training
    for name, array in (ours.parameters() | ours.states()).items():
        expected = (theirs.parameters() | theirs.states())[name]
        np.testing.assert_allclose(array, expected, rtol=1e-8, atol=1e-9, err_msg=name)


def test_a_step_depends_on_its_number_and_the_state_alone(reviews) -> None:
    once, twice = begun(job(reviews, NETS[0])), begun(job(reviews, NETS[0]))
    once.training.run(0, 40, seed=5, total_steps=90)
    twice.training.run(0, 17, seed=5, total_steps=90)
    kept = twice.training.parameters(), twice.training.states()
    again = begun(job(reviews, NETS[0], "buckets = 3"))
    again.training.set_parameters(kept[0])
    again.training.set_states(kept[1])
    again.training.run(17, 23, seed=5, total_steps=90)
    for name, array in once.training.parameters().items():
        np.testing.assert_array_equal(array, again.training.parameters()[name])


def test_it_learns_and_is_judged(reviews) -> None:
    metrics = train_job(job(reviews, NETS[0]), None).metrics
    assert np.isfinite(metrics["test_loss"])
    assert "test_accuracy" in metrics


def test_a_python_program_trains_in_buckets(reviews) -> None:
    file = reviews / "a.nn"
    file.write_text(
        f"{DATA}net A on reviews {{ {NETS[0]} }}\ntrain A {{ buckets = 2; epochs = 2 }}\n"
    )
    assert nndsl.load(file).fit().epochs == 2


@pytest.mark.parametrize(
    ("net", "train", "said"),
    [
        (NETS[0], "buckets = 3; replay = buffer(20)", "both say which rows"),
        (f"embed(4) + position(4) -> gru(4) -> last -> {ENDING}", "buckets = 3", "each place"),
        (
            "embed(4) -> dense(40)",
            "buckets = 3; minimize cross_entropy(A.output, reviews.words)",
            "counts in the loss",
        ),
    ],
)
def test_where_rows_cannot_be_cut(net: str, train: str, said: str, reviews) -> None:
    with pytest.raises(NndslError, match="NN328") as problem:
        job(reviews, net, train)
    assert said in str(problem.value)
