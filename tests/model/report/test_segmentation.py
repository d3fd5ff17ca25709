"""The report of a network whose answers are pictures."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from nndsl.cli.main import run
from nndsl.model.report.evidence import gather
from nndsl.model.report.judgement import bootstrap_interval, linear_predictions
from nndsl.model.report.mistakes import mistakes
from nndsl.model.report.segmentation import answered_pictures
from nndsl.render.report.content import Tiles
from nndsl.vocab.arguments import call
from nndsl.vocab.registry import words

CLASSES = """data d = shapes(40, size=8x12, kinds=2)
net N on d { conv(4, 3, pad=same) -> relu -> conv(d.classes, 1) -> softmax }
train N { epochs = 2 }
"""
CROPPED = """data d = shapes(40, size=12x12)
net N { input x: 1x8x8; conv(1, 3, pad=same) -> sigmoid }
train N on d { epochs = 2; augment = random_crop(8) }
"""
NUMBERS = """data d = shapes(40, size=8x12) { target = image; drop = mask }
net N on d { conv(1, 3, pad=same) }
train N { epochs = 2 }
"""


@pytest.fixture(params=[CLASSES, CROPPED, NUMBERS], ids=["classes", "cropped", "numbers"])
def trained(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.nn").write_text(request.param)
    assert run(["train", "m.nn", "--out", "run", "--quiet", "--report"]) == 0
    return tmp_path / "run"


def test_a_report(trained: Path) -> None:
    text = (trained / "report.html").read_text(encoding="utf-8")
    assert "pictures answered" in text
    assert re.search(r"pixels of 8\s+test rows", text)
    evidence = gather(trained, None)
    assert evidence.rows is not None
    (judged,) = evidence.judged
    assert len(judged.actual) == 8 * judged.pixels
    assert mistakes(evidence) == []
    train = evidence.answers["training"][0]
    assert linear_predictions(judged, evidence.rows, train) is None
    (block,) = answered_pictures(judged, evidence, evidence.rows)
    assert isinstance(block, Tiles) and len(block.items) == 6
    assert all(item.name.startswith("row ") and item.note for item in block.items)
    shares = [float(re.findall(r"[\d.]+", item.note)[0]) for item in block.items]
    assert shares == sorted(shares, reverse=bool(judged.classes))


def test_whole_pictures_are_drawn_again(trained: Path) -> None:
    """Pixels of one picture are like each other: drawn one by one they would promise too much."""
    evidence = gather(trained, None)
    (judged,) = evidence.judged
    metric = call(words("metric")["accuracy" if judged.classes else "mse"])
    low, high = bootstrap_interval(metric, judged)
    assert low < high and np.isfinite([low, high]).all()
