"""Canon row 39: a committee that votes and refuses, and bagging, against their members alone."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np

import nndsl as library
from tests.models.running import MODELS


def members(run: Path) -> list[dict[str, str]]:
    with (run / "members.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_ensembles_are_better_than_their_members_on_average(tmp_path, nndsl) -> None:
    ended = nndsl("train", MODELS / "39_committee.nn", "--quiet", "--out", "run")
    assert (ended.code, ended.err) == (0, "")
    mass = tmp_path / "run/Mass"
    alone = [float(row["test_r2"]) for row in members(mass)]
    together = json.loads((mass / "run.json").read_text())["metrics"]
    assert len(alone) == 10
    assert together["test_r2"] > np.mean(alone) + 0.02

    model = library.load(tmp_path / "run/Digits")
    table = MODELS / "digits.csv"
    with table.open(newline="") as file:
        actual = [row["digit"] for row in csv.DictReader(file)]
    votes = np.stack([member.predict(table).argmax(axis=1) for member in model.members])
    most = np.array([np.bincount(column, minlength=10).max() for column in votes.T])
    said = model.answer(table)
    # four votes of five are more than a half ahead of the next class, three never are
    refused = np.array([name is None for name in said])
    assert not refused[most >= 4].any()
    assert refused[most <= 3].all()
    right = np.array([name == digit for name, digit in zip(said, actual, strict=True)])
    assert right[~refused].mean() > max(np.mean(v == np.array(actual, int)) for v in votes)
