"""The fast reader gives the table of the careful one, or leaves the file to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nndsl.data.csv_fast import read_fast
from nndsl.data.csv_file import read_csv
from nndsl.data.csv_text import Text, gather, read_head
from nndsl.data.options import CsvOptions
from nndsl.data.table import NumberColumn, Table
from nndsl.diagnostics import NndslError
from tests.data.helpers import refusal


def both(path: Path, monkeypatch: Any) -> list[Table]:
    """The table as read with care and fast."""
    tables = []
    for smallest in (10**9, 0):
        monkeypatch.setattr("nndsl.data.csv_file.SMALLEST", smallest)
        tables.append(read_csv(path.name, path, None, CsvOptions()))
    return tables


def assert_equal(one: Table, other: Table) -> None:
    assert list(one.columns) == list(other.columns)
    assert one.rows == other.rows
    assert np.array_equal(np.asarray(one.lines), np.asarray(other.lines))
    for name, column in one.columns.items():
        twin = other.columns[name]
        assert column.describe() == twin.describe()
        if isinstance(column, NumberColumn):
            assert isinstance(twin, NumberColumn)
            assert np.array_equal(column.values, twin.values, equal_nan=True)
        else:
            assert column.texts() == twin.texts()


def is_taken(path: Path, text: str | bytes) -> bool:
    """Whether the fast reader takes a file with this text."""
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    opened = Text(path.name, path, None, CsvOptions())
    return read_fast(opened, read_head(opened, None), frozenset()) is not None


HEAD = "a,b,t\n1,2.5,x\n-3e2,,y\n"


@pytest.mark.parametrize(
    "text",
    [
        HEAD,
        "\ufeff" + HEAD,
        HEAD.replace("\n", "\r\n"),
        HEAD + "\n\n",
        HEAD.rstrip(),
        HEAD + "4,NA,\u00e9\n",
        HEAD + "4,?,a_b\n",
        HEAD.replace(",", ", "),
        HEAD + "4,5,NULL\n",
        HEAD + "1" * 30 + ",1e-400,z\n",
    ],
)
def test_plain_files_are_taken_and_equal(tmp_path: Path, monkeypatch: Any, text: str) -> None:
    path = tmp_path / "d.csv"
    assert is_taken(path, text)
    assert_equal(*both(path, monkeypatch))


@pytest.mark.parametrize(
    "row",
    [
        '1,2,"x"',
        "1_0,2,x",
        "inf,2,x",
        "1,2",
        "\n1,2,x",
        "1, 2,x",
        "1,2,x\r",
        "1,2,x\r3,4,y",
        "1,nan,x\n-nan,2,y",
        "\u00a01,2,x",
        "1e400,2,x",
        "abc,2,x",
        "\x0b1,2,x",
    ],
)
def test_doubtful_files_are_left_to_the_careful_reader(tmp_path: Path, row: str) -> None:
    assert not is_taken(tmp_path / "d.csv", HEAD + "1,2,z\n" * 300 + row + "\n")


def test_mistakes_of_large_files_have_the_same_message(tmp_path: Path, monkeypatch: Any) -> None:
    path = tmp_path / "d.csv"
    path.write_text("n,t\n" + "1.5,a\n" * 5000 + "abc,b\n" + "2.5,c\n" * 5000)
    monkeypatch.setattr("nndsl.data.csv_file.SMALLEST", 0)
    problem = refusal("NN405", read_csv, path.name, path, None, CsvOptions())
    assert problem.place is not None
    assert (problem.place.line, problem.place.column) == (5002, "n")


def test_only_the_named_file_can_be_read(tmp_path: Path) -> None:
    from nndsl.data.engine import connect, failures

    (tmp_path / "d.csv").write_text(HEAD)
    (tmp_path / "other.csv").write_text(HEAD)
    connection = connect(tmp_path / "d.csv")
    assert connection.execute(f"SELECT count(*) FROM '{tmp_path}/d.csv'").fetchone() == (2,)
    for query in (
        f"SELECT * FROM '{tmp_path}/other.csv'",
        "SELECT * FROM 'https://example.org/d.csv'",
        f"COPY (SELECT 1) TO '{tmp_path}/out.csv'",
        "SET enable_external_access = true",
        "INSTALL httpfs",
    ):
        with pytest.raises(failures()):
            connection.execute(query).fetchall()
    connection.close()


CELLS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.integers().map(str),
    st.text('ab1.,e-+_ nN/A?"\u00e9\u00a0\t', max_size=5),
    st.sampled_from(["", "NA", "nan", "inf", "1e5", "-", "+1", " 2 ", "x", "1,5", "NULL"]),
)


@settings(max_examples=150, deadline=None)
@example(rows=[["0.0", "0.0"], ["0.0", "0.0", ""]])
@given(rows=st.lists(st.lists(CELLS, min_size=2, max_size=3), min_size=1, max_size=8))
def test_any_file_is_read_alike(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]
) -> None:
    path = tmp_path_factory.mktemp("any") / "d.csv"
    path.write_text("a,b\n" + "\n".join(",".join(row) for row in rows), encoding="utf-8")
    text = Text(path.name, path, None, CsvOptions(separator=","))
    try:
        head = read_head(text, ",")
        careful = gather(text, head)
    except (NndslError, Exception):
        return
    fast = read_fast(text, head, frozenset())
    if fast is None:
        return
    assert np.array_equal(fast.lines, careful.lines)
    for one, other in zip(fast.columns, careful.columns, strict=True):
        assert (one.number_count, one.text_count) == (other.number_count, other.text_count)
        assert np.array_equal(one.numbers, other.numbers, equal_nan=True)
