"""Cross-validation: each fold on its own rows, the figures together."""

from __future__ import annotations

import os
import signal

import numpy as np
import pytest

from nndsl.diagnostics import NndslError
from nndsl.train.folder import create_at
from nndsl.train.folds import train_folds
from nndsl.train.saved import read_run
from nndsl.train.session import train
from tests.train.doubles import flowers, job, recipe
from tests.train.test_session import Recorder


def make_job(fold: int):
    return job(recipe(epochs=4), train=flowers(80 + fold, fold), test=flowers(20, 100 + fold))


class FoldRecorder(Recorder):
    def on_fold(self, event):
        self.events.append(event)


def test_folds_are_trained_one_by_one_and_summed_up(tmp_path):
    seen = FoldRecorder()
    with create_at(tmp_path / "run") as folder:
        result = train_folds(make_job, 3, seen, folder)
    alone = [train(make_job(fold)).metrics["test_accuracy"] for fold in (1, 2, 3)]
    assert list(result.values) == alone
    assert result.metric == "accuracy"
    assert result.mean == pytest.approx(np.mean(alone))
    assert result.deviation == pytest.approx(np.std(alone, ddof=1))
    assert [type(e).__name__ for e in seen.events] == ["FoldEnded"] * 3
    table = (tmp_path / "run" / "folds.csv").read_text().splitlines()
    assert table[0] == (
        "fold,train_rows,test_rows,epochs,best_epoch,val_loss,val_accuracy,test_loss,test_accuracy"
    )
    assert [line.split(",")[:4] for line in table[1:]] == [
        ["1", "81", "20", "4"],
        ["2", "82", "20", "4"],
        ["3", "83", "20", "4"],
    ]
    assert [float(line.split(",")[-1]) for line in table[1:]] == alone
    assert sorted(p.name for p in (tmp_path / "run").iterdir()) == [
        "folds.csv",
        "model.nn",
        "run.json",
        "schema.json",
    ]
    with pytest.raises(NndslError, match=r"NN506: .* cross-validation, which keeps no weights"):
        read_run(tmp_path / "run")


def test_an_interrupted_fold_ends_all(tmp_path):
    def stopped(fold: int):
        if fold == 2:
            made = make_job(fold)
            run = made.training.run

            def interrupt(*given, **named):
                os.kill(os.getpid(), signal.SIGTERM)
                return run(*given, **named)

            made.training.run = interrupt
            return made
        return make_job(fold)

    with create_at(tmp_path / "run") as folder:
        result = train_folds(stopped, 3, None, folder)
    assert result.exit_code == 143
    assert len(result.results) == 1
    assert not (tmp_path / "run").exists()
