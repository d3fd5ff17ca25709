"""Lines where the answer changes, on planes whose boundaries are known."""

from __future__ import annotations

import numpy as np

from nndsl.vocab.figures import Lines
from nndsl.vocab.pictures import Judged, Picture, Plane
from nndsl.vocab.pictures_of_planes import LINE, boundary, contour
from nndsl.vocab.registry import words

GRID = np.linspace(-2, 2, 81)


def plane(shares: np.ndarray, classes: tuple[str, ...]) -> Plane:
    actual = np.arange(len(classes))
    judged = Judged("output", "kind", "test", classes, np.eye(len(classes)), actual)
    points = np.stack([actual, -actual], axis=1).astype(float)
    return Plane(("width", "height"), points, GRID, GRID, shares, judged)


def disc() -> np.ndarray:
    x, y = np.meshgrid(GRID, GRID)
    inside = 1 / (1 + np.exp(4 * (x**2 + y**2 - 1)))
    return np.stack([inside, 1 - inside], axis=2)


def test_the_boundary_of_a_disc_is_its_circle() -> None:
    x, y = (np.array(v) for v in boundary(plane(disc(), ("in", "out"))))
    radius = np.hypot(x, y)[np.isfinite(x)]
    assert len(radius) > 100
    np.testing.assert_allclose(radius, 1, atol=0.01)


def test_three_sectors_meet_in_one_point() -> None:
    x, y = np.meshgrid(GRID, GRID)
    turns = np.stack([np.cos(np.arctan2(y, x) - a) for a in (0, 2, 4)], axis=2)
    across, up = (np.array(v) for v in boundary(plane(turns, ("a", "b", "c"))))
    known = np.isfinite(across)
    angles = np.arctan2(up[known], across[known])[np.hypot(across, up)[known] > 0.5]
    expected = np.array([1.0, 3.0, 2 - np.pi])
    away = np.abs(angles[:, None] - expected).min(axis=1)
    assert away.max() < 0.05
    assert {int(i) for i in np.abs(angles[:, None] - expected).argmin(axis=1)} == {0, 1, 2}


def test_a_saddle_has_two_pieces_in_its_square() -> None:
    corners = np.array([[1.0, -1.0], [-1.0, 1.0]])
    assert len(list(contour(np.arange(2), np.arange(2), corners))) == 2


def test_the_picture_has_the_rows_by_class_and_the_line() -> None:
    word = words("picture")["boundary"]
    assert isinstance(word, Picture)
    assert word.draw is not None

    class Run:
        def plane(self, steps: int) -> Plane:
            assert steps == 100
            return plane(disc(), ("in", "out"))

    (figure,) = word.draw(Run(), {"steps": 100})  # type: ignore[arg-type]
    assert isinstance(figure, Lines)
    assert [line.name for line in figure.lines] == ["in", "out", LINE]
    assert (figure.x_label, figure.y_label) == ("width", "height")
    assert figure.alternative.startswith("2 test rows by kind: 2 lie")


def test_nothing_without_a_plane() -> None:
    word = words("picture")["boundary"]
    assert isinstance(word, Picture)
    assert word.draw is not None

    class Run:
        def plane(self, steps: int) -> None:
            return None

    assert word.draw(Run(), {"steps": 100}) == []  # type: ignore[arg-type]
