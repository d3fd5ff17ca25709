"""The mistakes that people make most, as far as the source shows them: place, words, remedy."""

from __future__ import annotations

import pytest

from nndsl.diagnostics import exit_code
from nndsl.report_text import render_text
from tests.lower.helpers import problems

IRIS = 'data iris = csv("iris.csv", target=species)\n'
CASES = [
    # mistake, code, place, what the title names, the remedy
    ("net A {{ input x: [4]\n dens(16) }}", "NN301", "dens", "dens", "dense"),
    ("net A {{ input x: [4]\n dense(16) -> rleu }}", "NN301", "rleu", "rleu", "relu"),
    ("net A {{ input x: [4]\n dense(unitz=32) }}", "NN311", "unitz", "unitz", "units"),
    ("net A {{ input x: [4]\n dense(many) }}", "NN301", "many", "many", ""),
    ('net A {{ input x: [4]\n dense("ten") }}', "NN314", '"ten"', "whole number", ""),
    ("net A {{ input image: 1x28x28\n dense(10) }}", "NN202", "dense(10)", "1x28x28", "flatten"),
    ("net A {{ input x: [4]\n dense(-5) }}", "NN314", "-5", "at least 1; got -5", ""),
    ("net A {{ input x: [4]\n h = dense(3)\n h = dense(2) }}", "NN302", "h", "`h`", "h2"),
    ("net A {{ input x: [4]\n dense(3, units=4) }}", "NN313", "4", "units", ""),
    (
        "{iris}net A on iris {{ dense(3) }}\ntrain A {{ optimizer = adamm(1e-3) }}",
        "NN301", "adamm", "adamm", "adam",
    ),
    (
        "{iris}net A on iris {{ dense(3) }}\ntrain A {{ optimizer = sgd(learning_rat=1) }}",
        "NN311", "learning_rat", "learning_rat", "",
    ),
    (
        "{iris}net A on iris {{ dense(3) }}\ntrain A {{ loss = mean_squared_error }}",
        "NN301", "mean_squared_error", "mean_squared_error", "mse",
    ),
    (
        "{iris}net A on iris {{ dense(2) -> softmax }}\ntrain A {{ }}",
        "NN305", "dense(2)", "2 outputs but `species` has 3 classes", "dense(iris.classes)",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "code", "place", "named", "remedy"), CASES)
def test_mistake(text: str, code: str, place: str, named: str, remedy: str) -> None:
    (problem,) = problems(text.format(iris=IRIS))
    assert problem.code == code
    assert int(exit_code(problem.code)) == 3
    assert problem.primary is not None
    assert problem.primary.span.text == place
    assert named in problem.title
    assert remedy in " ".join(problem.help)
    shown = render_text(problem).splitlines()
    assert len(shown) <= 12
    assert max(map(len, shown)) <= 100
