"""`input image: 1xHxW`: trained on pictures of one size, asked about pictures of others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nndsl.cli.main import run
from nndsl.diagnostics import NndslError
from nndsl.model import running
from nndsl.vocab.shapes import shapes

SEGMENT = """data cells = images("cells", target=images("masks"))
net Any {
  input image: 1xHxW
  conv(4, 3, pad=same) -> relu -> maxpool(2) -> conv_transpose(1, 2, stride=2) -> sigmoid
}
train Any on cells { epochs = 2 }
"""
CLASSIFY = """data cells = images("kinds")
net Any {
  input image: 1xHxW
  conv(4, 3) -> relu -> HEAD -> dense(cells.classes) -> softmax
}
train Any on cells { epochs = 1 }
"""


def save(folder: Path, size: tuple[int, int], count: int = 12) -> None:
    made = shapes(count, size, 1, 0.1, 1)
    folder.mkdir(parents=True)
    for number in range(count):
        Image.fromarray(made["image"][number, 0]).save(folder / f"{number}.png")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    save(tmp_path / "cells", (8, 8))
    masks = shapes(12, (8, 8), 1, 0.1, 1)["mask"]
    (tmp_path / "masks").mkdir()
    for number in range(12):
        Image.fromarray(masks[number, 0]).save(tmp_path / "masks" / f"{number}.png")
    return tmp_path


def test_a_picture_of_another_size(folder: Path) -> None:
    (folder / "m.nn").write_text(SEGMENT)
    assert run(["check", "m.nn"]) == 0
    assert run(["train", "m.nn", "--out", "run", "--quiet"]) == 0
    save(folder / "new", (20, 14))
    assert run(["predict", "run", "new", "-o", "out.csv"]) == 0
    assert np.asarray(Image.open(folder / "out" / "3.png")).shape == (20, 14)
    loaded = running.load_run(folder / "run")
    assert running.of_size(loaded, "cells") is loaded
    large = running.of_size(loaded, "new")
    assert large.schema.inputs[0].shape == (1, 20, 14)
    assert large.schema.targets[0].shape == (1, 20, 14)
    same, other = loaded.members[0][0], large.members[0][0]
    assert same.keys() == other.keys()
    assert all(np.array_equal(same[name], other[name]) for name in same)


def test_the_same_answer_where_only_zeros_are_added(folder: Path) -> None:
    """What a fully convolutional network says of a place depends on what is near it."""
    (folder / "m.nn").write_text(SEGMENT)
    assert run(["train", "m.nn", "--out", "run", "--quiet"]) == 0
    loaded = running.load_run(folder / "run")
    large = running.of_size(loaded, str(make_larger(folder)))
    x = np.zeros((1, 1, 16, 16), np.float32)
    x[:, :, :8, :8] = np.random.default_rng(0).random((8, 8))
    corner = np.ascontiguousarray(x[:, :, :8, :8])
    whole = large.evaluate({"input": x})["output"]
    part = loaded.evaluate({"input": corner})["output"]
    np.testing.assert_allclose(whole[:, :, :8, :8], part, atol=1e-6)


def make_larger(folder: Path) -> Path:
    save(folder / "larger", (16, 16), 2)
    return folder / "larger"


def test_sizes_that_a_network_cannot_take(folder: Path) -> None:
    (folder / "m.nn").write_text(SEGMENT)
    assert run(["train", "m.nn", "--out", "run", "--quiet"]) == 0
    save(folder / "odd", (9, 8))
    with pytest.raises(NndslError) as caught:
        running.answer(running.load_run(folder / "run"), "odd")
    assert caught.value.diagnostics[0].code == "NN306"


@pytest.mark.parametrize(("head", "fits"), [("global_avg_pool", True), ("flatten", False)])
def test_weights_that_depend_on_the_size(folder: Path, head: str, fits: bool) -> None:
    for kind in ("a", "b"):
        save(folder / "kinds" / kind, (8, 8), 10)
    (folder / "m.nn").write_text(CLASSIFY.replace("HEAD", head))
    assert run(["train", "m.nn", "--out", "run", "--quiet"]) == 0
    save(folder / "new", (12, 10), 3)
    loaded = running.load_run(folder / "run")
    if fits:
        assert len(running.answer(loaded, "new").predictions[0].values) == 3
        return
    with pytest.raises(NndslError) as caught:
        running.answer(loaded, "new")
    first = caught.value.diagnostics[0]
    assert first.code == "NN426" and "dense.weight" in first.title


def test_without_its_data_a_file_is_checked_as_far_as_it_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.nn").write_text(SEGMENT)
    assert run(["check", "m.nn"]) == 0
