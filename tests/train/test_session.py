"""Training from start to result: figures, best weights, stopping, folders, going on."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest

from nndsl.diagnostics import NndslError
from nndsl.lower.result import Stop
from nndsl.params import TimeLength
from nndsl.runtime import weights
from nndsl.train.events import Observer
from nndsl.train.folder import create_at
from nndsl.train.saved import fitting_weights, read_checkpoint, read_run
from nndsl.train.session import train
from tests.train.doubles import SoftmaxRegression, flowers, job, network, recipe


class Recorder(Observer):
    def __init__(self) -> None:
        self.events = []

    def on_start(self, event):
        self.events.append(event)

    on_progress = on_epoch = on_save = on_note = on_end = on_start

    def named(self, kind: str) -> list:
        return [e for e in self.events if type(e).__name__ == kind]


def equal(a: dict, b: dict) -> bool:
    return set(a) == set(b) and all(a[k].tobytes() == b[k].tobytes() for k in a)


def test_a_training_learns_and_reports_what_it_did():
    seen = Recorder()
    result = train(job(recipe(epochs=20)), seen)
    assert result.metrics["test_accuracy"] > 0.5
    assert result.epochs == 20
    assert result.steps == 120
    assert result.reason == "all 20 epochs are done"
    assert [type(e).__name__ for e in seen.events] == ["Started", *["EpochEnded"] * 20, "Ended"]
    (start,) = seen.named("Started")
    assert (start.train_rows, start.validation_rows, start.test_rows) == (96, 24, 30)
    assert (start.parameters, start.batch, start.steps_per_epoch) == (15, 16, 6)
    epochs = seen.named("EpochEnded")
    assert epochs[-1].train_loss < epochs[0].train_loss
    assert epochs[3].learning_rate == 0.1
    assert epochs[3].metrics.keys() == {"accuracy"}
    losses = result.history.column("val_loss")
    assert result.best_epoch == 1 + int(np.argmin(losses))
    assert [e.best for e in epochs][result.best_epoch - 1]
    judgement = result.verdict
    assert judgement.confusion.sum() == 30
    assert judgement.interval[0] < judgement.value < judgement.interval[1]
    assert judgement.baseline < judgement.value
    assert judgement.right == round(judgement.value * 30)


def test_the_train_loss_is_the_mean_over_the_rows_of_the_epoch():
    double = SoftmaxRegression(lr=0.0, batch=40)
    the_job = job(recipe(epochs=2, batch=40), training=double)
    result = train(the_job)
    expected = []
    for first, rows in ((0, 40), (40, 40), (80, 16)):
        double.run(6 + first // 40, 1, seed=0, shuffle=True, rows=96)
        expected.append(float(double.output("loss")) * rows)
    assert len(result.history) == 2
    again = SoftmaxRegression(lr=0.0, batch=40)
    for name, array in the_job.train.items():
        again.bind(name, array)
    again.set_parameters(result.parameters)
    total = 0.0
    for step, rows in ((3, 40), (4, 40), (5, 16)):
        again.run(step, 1, seed=0, shuffle=True, rows=96)
        total += float(again.output("loss")) * rows
    assert result.history.column("train_loss")[1] == pytest.approx(total / 96, rel=1e-12)


def test_the_best_weights_come_back_at_the_end():
    result = train(job(recipe(epochs=30, lr=3.0), lr=3.0))
    again = train(job(recipe(epochs=result.best_epoch, lr=3.0), lr=3.0))
    assert result.best_epoch < 30
    assert equal(result.parameters, again.parameters)
    assert result.metrics["val_loss"] == min(result.history.column("val_loss"))


def test_the_last_weights_stay_without_keep():
    the_job = job(recipe(epochs=30, lr=3.0, keep=None), lr=3.0)
    result = train(the_job)
    assert result.best_epoch is None
    assert equal(result.parameters, the_job.training.parameters())


def test_without_validation_rows_the_last_weights_are_kept_and_said():
    seen = Recorder()
    result = train(job(validation={}, test={}), seen)
    assert seen.named("Noted")
    assert set(result.metrics) == {"train_loss", "train_accuracy"}
    assert "val_loss" not in result.history.columns


def test_steps_end_inside_an_epoch():
    result = train(job(recipe(epochs=8, unit="step")))
    assert (result.steps, result.epochs) == (8, 2)
    assert result.history.column("step") == [6, 8]


def test_patience_stops_when_nothing_gets_better():
    stop = (Stop("patience", {"epochs": 4, "metric": "val_loss"}),)
    result = train(job(recipe(epochs=300, lr=3.0, stop=stop), lr=3.0))
    assert result.epochs == result.best_epoch + 4
    assert result.reason == "no better val_loss for 4 epochs"


def test_a_small_gradient_stops():
    stop = (Stop("gradient_below", {"threshold": 0.2}),)
    result = train(job(recipe(epochs=300, batch=None, stop=stop)))
    assert 1 < result.epochs < 300
    assert "gradient norm" in result.reason


def test_a_duration_stops():
    stop = (Stop("duration", {"length": TimeLength(0.2 / 60, "minute")}),)
    before = time.perf_counter()
    result = train(job(recipe(epochs=10**6, stop=stop)))
    assert 0.2 < time.perf_counter() - before < 2.0
    assert "over" in result.reason


def test_patience_without_validation_rows_is_refused():
    stop = (Stop("patience", {"epochs": 4, "metric": "val_loss"}),)
    with pytest.raises(NndslError, match="NN391: there are no validation rows"):
        train(job(recipe(stop=stop), validation={}))
    with pytest.raises(NndslError, match="NN391: training computes no figure `val_auk`"):
        train(job(recipe(keep="val_auk")))


def test_no_training_rows_are_refused():
    with pytest.raises(NndslError, match="NN392"):
        train(job(train={}))


def test_equal_runs_are_equal_to_the_bit_and_seeds_differ():
    first, second, other = train(job()), train(job()), train(job(seed=1))
    assert equal(first.parameters, second.parameters)
    assert first.history.to_csv() == second.history.to_csv()
    assert not equal(first.parameters, other.parameters)


def test_the_folder_holds_the_run_and_nothing_else(tmp_path):
    with create_at(tmp_path / "run") as folder:
        result = train(job(folder=folder))
        assert not (folder.path / "checkpoint.safetensors").exists()
    files = sorted(p.name for p in (tmp_path / "run").iterdir())
    assert files == ["history.csv", "model.nn", "run.json", "schema.json", "weights.safetensors"]
    run = read_run(tmp_path / "run")
    assert run.weights["dense.weight"].shape == (3, 4)
    parameters, _ = fitting_weights(run, network(), {}, "float32")
    assert equal(parameters, result.parameters)
    assert run.record.metrics == result.metrics
    assert (run.record.status, run.record.epochs, run.record.steps) == ("finished", 5, 30)
    history = (tmp_path / "run" / "history.csv").read_text()
    assert history.startswith("epoch,step,learning_rate,train_loss,val_loss,val_accuracy\n1,6,0.1,")
    json.loads((tmp_path / "run" / "run.json").read_text())


def test_a_finished_run_is_not_resumed(tmp_path):
    with create_at(tmp_path / "run") as folder:
        train(job(folder=folder))
    with pytest.raises(NndslError, match=r"NN062.*finished"):
        read_checkpoint(tmp_path / "run")


def test_weights_of_another_network_are_refused(tmp_path):
    with create_at(tmp_path / "run") as folder:
        train(job(folder=folder))
        folder.write(
            {
                "weights.safetensors": weights.encode(
                    {"dense.weight": np.zeros((3, 5), np.float32)},
                    {"kind": "weights", "network": "B"},
                )
            }
        )
    run = read_run(tmp_path / "run")
    with pytest.raises(NndslError) as caught:
        fitting_weights(run, network(), {}, "float32")
    (found,) = caught.value.diagnostics
    assert found.code == "NN509"
    assert found.notes == (
        "`dense.bias` is missing in the file",
        "`dense.weight`: float32 5x3 in the file, float32 4x3 in the network",
    )


def test_weights_that_are_no_numbers_are_refused(tmp_path):
    with create_at(tmp_path / "run") as folder:
        train(job(folder=folder))
        bad = {
            "dense.weight": np.full((3, 4), np.nan, np.float32),
            "dense.bias": np.zeros(3, np.float32),
        }
        folder.write(
            {"weights.safetensors": weights.encode(bad, {"kind": "weights", "network": "B"})}
        )
    with pytest.raises(NndslError, match="NN510"):
        fitting_weights(read_run(tmp_path / "run"), network(), {}, "float32")


def test_chunks_answer_fast_and_grow():
    slow = SoftmaxRegression(batch=1, delay=0.002)
    seen = Recorder()
    train(job(recipe(epochs=2, batch=1), training=slow, train=flowers(200, 1)), seen)
    sizes = [steps for _, steps in slow.calls]
    assert max(sizes) * 0.002 <= 0.3
    assert max(sizes) >= 16
    assert seen.named("Progressed")


def test_python_costs_little_in_an_epoch():
    class Still(SoftmaxRegression):
        def run(self, first_step, steps, **_):
            return steps

        def evaluate(self, arrays):
            return self.answer

    still = Still()
    still.answer = still._forward(flowers(24)["input"], flowers(24)["species"])
    still.answer = {"output": still.answer[0], "data_loss": still.answer[1]}
    the_job = job(recipe(epochs=2000), training=still, evaluation=still, test={})
    before = time.perf_counter()
    train(the_job)
    assert (time.perf_counter() - before) / 2000 < 200e-6
