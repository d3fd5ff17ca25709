"""Columns computed from columns: `let`, `where`, computed targets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nndsl.data import read_table
from nndsl.data.expressions import columns_in, evaluate, rows_where
from nndsl.data.table import Table
from nndsl.schema import ColumnExpression
from tests.data.helpers import apply, column, constant, inline, refusal, request


@pytest.fixture
def table(tmp_path: Path) -> Table:
    columns = inline(x=[1, 2, None, -4], s=["b", "a", None, "a"], y=[0, 1, 1, 0])
    return read_table(request("table", None, table=columns), tmp_path)


X, S, Y = column("x"), column("s"), column("y")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (apply("+", X, constant(1)), [2, 3, np.nan, -3]),
        (apply("-", constant(2026), X), [2025, 2024, np.nan, 2030]),
        (apply("*", X, X), [1, 4, np.nan, 16]),
        (apply("/", X, constant(2)), [0.5, 1, np.nan, -2]),
        (apply("^", X, constant(2)), [1, 4, np.nan, 16]),
        (apply("neg", X), [-1, -2, np.nan, 4]),
        (apply("abs", X), [1, 2, np.nan, 4]),
        (apply("sin", apply("*", constant(6), Y)), np.sin([0, 6, 6, 0])),
        (apply("exp", Y), np.exp([0, 1, 1, 0])),
        (apply("log1p", Y), np.log1p([0, 1, 1, 0])),
        (apply("sqrt", Y), [0, 1, 1, 0]),
        (apply("cos", Y), np.cos([0, 1, 1, 0])),
    ],
)
def test_arithmetic(table: Table, expression: ColumnExpression, expected: list[float]) -> None:
    np.testing.assert_allclose(evaluate(expression, table, "new").values, expected)


@pytest.mark.parametrize(
    ("expression", "rows"),
    [
        (apply("==", Y, constant(1)), [1, 2]),
        (apply("!=", Y, constant(1)), [0, 3]),
        (apply(">", X, constant(0)), [0, 1]),
        (apply("<=", X, constant(1)), [0, 3]),
        (apply("==", S, constant("a")), [1, 3]),
        (apply("!=", S, constant("a")), [0]),
        (apply("and", apply(">=", X, constant(1)), apply("<", X, constant(2))), [0]),
        (apply("or", apply("==", S, constant("b")), apply("==", Y, constant(1))), [0, 1]),
        (apply("not", apply("==", Y, constant(1))), [0, 3]),
    ],
)
def test_conditions(table: Table, expression: ColumnExpression, rows: list[int]) -> None:
    assert rows_where(expression, table).tolist() == rows


def test_truth_becomes_two_categories(table: Table) -> None:
    found = evaluate(apply("==", S, constant("a")), table, "new")
    assert found.texts() == ["false", "true", None, "true"]
    assert evaluate(S, table, "copy").texts() == ["b", "a", None, "a"]


def test_columns_are_known() -> None:
    assert columns_in(apply("+", X, apply("sin", Y))) == {"x", "y"}


@pytest.mark.parametrize(
    ("code", "expression"),
    [
        ("NN416", apply("+", S, constant(1))),
        ("NN416", apply("==", S, constant(1))),
        ("NN416", apply("and", X, Y)),
        ("NN416", apply("log", Y)),
        ("NN416", apply("/", constant(1), Y)),
        ("NN416", apply("sqrt", X)),
        ("NN411", apply("+", column("xx"), constant(1))),
    ],
)
def test_mistakes(table: Table, code: str, expression: ColumnExpression) -> None:
    problem = refusal(code, evaluate, expression, table, "new")
    assert problem.primary is not None


def test_the_first_rows_without_a_number_are_named(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("x,t\n1,a\n\n0,b\n2,a\n0,b\n")
    wanted = request(columns={"new": apply("log", X)})
    problem = refusal("NN416", read_table, wanted, tmp_path)
    assert problem.place is not None
    assert problem.place.line == 4
    assert "lines 4, 6" in problem.notes[0]


def test_where_must_be_a_condition(table: Table) -> None:
    refusal("NN416", rows_where, X, table)


def test_let_and_where_of_a_section(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("x,t\n1,a\n2,b\n3,a\n4,c\n")
    wanted = request(
        columns={"double": apply("*", X, constant(2)), "more": apply("+", column("double"), X)},
        where=apply("!=", column("t"), constant("c")),
    )
    table = read_table(wanted, tmp_path)
    assert table.columns["more"].values.tolist() == [3.0, 6.0, 9.0]
    assert table.columns["t"].describe().categories == ("a", "b")
    assert [table.line(row) for row in range(3)] == [2, 3, 4]
