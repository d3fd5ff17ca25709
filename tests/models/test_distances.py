"""Canon row 6: neurons by distance."""

from __future__ import annotations

from tests.models.running import MODELS, opened, stepper


def test_hills_separate_what_a_line_cannot(nndsl) -> None:
    ended = nndsl("train", MODELS / "06_rbf.nn", "--quiet")
    assert (ended.code, ended.err) == (0, "")


def test_the_report_shows_where_the_answer_changes(tmp_path, nndsl) -> None:
    out = tmp_path / "run"
    file = MODELS / "06_rbf.nn"
    assert nndsl("train", file, "--only", "Hills", "--out", out, "--quiet").code == 0
    assert nndsl("report", out).code == 0
    assert "ring: decision boundary" in (out / "report.html").read_text(encoding="utf-8")


def test_widths_and_centres_learn() -> None:
    run = stepper(opened("06_rbf", precision="float64"), "Hills")
    run.step(50)
    after = run.weights
    for name in ("distance.weight", "distance.width"):
        assert (after[name] != run.start[name]).all()
