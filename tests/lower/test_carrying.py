"""`carry = true`: which memories go on, and where none can."""

from __future__ import annotations

import pytest

from nndsl.ir.graph import Role
from nndsl.ir.verify import verify
from tests.lower.helpers import codes, lowered, problems

BOOK = 'data book = text("romeo.txt", window=16)\n'
CELL = "cell (x, h: [n], c: [n]) -> own(n) { y = (x, h) -> dense(n) -> tanh; (y, 0.5 * c + y) }\n"


def text(net: str, train: str = "", data: str = BOOK) -> str:
    return (
        f"{data}{CELL}net A on book {{ embed(4) -> {net} -> dense(book.classes) -> softmax }}\n"
        f"train A {{ carry = true; epochs = 1; batch = 4; {train} }}\n"
    )


@pytest.mark.parametrize(
    ("net", "names"),
    [
        ("lstm(3)", ["lstm.h", "lstm.c"]),
        ("gru(3) -> rnn(2)", ["gru.h", "rnn.h"]),
        ("own(3)", ["own.h", "own.c"]),
        ("lstm(2) -> lstm(2)", ["lstm[1].h", "lstm[1].c", "lstm[2].h", "lstm[2].c"]),
    ],
)
def test_each_memory_is_a_state_with_a_row_for_each_row_of_a_batch(net, names) -> None:
    module = lowered(text(net))
    (recipe,) = module.recipes
    for graph in (recipe.graph, recipe.evaluation):
        verify(graph)
        states = [i.value for i in graph.of_role(Role.STATE)]
        assert [v.name for v in states] == names
        assert all(v.type.shape[0] == "N" for v in states)
        assert set(names) <= set(graph.updates)
    assert not module.networks["A"].graph.of_role(Role.STATE)  # a row alone begins with zeros


def test_a_memory_with_a_start_of_its_own_keeps_it() -> None:
    net = "x = embed(4)\n  first = x -> gru(3) -> last\n  (x, first) -> rnn(3)"
    file = (
        f"{BOOK}net A on book {{\n  {net}\n  dense(book.classes) -> softmax\n}}\n"
        "train A { carry = true; epochs = 1; batch = 4 }\n"
    )
    (recipe,) = lowered(file).recipes
    assert [i.value.name for i in recipe.graph.of_role(Role.STATE)] == ["first.gru.h"]


def test_an_objective_of_ones_own_has_it_too() -> None:
    file = (
        f"{BOOK}net A on book {{ embed(4) -> lstm(3) -> dense(book.classes) }}\n"
        "train A { carry = true; epochs = 1; batch = 4\n"
        "  minimize cross_entropy(A.output, book.next) }\n"
    )
    (recipe,) = lowered(file).recipes
    assert recipe.carry
    assert [i.value.name for i in recipe.graph.of_role(Role.STATE)] == ["lstm.h", "lstm.c"]


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (text("dense(3)"), "nothing in the net has a memory"),
        (text("both(lstm(3))"), "begins at the end"),
        (text("lstm(3)", data=BOOK.replace("16", "16, stride=8")), "overlap"),
        (text("lstm(3)").replace("batch = 4", "batch = all"), "all rows in one batch"),
        (text("lstm(3)", "ensemble = committee(2)"), "not for `ensemble`"),
        (text("lstm(3)", "replay = buffer(20)"), "not for `replay`"),
        (
            'data d = csv("iris.csv") { target = species }\n'
            "net A on d { dense(3) }\ntrain A { carry = true }\n",
            "the rows of `d` are none",
        ),
        (
            'data d = csv("load.csv") { target = demand; window = 24 }\n'
            "net A on d { lstm(3) -> last -> dense(1) }\ntrain A { carry = true }\n",
            "overlap or leave gaps",
        ),
    ],
)
def test_where_nothing_can_go_on(file: str, said: str) -> None:
    (found,) = [d for d in problems(file) if d.code == "NN327"]
    assert said in found.title


def test_it_is_yes_or_no() -> None:
    assert codes(text("lstm(3)").replace("carry = true", "carry = 3")) == ["NN309"]
    (recipe,) = lowered(text("lstm(3)").replace("carry = true", "carry = false")).recipes
    assert not recipe.graph.of_role(Role.STATE)
