"""Every picture of the registry on runs of both sorts, whole and with almost nothing in them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from nndsl.vocab.arguments import call
from nndsl.vocab.figures import Confusion, Histogram, Images, Lines
from nndsl.vocab.pictures import (
    Example,
    Judged,
    Picture,
    Plane,
    confusion_of,
    histogram,
    spoken,
)
from nndsl.vocab.registry import words

PICTURES = list(words("picture").values())
CLASSES = Judged("output", "species", "test", ("a", "b"),
                 np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]]), np.array([0, 1, 1]))  # fmt: skip
NUMBERS = Judged("output", "mass", "test", (), np.array([[1.0], [2.5]]), np.array([[1.0], [2.0]]))
HISTORY = {
    "epoch": [1.0, 2, 3],
    "step": [5.0, 10, 15],
    "learning_rate": [0.1, 0.05, 0.01],
    "train_loss": [1.0, 0.1, 0.01],
    "val_loss": [1.0, math.nan, 0.5],
    "val_accuracy": [0.5, 0.75, 0.75],
}
WEIGHTS = {
    "dense.weight": np.arange(36.0).reshape(4, 9),
    "dense.bias": np.zeros(4),
    "conv.weight": np.linspace(-1, 1, 54).reshape(2, 3, 3, 3),
}
MAPS = {"conv \N{RIGHTWARDS ARROW} relu": np.arange(18.0).reshape(2, 3, 3)}
EXAMPLE = Example("row 3", "a, taken for b (0.80)", np.eye(3), MAPS)


@dataclass
class FakeRun:
    history: dict = field(default_factory=lambda: HISTORY)
    best_epoch: int | None = 3
    weights: dict = field(default_factory=lambda: WEIGHTS)
    judged: tuple = (CLASSES, NUMBERS)

    def example(self, row: int, place: str | None) -> Example | None:
        return EXAMPLE if self.judged and row < 4 else None

    def reconstructed(self, count: int) -> tuple[np.ndarray, np.ndarray] | None:
        rows = np.linspace(0, 1, 3 * 30).reshape(3, 6, 5)[:count]
        return (rows, rows[::-1]) if self.judged else None

    def plane(self, steps: int) -> Plane | None:
        points = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0]])
        side = np.linspace(0, 2, steps)
        left = np.broadcast_to((side < 1).astype(float), (steps, steps))
        shares = np.stack([left, 1 - left], axis=2)
        return Plane(("x", "y"), points, side, side, shares, CLASSES) if self.judged else None

    def sampled(self, net: str | None, count: int) -> tuple[str, np.ndarray] | None:
        return (net or "Maker", np.full((count, 6, 5), 0.5)) if self.weights else None


EMPTY = FakeRun({}, None, {}, ())


def drawn(name: str, run: FakeRun, **arguments):
    word = words("picture")[name]
    assert isinstance(word, Picture) and word.draw is not None
    return word.draw(run, call(word, **arguments).arguments)


@pytest.mark.parametrize("word", PICTURES, ids=lambda word: word.name)
def test_pictures_tell_in_words_what_they_show(word: Picture) -> None:
    found = drawn(word.name, FakeRun())
    assert found
    assert all(figure.title and len(figure.alternative) > 10 for figure in found)
    assert list(drawn(word.name, EMPTY)) == []
    without_rows = drawn(word.name, FakeRun(judged=()))
    assert not (word.needs_rows and list(without_rows))
    assert word.section in ("learning", "answers", "weights", "pictures")


def test_curves_mark_the_kept_epoch() -> None:
    loss, accuracy, rate = drawn("curves", FakeRun())
    assert isinstance(loss, Lines) and loss.y_log
    assert loss.marks == ((3.0, 0.5, "kept: epoch 3"),)
    assert accuracy.title == "Validation accuracy"
    assert rate.marks == ()
    steady = FakeRun({**HISTORY, "learning_rate": [0.1] * 3}, best_epoch=None)
    assert [figure.title for figure in drawn("curves", steady)] == ["Loss", "Validation accuracy"]


def test_confusion_and_predictions_take_what_fits_them() -> None:
    (matrix,) = drawn("confusion", FakeRun())
    assert isinstance(matrix, Confusion)
    assert matrix.counts.tolist() == confusion_of(CLASSES).tolist() == [[1, 0], [1, 1]]
    scatter, residuals = drawn("predictions", FakeRun())
    assert scatter.lines[0].x == [1.0, 2.0] and scatter.lines[0].y == [1.0, 2.5]
    assert isinstance(residuals, Histogram) and sum(residuals.counts) == 2


def test_weights_are_drawn_by_unit() -> None:
    (images,) = drawn("weights", FakeRun(), most=2)
    assert isinstance(images, Images)
    assert images.images.shape == (2, 3, 3)
    assert (images.images.reshape(2, 9) == WEIGHTS["dense.weight"][:2]).all()
    (line,) = drawn("weights", FakeRun(weights={"w": np.ones((2, 5))}))
    assert line.images.shape == (2, 1, 5)


@pytest.mark.parametrize(
    ("part", "size", "expected"),
    [(None, (3, 3), ""), (None, (2, 2), "9"), (("dense.bias",), None, "weights"), (None, None, "")],
)
def test_weights_must_fit_their_size(part, size, expected: str) -> None:
    word = words("picture")["weights"]
    shapes = {name: array.shape for name, array in WEIGHTS.items()}
    told = word.problem(shapes, {"part": part, "size": size, "most": 64})
    assert expected in told and bool(told) == bool(expected)
    assert word.problem({"w": (2, "n")}, {"part": None, "size": (5, 5), "most": 64}) == ""


@pytest.mark.parametrize("values", [[], [math.nan], [2.0], [1.0, 1.0, math.inf], [0.0, 1e300]])
def test_histograms_of_odd_numbers(values: list[float]) -> None:
    found = histogram("a", np.array(values))
    assert sum(found.counts) == np.isfinite(values).sum()
    assert len(found.edges) == len(found.counts) + 1


def test_figures_in_words() -> None:
    assert spoken("val_r2") == "validation R²"
    assert spoken("test_balanced_accuracy") == "test balanced accuracy"
    assert spoken("rmse") == "RMSE"
    assert spoken("val_first.accuracy") == "validation accuracy of first"


def test_outputs_of_one_target_are_told_apart() -> None:
    assert CLASSES.title == "species"
    again = replace(CLASSES, shares_target=True)
    assert again.title == "species by output"
    (matrix,) = drawn("confusion", FakeRun(judged=(again,)))
    assert matrix.title == "species by output: actual and predicted classes"
