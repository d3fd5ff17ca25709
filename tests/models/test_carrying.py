"""`carry = true`: windows handed on are one long window, learnt from piece by piece."""

from __future__ import annotations

import numpy as np
import pytest

import nndsl
from nndsl import compilation
from nndsl.cli.main import run
from nndsl.diagnostics import NndslError
from nndsl.row_orders import stream_order
from nndsl.train.ensembles import train_job
from nndsl.train.initial import initial_parameters
from nndsl.train.streams import in_streams
from tests.models.running import MODELS, job_of, opened_text, stepper

CELL = (
    "cell (x, h: [n]) -> own(n) {\n"
    "  z = (x, h) -> dense(n) -> sigmoid\n"
    "  (1 - z) * h + z * ((x, h) -> dense(n) -> tanh)\n"
    "}\n"
)
NETS = ("lstm(5, peepholes=true)", "gru(5) -> rnn(4)", "own(5)", "layer_norm -> lstm(4)")


def text(net: str, window: int, batch: int, more: str = "") -> str:
    return (
        f'data book = text("romeo.txt", window={window})\n{CELL}'
        f"net A on book {{ embed(4) -> {net} -> dense(book.classes) -> softmax }}\n"
        f"train A {{ carry = true; batch = {batch}; precision = float64; optimizer = sgd(0.1)\n"
        f"  penalty = none; keep = none; epochs = 2; {more} }}\n"
    )


def said(file: str, letters: np.ndarray) -> np.ndarray:
    """What a net with its first weights says of windows of letters, as they are validated."""
    job = job_of(opened_text(file))
    executable = compilation.compile_evaluation(job.recipe).executable
    executable.set_parameters(initial_parameters(job.network, 0))
    return executable.evaluate({"text": letters, "next": letters})["output"]


@pytest.mark.parametrize(
    ("net", "rows", "batch"), [*((net, 12, 2) for net in NETS), (NETS[0], 6, 1), (NETS[1], 10, 5)]
)
def test_short_windows_are_a_long_one(net: str, rows: int, batch: int, rng) -> None:
    letters = rng.integers(0, 50, (rows, 6)).astype(np.int32)
    length = rows // batch
    streams = letters.reshape(batch, length * 6)
    whole = said(text(net, length * 6, 1), streams[:1])
    found = said(text(net, 6, batch), letters)
    np.testing.assert_allclose(found[:length].reshape(whole.shape), whole, rtol=1e-12)


def test_the_last_batch_may_be_smaller(rng) -> None:
    letters = rng.integers(0, 50, (7, 6)).astype(np.int32)
    file = text("lstm(5)", 6, 3)
    found = said(file, letters)
    for stream in ([0, 1, 2], [3, 4], [5, 6]):
        alone = said(text("lstm(5)", 6, 1), letters[stream])
        np.testing.assert_allclose(found[stream], alone, rtol=1e-12)


def test_a_second_evaluation_begins_with_zeros_again(rng) -> None:
    letters = rng.integers(0, 50, (7, 6)).astype(np.int32)
    compiled = compilation.compile_evaluation(job_of(opened_text(text("rnn(5)", 6, 3))).recipe)
    given = {"text": letters, "next": letters}
    first, second = (compiled.executable.evaluate(given)["output"] for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_each_epoch_begins_with_zeros() -> None:
    """A step on the first batch of the second epoch is one on it alone, with the weights there."""
    first = stepper(opened_text(text("lstm(5)", 16, 400)))
    per_epoch = first.plan.steps_per_epoch
    first.step(per_epoch)
    weights = first.weights
    loss = first.step()
    other = stepper(opened_text(text("lstm(5)", 16, 400)))
    other.job.training.set_parameters(weights)
    assert other.step() == loss


def test_rows_are_shown_in_streams() -> None:
    job = job_of(opened_text(text("lstm(5)", 16, 7)))
    shown = in_streams(job)
    order = stream_order(len(job.train["text"]), 7)
    np.testing.assert_array_equal(shown.train["text"], job.train["text"][order])
    np.testing.assert_array_equal(shown.test["text"], job.test["text"])
    assert not shown.shuffle


def test_figures_of_the_training_are_those_of_its_run(tmp_path, monkeypatch, capsys) -> None:
    (tmp_path / "romeo.txt").write_bytes((MODELS / "romeo.txt").read_bytes()[:6000])
    (tmp_path / "a.nn").write_text(
        text("lstm(5)", 16, 8, "metrics = [bits_per_character]").replace(
            "window=16)", "window=16) { split = [50%, 50%] }"
        )
    )
    monkeypatch.chdir(tmp_path)
    assert run(["train", "a.nn", "--out", "r"]) == 0
    trained = capsys.readouterr().out
    second = (tmp_path / "romeo.txt").read_text(encoding="utf-8")
    (tmp_path / "b.txt").write_text(second[len(second) // 2 :], encoding="utf-8")
    assert run(["evaluate", "r", "b.txt"]) == 0
    figure = capsys.readouterr().out.split("bits_per_character")[1].split()[0]
    assert f"bits_per_character {figure}" in trained


def test_threads_change_no_bit() -> None:
    found = []
    for threads in (1, 2):
        opened = opened_text(text("lstm(8) -> gru(8)", 16, 9))
        (recipe,) = opened.module.recipes
        training, _ = compilation.compile_both(recipe, 500, threads)
        job = job_of(opened)
        for name, array in job.train.items():
            training.executable.bind(name, array)
        training.executable.set_parameters(initial_parameters(job.network, 0))
        training.executable.run(0, 300, total_steps=300)
        found.append(training.executable.states() | training.executable.parameters())
        training.executable.close()
    assert all(np.array_equal(found[0][name], found[1][name]) for name in found[0])


def test_a_python_program_trains_and_steps(tmp_path) -> None:
    (tmp_path / "romeo.txt").write_bytes((MODELS / "romeo.txt").read_bytes()[:4000])
    (tmp_path / "a.nn").write_text(text("lstm(5)", 16, 8), encoding="utf-8")
    model = nndsl.load(tmp_path / "a.nn")
    letters = np.ones((12, 16), np.int32)
    first = model.train_step(letters[:8], letters[:8])
    assert model.train_step(letters, letters) < first  # more rows: their memories begin anew
    assert model.fit().epochs == 2
    assert model.predict(letters[:1]).shape[:2] == (1, 16)


def test_a_window_shorter_than_what_is_to_be_remembered(tmp_path) -> None:
    """Each tenth letter is another: who counts to ten over windows of five knows when."""
    (tmp_path / "tens.txt").write_text("aaaaaaaaab" * 800, encoding="utf-8")
    bits = {}
    for carry in ("true", "false"):
        file = (
            'data book = text("tens.txt", window=5)\n'
            "net A on book { embed(2) -> gru(12) -> dense(book.classes) -> softmax }\n"
            f"train A {{ carry = {carry}; batch = 16; epochs = 12; optimizer = adam(2e-2)\n"
            "  metrics = [bits_per_character] }\n"
        )
        metrics = train_job(job_of(opened_text(file, tmp_path)), None).metrics
        bits[carry] = metrics["test_bits_per_character"]
    assert bits["false"] > 0.2
    assert bits["true"] < 0.1


def test_a_series_goes_on_too() -> None:
    opened = opened_text(
        'data d = csv("load.csv") { target = demand; drop = [time]; window = 12; stride = 12\n'
        "  numeric -> standardize }\n"
        "net A on d { lstm(4) -> last -> dense(1) }\n"
        "train A { carry = true; batch = 4; epochs = 2 }\n"
    )
    metrics = train_job(job_of(opened), None).metrics
    assert np.isfinite(metrics["test_mae"])


def test_no_memory_goes_on_over_a_gap(tmp_path) -> None:
    rows = [f"{t % 7},{'' if t == 20 else t % 5 + t / 100}" for t in range(60)]
    (tmp_path / "s.csv").write_text("\n".join(["a,b", *rows]), encoding="utf-8")
    opened = opened_text(
        'data d = csv("s.csv") { target = b; window = 4; stride = 4; drop = [b] }\n'
        "net A on d { lstm(4) -> last -> dense(1) }\n"
        "train A { carry = true; batch = 2; epochs = 1 }\n",
        tmp_path,
    )
    with pytest.raises(NndslError, match="NN327"):
        job_of(opened)


def test_where_a_batch_takes_all_windows_it_is_said() -> None:
    job = in_streams(job_of(opened_text(text("lstm(5)", 16, 4000))))
    assert [note.code for note in job.notes][-1] == "NN815"
