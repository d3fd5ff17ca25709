"""Canon row 8: gradient descent reaches the least-squares line of the twelve oaks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.models.running import MODELS, model_text, opened_text, stepper

AGE = np.array([97, 93, 88, 81, 75, 57, 52, 45, 28, 15, 12, 11])
DIAMETER = np.array([12.5, 12.5, 8, 9.5, 16.5, 11, 10.5, 9, 6, 1.5, 1, 1])


def least_squares() -> tuple[float, float]:
    """Slope and height of the line, in standardised ages."""
    slope, height = np.polyfit((AGE - AGE.mean()) / AGE.std(), DIAMETER, 1)
    return slope, height


def test_the_file_trains_and_its_expectations_hold(nndsl) -> None:
    ended = nndsl("train", MODELS / "08_adaline.nn", "--quiet")
    assert (ended.code, ended.err) == (0, "")


@pytest.mark.parametrize("net", ["Batch", "Online"])
def test_the_line_is_the_least_squares_line(net: str) -> None:
    run = stepper(opened_text(model_text("08_adaline"), precision="float64"), net)
    assert run.plan.batch == (12 if net == "Batch" else 1)
    run.step(run.plan.total_steps)
    slope, height = least_squares()
    found = run.weights
    assert found["dense.weight"].item() == pytest.approx(slope, rel=1e-4)
    assert found["dense.bias"].item() == pytest.approx(height, rel=1e-4)


def test_a_line_not_reached_is_told(tmp_path: Path, nndsl) -> None:
    (tmp_path / "short.nn").write_text(model_text("08_adaline").replace("2000", "5"))
    ended = nndsl("train", "short.nn", "--quiet")
    assert ended.code == 1
    assert ended.err.count("error[NN901]") == 2
    assert "3.973" in ended.err  # the slope that was expected
