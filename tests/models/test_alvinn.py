"""Canon row 15: ALVINN steers on roads it has not seen, and its hidden units look for roads."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import nndsl as library
from nndsl.cli.main import run as command
from nndsl.vocab.roads import roads
from tests.models.running import MODELS

SIZE = (30, 32)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("alvinn") / "run"
    path = MODELS / "15_alvinn.nn"
    words = ["train", path, "--set", "epochs=150", "--quiet", "--out", folder]
    assert command([str(word) for word in words]) == 0
    return folder


def test_it_steers_on_other_roads(run: Path, tmp_path: Path) -> None:
    actual = write_roads(tmp_path / "new", 150)
    steer = library.load(run).predict(tmp_path / "new").reshape(-1)
    assert np.corrcoef(steer, actual)[0, 1] > 0.97
    assert np.abs(steer - actual).mean() < 0.25 * np.abs(actual - actual.mean()).mean()
    figures = json.loads((run / "run.json").read_text())["metrics"]
    assert figures["test_mae"] < 0.08


def write_roads(folder: Path, count: int) -> np.ndarray:
    """Roads that no training has seen, as files in the order of their numbers; where to steer."""
    folder.mkdir()
    made = roads(count, SIZE, seed=77)
    for number, image in enumerate(made["image"][:, 0]):
        Image.fromarray(image).save(folder / f"{number:03}.png")
    return made["steer"]


def test_hidden_units_look_at_the_road(run: Path) -> None:
    weights = library.load(run).weights["dense[1].weight"].reshape(4, *SIZE)
    size = np.abs(weights).mean(axis=(0, 2))
    assert size[10:18].mean() > 2 * size[:6].mean()


def test_pictures_of_files_are_steered_by(run: Path, tmp_path: Path, nndsl: Any) -> None:
    actual = write_roads(tmp_path / "new", 6)
    ended = nndsl("predict", run, tmp_path / "new", "--output", tmp_path / "said.csv")
    assert ended.code == 0, ended.err
    with (tmp_path / "said.csv").open(encoding="utf-8") as file:
        said = [float(row["predicted_steer"]) for row in csv.DictReader(file)]
    np.testing.assert_allclose(said, actual, atol=0.35)


def test_the_report_shows_what_they_look_for(run: Path, nndsl: Any) -> None:
    assert nndsl("report", run).code == 0
    text = (run / "report.html").read_text(encoding="utf-8")
    assert "Alvinn.dense[1]" in text or "dense[1].weight" in text
    assert text.count("data:image/png") >= 4


def test_copies_teach_a_car_that_saw_few_roads(tmp_path: Path, nndsl: Any) -> None:
    text = (MODELS / "15_alvinn.nn").read_text(encoding="utf-8")
    text = text.replace("roads(1200)", "roads(640)").replace("[800, 200, 200]", "[40, 100, 500]")
    copies = "  augment = copies(15, shift_view(0.6) -> rotate_view(6))\n"
    assert copies in text
    found = []
    for name, written in (("with", text), ("without", text.replace(copies, ""))):
        (tmp_path / "few.nn").write_text(written)
        words = ["train", "few.nn", "--set", "epochs=100", "--quiet", "--out", name]
        assert nndsl(*words).code in (0, 1)
        figures = json.loads((tmp_path / name / "run.json").read_text())["metrics"]
        found.append(figures["test_mae"])
    assert found[0] < 0.8 * found[1]
