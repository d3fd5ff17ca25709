"""Reconstructions and samples as pictures."""

from __future__ import annotations

import numpy as np

from nndsl.vocab.figures import Images, Scale
from tests.vocab.test_pictures import EMPTY, FakeRun, drawn


def test_inputs_stand_above_what_is_made_of_them() -> None:
    (figure,) = drawn("reconstructions", FakeRun(), most=2)
    assert isinstance(figure, Images) and figure.scale is Scale.PICTURE
    assert figure.images.shape == (2, 13, 5)
    first, second = FakeRun().reconstructed(2)
    np.testing.assert_array_equal(figure.images[:, :6], first)
    np.testing.assert_array_equal(figure.images[:, 7:], second)
    assert (figure.images[:, 6] == 1).all()
    assert drawn("reconstructions", EMPTY) == []


def test_samples_stand_on_one_sheet() -> None:
    (figure,) = drawn("samples", FakeRun(), net="Other", count=20)
    assert figure.title == "What Other makes"
    (sheet,) = figure.images
    times = sheet.shape[1] // (16 * 6 - 1)
    assert sheet.shape == (times * 13, times * (16 * 6 - 1))
    assert (sheet[:times, : 5 * times] == 0.5).all()
    assert (sheet[-times:, -times:] == 1).all()  # an empty place
    assert drawn("samples", EMPTY) == []
