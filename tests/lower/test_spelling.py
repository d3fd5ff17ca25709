"""A misspelt name is told as such wherever it stands, once, with what was meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from nndsl import driver
from nndsl.diagnostics import Diagnostic

MODELS = Path(__file__).resolve().parents[2] / "models"
ON_RINGS = 'data rings = csv("two_rings.csv", target=ring)\nnet A on rings { dense(2) }\n'


def told(text: str) -> list[Diagnostic]:
    return driver.check_text(text, folder=MODELS)


def the_one(text: str) -> Diagnostic:
    (found,) = told(text)
    assert found.primary is not None
    return found


NET = "net A {{ input x: [2]\n {} }}"


@pytest.mark.parametrize(
    ("text", "place", "meant"),
    [
        ("let sizes = [2, 3]\n" + NET.format("for n in sizs { dense(n) }"), "sizs", "sizes"),
        ("let rows = [[1, 2]]\n" + NET.format("dense(1, weights=rosw[1])"), "rosw", "rows"),
        ("let width = 3\n" + NET.format("dense(3, bias=grid(0..1, widht))"), "widht", "width"),
        (NET.format("dense(3, bias=gird(0..1, 3))"), "gird", "grid"),
        ("data d = table(x=grdi(0..1, 9), y=[1]) { target = y }", "grdi", "grid"),
        (ON_RINGS + "train A { batch = aall }", "aall", "all"),
        (ON_RINGS + "train A { expect tets_f1 > 0 }", "tets_f1", "test_f1"),
        (ON_RINGS + "train A { optimizer = sgd(0.1, nesterov=ture) }",
         "ture", "true"),
        ("defaults tarin(epochs=3)", "tarin", "train"),
        (NET.format("dense(3) -> erlu"), "erlu", "relu"),
        (NET.format("dense(3) -> rlu"), "rlu", "relu"),
    ],
)  # fmt: skip
def test_a_misspelt_name_is_shown_with_what_was_meant(text: str, place: str, meant: str) -> None:
    found = the_one(text)
    assert found.primary is not None
    assert found.fix is not None
    assert (found.primary.span.text, found.fix.replacement) == (place, meant)
    assert f"did you mean `{meant}`" in found.help[0]


def test_all_uses_of_a_misspelt_name_are_one_error() -> None:
    uses = "\n".join(f"net {name} {{ input x: [2]\n dens(3) }}" for name in "ABCD")
    found = the_one(uses)
    assert [label.text for label in found.secondary] == ["and here", "and here"]


def test_where_the_uses_agree_the_definition_is_wrong() -> None:
    text = "let widht = 3\n" + NET.format("dense(width) -> relu -> dense(width)")
    found = the_one(text)
    assert found.primary is not None
    assert found.fix is not None
    assert (found.primary.span.text, found.fix.replacement) == ("widht", "width")
    assert found.title == "`widht` is never used, and nothing is called `width`"


@pytest.mark.parametrize(
    ("given", "used"),
    [("widht", "width"), ("width", "widht"), ("Percetpron", "Perceptron"),
     ("Perceptron", "Perceptrno"), ("NAadm", "NAdam"), ("Hidden", "Hiddden")],
)  # fmt: skip
def test_of_two_names_that_stand_once_the_stranger_one_is_wrong(given: str, used: str) -> None:
    found = the_one(f"let {given} = 3\n" + NET.format(f"dense({used})"))
    strange, right = (given, used) if given in ("widht", "Percetpron", "NAadm") else (used, given)
    assert found.primary is not None
    assert found.fix is not None
    assert (found.primary.span.text, found.fix.replacement) == (strange, right)


@pytest.mark.parametrize(("given", "used"), [("mnist", "mnst"), ("mnist", "minst"),
                                             ("gurwen", "guwen")])  # fmt: skip
def test_data_is_misspelt_where_it_is_used(given: str, used: str) -> None:
    found = the_one(f"""data {given} = table(x=[1, 2], y=[1, 2], target=y)
        net A {{ input x: [1]; dense(1) }}
        train A on {used} {{ epochs = 2 }}""")
    assert found.primary is not None and found.fix is not None
    assert (found.primary.span.text, found.fix.replacement) == (used, given)


def test_of_two_names_as_good_as_each_other_the_use_is_wrong() -> None:
    found = the_one("let a2 = 3\n" + NET.format("dense(a1)"))
    assert found.primary is not None
    assert found.primary.span.text == "a1"


def test_columns_of_data_are_no_misspelt_words() -> None:
    """`sine` is a column, which only the file knows: the step after it is what is wrong."""
    found = the_one("data d = table(sine=[1, 2], y=[1, 2]) { target = y; sine -> standardzie }")
    assert found.primary is not None
    assert found.primary.span.text == "standardzie"


def test_a_word_of_the_language_may_be_a_misspelt_own_name() -> None:
    """`weights` is a word too; here it is how `weighst` should be spelt."""
    found = the_one("let weighst = [[1, 2]]\n" + NET.format("dense(1, weights=-1 * weights)"))
    assert found.fix is not None
    assert (found.fix.span.text, found.fix.replacement) == ("weighst", "weights")


def test_messages_hold_no_types_of_the_implementation() -> None:
    found = the_one(NET.format("dense(relu -> tanh)"))
    assert "(" not in found.title.partition("got")[2]


def test_uneven_rows_are_named() -> None:
    found = the_one(NET.format("dense(3, weights=[[1, 2], [3, 4], [5]])"))
    assert "row 3 has 1 number, row 1 has 2" in found.title


def test_a_column_that_is_missing_twice_is_one_error() -> None:
    sections = "data {} = csv('two_rings.csv', target=rnig)\n".replace("'", '"')
    found = the_one(sections.format("a") + sections.format("b"))
    assert [label.text for label in found.secondary] == ["and here"]


def test_a_condition_on_a_net_with_mistakes_makes_no_others() -> None:
    text = ON_RINGS.replace("dense(2)", "dense(7)") + "train A { epochs = 1 }\n"
    assert the_one(text + "expect A.dense.weights == [1, 2]").code == "NN305"


PARTS = "data d = table(age=[1, 2, 3], y=[2, 4, 6]) { target = y; split = all }\n" + (
    "net A on d {\n  body = dense(2) -> relu\n  dense(1)\n}\ntrain A { epochs = 1 }\n"
)


@pytest.mark.parametrize(
    ("name", "place", "meant"),
    [("weghts", "weghts", "weights"), ("dens.weights", "dens", "dense"),
     ("boddy.weights", "boddy", "body")],
)  # fmt: skip
def test_a_part_that_is_not_there_is_named_alone(name: str, place: str, meant: str) -> None:
    name = name if "." in name else f"body.{name}"
    found = the_one(PARTS + f"expect near(A.{name}, [[1], [2]], 1)")
    assert found.fix is not None
    assert (found.code, found.fix.span.text, found.fix.replacement) == ("NN318", place, meant)


def test_a_part_is_no_array_of_numbers() -> None:
    found = the_one(PARTS + "expect near(A.body, [[1], [2]], 1)")
    assert (found.code, found.help[0]) == (
        "NN318",
        "for instance `A.body.weights` or `A.body.bias`",
    )


def test_a_part_named_in_one_way_and_used_in_another() -> None:
    found = the_one(PARTS.replace("body", "boddy") + "expect near(A.body.weights, 0, 1)")
    assert found.primary is not None
    assert (found.primary.span.text, found.fix and found.fix.replacement) == ("boddy", "body")


def test_what_nothing_uses_yet_is_proposed_first() -> None:
    nets = "".join(f"net {name} on d {{ dense(1) }}\n" for name in ("AdamW", "Adamm"))
    found = the_one(PARTS + nets + "train AdamW { epochs = 1 }\ntrain Adam { epochs = 1 }")
    assert found.fix is not None
    assert found.fix.replacement in ("Adamm", "Adam")


def test_a_definition_is_told_once_whatever_its_uses_are() -> None:
    weights = "let weighhts = [[1, 2], [3, 4]]\n"
    found = the_one(
        weights + NET.format("dense(2, weights=weights) -> dense(2, weights=-1 * weights)")
    )
    assert found.primary is not None
    assert found.primary.span.text == "weighhts"


def test_a_block_that_several_nets_consist_of_is_wrong_once() -> None:
    data = "data d = table(x=[1, 2, 3], y=[2, 4, 7.5]) { target = y; split = all }\n"
    nets = "".join(
        f"net {name} on d {{ model }}\ntrain {name} {{ epochs = 1 }}\n" for name in "ABC"
    )
    found = the_one(data + "block x -> model { x -> dense(2) }\n" + nets)
    assert found.code == "NN306"
    assert [label.text for label in found.secondary] == ["the target", "and here", "and here"]


@pytest.mark.parametrize(
    ("text", "code", "place", "meant"),
    [
        (NET.format("dense(3, inti=identity)"), "NN311", "inti", "init"),
        (NET.format("dense(3, biass=same)"), "NN311", "biass", "bias"),
        (ON_RINGS + "train A { clip = noorm(1) }", "NN309", "noorm", "norm"),
        (ON_RINGS + "train A { keep = besst(val_accuracy) }", "NN309", "besst", "best"),
        (ON_RINGS + "train A { last_batch = drpo }", "NN309", "drpo", "drop"),
        ("let a = 1\nexpect a == 1 adn a < 2", "NN121", "adn", "and"),
        ("let a = 1\nexpect a == 2 ro a < 2", "NN121", "ro", "or"),
    ],
)  # fmt: skip
def test_the_name_itself_is_told_not_what_is_beside_it(
    text: str, code: str, place: str, meant: str
) -> None:
    found = the_one(text)
    assert found.fix is not None
    assert (found.code, found.fix.span.text, found.fix.replacement) == (code, place, meant)
