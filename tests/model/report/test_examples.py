"""Filters, maps and mistakes as images in the report of a trained convolutional network."""

from __future__ import annotations

import base64
import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nndsl.cli.main import run
from nndsl.model.report.evidence import Evidence, gather
from nndsl.model.report.mistakes import mistakes
from nndsl.model.report.writing import report_of
from nndsl.render.report.content import Tile, Tiles
from tests.data.images.helpers import drawn

MODELS = Path(__file__).resolve().parents[3] / "models"
DIGITS = """data digits = csv("digits.csv", target=digit)
net A on digits {
  reshape(1x8x8) -> conv(4, 3) -> relu -> maxpool(2)
  flatten -> dense(digits.classes) -> softmax
}
train A { epochs = 1; REPORT }
"""
FOLDER = """data shapes = images("pictures")
net A on shapes {
  conv(6, 3, pad=1) -> batch_norm -> relu -> conv(4, 3, pad=1) -> relu
  maxpool(2) -> flatten -> dense(shapes.classes) -> softmax
}
train A { epochs = 1; batch = 8; optimizer = sgd(1e-6) }
"""


def trained(place: Path, source: str) -> Evidence:
    """The run of a source file in its folder."""
    (place / "m.nn").write_text(source)
    assert run(["train", str(place / "m.nn"), "--out", str(place / "run"), "--quiet"]) == 0
    return gather(place / "run", None)


@pytest.fixture(scope="module")
def coloured(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    """A run over crosses and rings in red and green that has learnt next to nothing."""
    place = tmp_path_factory.mktemp("coloured")
    for kind in ("cross", "ring"):
        (place / "pictures" / kind).mkdir(parents=True)
        for number in range(40):
            ink = drawn(kind, number)
            layers = [ink, 255 - ink, np.zeros_like(ink)]
            picture = Image.fromarray(np.stack(layers if number % 2 else layers[::-1], axis=-1))
            picture.save(place / "pictures" / kind / f"{number}.png")
    return trained(place, FOLDER)


def tiles_in(blocks) -> dict[str, Tiles]:
    return {block.title: block for block in blocks if isinstance(block, Tiles)}


def pixels(tile: Tile) -> np.ndarray:
    """The image of a tile as [height, width, channels]."""
    raw = base64.b64decode(tile.address.partition(",")[2])
    return np.asarray(Image.open(io.BytesIO(raw)))


def pictures_of(evidence: Evidence) -> dict[str, Tiles]:
    section = next(s for s in report_of(evidence).sections if s.identity == "pictures")
    return tiles_in(section.blocks)


def test_filters_and_maps_stand_in_every_report_of_a_convolutional_net(coloured) -> None:
    found = pictures_of(coloured)
    filters, example, first, second, pooled = found.values()
    assert filters.title == "Filters of conv[1].weight" and len(filters.items) == 6
    assert pixels(filters.items[0]).shape == (3, 3, 3)
    assert example.title.split(":")[0].endswith(".png") and "taken for" in example.title
    titles = ("conv[1] → batch_norm → relu", "conv[2] → relu", "maxpool")
    for block, name in zip((first, second, pooled), titles, strict=True):
        assert block.title == f"What {name} gives"
        assert block.scale is not None and block.ends[0] == "0"
    assert pixels(pooled.items[0]).shape == (4, 4, 3)


def test_maps_are_what_the_network_computes(coloured) -> None:
    example = coloured.example(2, "conv[1]")
    number = coloured.rows.parts[coloured.part][1:2]
    (pictures,) = coloured.rows.prepared.inputs.values()
    x = pictures[number][0].astype(np.float64)
    weights = coloured.weights["conv[1].weight"].astype(np.float64)
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    expected = np.einsum("chwij,ocij->ohw", windows, weights)
    expected += coloured.weights["conv[1].bias"][:, None, None]
    assert example.maps["conv[1]"] == pytest.approx(expected, abs=1e-4)
    assert coloured.example(1000, None) is None


def test_mistakes_are_photographs_with_the_two_largest_outputs(coloured) -> None:
    (block,) = mistakes(coloured)
    assert isinstance(block, Tiles) and block.scale is None
    judged = coloured.judged[0]
    wrong = np.flatnonzero(judged.said != judged.actual)
    assert len(block.items) == min(12, len(wrong))
    tile = block.items[0]
    first, second = tile.note.splitlines()
    names = {first.split(" (")[0], second.split(" (")[0]}
    assert names == {"cross", "ring"} and tile.name == second.split(" (")[0]
    image = pixels(tile)
    assert image.shape == (8, 8, 3) and image[..., 1].max() > 100
    assert tile.alternative.endswith(f"{tile.name}; {first}, {second}")


def test_columns_reshaped_to_an_image_are_one(tmp_path: Path) -> None:
    shutil.copy(MODELS / "digits.csv", tmp_path)
    asked = "report = [maps(A.relu, row=2, most=2), filters(A.conv)]"
    evidence = trained(tmp_path, DIGITS.replace("REPORT", asked))
    example, maps, filters = pictures_of(evidence).values()
    assert pixels(example.items[0]).shape == (8, 8, 3)
    assert maps.title == "What relu gives" and len(maps.items) == 2
    assert len(filters.items) == 4
    (block,) = mistakes(evidence)
    assert pixels(block.items[0]).shape == (8, 8, 3)
