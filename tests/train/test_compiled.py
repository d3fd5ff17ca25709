"""Training with compiled programs: going on, threads, divergence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nndsl.diagnostics import NndslError
from nndsl.train.folder import create_at
from nndsl.train.saved import read_checkpoint, read_run
from nndsl.train.session import train
from tests.train.compiled import TEXT, compiled_job
from tests.train.test_resume import same
from tests.train.test_session import equal

SHORT = TEXT.replace("epochs = 6; ", "")


class StopAfter:
    """An executable that is interrupted after a step, as by Ctrl-C."""

    def __init__(self, inner, step: int) -> None:
        self._inner, self._stop = inner, step

    def __getattr__(self, name):
        return getattr(self._inner, name)

    def run(self, first_step, steps, **given):
        import os
        import signal

        done = self._inner.run(first_step, steps, **given)
        if first_step + done > self._stop >= first_step:
            os.kill(os.getpid(), signal.SIGINT)
        return done


@pytest.mark.parametrize("settings", ["", "optimizer = momentum(0.1); batch = 7"])
@pytest.mark.parametrize("stop", [1, 7, 11])
def test_a_broken_run_goes_on_to_the_bit(tmp_path, monkeypatch, settings, stop):
    monkeypatch.setattr("nndsl.train.loop.CHUNK_SECONDS", 1e-12)
    whole = train(compiled_job(settings))
    with create_at(tmp_path / "run") as folder:
        job = compiled_job(settings)
        broken = train(replace(job, training=StopAfter(job.training, stop), folder=folder))
    assert (broken.status, broken.steps) == ("interrupted", stop + 1)
    checkpoint = read_checkpoint(tmp_path / "run")
    rest = train(compiled_job(settings, threads=2), checkpoint=checkpoint)
    same(whole, rest)


def test_threads_change_no_bit():
    same(train(compiled_job("batch = 50")), train(compiled_job("batch = 50", threads=2)))


def test_a_job_can_be_trained_again():
    job = compiled_job()
    same(train(job), train(job))


def test_a_small_gradient_ends_a_training():
    result = train(compiled_job("batch = all; stop = gradient_below(10)"))
    assert result.epochs == 1
    assert "gradient norm" in result.reason


def test_the_words_of_the_language_arrive():
    job = compiled_job(
        "optimizer = adam(0.3); stop = patience(2, val_loss) or 30 minutes; keep = best(val_f1)"
    )
    result = train(job)
    losses = result.history.column("val_loss")
    waited = result.epochs - (1 + losses.index(min(losses)))
    assert result.epochs == 6 or waited == 2
    scores = result.history.column("val_f1")
    assert result.best_epoch == 1 + scores.index(max(scores))
    assert result.metrics["val_f1"] == max(scores)


def diverged(job) -> NndslError:
    with pytest.raises(NndslError) as caught:
        train(job)
    assert caught.value.exit_code == 7
    return caught.value


def test_a_divergence_names_epoch_step_and_stage():
    (found,) = diverged(compiled_job("optimizer = sgd(1e10)")).diagnostics
    assert found.code == "NN701"
    assert found.title.startswith("the loss became ")
    assert "at epoch 1, step " in found.title
    assert found.primary.text.startswith("first non-finite value: the ")
    assert found.primary.span.text.startswith("dense(")
    assert "now 1e+10" in found.help[0]
    assert found.notes[0].startswith("the largest weight was ")


LATE = "optimizer = sgd(hold(0.01, 2 epochs) -> hold(1e10, 4 epochs))"


def test_the_state_of_the_last_whole_epoch_is_saved(tmp_path):
    with create_at(tmp_path / "run") as folder:
        found = diverged(replace(compiled_job(LATE), folder=folder))
    assert found.diagnostics[0].notes[-1].startswith("the state after epoch 2 is in `")
    run = read_run(tmp_path / "run")
    assert (run.record.status, run.record.epochs) == ("diverged", 2)
    calm = train(compiled_job("optimizer = sgd(hold(0.01, 2 epochs)); epochs = 2", text=SHORT))
    checkpoint = read_checkpoint(tmp_path / "run")
    assert checkpoint.step == 6
    assert equal(dict(checkpoint.best), calm.parameters)


def test_a_divergence_in_the_first_epoch_leaves_no_folder(tmp_path):
    with create_at(tmp_path / "run") as folder:
        diverged(replace(compiled_job("optimizer = sgd(1e10)"), folder=folder))
    assert not (tmp_path / "run").exists()


def test_a_late_divergence_is_found_by_going_back():
    job = compiled_job(LATE)
    (found,) = diverged(job).diagnostics
    assert "at epoch 3, step " in found.title
    assert found.primary.span.text.startswith("dense(")


def test_data_that_is_no_number_is_named():
    job = compiled_job()
    bad = {name: array.copy() for name, array in job.train.items()}
    bad["input"][41, 2] = np.nan
    (found,) = diverged(replace(job, train=bad)).diagnostics
    assert found.title == "the loss became NaN at epoch 1, step " + found.title[-1]
    assert "training row 42 of `input`" in found.primary.text
