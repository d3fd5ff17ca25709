"""Canon row 6: neurons by distance."""

from __future__ import annotations

from tests.models.running import MODELS, opened, stepper


def test_hills_separate_what_a_line_cannot(nndsl) -> None:
    ended = nndsl("train", MODELS / "06_rbf.nn", "--quiet")
    assert (ended.code, ended.err) == (0, "")


def test_widths_and_centres_learn() -> None:
    run = stepper(opened("06_rbf", precision="float64"), "Hills")
    run.step(50)
    after = run.weights
    for name in ("distance.weight", "distance.width"):
        assert (after[name] != run.start[name]).all()
