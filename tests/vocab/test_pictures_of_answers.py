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


def test_samples_are_small_photographs() -> None:
    (figure,) = drawn("samples", FakeRun(), of="Other", count=20)
    assert figure.title == "What Other makes"
    assert figure.scale is Scale.MINIATURE and figure.images.shape == (20, 6, 5)
    assert drawn("samples", EMPTY) == []


def test_losses_of_updates_have_a_curve_each() -> None:
    names = ("train_loss", "train_A.loss", "train_B.loss", "val_loss", "val_A.loss", "val_B.loss")
    history = {"epoch": [1.0, 2.0], "step": [3.0, 6.0], "learning_rate": [0.1, 0.1]}
    history |= {name: [2.0, 1.0] for name in names}
    first, second = drawn("curves", FakeRun(history, None))
    assert (first.title, second.title) == ("Loss of A", "Loss of B")
    assert [line.name for line in first.lines] == ["training loss of A", "validation loss of A"]
