"""Accuracy with nothing written but data, a hidden layer, an output: the bars of the project.

Means of five-fold runs over seeds; docs/design/2026-11-21-default-recipe.md has the figures.
"""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest

from nndsl.model.training import Options, train_in_folds
from nndsl.train.events import Observer
from nndsl.train.session import train
from tests.models.running import MODELS, job_of, opened_text

SEEDS = range(5)
TEXT = """data d = csv("{file}", target={target}{more})
net N on d {{
  dense(32) -> relu
  dense({outputs})
}}
train N {{ }}
"""


def five_folds(folder: Path, file: str, target: str, outputs: str) -> float:
    """Mean over the seeds of the mean over the folds."""
    text = TEXT.format(file=file, target=target, outputs=outputs, more="")
    means = []
    for seed in SEEDS:
        found = opened_text(text, folder, seed=str(seed))
        options = Options(folder / f"folds-{seed}", threads=1)
        means.append(train_in_folds(found, "d", 5, options, Observer())[0].mean)
    return float(np.mean(means))


@pytest.mark.parametrize(
    ("file", "target", "bar"),
    [
        ("iris.csv", "species", 0.955),
        ("penguins.csv", "species", 0.988),
        pytest.param("digits.csv", "digit", 0.975, marks=pytest.mark.slow),
    ],
)
def test_five_folds(file: str, target: str, bar: float, tmp_path: Path) -> None:
    shutil.copy(MODELS / file, tmp_path)
    assert five_folds(tmp_path, file, target, "d.classes") >= bar


@pytest.mark.peers
@pytest.mark.parametrize(
    ("name", "outputs", "bar"),
    [("breast_cancer", "d.classes", 0.972), ("diabetes", "1", 0.44)],
)
def test_five_folds_of_scikit_learns_sets(
    name: str, outputs: str, bar: float, tmp_path: Path
) -> None:
    from sklearn import datasets

    bunch = getattr(datasets, f"load_{name}")()
    names = [str(column).replace(" ", "_") for column in bunch.feature_names]
    labels = [bunch.target_names[t] for t in bunch.target] if bar > 0.5 else bunch.target.tolist()
    with (tmp_path / f"{name}.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow([*names, "target"])
        table.writerows([*x, t] for x, t in zip(bunch.data.tolist(), labels, strict=True))
    assert five_folds(tmp_path, f"{name}.csv", "target", outputs) >= bar


@pytest.mark.slow
def test_adult(tmp_path: Path, shared_data: Path) -> None:
    """A fifth of the rows held out, seeds 0 to 2."""
    shutil.copy(shared_data / "adult-train.csv", tmp_path)
    text = TEXT.format(
        file="adult-train.csv", target=15, outputs="d.classes", more=", header=false"
    )
    found = [train(job_of(opened_text(text, tmp_path, seed=str(s)))) for s in range(3)]
    assert np.mean([result.metrics["test_accuracy"] for result in found]) >= 0.85
