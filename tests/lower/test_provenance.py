"""A constant that does not fit is told where it is written, once, however far off it is used."""

from __future__ import annotations

import pytest

from nndsl import driver
from nndsl.diagnostics import Diagnostic

NET = "net A {{ input x: [2]\n {} }}\n"


def the_one(text: str) -> Diagnostic:
    (found,) = driver.check_text(text)
    assert found.primary is not None
    return found


def place(found: Diagnostic) -> tuple[str, int, str]:
    assert found.primary is not None
    return found.code, found.primary.span.line, found.primary.span.text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("let width = 0\n" + NET.format("dense(width) -> dense(width)"), ("NN314", 1, "0")),
        ("let a = -3\nlet b = a\n" + NET.format("dense(b)"), ("NN314", 1, "-3")),
        ("let sizes = [4,\n 0]\n" + NET.format("for n in sizes { dense(n) }"), ("NN314", 2, "0")),
        ("block x -> two(n) { dense(n) -> dense(n) }\n" + NET.format("two(0)"), ("NN314", 3, "0")),
        ("block x -> two(n=0) { dense(n) }\n" + NET.format("two"), ("NN314", 1, "0")),
        (NET.format("dense(0)"), ("NN314", 2, "0")),
    ],
)
def test_a_number_out_of_bounds(text: str, expected: tuple[str, int, str]) -> None:
    assert place(the_one(text)) == expected


def test_a_thing_of_another_sort_is_wrong_where_it_is_used() -> None:
    found = the_one("let act = 3\n" + NET.format("dense(2, init=act)"))
    assert place(found) == ("NN314", 3, "act")


ROWS = "let rows = [[1, 2],\n [3],\n [4, 5]]\n"


@pytest.mark.parametrize(
    "use",
    [
        NET.format("dense(3, weights=rows) -> dense(3, weights=rows)"),
        NET.format("dense(3, weights=rows) -> dense(3, weights=-1 * rows)"),
        NET.format("dense(3)") + "expect A(rows) == [1]\nexpect A(rows) == [2]",
    ],
)
def test_rows_of_unequal_length_are_one_error_at_the_odd_row(use: str) -> None:
    found = the_one(ROWS + use)
    assert place(found) == ("NN322", 2, "[3]")
    assert [label.text for label in found.secondary] == ["row 1", "used here"]


def test_the_first_row_may_be_the_odd_one() -> None:
    found = the_one(NET.format("dense(3, weights=[[1], [2, 3], [4, 5]])"))
    assert place(found) == ("NN322", 2, "[1]")
    assert "row 1 has 1 number, row 2 has 2" in found.title


AT = "let at = [[1, 2, 3]]\n"
NETS = "".join(f"net {name} {{ input x: [3]; relu }}\n" for name in "ABC")
ASKED = "".join(f"expect {name}(at) == at\n" for name in "ABC")


def test_a_net_that_takes_another_size_than_a_shared_constant_has() -> None:
    found = the_one(AT + NETS.replace("3", "4", 1) + ASKED)
    assert place(found) == ("NN203", 2, "input x: [4]")
    assert [label.text for label in found.secondary] == ["is given 1x3 here", "this constant"]


def test_a_constant_that_several_nets_refuse_is_one_error() -> None:
    found = the_one(AT.replace("3]", "3, 4]") + NETS + ASKED)
    assert place(found) == ("NN203", 1, "[[1, 2, 3, 4]]")
    assert "3 nets" in found.notes[0]


def test_a_constant_written_in_the_call_is_what_differs() -> None:
    found = the_one(NETS + "expect A([1, 2]) == [1, 2]")
    assert place(found) == ("NN203", 4, "A([1, 2])")
