"""Layers over sequences: what they give and ask for, and their mistakes in the lectures' words."""

from __future__ import annotations

import numpy as np
import pytest

from nndsl.ir.graph import Role
from nndsl.ir.types import ElementType, TensorType
from nndsl.runtime.reference import evaluate
from nndsl.vocab.arguments import bind_arguments
from nndsl.vocab.kinds import Layer
from nndsl.vocab.registry import words
from tests.lower.helpers import codes, lowered, problems
from tests.vocab.context import Context

IDS = np.array([[0, 3, 3, 1], [2, 2, 0, 1]])


def net(body: str, given: str = "text: ids(5)[T]") -> str:
    return f"net A {{\n  input {given}\n  {body}\n}}\n"


def network(body: str, given: str = "text: ids(5)[T]"):
    return lowered(net(body, given)).networks["A"]


def values(found, ids=IDS, **arrays):
    """The output with weights of 1, 2, ... hundredths unless they are given."""
    graph = found.graph
    for name, info in found.parameters.items():
        count = int(np.prod(info.shape))
        arrays.setdefault(name, np.arange(1, count + 1).reshape(info.shape) / 100)
    (name,) = (n for n, i in graph.inputs.items() if i.role is Role.DATA)
    return evaluate(graph, {name: ids, **arrays})[0]["output"]


def test_an_id_becomes_its_row() -> None:
    table = np.arange(15.0).reshape(5, 3)
    found = network("embed(3)")
    assert found.parameters["embed.weight"].shape == (5, 3)
    np.testing.assert_array_equal(values(found, **{"embed.weight": table}), table[IDS])


def test_one_id_for_each_example() -> None:
    assert network("embed(3) -> dense(2)", "word: ids(5)").graph.outputs["output"].type.shape == (
        "N", 2,
    )  # fmt: skip


def test_places_are_added_to_what_stands_there() -> None:
    learnt = np.arange(18.0).reshape(6, 3)
    found = network("embed(3) + position(3, longest=6)")
    given = {"embed.weight": np.zeros((5, 3)), "position.weight": learnt}
    np.testing.assert_array_equal(values(found, **given), [learnt[:4], learnt[:4]])
    waves = values(network("embed(4) + sinusoidal(4)"), **{"embed.weight": np.zeros((5, 4))})
    angles = np.outer(np.arange(4), [1.0, 0.01])
    np.testing.assert_allclose(waves[0, :, 0::2], np.sin(angles), atol=1e-15)
    np.testing.assert_allclose(waves[1, :, 1::2], np.cos(angles), atol=1e-15)


def test_a_causal_place_does_not_see_what_follows() -> None:
    found = network("embed(4) -> attention(2, causal=true)")
    before, after = values(found), values(found, np.where(np.arange(4) < 3, IDS, 4))
    np.testing.assert_array_equal(before[:, :3], after[:, :3])
    assert not np.allclose(before[:, 3], after[:, 3])


def test_a_written_length_is_known_when_the_graph_is_complete() -> None:
    found = network("embed(4) + position(4)\n  flatten -> dense(2)", "text: ids(5)[7]")
    assert found.graph.inputs["input"].value.type.shape == ("N", 7)
    assert found.graph.inputs["input"].value.type.element is ElementType.INDEX
    assert found.parameters["position.weight"].shape == (7, 4)
    assert found.parameters["dense.weight"].shape == (28, 2)


def test_dense_works_at_each_place_and_means_run_over_places() -> None:
    found = network("embed(4) -> dense(3) -> global_avg_pool")
    assert found.graph.outputs["output"].type.shape == ("N", 3)
    each = values(network("embed(4) -> dense(3)"))
    np.testing.assert_allclose(values(found), each.mean(axis=1))


def test_hidden_ids_are_one_more() -> None:
    found = network("mask_tokens(15%, token=5) -> embed(3)")
    assert found.parameters["embed.weight"].shape == (6, 3)


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        ("embed(30) -> attention(8)", "NN212", "30 features cannot be divided into 8 heads"),
        ("embed(32) -> attention(8, kv_heads=3)", "NN212", "8 heads cannot share 3"),
        ("embed(6) -> attention(2, rope=true)", "NN212", "a head has 3"),
        ("attention(2)", "NN202", "takes rows of numbers, not ids"),
        ("dense(2)", "NN202", "takes numbers, not class numbers"),
        ("embed(4) -> embed(4)", "NN202", "`embed` takes ids"),
        ("embed(4) + position(4)", "NN209", "how long a sequence may be"),
        ("embed(4) + sinusoidal(3)", "NN203", "even number of features"),
        ("share token = embed(4)\n  text -> tied(token)", "NN202", "not ids"),
        ("share token = embed(4)\n  token -> dense(3) -> tied(token)", "NN203", "3 features"),
    ],
)
def test_mistakes(body: str, code: str, said: str) -> None:
    (problem,) = problems(net(body))
    assert problem.code == code
    assert said in problem.title


@pytest.mark.parametrize(
    ("given", "body", "said"),
    [
        ("x: [4]", "attention(2)", "a sequence (places x features), not 4"),
        ("x: 3x8", "attention(2)", "a sequence (places x features), not 3x8"),
        ("x: [4]", "embed(2)", "takes ids, not 4 numbers"),
        ("text: ids(5)[7]", "embed(2) + position(2, longest=4)", "has 7 places"),
    ],
)
def test_mistakes_of_inputs(given: str, body: str, said: str) -> None:
    (problem,) = problems(net(body, given))
    assert said in problem.title


@pytest.mark.parametrize(
    ("body", "help"),
    [
        ("embed(4) -> gru(3) -> last -> last", "leave out the `last` before it"),
        ("embed(4) -> last -> lstm(3)", "leave out the `last` before it"),
        ("embed(4) -> both(rnn(3)) -> last -> attention(1)", "leave out the `last` before it"),
        ("embed(4) -> gru(3) -> last -> dense(3) -> last", "`input text: ids(8000)[T]`"),
        ("embed(4) -> gru(3) -> flatten", "`last` or `global_avg_pool`"),
        ("embed(4) -> conv(2, 2)", "a sequence is read by `gru` or `attention`, `conv` reads"),
    ],
)
def test_remedies(body: str, help: str) -> None:
    (problem,) = problems(net(body, "text: ids(5)[T]"))
    assert problem.code == "NN202"
    assert problem.help[0].startswith(help)


def test_the_table_that_answers_is_shared() -> None:
    (problem,) = problems(net("embed(4) -> tied(embed(4))", "text: ids(5)[T]"))
    assert problem.help == ("`share table = embed(4)` on a line above, then `tied(table)`",)


def test_how_many_ids_there_are_is_a_number() -> None:
    assert codes(net("embed(2)", "text: ids[T]")) != []
    assert codes(net("embed(2)", "text: ids(V)[T]")) == ["NN304"]
    assert codes(net("embed(2)", "text: ids(0)[T]")) == ["NN304"]


DATA = """data d = table(w1=[0, 1, 2, 1], w2=[2, 1, 0, 0], y=["a", "b", "a", "b"]) {{
  target = y; split = all
  input words = [w1, w2]{steps}
}}
net A{on} {{
  {line}
  embed(4) -> flatten -> dense(2) -> softmax
}}
train A{data} {{ epochs = 1 }}
"""


def trained(steps: str = " -> ids(3)", declared: str = "") -> str:
    line = f"input text: {declared}" if declared else "# of the data"
    on, data = ("", " on d") if declared else (" on d", "")
    return DATA.format(steps=steps, on=on, data=data, line=line)


def test_ids_of_a_table() -> None:
    for text in (trained(), trained(declared="ids(3)[2]"), trained(declared="ids(9)[2]")):
        recipe = lowered(text).recipes[0]
        type = recipe.graph.inputs["words"].value.type
        assert (type.shape, type.element) == (("N", 2), ElementType.INDEX)


def test_a_name_becomes_the_length_of_the_data() -> None:
    text = trained(declared="ids(3)[T]").replace(
        "embed(4) -> flatten", "embed(4) -> global_avg_pool"
    )
    shape = lowered(text).recipes[0].graph.inputs["words"].value.type.shape
    assert shape == ("N", 2)


@pytest.mark.parametrize(
    ("steps", "declared", "said"),
    [
        ("", "ids(3)[2]", "takes ids, but `d` gives numbers"),
        (" -> ids(3)", "[2]", "takes numbers, but `d` gives ids"),
        (" -> ids(3)", "ids(2)[2]", "takes ids below 2, but `d` has 3"),
    ],
)
def test_ids_and_numbers_are_told_apart(steps: str, declared: str, said: str) -> None:
    text = trained(steps, declared)
    if declared == "[2]":
        text = text.replace("embed(4) -> flatten -> ", "")
    (problem,) = (p for p in problems(text) if p.code == "NN306")
    assert said in problem.title


def test_where_takes_a_number_for_each_place() -> None:
    assert codes(net("text -> embed(4) -> attention(2, where=text != 0)")) == []
    (problem,) = problems(net("text -> embed(4) -> attention(2, where=3)"))
    assert (problem.code, "a tensor that says which places count" in problem.title) == (
        "NN314",
        True,
    )
    body = "x = text -> embed(4)\n  other -> embed(4) -> attention(x, 2, where=other != 0)"
    (problem,) = problems(net(body, "text: ids(5)[S]\n  input other: ids(5)[T]"))
    assert "`where` has T places, what is looked at S" in problem.title


@pytest.mark.parametrize(
    ("word", "over"), [("global_avg_pool", np.mean), ("global_max_pool", np.max)]
)
def test_means_run_to_the_end_of_each_sequence(word: str, over) -> None:
    ids = np.array([[4, 3, 0, 0], [2, 2, 1, 3]])
    embedded = values(network("embed(3)"), ids)
    pooled = values(network(f"embed(3) -> {word}", "text: ids(5, padding=0)[T]"), ids)
    np.testing.assert_allclose(pooled, [over(embedded[0, :2], axis=0), over(embedded[1], axis=0)])


def test_capped_scores_are_bent_by_tanh() -> None:
    found = network("embed(4) -> attention(2, cap=0.5, bias=false)")
    weights = {n: np.arange(20 if "embed" in n else 16).reshape(i.shape) / 9 - 0.7
               for n, i in found.parameters.items()}  # fmt: skip
    x = weights["embed.weight"][IDS]
    q, k, v = ((x @ weights[f"attention.{p}.weight"]).reshape(2, 4, 2, 2)
               for p in ("query", "key", "value"))  # fmt: skip
    scores = 0.5 * np.tanh(np.einsum("nihk,njhk->nhij", q, k) / 2**0.5 / 0.5)
    shares = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    mixed = np.einsum("nhij,njhk->nihk", shares, v).reshape(2, 4, 4)
    expected = mixed @ weights["attention.output.weight"]
    np.testing.assert_allclose(values(found, **weights), expected, rtol=1e-12)


def test_weights_are_dropped_in_training_only() -> None:
    layer = words("layer")["attention"]
    assert isinstance(layer, Layer)
    assert layer.make is not None
    kinds = {}
    for training in (True, False):
        context = Context(training)
        x = context.build.input("x", TensorType(("N", "T", 4)), Role.DATA)
        layer.make(context, [x], bind_arguments(layer, (2,), {"dropout": 0.5}))
        kinds[training] = {node.operation.name for node in context.build.graph.nodes}
    assert kinds[True] - kinds[False] == {"random"}
