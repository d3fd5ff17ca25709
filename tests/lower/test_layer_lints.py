from __future__ import annotations

import pytest

from nndsl.ir.graph import Graph, Node, Value
from tests.models.running import opened_text

TEXT = """
data digits = csv("digits.csv", target=digit)
net Deep on digits {
  reshape(1x8x8) -> (conv(4, 3, pad=1) -> batch_norm) * %d
  global_avg_pool -> dense(10) -> softmax
}
train Deep { steps = 1 }
"""


def test_work_for_lints_does_not_grow_with_the_square_of_the_layers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[Graph] = []
    users = Graph.users

    def counted(graph: Graph) -> dict[Value, list[Node]]:
        asked.append(graph)
        return users(graph)

    monkeypatch.setattr(Graph, "users", counted)

    def times(layers: int) -> int:
        asked.clear()
        lints = opened_text(TEXT % layers).module.lints
        assert "NN809" in {lint.code for lint in lints}
        return len(asked)

    assert times(20) == times(2)


@pytest.mark.parametrize(
    ("stages", "count"),
    [
        ("attention(2)", 1),
        ("attention(2, window=3) -> attention(2, causal=true)", 1),
        ("both(lstm(4))", 1),
        ("attention(2, causal=true) -> lstm(4)", 0),
    ],
)
def test_networks_that_see_what_they_are_to_tell(stages: str, count: int) -> None:
    text = 'data book = text("romeo.txt", window=16)\n'
    text += f"net N on book {{ embed(8) -> {stages} -> dense(book.classes) -> softmax }}\n"
    found = opened_text(text + "train N { epochs = 1 }").module.lints
    assert [lint.code for lint in found].count("NN814") == count


@pytest.mark.parametrize(
    ("stages", "told"),
    [
        ("both(gru(4)) -> last", False),
        ("both(gru(4)) -> dropout(0.1) -> last", True),
        ("both(both(gru(4))) -> last", False),
        ("both(gru(4)) -> layer_norm -> dense(3) -> last", True),
        ("both(gru(4)) -> dropout(0.1) -> lstm(3) -> last", False),
        ("both(gru(4)) -> attention(2) -> last", False),
        ("gru(4) -> dropout(0.1) -> last", False),
        ("both(gru(4)) -> dropout(0.1) -> global_avg_pool", False),
    ],
)
def test_what_each_way_ended_with_is_taken_at_once(stages: str, told: bool) -> None:
    text = f"""data r = csv("remarks.csv") {{
  target = positive
  input words = remark -> words(20, length=6)
}}
net A on r {{ words -> embed(4) -> {stages} -> dense(1) -> sigmoid }}
train A {{ epochs = 1 }}
"""
    lints = opened_text(text).module.lints
    assert ("NN816" in {lint.code for lint in lints}) is told
