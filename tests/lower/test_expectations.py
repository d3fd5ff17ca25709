"""`expect`: nets on constants, counts, sizes, weights, figures."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from nndsl.diagnostics import Diagnostic, NndslError, Source
from nndsl.lower import Evidence, Session, judge, nets_asked
from nndsl.lower.result import Expectation, Module
from nndsl.report_text import render_text
from nndsl.runtime.reference import evaluate
from nndsl.syntax.parser import parse_expression
from tests.lower.helpers import MODELS, lowered, problems


def evidence(module: Module, **figures: float) -> Evidence:
    """Answers and weights of nets whose weights stand in the file."""

    def weights(net: str, path: str) -> np.ndarray:
        info = module.networks[net].parameters[path]
        values = np.zeros(info.shape) if info.values is None else info.values
        return values if info.axes is None else values.transpose(info.axes)

    def answer(net: str, rows: Mapping[str, np.ndarray]) -> np.ndarray:
        network = module.networks[net]
        values = {n: p.values for n, p in network.parameters.items()}
        outputs, _ = evaluate(network.graph, {**rows, **values})
        return next(iter(outputs.values()))

    return Evidence(answer, weights, figures=figures)


def judged(text: str, **figures: float) -> list[Diagnostic | None]:
    module = lowered(text)
    return [judge(module, e, evidence(module, **figures)) for e in module.expectations]


@pytest.mark.parametrize("name", ["01_gates", "03_halfplanes", "04_perceptron"])
def test_networks_set_by_hand(name: str) -> None:
    text = (MODELS / f"{name}.nn").read_text(encoding="utf-8")
    assert set(judged(text)) == {None}


AND = "net And { input x: [2]; dense(1, weights=[[1, 1]], bias=-1.5) -> step }\n"


def test_both_sides_are_shown() -> None:
    (problem,) = judged(AND + "expect And([[0, 0], [0, 1], [1, 0], [1, 1]]) == [0, 1, 1, 1]")
    assert problem is not None
    assert problem.code == "NN901"
    assert problem.primary is not None
    assert problem.primary.text == "is [0, 0, 0, 1]"
    assert [label.text for label in problem.secondary] == ["is [0, 1, 1, 1]"]
    assert problem.notes == ("2 of 4 differ, the first is number 2",)
    assert len(render_text(problem).splitlines()) <= 12


def test_near_says_how_far_apart() -> None:
    (problem,) = judged(AND + "expect near(And([1, 1]), 0.75, 0.1)")
    assert problem is not None
    assert problem.notes == ("they are 0.25 apart, 0.1 is allowed",)


def test_one_example_gives_one_answer() -> None:
    assert judged(AND + "expect And([1, 1]) == 1 and And([[1, 1], [0, 1]]) == [1, 0]") == [None]


def test_counts_sizes_and_weights_are_constants() -> None:
    text = (
        "net A { input x: [4]\n h = dense(3)\n dense(2, weights=[[1, 2, 3], [4, 5, 6]]) }\n"
        "expect A.parameters == 23\n"
        "expect A.h.shape == [3] and A.output.size == 2 and A.h.parameters == 15\n"
        "expect A.dense.weights == [[1, 2, 3], [4, 5, 6]]\n"
        "expect A.dense.weights[2, 3] == 6"
    )
    assert judged(text) == [None] * 4


def test_figures_of_a_training() -> None:
    module = lowered(AND)
    condition = parse_expression(Source("m.nn", "test_accuracy > 0.9"))
    expected = Expectation(condition, condition.span)
    assert judge(module, expected, evidence(module, test_accuracy=0.95)) is None
    problem = judge(module, expected, evidence(module, test_accuracy=0.5))
    assert problem is not None
    assert problem.primary is not None
    assert (problem.code, problem.primary.text) == ("NN901", "is 0.5")


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ("Adn([1, 1]) == 1", "NN301"),
        ("near(Adn([1, 1]), 1, 0.1)", "NN301"),
        ("naer(And([1, 1]), 1, 0.1)", "NN301"),
        ("And([1, 2, 3]) == 1", "NN203"),
        ("And([[1, 1], [0, 1]]) == [1, 0, 0]", "NN203"),
        ("And.layr.weights == [[1, 1]]", "NN318"),
        ("And.dense.weights == [1, 1, 1]", "NN203"),
        ("test_accuracy > 0.9", "NN309"),
    ],
)
def test_conditions_are_checked_before_any_training(condition: str, code: str) -> None:
    """Names, parts and sizes are told at once, also where the answers are learnt only later."""
    learnt = AND.replace(", weights=[[1, 1]], bias=-1.5", "")
    for text in (AND, learnt):
        with pytest.raises(NndslError) as caught:
            lowered(text + f"expect {condition}")
        assert [d.code for d in caught.value.diagnostics] == [code]


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ("And([1, 2, 3]) == 1", "NN203"),
        ("And([1, 1], [2, 2]) == 1", "NN205"),
        ("And([[1, 1]]) == [1, 2]", "NN203"),
        ("Adn([1, 1]) == 1", "NN301"),
        ("And.parameters + 1", "NN316"),
        ("And.layr.shape == [3]", "NN318"),
    ],
)
def test_conditions_that_mean_nothing(condition: str, code: str) -> None:
    with pytest.raises(NndslError) as caught:
        judged(AND + f"expect {condition}")
    assert [d.code for d in caught.value.diagnostics] == [code]


def test_which_nets_must_be_trained_first() -> None:
    text = AND + "expect And.parameters == 3\nexpect near(And.dense.weights, 1, 1)"
    module = lowered(text)
    assert [nets_asked(module, e) for e in module.expectations] == [set(), {"And"}]


def test_arrays_of_data_are_constants() -> None:
    text = (MODELS / "08_adaline.nn").read_text(encoding="utf-8")
    x = np.array([[0.0], [1.0], [2.0]])

    def arrays(name: str, prepared: bool) -> dict[str, np.ndarray]:
        return {"input": x, "diameter": 3 * x[:, 0] + 1}

    module = lowered(text, session=Session(arrays=arrays))
    weights = {("Batch", "dense.weight"): [[3.0]], ("Online", "dense.weight"): [[3.1]]}
    found = Evidence(weights=lambda net, path: np.array(weights[net, path]))
    good, bad = (judge(module, e, found) for e in module.expectations)
    assert good is None
    assert bad is not None
    assert bad.notes[0].startswith("they are 0.1 apart")


def test_data_may_set_the_weights() -> None:
    text = (
        'data f = csv("boolean6.csv", target=y)\n'
        "net B on f { dense(f.count, weights=2 * f.inputs - 1, bias=0.5 - sum(f.inputs, 2)) }"
    )
    rows = np.arange(64 * 6).reshape(64, 6) % 2

    def arrays(name: str, prepared: bool) -> dict[str, np.ndarray]:
        return {"input": rows, "y": rows[:, 0]}

    info = lowered(text, session=Session(arrays=arrays)).networks["B"].parameters["dense.weight"]
    np.testing.assert_array_equal(info.values, (2 * rows - 1).T)


def test_an_answer_of_one_number_has_no_sizes() -> None:
    (found,) = problems("net A { input x: [2]; dense(1) }\nexpect A([1, 2]).shape == [1]\n")
    assert (found.code, found.title) == ("NN303", "one number has no `.shape`")
