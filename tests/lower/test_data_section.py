"""`data` sections as requests to the reader."""

from __future__ import annotations

import pytest

from nndsl.diagnostics import Source
from nndsl.lower import data_specifications
from nndsl.schema import ColumnExpression, DataSpecification, StepRequest
from nndsl.syntax.parser import parse
from tests.lower.helpers import codes, problems


def specification(text: str) -> DataSpecification:
    (found,) = data_specifications(parse(Source("m.nn", text))).values()
    return found


def settings(text: str) -> dict[str, object]:
    return {n: s.value for n, s in specification(text).settings.items()}


def test_source_options() -> None:
    found = specification(
        'data d = csv("a.csv", target=y, sep=";", header=false, missing=["", "?"])'
    )
    assert (found.name, found.kind, found.path) == ("d", "csv", "a.csv")
    options = {n: s.value for n, s in found.options.items()}
    assert options == {"target": "y", "sep": ";", "header": False, "missing": ["", "?"]}
    assert found.options["target"].span.text == "y"
    assert found.path_span.text == '"a.csv"'


def test_settings() -> None:
    text = (
        'data d = csv("a.csv") { target = [price, "is sold"]; drop = [name]\n'
        " split = [60%, 20%, 20%]; time = hour }"
    )
    assert settings(text) == {
        "target": ["price", "is sold"],
        "drop": ["name"],
        "split": [0.6, 0.2, 0.2],
        "time": "hour",
    }


@pytest.mark.parametrize(
    ("split", "value"),
    [
        ("all", "all"),
        ("[80%, 20%]", [0.8, 0.2]),
        ("[50000, 10000, 10000]", [50000, 10000, 10000]),
        ("part", "part"),
        ("kfold(5)", StepRequest("kfold", {"folds": 5, "stratify": True})),
        ("kfold(5, stratify=false)", StepRequest("kfold", {"folds": 5, "stratify": False})),
    ],
)
def test_split(split: str, value: object) -> None:
    found = settings(f'data d = csv("a.csv") {{ split = {split} }}')["split"]
    if isinstance(found, StepRequest):
        found = StepRequest(found.word, found.arguments)
    assert found == value


def bare(expression: ColumnExpression) -> object:
    if expression.op in ("column", "constant"):
        return expression.value
    return (expression.op, *(bare(a) for a in expression.arguments))


def test_expressions_over_columns() -> None:
    text = (
        'let now = 2026\ndata d = csv("a.csv") { let age = now - year\n'
        ' where = species == "setosa" and not (age > -3.5)\n target = sin(6 * x) + x^2 }'
    )
    found = specification(text)
    assert bare(found.columns["age"]) == ("-", 2026, "year")
    assert bare(found.settings["where"].value) == (
        "and", ("==", "species", "setosa"), ("not", (">", "age", ("neg", 3.5))),
    )  # fmt: skip
    assert bare(found.settings["target"].value) == ("+", ("sin", ("*", 6, "x")), ("^", "x", 2))


def test_chains() -> None:
    text = (
        'data d = csv("a.csv") { numeric -> standardize\n [a, "b c"] -> clip(0, 1) -> minmax\n'
        " input facts = [a, e] -> log1p\n input rest = f\n target = y -> keep\n"
        " age -> fill(median) }"
    )
    chains = specification(text).chains
    assert [(c.columns, [s.word for s in c.steps], c.input, c.group) for c in chains] == [
        (("numeric",), ["standardize"], None, True),
        (("a", "b c"), ["clip", "minmax"], None, False),
        (("a", "e"), ["log1p"], "facts", False),
        (("f",), [], "rest", False),
        (("y",), ["keep"], None, False),
        (("age",), ["median"], None, False),
    ]
    assert chains[1].steps[0].arguments == {"low": 0.0, "high": 1.0}


def test_a_table_in_the_source() -> None:
    found = specification(
        "let n = 5\ndata d = table(x=grid(0..1, n), y=[1, 2, 3, 4, 5]) { target = y }"
    )
    assert found.kind == "table"
    assert list(found.table["x"]) == [0, 0.25, 0.5, 0.75, 1]
    assert found.table["y"] == [1, 2, 3, 4, 5]


MISTAKES = {
    'data d = csv("a.csv") { tagret = y }': "NN307",
    'data d = csv("a.csv", taget=y)': "NN307",
    'data d = cvs("a.csv")': "NN301",
    "data d = csv()": "NN312",
    'data d = csv("a.csv") { split = [60%, 20%, 30%] }': "NN309",
    'data d = csv("a.csv") { split = [1] }': "NN309",
    'data d = csv("a.csv") { age -> standardise }': "NN301",
    'data d = csv("a.csv") { age -> clip(low=3, hi=4) }': "NN311",
    'data d = csv("a.csv") { target = y; target = z }': "NN302",
    'data d = csv("a.csv") { age }': "NN309",
    'data d = csv("a.csv") { let a = log2(x) }': "NN301",
    'data d = csv("a.csv") { where = [1, 2] }': "NN309",
    'data d = images("cats/", siez=28)': "NN307",
    "data d = images(size=28)": "NN312",
    'data d = pairs("a.csv")': "NN390",
    'data d = csv("a.csv") { photo -> image(size=64) }': "NN390",
    'data d = csv("a.csv") { expect 1 == 1 }': "NN309",
}


@pytest.mark.parametrize("text", MISTAKES)
def test_mistakes(text: str) -> None:
    assert codes(text) == [MISTAKES[text]]
    assert data_specifications(parse(Source("m.nn", text))) == {}


def test_all_mistakes_of_a_section_are_reported() -> None:
    text = 'data d = csv("a.csv", sp=1) { tagret = y\n age -> standardise\n split = [1] }'
    assert [p.code for p in problems(text)] == ["NN307", "NN307", "NN301", "NN309"]


def test_a_net_on_data_with_mistakes_is_not_blamed() -> None:
    text = (
        'data d = csv("iris.csv", target=species) { input a = [sepal_length] -> onehott }\n'
        "net A on d { a -> dense(d.classes) }\ntrain A { epochs = 5 }"
    )
    assert codes(text) == ["NN301"]
