"""Pictures from a folder to a run and back: check, train, predict, evaluate, report, Python."""

from __future__ import annotations

import csv
import io
import runpy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import nndsl
from nndsl.cli.main import run
from nndsl.data.images import preparing
from tests.data.images.helpers import drawn, make_folder

PLAIN = """
data shapes = images("pictures")
net Net on shapes { flatten -> dense(8) -> relu -> dense(shapes.classes) -> softmax }
train Net { batch = 8; epochs = 20; augment = shift(1) }
"""
CROPPED = """
data shapes = images("pictures")
net Net { input x: 1x6x6; flatten -> dense(8) -> relu -> dense(2) -> softmax }
train Net on shapes { batch = 8; epochs = 20; augment = random_crop(6) }
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    make_folder(tmp_path / "pictures", 30)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("share", [0.25, 0.0])
@pytest.mark.parametrize("text", [PLAIN, CROPPED])
def test_a_run(
    folder: Path,
    text: str,
    share: float,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(preparing, "KEPT_SHARE", share)
    (folder / "m.nn").write_text(text)
    assert run(["check", "m.nn"]) == 0
    assert "shapes: 60 pictures of 1x8x8, 2 classes" in capsys.readouterr().out
    assert run(["train", "m.nn", "--out", "run"]) == 0
    Image.fromarray(drawn("ring", 40)).save(folder / "new.png")
    capsys.readouterr()
    assert run(["predict", "run", "new.png", "-o", "-"]) == 0
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (row["file"], row["predicted_label"]) == ("new.png", "ring")
    assert run(["evaluate", "run", "pictures"]) == 0
    assert "accuracy 1" in capsys.readouterr().out
    assert run(["report", "run"]) == 0
    assert "<html" in (folder / "run" / "report.html").read_text()


def test_from_python(folder: Path) -> None:
    (folder / "m.nn").write_text(PLAIN)
    model = nndsl.load("m.nn")
    result = model.fit(epochs=20)
    assert result.metrics["test_accuracy"] > 0.9
    x = np.stack([drawn("ring", 41), drawn("cross", 41)])[:, None] / 255
    assert model.predict(x).argmax(axis=1).tolist() == [1, 0]
    assert model.predict(str(folder / "pictures")).shape == (60, 2)
    again = nndsl.load("m.nn")
    rows = np.concatenate([x] * 10)
    again.fit(rows, np.array([1, 0] * 10), epochs=3)


def test_show_data_and_defaults(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "m.nn").write_text(CROPPED)
    assert run(["show", "defaults", "m.nn"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "input input pixels / 255 bytes, 0 to 255" in told
    assert "pictures that test the middle 6x6" in told
    assert run(["show", "data", "m.nn"]) == 0
    assert "label" in capsys.readouterr().out


def test_a_damaged_file_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "m.nn").write_text(PLAIN)
    (folder / "pictures" / "ring" / "7.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    assert run(["train", "m.nn", "--out", "run"]) == 4
    assert "ring/7.png cannot be read as a picture" in capsys.readouterr().err


def test_an_exported_network_prepares_each_channel(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for place in (folder / "pictures").rglob("*.png"):
        grey = np.asarray(Image.open(place)).astype(np.float64)
        Image.fromarray(np.stack([grey, grey / 2, 255 - grey], -1).astype(np.uint8)).save(place)
    text = PLAIN.replace('"pictures")', '"pictures") { image -> standardize }')
    (folder / "m.nn").write_text(text)
    assert run(["train", "m.nn", "--out", "run"]) == 0
    assert run(["export", "run", "--to", "numpy", "-o", "exported.py"]) == 0
    made = runpy.run_path(str(folder / "exported.py"), run_name="exported")
    pixels = np.asarray(Image.open(folder / "pictures" / "ring" / "3.png")).transpose(2, 0, 1)[None]
    expected = nndsl.load("run").predict(str(folder / "pictures" / "ring" / "3.png"))
    assert np.allclose(made["predict"]({"image": pixels}), expected, atol=1e-5)
    capsys.readouterr()


def test_networks_of_the_middle_of_pictures_see_it_everywhere(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "m.nn").write_text(CROPPED.replace("6x6", "4x6").replace("crop(6)", "crop(4x6)"))
    assert run(["train", "m.nn", "--out", "run", "--quiet"]) == 0
    assert run(["export", "run", "--to", "numpy", "-o", "exported.py"]) == 0
    made = runpy.run_path(str(folder / "exported.py"), run_name="exported")
    names = sorted((folder / "pictures" / "ring").iterdir())[:5]
    pixels = np.stack([np.asarray(Image.open(name)) for name in names])[:, None]
    model = nndsl.load("run")
    expected = np.concatenate([model.predict(str(name)) for name in names])
    seen = (pixels[:, :, 2:6, 1:7] / 255).astype(np.float32)
    assert np.allclose(model.predict(seen), expected, atol=1e-6)
    assert np.allclose(made["predict"]({"image": pixels}), expected, atol=1e-5)
    capsys.readouterr()
