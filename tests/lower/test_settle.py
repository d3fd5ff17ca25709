"""`settle`: a stage or a cell done again and again to its own result; what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from nndsl.ir.graph import Role
from nndsl.ir.verify import verify
from nndsl.runtime.reference import evaluate
from tests.lower.helpers import codes, lowered, problems

STATE = "net A {{\n  input y: [3]\n  {}\n}}\n"


def network(lines: str):
    return lowered(STATE.format(lines)).networks["A"]


def arrays(graph, rng):
    return {n: rng.normal(size=[{"N": 4}.get(d, d) for d in e.value.type.shape])
            for n, e in graph.inputs.items()}  # fmt: skip


def test_the_help_of_an_argument_shows_the_stage_before_it() -> None:
    (problem,) = problems("net A { input y: [3]; settle(dense(3), limit=0) }\n")
    assert problem.help == ("write `settle(stage, limit=100, tolerance=1e-06)`",)


def test_a_stage_is_done_as_often_as_the_limit_says(rng):
    made = network("settle(dense(3) -> tanh, limit=7)")
    verify(made.graph)
    given = arrays(made.graph, rng)
    state = given["input"]
    for _ in range(7):
        state = np.tanh(state @ given["settle.dense.weight"] + given["settle.dense.bias"])
    found, _ = evaluate(made.graph, given)
    np.testing.assert_allclose(found["output"], state, rtol=1e-12)


def test_the_inputs_of_a_cell_are_held(rng):
    cell = (
        "cell (x, a: [2], b: [2]) -> pair() {\n"
        "  total = (x, b) -> dense(2) -> tanh\n  (total, a)\n}\n"
    )
    made = lowered(cell + STATE.format("settle(pair, limit=5)")).networks["A"]
    given = arrays(made.graph, rng)
    a = b = np.zeros((4, 2))
    w = {n.rpartition("dense.")[2]: v for n, v in given.items()}
    for _ in range(5):
        a, b = np.tanh(given["input"] @ w["weight[1]"] + b @ w["weight[2]"] + w["bias"]), a
    found, _ = evaluate(made.graph, given)
    np.testing.assert_allclose(found["output"], a, rtol=1e-12)
    (settling,) = made.settlings
    assert (settling.limit, len(settling.states)) == (5, 2)


def test_a_memory_may_become_the_input_itself(rng):
    cell = "cell (x, y: [3]) -> copied() { x }\n"
    made = lowered(cell + STATE.format("settle(copied) -> steps")).networks["A"]
    found, _ = evaluate(made.graph, arrays(made.graph, rng))
    assert found["output"].tolist() == [[1.0]] * 4


def test_weights_of_the_loop_exist_once():
    made = network("settle(dense(3) -> tanh)\n  dense(2)")
    learnt = [i.value.name for i in made.graph.of_role(Role.PARAMETER)]
    expected = [f"{part}.{kind}" for part in ("settle.dense", "dense")
                for kind in ("weight", "bias")]  # fmt: skip
    assert sorted(learnt) == sorted(expected)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("settle()", "NN304"),
        ("settle(3)", "NN304"),
        ("settle(dense(3), limit=0)", "NN314"),
        ("settle(dense(3), limit=2000)", "NN314"),
        ("settle(dense(3), until=1)", "NN311"),
        ("settle(dense(2))", "NN203"),
        ("[y, y] -> settle(dense(3))", "NN205"),
        ("dense(3) -> steps", "NN202"),
    ],
)
def test_what_is_refused(line: str, code: str):
    assert codes(STATE.format(line)) == [code]


def test_a_state_may_be_a_sequence(rng):
    text = "net A {\n  input x: [T, 3]\n  settle(dense(3) -> tanh, limit=4) -> last\n}\n"
    graph = lowered(text).networks["A"].graph
    sizes = {"N": 4, "T": 5}
    given = {n: rng.normal(size=[sizes.get(d, d) for d in e.value.type.shape])
             for n, e in graph.inputs.items()}  # fmt: skip
    state = given["input"]
    for _ in range(4):
        state = np.tanh(state @ given["settle.dense.weight"] + given["settle.dense.bias"])
    found, _ = evaluate(graph, given)
    np.testing.assert_allclose(found["output"], state[:, -1], rtol=1e-12)


def test_a_line_of_defaults_reaches_it():
    (settling,) = network("defaults settle(limit=7)\n  settle(dense(3))").settlings
    assert settling.limit == 7


@pytest.mark.parametrize("line", ["settle", "y -> settle", "y -> both"])
def test_around_no_stage(line: str):
    assert codes(STATE.format(line)) == ["NN206"]
