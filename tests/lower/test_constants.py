"""Constants: arithmetic, ranges, arrays, functions; overrides of `let`."""

from __future__ import annotations

import numpy as np
import pytest

from nndsl.diagnostics import Severity
from nndsl.params import Int
from nndsl.vocab.registry import registries
from tests.lower.helpers import codes, lowered, problems

GOOD = {
    "2 + 3 * 4": 14,
    "2^10": 1024,
    "7 / 2": 3.5,
    "6 / 2": 3,
    "-2^2": -4,
    "60%": 0.6,
    "[1, 2] * 2 + 1": [3, 5],
    "2 * [[0, 1], [1, 0]] - 1": [[-1, 1], [1, -1]],
    "sum([[1, 2], [3, 4]])": 10,
    "sum([[1, 2], [3, 4]], 2)": [3, 7],
    "sum([[1, 2], [3, 4]], 1)": [4, 6],
    "grid(0..1, 5)": [0, 0.25, 0.5, 0.75, 1],
    "max([1, 5, 2])": 5,
    "sqrt(16)": 4,
    "[4, 3, 2][1]": 4,
    "[[1, 2], [3, 4]][2, 1]": 3,
    "3 if 2 > 1 else 4": 3,
    "3 if not (2 > 1 and 1 > 2) else 4": 3,
}


@pytest.mark.parametrize("expression", GOOD)
def test_values(expression: str) -> None:
    value = evaluated(f"let v = {expression}\nnet A {{ input x: [4]\n relu }}")
    np.testing.assert_allclose(value, GOOD[expression])


def evaluated(text: str):
    from nndsl.lower.constants import as_array

    scope = lowered(text).scope.scope
    return as_array(scope.names["v"].value)


@pytest.mark.parametrize(
    "expression",
    ["1 / 0", "0 ^ -1", "2 ^ 1000000000", "10.0 ^ 400", "log(0)", "[1, 2] + [1, 2, 3]", "[1][2]",
     "[1][0]", '"a" + 1', "sqrt(-1)", "(0 - 8) ^ 0.5"],
)  # fmt: skip
def test_mistakes(expression: str) -> None:
    assert codes(f"let v = {expression}\nnet A {{ input x: [4]\n relu }}")[0] in ("NN316", "NN203")


def test_functions_check_their_arguments() -> None:
    net = "net A { input x: [4]\n relu }"
    assert codes(f"let v = grid(0..1, 0)\n{net}") == ["NN304"]
    assert codes(f"let v = grid(5)\n{net}") == ["NN308"]
    assert codes(f"let v = sum([1, 2], 3)\n{net}") == ["NN304"]


def test_for_counts_from_one_and_holds_both_ends() -> None:
    text = "net A { input x: [4]\n for i in 1..3 { dense(i) }\n}"
    assert [p.shape[-1] for p in lowered(text).networks["A"].parameters.values()][::2] == [1, 2, 3]


def test_overrides_of_let_anywhere() -> None:
    text = "let n = 3\nnet A { input x: [4]\n let k = 2\n dense(n) -> dense(k) }"
    net = lowered(text, {"n": "7", "k": "5"}).networks["A"]
    assert [p.shape[-1] for p in net.parameters.values()][::2] == [7, 5]


def test_an_override_of_nothing_is_a_mistake_of_usage() -> None:
    (problem,) = problems("let width = 3\nnet A { input x: [4]\n dense(width) }", {"widht": "4"})
    assert problem.code == "NN010"
    assert problem.help == ("did you mean `width`?",)


def test_search_spaces_lower_to_their_defaults() -> None:
    text = (
        "let n = 3 ~ [2, 3]\nlet act = relu ~ [relu, elu]\nlet r = 1e-3 ~ log(1e-5, 1)\n"
        "net A { input x: [4]\n dense(n) -> act }"
    )
    assert lowered(text).networks["A"].parameters["dense.weight"].shape == (4, 3)


def test_own_names_win_over_words() -> None:
    text = "net A { input relu: [4]\n relu -> dense(2) -> tanh }"
    assert lowered(text).networks["A"].parameter_count == 10


def test_an_array_equals_no_list_of_other_things() -> None:
    text = "net A { input x: [1]\n dense(1, weights=1, bias=0) }\n"
    for other in ("[[1, [], 2]]", "[relu]", '"a"'):
        assert codes(f"{text}expect grid(0..1, 2) == {other}") == ["NN316"]


ABSENT = 'data d = csv("not_here.csv", target=y)\n'
COUNTS = [
    (sort, name, argument)
    for sort in ("layer", "metric", "schedule")
    for name, word in registries()[sort].items()
    for argument, parameter in word.parameters.items()
    if isinstance(parameter, Int) and getattr(word, "operands", (1, 1))[1] != 0
]


@pytest.mark.parametrize(("sort", "name", "argument"), COUNTS)
def test_a_count_that_only_the_data_tells(sort: str, name: str, argument: str) -> None:
    """A size of an array stays open; any other number that is not known ends the check quietly."""
    word = registries()[sort][name]
    others = "".join(f", {n}=2" for n, p in word.parameters.items() if p.required and n != argument)
    use = f"{name}({argument}=d.classes{others})"
    net = f"net A on d {{ dense(4) -> {use if sort == 'layer' else 'relu'} -> dense(d.classes) }}\n"
    setting = {"metric": f"metrics = [{use}]", "schedule": f"schedule = {use}"}.get(sort, "")
    found = problems(f"{ABSENT}{net}train A {{ epochs = 1; {setting} }}")
    assert all(diagnostic.severity is not Severity.ERROR for diagnostic in found), found
