"""Canon rows 1 to 4: networks whose weights are written in the file."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from tests.models.running import MODELS, answers, model_text, opened, opened_text

CORNERS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
HAND_SET = ["01_gates", "02_boolean", "03_halfplanes", "04_perceptron", "09_symmetry"]


@pytest.mark.parametrize("name", HAND_SET)
def test_what_the_file_expects_holds(name: str, nndsl) -> None:
    ended = nndsl("check", MODELS / f"{name}.nn")
    assert (ended.code, ended.err) == (0, "")


@pytest.mark.parametrize(
    ("gate", "truth"), [("And", [0, 0, 0, 1]), ("Or", [0, 1, 1, 1]), ("Xor", [0, 1, 1, 0])]
)
def test_truth_tables_are_exact(gate: str, truth: list[int]) -> None:
    assert answers(opened("01_gates"), gate, CORNERS)[:, 0].tolist() == truth


def test_not() -> None:
    assert answers(opened("01_gates"), "Not", np.array([[0], [1]]))[:, 0].tolist() == [1, 0]


def test_a_wrong_expectation_shows_both_sides(tmp_path: Path, nndsl) -> None:
    text = model_text("01_gates").replace("Or(table) == [0, 1, 1, 1]", "Or(table) == [0, 1, 0, 1]")
    (tmp_path / "gates.nn").write_text(text)
    ended = nndsl("check", "gates.nn")
    assert ended.code == 1
    assert "error[NN901]" in ended.err
    assert "[0, 1, 1, 1]" in ended.err  # what the net says
    assert "Or(table) == [0, 1, 0, 1]" in ended.err  # what was expected
    assert ended.err.count("error[") == 1


BITS = np.array(list(itertools.product((0, 1), repeat=6)))


def boolean_answers(folder: Path) -> np.ndarray:
    return answers(opened_text(model_text("02_boolean"), folder), "Boolean", BITS)[:, 0]


def test_the_boolean_function_of_the_file() -> None:
    written = np.loadtxt(MODELS / "boolean6.csv", delimiter=",", skiprows=1)
    np.testing.assert_array_equal(written[:, :6], BITS)
    np.testing.assert_array_equal(boolean_answers(MODELS), written[:, 6])


@pytest.mark.parametrize("ones", [1, 7, 32, 63])
def test_any_boolean_function(ones: int, tmp_path: Path, nndsl, rng: np.random.Generator) -> None:
    truth = rng.permutation(np.arange(64) < ones).astype(int)
    lines = [",".join(map(str, [*bits, y])) for bits, y in zip(BITS, truth, strict=True)]
    text = "\n".join(["x1,x2,x3,x4,x5,x6,y", *lines])
    (tmp_path / "boolean6.csv").write_text(text + "\n")
    np.testing.assert_array_equal(boolean_answers(tmp_path), truth)
    (tmp_path / "b.nn").write_text(model_text("02_boolean"))
    assert nndsl("check", "b.nn").code == 0


def test_unions_of_convex_sets_on_a_grid() -> None:
    """Multiples of 1/8 are exact in binary: points on the edges belong to the sets."""
    side = np.arange(-1, 4, 0.125)
    points = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    x, y = points.T
    square = (x >= 0) & (x <= 1) & (y >= 0) & (y <= 1)
    triangle = (x + y >= 3) & (y >= x - 1) & (y <= 2)
    found = answers(opened("03_halfplanes"), "Regions", points)[:, 0]
    np.testing.assert_array_equal(found, square | triangle)
    assert 0 < found.sum() < len(points)


def test_the_perceptron_of_the_lecture() -> None:
    found = answers(opened("04_perceptron"), "Perceptron", np.array([[-1, 2]]))[0, 0]
    assert found == pytest.approx(1 / (1 + np.exp(6.0)), rel=1e-14)
    assert round(found, 3) == 0.002
