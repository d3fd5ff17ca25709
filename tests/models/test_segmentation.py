"""Canon row 25: fully convolutional networks find noisy discs, as the files say that they do."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from nndsl.vocab.shapes import shapes
from tests.models.running import MODELS

NETWORKS = (pytest.param("25_encoder_decoder", marks=pytest.mark.slow), "25_fcn")


@pytest.mark.parametrize("name", NETWORKS)
def test_the_small_network_finds_the_discs(name: str, nndsl: Callable[..., Any]) -> None:
    ended = nndsl("train", MODELS / f"{name}.nn", "--quiet")  # the file expects `test_dice > 0.9`
    assert (ended.code, ended.err) == (0, "")


def test_the_u_net_finds_discs_in_new_pictures(tmp_path: Path, nndsl: Callable[..., Any]) -> None:
    new = shapes(20, (24, 24), 1, 0.1, 5)
    for number in range(20):
        for folder, key in (("new", "image"), ("mask", "mask")):
            (tmp_path / folder).mkdir(exist_ok=True)
            Image.fromarray(new[key][number, 0]).save(tmp_path / folder / f"{number}.png")
    assert nndsl("train", MODELS / "25_unet.nn", "--quiet", "--out", "run").code == 0
    assert nndsl("predict", "run", "new", "-o", "out.csv").code == 0
    with (tmp_path / "out.csv").open() as stream:
        files = {row["file"]: row["predicted_mask"] for row in csv.DictReader(stream)}
    said = np.stack([np.asarray(Image.open(tmp_path / files[f"{n}.png"])) for n in range(20)])
    true = new["mask"][:, 0]
    assert set(np.unique(said)) == {0, 1}
    assert 2 * np.sum(said * true) / (said.sum() + true.sum()) > 0.85
    nothing_to_compare = nndsl("evaluate", "run", "new")
    assert nothing_to_compare.code == 4 and "NN424" in nothing_to_compare.err
