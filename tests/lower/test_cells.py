"""`cell` and `both`: one step written in the file, repeated over time."""

from __future__ import annotations

import numpy as np
import pytest

from nndsl.ir.verify import verify
from nndsl.runtime.reference import evaluate
from tests.lower.helpers import codes, lowered, problems

MGU = (
    "cell (x, h: [n]) -> mgu(n) {\n"
    "  f = (x, h) -> dense(n) -> sigmoid\n"
    "  c = (x, f * h) -> dense(n) -> tanh\n"
    "  (1 - f) * h + f * c\n"
    "}\n"
)


def net(lines: str, shape: str = "[T, 3]"):
    return lowered(f"{MGU}net A {{\n  input x: {shape}\n  {lines}\n}}\n").networks["A"]


def arrays(graph, rng, **sizes):
    return {
        name: rng.normal(size=[sizes.get(d, d) for d in entry.value.type.shape])
        for name, entry in graph.inputs.items()
    }


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_a_cell_is_done_at_every_step(rng):
    made = net("mgu(2)")
    verify(made.graph)
    given = arrays(made.graph, rng, N=4, T=5)
    h, expected = np.zeros((4, 2)), []
    w = {n.removeprefix("mgu."): a for n, a in given.items()}
    for t in range(5):
        x = given["input"][:, t]
        f = sigmoid(x @ w["f.dense.weight[1]"] + h @ w["f.dense.weight[2]"] + w["f.dense.bias"])
        sums = x @ w["c.dense.weight[1]"] + (f * h) @ w["c.dense.weight[2]"] + w["c.dense.bias"]
        h = (1 - f) * h + f * np.tanh(sums)
        expected.append(h)
    found, _ = evaluate(made.graph, given)
    np.testing.assert_allclose(found["output"], np.stack(expected, axis=1), rtol=1e-12)


def test_a_cell_with_two_memories_and_two_sequences(rng):
    text = (
        "cell (x, y, total: [2], count: [1]) -> summed() { (total + x * y, count + 1) }\n"
        "net A {\n  input x: [T, 2]\n  input y: [T, 2]\n  (x, y) -> summed()\n}\n"
    )
    graph = lowered(text).networks["A"].graph
    given = arrays(graph, rng, N=3, T=4)
    found, _ = evaluate(graph, given)
    np.testing.assert_allclose(found["output"], np.cumsum(given["x"] * given["y"], axis=1))


def test_both_directions_have_weights_of_their_own(rng):
    made = net("both(mgu(2)) -> last")
    assert {n.split(".")[1] for n in made.parameters} == {"mgu[1]", "mgu[2]"}
    given = arrays(made.graph, rng, N=2, T=3)
    found, _ = evaluate(made.graph, given)
    turned = {n.replace("mgu[1]", "?").replace("mgu[2]", "mgu[1]").replace("?", "mgu[2]"): a
              for n, a in given.items()}  # fmt: skip
    turned["input"] = given["input"][:, ::-1]
    other, _ = evaluate(made.graph, turned)
    assert found["output"].shape == (2, 4)
    np.testing.assert_allclose(found["output"], np.roll(other["output"], 2, axis=1), rtol=1e-12)


def test_names_within_a_cell_stand_for_all_steps():
    made = net("mgu(2)")
    assert {p.path: p.output.type.shape for p in made.parts}["mgu.f.dense"] == ("N", "T", 2)


def test_words_as_cells_of_a_search():
    net = "net A { input x: [T, 3]; unit(4) -> unit(2) -> last }\n"
    text = "let unit = lstm ~ [rnn, gru, lstm]\n" + net
    parameters = lowered(text).networks["A"].parameters
    assert parameters["lstm[2].input_weight"].shape == (4, 8)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("(x, x) -> mgu(2)", "NN203"),
        ("(x, x, x) -> mgu(2)", "NN205"),
        ("(x, x, x) -> gru(2)", "NN205"),
        ("last -> mgu(2)", "NN202"),
        ("mgu(0)", "NN304"),
        ("both(dense(4))", "NN202"),
        ("both(mgu(2) -> last)", "NN202"),
        ("both(4)", "NN304"),
        ("mgu(2) -> nothing(3)", "NN301"),
    ],
)
def test_mistakes_of_use(line, code):
    assert codes(f"{MGU}net A {{\n  input x: [T, 3]\n  {line}\n}}\n") == [code]


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("cell (x, h: [n]) -> odd(n) { (x, h) -> dense(n + 1) }", "NN203"),
        ("cell (x, h: [n]) -> odd(n) { a = (x, h) -> dense(n)\n (a, a) }", "NN211"),
        ("cell x -> odd(n) { dense(n) }", "NN202"),
        ("cell (x, h: [n]) -> odd(n) { dense(n) }", "NN204"),
    ],
)
def test_mistakes_in_a_cell(cell, code):
    text = f"{cell}\nnet A {{\n  input x: [T, 3]\n  odd(2)\n}}\ntrain A {{ }}\n"
    assert code in codes(text)


def test_a_cell_keeps_no_statistics_of_batches():
    """Said without a training too: nothing is updated there."""
    text = "cell (x, h: [2]) -> odd() { (x, h) -> dense(2) -> batch_norm }\n"
    assert codes(f"{text}net A {{ input x: [T, 3]; odd }}\n") == ["NN202"]


def test_sequences_of_two_lengths_are_told_at_the_use_of_the_cell():
    text = "cell (x, y, h: [2]) -> odd() { (x, y, h) -> dense(2) }\n"
    (found,) = problems(
        f"{text}net A {{\n  input x: [T, 3]\n  input y: [S, 3]\n  (x, y) -> odd\n}}\n"
    )
    assert found.code == "NN201" and found.primary is not None
    assert found.primary.span.line == 5
    assert [label.span.line for label in found.secondary] == [3, 4]


@pytest.mark.parametrize("stages", ["mgu(2) -> last", "settle(dense(3))", "s -> dense(4) -> s"])
def test_what_only_absent_data_can_tell_is_no_mistake(stages):
    shared = "share s = dense(5)\n  " if "s ->" in stages else ""
    text = f'data d = csv("not_here.csv", target=y)\n{MGU}net A on d {{\n  {shared}{stages}\n}}\n'
    assert set(codes(text)) <= {"NN807"}


@pytest.mark.parametrize("stage", ["both(gru(2)) -> mgu(2)", "lstm(2) -> dropout(0.5)", "dense(3)"])
def test_a_sequence_that_has_ended_changes_nothing_more(stage, rng):
    text = f"{MGU}net A {{\n  input x: ids(9, padding=0)[T]\n  embed(3) -> {stage} -> last\n}}\n"
    graph = lowered(text).networks["A"].graph
    given = arrays(graph, rng, N=2, T=4)
    ids = np.array([[3, 8, 1, 4], [2, 2, 0, 0]], dtype=np.int32)
    padded, _ = evaluate(graph, {**given, "input": np.pad(ids, ((0, 0), (0, 2)))})
    whole, _ = evaluate(graph, {**given, "input": ids[:1]})
    short, _ = evaluate(graph, {**given, "input": ids[1:, :2]})
    expected = np.concatenate([whole["output"], short["output"]])
    np.testing.assert_allclose(padded["output"], expected, rtol=1e-12)


def test_the_id_that_pads_is_written():
    text = "net A {{ input x: ids({})[T]; embed(3) -> last }}\n"
    assert codes(text.format("9, padding=0")) == []
    assert codes(text.format("9, pad=0")) == ["NN304"]
    assert codes(text.format("9, padding=-1")) == ["NN304"]
    assert codes(text.format("9, padding=9")) == ["NN304"]


def test_a_cell_goes_on_from_a_memory_that_is_given(rng):
    text = (
        f"{MGU}net A {{\n  input x: [T, 3]\n  input start: [2]\n"
        "  (x, start) -> mgu(2) -> last\n}\n"
    )
    graph = lowered(text).networks["A"].graph
    given = arrays(graph, rng, N=4, T=5)
    first = {**given, "x": given["x"][:, :2]}
    middle, _ = evaluate(graph, first)
    second = {**given, "x": given["x"][:, 2:], "start": middle["output"]}
    found, _ = evaluate(graph, second)
    whole, _ = evaluate(graph, given)
    np.testing.assert_allclose(found["output"], whole["output"], rtol=1e-12)


@pytest.mark.parametrize("line", ["(x, start) -> mgu(3)", "(x, start) -> lstm(3)"])
def test_a_start_of_another_size(line: str):
    text = f"{MGU}net A {{\n  input x: [T, 3]\n  input start: [2]\n  {line}\n}}\n"
    assert codes(text) == ["NN203"]
