"""Rates that fall when a figure no longer gets better: the rule, and that runs go on to the bit."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from nndsl.diagnostics import NndslError
from nndsl.lower.result import Plateau
from nndsl.train.folder import create_at
from nndsl.train.history import History
from nndsl.train.plateaus import Level
from nndsl.train.saved import read_checkpoint
from nndsl.train.session import train
from tests.train.compiled import TEXT, compiled_job
from tests.train.test_compiled import StopAfter
from tests.train.test_resume import same

LONG = TEXT.replace("epochs = 6", "epochs = 40")
FALLING = "optimizer = momentum(0.4 * plateau(0.5, 2), beta=0.9)"


def levels(figures: list[float], *, higher: bool = False, **settings: float) -> list[float]:
    """The number after each epoch."""
    given = {"patience": 2, "factor": 0.5, "least": 0.0, "threshold": 0.0, **settings}
    level = Level(Plateau("run.plateau[1]", "val_loss", **given), higher)
    history = History(["epoch", "val_loss"])
    found = []
    for epoch, figure in enumerate(figures, 1):
        history.append({"epoch": epoch, "val_loss": figure})
        found.append(level.follow(history))
    return found


@pytest.mark.parametrize(
    ("figures", "settings", "expected"),
    [
        ([3, 2, 2, 2, 1, 1, 1], {}, [1, 1, 1, 0.5, 0.5, 0.5, 0.25]),
        ([3, 3, 3, 3, 3], {}, [1, 1, 0.5, 0.5, 0.25]),
        ([3, 3, 3, 3, 3], {"least": 0.4}, [1, 1, 0.5, 0.5, 0.4]),
        ([1, 0.95, 0.9, 0.95], {"threshold": 0.2}, [1, 1, 0.5, 0.5]),
        ([1, 2, 2, 2], {"higher": True}, [1, 1, 1, 0.5]),
        ([math.nan, math.nan, 1, math.nan, math.nan], {}, [1, 0.5, 0.5, 0.5, 0.25]),
        ([-1, -1, -2, -2], {"threshold": 0.1}, [1, 1, 1, 1]),
    ],
)
def test_the_rule(figures, settings, expected) -> None:
    assert levels(figures, **settings) == expected


def test_rates_fall_as_the_history_says() -> None:
    history = train(compiled_job(FALLING, text=LONG)).history
    rates, losses = history.column("learning_rate"), history.column("val_loss")
    after = levels(losses, threshold=1e-4)
    assert rates == [0.4 * level for level in (1.0, *after[:-1])]
    assert rates[-1] < 0.1  # it has fallen three times and more


def test_the_rate_of_the_steps_is_that_of_the_history() -> None:
    """A plateau that never falls is no plateau; one that falls changes the weights."""
    same(
        train(compiled_job("optimizer = sgd(0.1)", text=LONG)),
        train(compiled_job("optimizer = sgd(0.1 * plateau(0.5, 1000))", text=LONG)),
    )
    patient = train(compiled_job("optimizer = sgd(0.4)", text=LONG))
    falling = train(compiled_job("optimizer = sgd(0.4 * plateau(0.5, 1))", text=LONG))
    assert patient.history.column("train_loss") != falling.history.column("train_loss")


@pytest.mark.parametrize("stop", [23, 60, 101])
def test_a_broken_run_goes_on_to_the_bit(tmp_path, monkeypatch, stop) -> None:
    monkeypatch.setattr("nndsl.train.loop.CHUNK_SECONDS", 1e-12)
    whole = train(compiled_job(FALLING, text=LONG))
    with create_at(tmp_path / "run") as folder:
        job = compiled_job(FALLING, text=LONG)
        broken = train(replace(job, training=StopAfter(job.training, stop), folder=folder))
    assert (broken.status, broken.steps) == ("interrupted", stop + 1)
    rest = train(compiled_job(FALLING, text=LONG), checkpoint=read_checkpoint(tmp_path / "run"))
    same(whole, rest)
    assert whole.history.column("learning_rate") == rest.history.column("learning_rate")


def test_threads_change_no_bit() -> None:
    same(
        train(compiled_job(FALLING, text=LONG)),
        train(compiled_job(FALLING, threads=2, text=LONG)),
    )


def test_a_job_can_be_trained_again() -> None:
    job = compiled_job(FALLING, text=LONG)
    same(train(job), train(job))


def test_a_metric_may_be_followed() -> None:
    job = compiled_job("optimizer = sgd(0.1 * plateau(0.5, 1 epochs, val_f1))", text=LONG)
    result = train(job)
    after = levels(result.history.column("val_f1"), higher=True, patience=1, threshold=1e-4)
    assert result.history.column("learning_rate")[1:] == [0.1 * level for level in after[:-1]]


def test_without_validation_rows_it_says_so() -> None:
    text = LONG.replace("species)", "species) { split = [0.8, 0.0, 0.2] }")
    with pytest.raises(NndslError) as caught:
        train(compiled_job("keep = last; optimizer = sgd(0.1 * plateau)", text=text))
    assert caught.value.diagnostics[0].code == "NN391"
