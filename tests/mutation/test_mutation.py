"""The errors are held to their goals: a sample of mutants here, thousands in the slow suite."""

from __future__ import annotations

from pathlib import Path

import pytest

from nndsl.cli.main import run
from nndsl.diagnostics import exit_code
from tests.mutation.judging import GOALS, MODELS, Verdict, figures, judge, judged, mutants_of
from tests.mutation.mutants import KINDS, drawn

PATHS = sorted(MODELS.glob("*.nn"))
LONG_TO_CHECK = ("24_preactivation", "24_densenet", "24_resnet", "24_inception_resnet",
                 "24_googlenet", "24_vgg")  # fmt: skip
QUICK = [path for path in PATHS if path.stem not in LONG_TO_CHECK]
"""Files without hundreds of layers; the slow suite has them all."""


def missed(verdicts: list[Verdict], chance: float = 0.0) -> list[str]:
    """The goals below 1 that some verdicts miss by more than `chance`, and every other fault."""
    found = figures(verdicts)
    allowed = {name: goal - chance * (goal < 1) for name, goal in GOALS.items()}
    missed = [
        f"{n}: {found.share(n):.3f}" for n, least in allowed.items() if found.share(n) < least
    ]
    return missed + [f"{v.model}: {v.mutant}: {v.crash}" for v in verdicts if v.crash]


def test_a_sample() -> None:
    each = 300 // len(QUICK)
    verdicts = [verdict for path in QUICK for verdict in judged(path, each, seed=1)]
    assert {v.mutant.kind for v in verdicts} == set(KINDS)
    assert missed(verdicts, chance=0.03) == []  # of 300 mutants one in a hundred is three


def test_the_process_ends_with_the_code_of_the_first_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the driver says in this process is what people are told."""
    (path,) = [p for p in PATHS if p.stem == "iris"]
    (tmp_path / "iris.csv").write_bytes((MODELS / "iris.csv").read_bytes())
    for mutant in drawn(mutants_of(path), 20, seed=3):
        if mutant.table:
            continue
        verdict = judge(mutant, "m.nn", tmp_path)
        (tmp_path / "m.nn").write_text(mutant.text)
        expected = exit_code(verdict.errors[0].code) if verdict.errors else 0
        assert run(["check", str(tmp_path / "m.nn")]) == expected, mutant
        said = capsys.readouterr()
        assert "Traceback" not in said.err + said.out


def test_the_files_themselves_are_right() -> None:
    for path in QUICK:
        whole = drawn(mutants_of(path), 1, seed=0)[0]
        text = path.read_text(encoding="utf-8")
        unchanged = type(whole)("size changed", text, 1, "", "")
        assert judge(unchanged, path.name).legal, path.name


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_every_model(path: Path) -> None:
    """At least 200 mutants of each model; no crash, and each model keeps to the goals of form."""
    verdicts = judged(path, 400, seed=0)
    assert len(verdicts) >= 200
    found = figures(verdicts)
    assert (found.crashes, found.share("form")) == (0, 1.0)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_the_goals_over_all_models(seed: int) -> None:
    verdicts = [verdict for path in PATHS for verdict in judged(path, 400, seed)]
    assert missed(verdicts) == []
    for kind in KINDS:
        assert missed([v for v in verdicts if v.mutant.kind == kind]) == [], kind
