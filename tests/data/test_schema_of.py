"""Roles, kinds and steps of columns as inferred from a table and its section."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nndsl.data import prepare, read_table, schema_of
from nndsl.schema import ChainRequest, Schema, TargetKind
from tests.data.helpers import apply, chain, column, constant, refusal, request, step, table_of

ROWS = "x,k,n,t\n" + "".join(
    f"{i / 7:.3f},{'red' if i % 3 else 'blue'},{i % 4},{'yes' if i % 2 else 'no'}\n"
    for i in range(40)
)


def infer(folder: Path, text: str = ROWS, **settings: Any) -> Schema:
    (folder / "d.csv").write_text(text)
    wanted = request(**settings)
    return schema_of(read_table(wanted, folder), wanted)


def words(schema: Schema, name: str, index: int = 0) -> list[str]:
    return [step.word for step in schema.inputs[index].steps[name]]


def test_the_defaults(tmp_path: Path) -> None:
    schema = infer(tmp_path, target="t")
    assert schema.inputs[0].name == "input"
    assert schema.inputs[0].columns == ("x", "k", "n")
    assert schema.inputs[0].shape == (4,)
    assert words(schema, "x") == ["median", "standardize"]
    assert words(schema, "k") == ["onehot"]
    assert schema.targets[0].classes == ("no", "yes")
    assert schema.targets[0].kind is TargetKind.CLASSES


def test_the_target_may_stand_beside_the_source(tmp_path: Path) -> None:
    assert infer(tmp_path, options={"target": "t"}).targets[0].name == "t"


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        ([0, 1] * 10, ("0", "1")),
        ([1, 2, 3] * 7, ("1", "2", "3")),
        (list(range(10)) * 3, tuple(map(str, range(10)))),
        ([0, 1, 3] * 7, ()),
        ([3, 4, 5] * 7, ()),
        ([-1, 1] * 10, ()),
        ([0.5, 1] * 10, ()),
        (list(range(1, 30)) * 2, ()),
    ],
)
def test_whole_numbers_in_a_row_are_classes(
    tmp_path: Path, values: list[float], classes: tuple[str, ...]
) -> None:
    text = "x,t\n" + "".join(f"{i},{value}\n" for i, value in enumerate(values))
    target = infer(tmp_path, text, target="t").targets[0]
    assert target.classes == classes
    assert target.kind is (TargetKind.CLASSES if classes else TargetKind.NUMBERS)
    assert [step.word for step in target.steps] == ([] if classes else ["standardize"])


def test_chains_decide_the_kind_of_a_target(tmp_path: Path) -> None:
    numbers = infer(tmp_path, target=chain("n", "keep")).targets[0]
    assert numbers.kind is TargetKind.NUMBERS
    assert [step.word for step in numbers.steps] == ["keep"]
    classes = infer(tmp_path, target=chain("x", "onehot"), drop="k").targets[0]
    assert classes.kind is TargetKind.CLASSES
    separate = infer(tmp_path, target="x", chains=(chain("x", "log1p standardize"),)).targets[0]
    assert [step.word for step in separate.steps] == ["log1p", "standardize"]


def test_several_targets(tmp_path: Path) -> None:
    schema = infer(tmp_path, target=["t", "x"])
    assert [target.name for target in schema.targets] == ["t", "x"]
    assert schema.inputs[0].columns == ("k", "n")


def test_computed_targets_leave_their_sources_out(tmp_path: Path) -> None:
    schema = infer(tmp_path, target=apply("==", column("t"), constant("yes")))
    assert schema.targets[0].classes == ("false", "true")
    assert schema.inputs[0].columns == ("x", "k", "n")
    alone = infer(tmp_path, "x\n" + "0\n0.1\n0.5\n", target=apply("sin", column("x")))
    assert alone.inputs[0].columns == ("x",)
    wanted = infer(
        tmp_path, target=apply(">", column("x"), constant(2)), chains=(chain("x", "standardize"),)
    )
    assert "x" in wanted.inputs[0].columns


def test_drop_time_and_split_columns_are_no_inputs(tmp_path: Path) -> None:
    text = "day,part,x,k,t\n" + "".join(f"{i},train,{i},{i},{i % 2}\n" for i in range(9))
    schema = infer(tmp_path, text, target="t", drop=["k"], time="day", split="part")
    assert schema.inputs[0].columns == ("x",)


def test_columns_that_cannot_help_are_left_out(tmp_path: Path) -> None:
    text = "id,e,x,t\n" + "".join(f"name{i},,{i},{i % 2}\n" for i in range(30))
    assert infer(tmp_path, text, target="t").inputs[0].columns == ("x",)
    wanted = infer(tmp_path, text, target="t", chains=(chain("id", "onehot"),))
    assert wanted.inputs[0].columns == ("id", "x")
    assert wanted.inputs[0].shape == (31,)


def test_chains_replace_the_defaults_but_fill_what_is_missing(tmp_path: Path) -> None:
    chains = (
        chain("x", "log1p standardize"),
        chain("n", "onehot"),
        chain("numeric", "minmax", group=True),
    )
    schema = infer(tmp_path, "z," + ROWS.replace("\n", "\n1,")[:-2], target="t", chains=chains)
    assert words(schema, "x") == ["median", "log1p", "standardize"]
    assert words(schema, "n") == ["onehot"]
    assert words(schema, "z") == ["median", "minmax"]
    filled = infer(tmp_path, target="t", chains=(chain("x", "log1p mean"),))
    assert words(filled, "x") == ["log1p", "mean"]


def test_arguments_get_their_defaults(tmp_path: Path) -> None:
    schema = infer(tmp_path, target="t", chains=(ChainRequest(("x",), (step("minmax", low=-1),)),))
    assert schema.inputs[0].steps["x"][1].arguments == {"low": -1.0, "high": 1.0}


def test_named_inputs(tmp_path: Path) -> None:
    chains = (
        chain("x n", "standardize", input="body"),
        chain("categories", "onehot", input="place", group=True),
        chain("x", "log1p"),
    )
    schema = infer(tmp_path, target="t", chains=chains)
    assert [(i.name, i.columns, i.shape) for i in schema.inputs] == [
        ("body", ("x", "n"), (2,)),
        ("place", ("k",), (2,)),
    ]
    assert words(schema, "x") == ["median", "log1p", "standardize"]


def test_columns_without_header_go_by_number(tmp_path: Path) -> None:
    schema = infer(tmp_path, "1,2,a\n2,3,b\n", options={"target": 3, "header": False})
    assert schema.targets[0].name == "3"


@pytest.mark.parametrize(
    ("code", "settings", "said"),
    [
        ("NN411", {"target": "tt"}, "`tt`"),
        ("NN411", {"target": "t", "drop": ["xx"]}, "`xx`"),
        ("NN411", {"target": "t", "chains": (chain("xx", "keep"),)}, "`xx`"),
        ("NN411", {"target": "t", "chains": (chain("xx", "keep", input="i"),)}, "`xx`"),
        ("NN411", {"target": "t", "time": "dey"}, "`dey`"),
        ("NN412", {}, "not said"),
        ("NN412", {"target": "t", "drop": ["x", "k", "n"]}, "no column left"),
        ("NN419", {"target": "t", "chains": (chain("k", "standardize"),)}, "is text"),
        ("NN419", {"target": "t", "chains": (chain("x", "keep onehot"),)}, "needs categories"),
        ("NN419", {"target": "t", "chains": (chain("x", "keep"), chain("x", "log"))}, "two chains"),
        ("NN419", {"target": chain("t", "standardize")}, "is text"),
    ],
)
def test_mistakes_in_the_section(
    tmp_path: Path, code: str, settings: dict[str, Any], said: str
) -> None:
    problem = refusal(code, infer, tmp_path, **settings)
    assert said in problem.title
    assert problem.primary is not None


def test_near_names_are_offered(tmp_path: Path) -> None:
    text = "sepal_length,species\n1,a\n2,b\n"
    problem = refusal("NN411", infer, tmp_path, text, target="specie")
    assert problem.primary is not None
    assert problem.primary.text == "did you mean `species`?"
    assert "sepal_length, species" in problem.help[0]


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("NN410", "x,t\n"),
        ("NN413", "x,t\n1,a\n2,a\n"),
        ("NN413", "x,t\n1,\n2,\n"),
        ("NN413", "x,t\n1,5\n2,5\n"),
        ("NN413", "x,t\n1,1\n2,1\n"),
    ],
)
def test_tables_that_teach_nothing(tmp_path: Path, code: str, text: str) -> None:
    refusal(code, infer, tmp_path, text, target="t")


def test_a_part_of_one_class_is_refused_only_for_training(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("x,t\n1,a\n2,b\n3,a\n")
    wanted = request(target="t", where=apply("==", column("t"), constant("a")))
    table = read_table(wanted, tmp_path)
    schema = schema_of(table, wanted)
    assert schema.targets[0].classes == ("a",)
    refusal("NN413", prepare, table, schema, wanted, np.arange(2))


def test_no_row_fulfils_where(tmp_path: Path) -> None:
    problem = refusal(
        "NN410", infer, tmp_path, target="t", where=apply(">", column("x"), constant(99))
    )
    assert "where" in problem.title


def test_a_text_with_far_too_many_values_is_refused(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("nndsl.data.inference._WIDEST", 5)
    text = "id,t\n" + "".join(f"name{i},{i % 2}\n" for i in range(30))
    refusal("NN419", infer, tmp_path, text, target="t", chains=(chain("id", "onehot"),))


@pytest.mark.parametrize(
    ("settings", "meant"),
    [
        ({"target": "t", "chains": (chain("numreic", "keep"),)}, "numeric"),
        ({"target": "t", "chains": (chain("categoris", "onehot"),)}, "categories"),
        ({"target": "t", "split": "aall"}, "all"),
    ],
)
def test_words_that_may_stand_for_columns_are_offered(
    tmp_path: Path, settings: dict[str, Any], meant: str
) -> None:
    table = table_of(tmp_path, "x,t\n1,2\n2,3.5\n")
    found = refusal("NN411", schema_of, table, request(**settings))
    assert found.primary is not None
    assert found.primary.text == f"did you mean `{meant}`?"
