"""Figures of further outputs and of updates in `expect`."""

from __future__ import annotations

import pytest

from nndsl.lower.expectations import Evidence, judge
from tests.lower.helpers import codes, lowered, problems

BOTH = """data d = csv("penguins.csv") { target = [bill_length_mm, species] }
net A on d {
  h = dense(4)
  length = h -> dense(1)
  kind = h -> dense(d.classes)
  (length, kind)
}
train A { %s }
"""
TURNS = """data iris = csv("iris.csv", target=species)
net A on iris { code = dense(2)
 dense(4) }
train A {
  update A.code { minimize mean(A.code^2) }
  update A { minimize mse(A.output, iris.inputs) }
  %s
}
"""


def test_a_second_output_has_figures_of_its_own():
    module = lowered(BOTH % "expect test_r2 > 0 and test_kind.accuracy > 0.9")
    (expectation,) = module.recipes[0].expectations
    good, bad = ({"test_r2": 0.5, "test_kind.accuracy": share} for share in (0.95, 0.5))
    assert judge(module, expectation, Evidence(figures=good)) is None
    found = judge(module, expectation, Evidence(figures=bad))
    assert found is not None and found.code == "NN901"


def test_updates_have_losses():
    module = lowered(TURNS % "expect test_A.code.loss < 1 and val_A.loss < 2")
    (expectation,) = module.recipes[0].expectations
    figures = {"test_A.code.loss": 0.5, "val_A.loss": 1.0, "val_loss": 1.5}
    assert judge(module, expectation, Evidence(figures=figures)) is None


@pytest.mark.parametrize(
    ("text", "near"),
    [
        (BOTH % "expect test_kidn.accuracy > 0.9", "test_kind.accuracy"),
        (BOTH % "expect test_kind.acuracy > 0.9", "test_kind.accuracy"),
        (BOTH % "expect test_length.r2 > 0.9", ""),  # the first output's are `test_r2`
        (TURNS % "expect val_A.los < 1", "val_A.loss"),
    ],
)
def test_what_is_not_computed_is_told_before_any_training(text, near):
    assert codes(text) == ["NN301"]
    assert near in " ".join(problems(text)[0].help)


def test_outputs_called_as_targets_stand_in_their_order():
    text = """data d = csv("penguins.csv") { target = [bill_length_mm, bill_depth_mm] }
net A on d {
  h = dense(4)
  bill_depth_mm = h -> dense(1)
  bill_length_mm = h -> dense(1)
  (%s)
}
train A { }
"""
    names = ["bill_length_mm", "bill_depth_mm"]
    assert codes(text % ", ".join(names)) == []
    (found,) = problems(text % ", ".join(names[::-1]))
    assert (found.code, found.help) == (
        "NN326",
        ("the last line: (bill_length_mm, bill_depth_mm)",),
    )
    assert codes(text % "h, bill_length_mm") in (["NN326"], ["NN306"])
