"""Expectations judged through the driver: shapes, figures of training rows, folds of the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from nndsl import driver
from nndsl.diagnostics import NndslError, Source
from nndsl.model import sections, training
from nndsl.model.expectations import failed_after, failed_now
from nndsl.train.events import Observer

TABLE = """data d = table(a=[0, 1, 2, 3, 4, 5, 6, 7], y=[0, 2, 4, 6, 8, 10, 12, 14]) {
  target = y; split = [50%, 25%, 25%]
}
net N on d { dense(1) }
"""


def opened(text: str) -> driver.Opened:
    return driver.open_source(Source("m.nn", text), Path())


def test_the_shape_of_weights_that_are_not_there_yet() -> None:
    text = "net A { input x: [3]; dense(2) -> relu -> dense(1) }\n"
    right = text + "expect A.dense[1].weight.shape == [2, 3]\n"
    assert failed_now(opened(right)) == []
    wrong = text + "expect A.dense[1].weight.shape == [3, 2]\n"
    assert [d.code for d in failed_now(opened(wrong))] == ["NN901"]


def test_figures_of_the_training_rows(tmp_path: Path) -> None:
    file = opened(TABLE + "train N { epochs = 2; expect train_loss < 1e-9 }\n")
    done = sections.train_file(
        file, "m", training.Options(out=tmp_path / "run"), Observer(), lambda trained: None
    )
    assert [d.code for d in failed_after(file, done)] == ["NN901"]


def test_folds_that_the_file_asks_for() -> None:
    text = TABLE.replace("[50%, 25%, 25%]", "kfold(4)") + "train N { epochs = 2 }\n"
    assert training.folds_asked(opened(text), None) == 4
    assert training.folds_asked(opened(TABLE + "train N { epochs = 2 }\n"), None) is None


def test_an_input_without_columns() -> None:
    text = """data d = table(a=[0, 1, 2], b=[1, 2, 4]) {
  input x = numeric
  target = [a, b]
}
net N on d { dense(2) }
"""
    with pytest.raises(NndslError) as caught:
        opened(text)
    assert caught.value.diagnostics[0].code == "NN412"
