"""Arrays: learnt from the training part only, the same for new data, turned back at the end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nndsl.data import (
    Prepared,
    apply_schema,
    invert_target,
    prepare,
    raw_arrays,
    read_table,
    schema_of,
    split_rows,
)
from nndsl.schema import ChainRequest, Schema
from tests.data.helpers import (
    apply,
    chain,
    column,
    constant,
    inline,
    refusal,
    request,
    step,
    table_of,
)

TEXT = "x,k,t\n1,red,no\n2,blue,yes\n3,,no\n,red,yes\n100,green,no\n"


def prepared(
    folder: Path, text: str = TEXT, rows: Any = None, precision: str = "float64", **settings: Any
) -> Prepared:
    (folder / "d.csv").write_text(text)
    wanted = request(target="t", **settings)
    table = read_table(wanted, folder)
    learnt = np.arange(table.rows) if rows is None else np.array(rows)
    return prepare(table, schema_of(table, wanted), wanted, learnt, precision)


def test_statistics_come_from_the_training_rows_only(tmp_path: Path) -> None:
    found = prepared(tmp_path, rows=[0, 1, 2, 3])
    x = np.array([1, 2, 3, 2, 100]) - 2
    np.testing.assert_allclose(found.inputs["input"][:, 0], x / np.std([1, 2, 3, 2]))
    steps = found.schema.inputs[0].steps
    assert steps["x"][0].learnt == {"value": 2.0}
    assert steps["k"][0].learnt == {"classes": ["blue", "green", "red"], "missing": True}
    assert found.inputs["input"][:, 1:].argmax(axis=1).tolist() == [2, 0, 3, 2, 1]
    assert found.schema.inputs[0].shape == (5,)
    assert found.rows == 5


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_types_of_the_arrays(tmp_path: Path, precision: str) -> None:
    found = prepared(tmp_path, precision=precision)
    assert found.inputs["input"].dtype == precision
    assert found.targets["t"].dtype == np.int32
    assert found.targets["t"].tolist() == [0, 1, 0, 1, 0]
    numbers = prepared(tmp_path, "x,t\n1,0.5\n2,\n3,2.5\n", rows=[0, 1, 2], precision=precision)
    assert numbers.targets["t"].dtype == precision
    assert numbers.targets["t"].shape == (3, 1)
    np.testing.assert_array_equal(numbers.targets["t"][:, 0], [-1, np.nan, 1])


def test_new_data_gets_the_same_arrays(tmp_path: Path) -> None:
    found = prepared(tmp_path, rows=[0, 1, 2])
    again = table_of(tmp_path, TEXT, expected=found.schema)
    applied = apply_schema(again, found.schema, "float64")
    assert np.array_equal(applied.inputs["input"], found.inputs["input"])
    assert np.array_equal(applied.targets["t"], found.targets["t"])


def test_targets_are_turned_back(tmp_path: Path) -> None:
    text = "x,t\n" + "".join(f"{i},{3 + 2.5 * i * i}\n" for i in range(20))
    for steps in ("", "keep", "log1p standardize", "minmax", "log robust"):
        chains = (chain("t", steps),) if steps else ()
        found = prepared(tmp_path, text, rows=np.arange(10), chains=chains)
        back = invert_target(found.schema.targets[0], found.targets["t"])
        np.testing.assert_allclose(back[:, 0], [3 + 2.5 * i * i for i in range(20)])


def test_an_integer_column_may_be_classes_by_a_chain(tmp_path: Path) -> None:
    found = prepared(tmp_path, "x,t\n5,a\n7,b\n5,a\n", chains=(chain("x", "onehot"),))
    assert found.inputs["input"].tolist() == [[1, 0], [0, 1], [1, 0]]


def test_constant_columns_do_no_harm(tmp_path: Path) -> None:
    found = prepared(tmp_path, "x,k,t\n5,a,no\n5,a,yes\n5,a,no\n", rows=[0, 1])
    assert found.inputs["input"].tolist() == [[0, 1]] * 3


def test_arrays_are_scaled_as_one(tmp_path: Path) -> None:
    images = np.arange(24, dtype=np.uint8).reshape(4, 6)
    np.savez(tmp_path / "d.npz", image=images, wide=images * 1.0, label=np.array([0, 1, 0, 1]))
    wanted = request("array", "d.npz")
    table = read_table(wanted, tmp_path)
    found = prepare(table, schema_of(table, wanted), wanted, np.array([0, 1]), "float64")
    assert found.schema.inputs[0].shape == (12,)
    np.testing.assert_allclose(found.inputs["input"][:, :6], images / 255)
    wide = (images - images[:2].mean()) / images[:2].std()
    np.testing.assert_allclose(found.inputs["input"][:, 6:], wide)


def test_chunks_give_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = prepared(tmp_path).inputs["input"]
    monkeypatch.setattr("nndsl.data.preparation._CHUNK_NUMBERS", 2)
    assert np.array_equal(prepared(tmp_path).inputs["input"], whole)


@pytest.mark.parametrize(
    ("steps", "text"),
    [
        ("log", "x,t\n1,a\n0,b\n2,a\n"),
        ("log1p", "x,t\n1,a\n-3,b\n2,a\n"),
        ("keep", "x,t\n1e300,a\n0,b\n2,a\n"),
    ],
)
def test_cells_for_which_a_step_has_no_number(tmp_path: Path, steps: str, text: str) -> None:
    problem = refusal(
        "NN419", prepared, tmp_path, text, precision="float32", chains=(chain("x", steps),)
    )
    assert problem.place is not None
    assert (problem.place.column, problem.place.line) == ("x", 2 if steps == "keep" else 3)


def test_raw_arrays_are_what_the_file_says(tmp_path: Path) -> None:
    wanted = request(
        "table", None, table=inline(a=[1, 2, None], k=["q", "p", "q"], t=[0, 1, 1]), target="t"
    )
    table = read_table(wanted, tmp_path)
    found = raw_arrays(table, schema_of(table, wanted))
    np.testing.assert_array_equal(found["input"], [[1, 1], [2, 0], [np.nan, 1]])
    assert found["t"].tolist() == [0, 1, 1]
    wanted = request("table", None, table=inline(a=[1, 2], t=[0.5, 7]), target="t")
    table = read_table(wanted, tmp_path)
    assert raw_arrays(table, schema_of(table, wanted))["t"].tolist() == [0.5, 7]


def _trained(folder: Path) -> Schema:
    return prepared(folder, TEXT + "7,blue,yes\n" * 4, rows=[0, 1, 2, 4]).schema


def applied(folder: Path, text: str, schema: Schema) -> Prepared:
    return apply_schema(table_of(folder, text, expected=schema), schema, "float64")


def test_columns_are_matched_by_name(tmp_path: Path) -> None:
    schema = _trained(tmp_path)
    one = applied(tmp_path, "x,k\n1,red\n2,blue\n", schema)
    other = applied(tmp_path, "extra,k,x\n9,red,1\n9,blue,2\n", schema)
    assert np.array_equal(one.inputs["input"], other.inputs["input"])
    assert one.targets == {}
    assert not one.notes
    assert [n.title for n in other.notes] == ["columns not used: extra"]


def test_a_missing_column_is_named_with_the_nearest(tmp_path: Path) -> None:
    schema = _trained(tmp_path)
    problem = refusal("NN415", applied, tmp_path, "X,k\n1,red\n", schema)
    assert "`x`" in problem.title
    assert "did you mean `X`" in problem.help[0]
    assert refusal("NN415", applied, tmp_path, "k\nred\n", schema).help == ("add the column",)


def test_texts_where_numbers_were(tmp_path: Path) -> None:
    schema = _trained(tmp_path)
    problem = refusal("NN405", applied, tmp_path, "x,k\nabc,red\n1,red\n", schema)
    assert problem.place is not None
    assert (problem.place.line, problem.place.column) == (2, "x")


def test_numbers_where_texts_were(tmp_path: Path) -> None:
    schema = _trained(tmp_path)
    found = applied(tmp_path, "x,k\n1,5\n2,red\n", schema)
    assert found.inputs["input"][0, 1:].tolist() == [0, 0, 0, 0]
    assert "`5`" in found.notes[0].title


def test_unusual_cells_are_told(tmp_path: Path) -> None:
    text = "x,k,t\n" + "".join(f"{i},{'ab'[i % 2]},{'yn'[i % 2]}\n" for i in range(10))
    schema = prepared(tmp_path, text).schema
    found = applied(tmp_path, "x,k\n3,a\n50,c\n,C\n-1,b\n", schema)
    titles = [n.title for n in found.notes]
    assert titles == [
        "column `x` leaves the range of training, 0 to 9: 50",
        "column `x` has empty cells (1), in training it had none",
        "column `k` has texts never seen in training: `C`, `c`",
    ]
    assert found.notes[0].notes == ("cells: 2, in lines 3, 5",)
    assert np.isfinite(found.inputs["input"]).all()


def test_arrays_of_another_width(tmp_path: Path) -> None:
    wanted = request("array", "d.npz")
    np.savez(tmp_path / "d.npz", x=np.outer([1.0, 2, 3, 4], np.ones(6)), label=[0, 1, 0, 1])
    table = read_table(wanted, tmp_path)
    schema = prepare(table, schema_of(table, wanted), wanted, np.arange(4)).schema
    np.savez(tmp_path / "d.npz", x=np.zeros((4, 5)))
    new = read_table(wanted, tmp_path, expected=schema)
    assert "needs 6" in refusal("NN415", apply_schema, new, schema).title


def test_a_class_never_seen_is_refused(tmp_path: Path) -> None:
    schema = _trained(tmp_path)
    problem = refusal("NN414", applied, tmp_path, "x,k,t\n1,red,no\n2,red,no.\n", schema)
    assert "`no.`" in problem.title
    assert problem.place is not None
    assert problem.place.line == 3
    numbers = prepared(tmp_path, "x,t\n1,0\n2,1\n").schema
    refusal("NN414", applied, tmp_path, "x,t\n1,-100\n2,1\n", numbers)


def test_computed_columns_are_computed_again(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("year,t\n2000,a\n2010,b\n2020,a\n")
    wanted = request(
        target="t",
        drop="year",
        columns={"age": apply("-", constant(2026), column("year"))},
        where=apply("==", column("t"), constant("a")),
    )
    wanted_all = request(target="t", drop="year", columns=wanted.columns)
    table = read_table(wanted_all, tmp_path)
    schema = prepare(table, schema_of(table, wanted_all), wanted_all, np.arange(3)).schema
    assert schema.inputs[0].columns == ("age",)
    (tmp_path / "new.csv").write_text("year\n2005\n")
    new = read_table(wanted, tmp_path, tmp_path / "new.csv", expected=schema)
    assert apply_schema(new, schema).rows == 1
    (tmp_path / "new.csv").write_text("yeer\n2005\n")
    new = read_table(wanted, tmp_path, tmp_path / "new.csv", expected=schema)
    assert "`age`" in refusal("NN415", apply_schema, new, schema).title


def test_the_split_and_the_arrays_go_together(tmp_path: Path) -> None:
    rows = "".join(f"{i},{'a' if i < 30 else 'b'}\n" for i in range(60))
    (tmp_path / "d.csv").write_text("x,t\n" + rows)
    wanted = request(target="t", chains=(ChainRequest(("x",), (step("minmax"),)),))
    table = read_table(wanted, tmp_path)
    schema = schema_of(table, wanted)
    split = split_rows(table, schema, wanted, 0)
    found = prepare(table, schema, wanted, split.train)
    train = found.inputs["input"][split.train]
    assert (train.min(), train.max()) == (0, 1)


def test_a_category_that_only_other_parts_have_keeps_its_place(tmp_path: Path) -> None:
    """The network's width is that of the table, whichever rows the training part holds."""
    (tmp_path / "d.csv").write_text("k,t\na,1\nb,2\na,1\n,2\nc,1\n")
    wanted = request(target="t", chains=())
    table = read_table(wanted, tmp_path)
    schema = schema_of(table, wanted)
    found = prepare(table, schema, wanted, np.array([0, 1, 2]))
    assert found.schema.inputs[0].shape == schema.inputs[0].shape == (4,)
    assert found.inputs["input"].argmax(axis=1).tolist() == [0, 1, 0, 3, 2]
