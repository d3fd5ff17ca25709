"""The generator of shapes: what the mask says is what the picture shows."""

from __future__ import annotations

import numpy as np

from nndsl.vocab.shapes import shapes


def test_rows_depend_on_the_seed_and_their_number_alone() -> None:
    many, few = shapes(600, (12, 16), 2, 0.1, 3), shapes(40, (12, 16), 2, 0.1, 3)
    for name, array in few.items():
        np.testing.assert_array_equal(many[name][:40], array)
        assert array.shape == (40, 1, 12, 16) and array.dtype == np.uint8
    assert not np.array_equal(shapes(40, (12, 16), 2, 0.1, 4)["image"], few["image"])


def test_there_are_as_many_kinds_as_asked_for() -> None:
    assert np.unique(shapes(50, (16, 16), 1, 0.1, 0)["mask"]).tolist() == [0, 1]
    found = shapes(400, (16, 16), 2, 0.1, 0)["mask"]
    shares = np.bincount(found.ravel()) / found.size
    assert len(shares) == 3 and 0.7 < shares[0] < 0.9 and shares[1:].min() > 0.04
    assert (found.reshape(400, -1).max(axis=1) > 0).mean() > 0.97


def test_shapes_are_brighter_than_the_ground_beside_them() -> None:
    made = shapes(100, (24, 24), 2, 0.0, 1)
    for image, mask in zip(made["image"], made["mask"], strict=True):
        if 0 < (mask > 0).mean() < 1:
            assert image[mask > 0].min() > image[mask == 0].mean()
