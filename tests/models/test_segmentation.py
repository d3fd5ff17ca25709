"""Canon row 25: fully convolutional networks find the disc in noisy images made here.

A target is a list of numbers: so a second net gives the error of the first one at all pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.models.running import model_text

IMAGES, SIZE = 300, 16
TEXT = """import "{name}.nn" as model
data cells = array("cells.npz", target=area) {{
  input image = [picture] -> standardize
  input wanted = [mask] -> keep
}}
net Error on cells {{
  disc = wanted -> reshape(1x16x16)
  d = (image -> reshape(1x16x16) -> model.Small) - {wanted}
  d * d -> reshape(1x16x{width}) -> global_avg_pool
}}
block (y, t) -> average {{ mean(y) }}
train Error {{
  loss = average; optimizer = adam({rate}); epochs = {epochs}; penalty = none
  expect val_loss < {limit}
}}
"""
TWO_CLASSES = "([1 - disc, disc] -> concat)"
NETWORKS = {
    "25_unet": {"wanted": "disc", "width": 16, "rate": 3e-3, "epochs": 15, "limit": 0.03},
    "25_encoder_decoder": {
        "wanted": TWO_CLASSES, "width": 32, "rate": 1e-2, "epochs": 15, "limit": 0.03,
    },
    "25_fcn": {"wanted": TWO_CLASSES, "width": 32, "rate": 5e-3, "epochs": 40, "limit": 0.05},
}  # fmt: skip
"""The share of pixels in a disc is 0.15: saying `nothing` everywhere has an error of as much."""


def make_cells(path: Path) -> None:
    """Discs of random places and sizes under noise half as strong as they are bright."""
    random = np.random.default_rng(0)
    y, x = np.mgrid[:SIZE, :SIZE]
    centre, radius = random.uniform(4, 12, (IMAGES, 2, 1, 1)), random.uniform(2, 5, (IMAGES, 1, 1))
    mask = (y - centre[:, 0]) ** 2 + (x - centre[:, 1]) ** 2 < radius**2
    picture = mask + 0.5 * random.standard_normal(mask.shape)
    np.savez(path, picture=picture, mask=mask.astype(np.uint8), area=mask.mean((1, 2)))


@pytest.mark.parametrize("name", NETWORKS)
def test_the_small_network_finds_the_disc(
    name: str, tmp_path: Path, nndsl: Callable[..., Any]
) -> None:
    make_cells(tmp_path / "cells.npz")
    (tmp_path / f"{name}.nn").write_text(model_text(name))
    (tmp_path / "cells.nn").write_text(TEXT.format(name=name, **NETWORKS[name]))
    ended = nndsl("train", "cells.nn", "--quiet")
    assert (ended.code, ended.err) == (0, "")
