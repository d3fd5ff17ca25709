"""CSV files, clean and dirty: the right table, or an error that names line, column and text."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nndsl.data import read_table
from nndsl.data.table import CategoryColumn, NumberColumn, Table
from tests.data.helpers import chain, refusal, request, table_of

PLAIN = "a,b,t\n1,x,no\n2,y,yes\n3.5,x,no\n"


def cells(table: Table) -> dict[str, list[Any]]:
    """All columns as lists."""
    return {
        name: c.values.tolist() if isinstance(c, NumberColumn) else c.texts()
        for name, c in table.columns.items()
    }


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        "\ufeff" + PLAIN,
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        PLAIN.replace("\n", "\n\n"),
        "\n\n" + PLAIN,
        PLAIN + "\n  \n\n",
        PLAIN.rstrip("\n"),
        PLAIN.replace("x", '"x"'),
        PLAIN.replace(",", " , "),
        PLAIN.replace(",", ", "),
    ],
    ids=[
        "plain",
        "bom",
        "crlf",
        "cr",
        "blank",
        "lead",
        "tail",
        "no end",
        "quoted",
        "both",
        "after",
    ],
)
def test_spellings_of_one_table_are_equal(tmp_path: Path, text: str) -> None:
    table = table_of(tmp_path, text)
    assert cells(table) == {"a": [1.0, 2.0, 3.5], "b": ["x", "y", "x"], "t": ["no", "yes", "no"]}


def test_lines_are_physical_with_blank_lines_and_quoted_newlines(tmp_path: Path) -> None:
    table = table_of(tmp_path, 'a,b\n\n1,"x\ny"\n\n2,"p, ""q"""\r\n3,z')
    assert table.columns["b"].texts() == ["x\ny", 'p, "q"', "z"]
    assert table.lines is not None
    assert table.lines.tolist() == [3, 6, 7]


def test_missing_cells_are_counted_by_column(tmp_path: Path) -> None:
    table = table_of(tmp_path, "a,b\n1,x\n,?\nNA,NULL\nnan,N/A\n-,y\n2,\n", missing=["-"])
    described = [column.describe() for column in table.columns.values()]
    assert [column.missing for column in described] == [4, 4]
    assert described[1].categories == ("x", "y")
    assert (described[0].minimum, described[0].maximum) == (1.0, 2.0)


def test_a_number_may_stand_for_missing(tmp_path: Path, monkeypatch: Any) -> None:
    text = "a,t\n1,x\n-999,y\n-999.0,y\n2,x\n"
    for smallest in (10**9, 0):
        monkeypatch.setattr("nndsl.data.csv_file.SMALLEST", smallest)
        column = table_of(tmp_path, text, missing=-999).columns["a"]
        assert column.missing.tolist() == [False, True, True, False]


def test_formulas_of_spreadsheets_stay_texts(tmp_path: Path) -> None:
    table = table_of(tmp_path, "a,t\n1,=1+1\n2,@x\n")
    assert table.columns["t"].texts() == ["=1+1", "@x"]


@pytest.mark.parametrize(
    "cell", ["inf", "-inf", "1e400", "1_000", "0x1F", "12abc", "2020-01-01", "1 2", "\u0663", "--1"]
)
def test_what_is_no_number_is_refused_with_its_place(tmp_path: Path, cell: str) -> None:
    rows = "\n".join(f"{i},k" for i in range(30))
    problem = refusal("NN405", table_of, tmp_path, f"n,t\n{rows}\n\n{cell},k\n")
    assert problem.place is not None
    assert (problem.place.file, problem.place.line, problem.place.column) == ("d.csv", 33, "n")
    assert f"`{cell}`" in problem.title
    assert "1 of 31 cells" in problem.title


def test_a_quoted_thousands_separator_is_named(tmp_path: Path) -> None:
    problem = refusal("NN404", table_of, tmp_path, 'n,t\n"1,000",a\n"2,500",b\n"3,100",b\n')
    assert "`1,000`" in problem.title


@pytest.mark.parametrize("text", ["1.", ".5", "+1", "1e5", "1E-3", "-0", "007", "1" + "0" * 30])
def test_the_grammar_of_numbers(tmp_path: Path, text: str) -> None:
    table = table_of(tmp_path, f"n,t\n{text},a\n2,b\n")
    assert cells(table)["n"] == [float(text), 2.0]


def test_several_columns_with_mistakes_are_all_told(tmp_path: Path) -> None:
    rows = "".join(f"{i},{i},x\n" for i in range(20))
    with pytest.raises(Exception) as caught:
        table_of(tmp_path, f"a,b,t\n{rows}abc,1,x\n1,inf,x\n")
    assert [d.place.column for d in caught.value.diagnostics] == ["a", "b"]


def test_mostly_texts_are_categories_with_a_note(tmp_path: Path) -> None:
    table = table_of(tmp_path, "c,t\n1,a\nx,a\n2,b\ny,b\n")
    assert table.columns["c"].texts() == ["1", "x", "2", "y"]
    assert [n.code for n in table.notes] == ["NN461"]


def test_texts_are_no_mistake_where_a_chain_says_category(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("nndsl.data.csv_text.BATCH", 4)
    (tmp_path / "d.csv").write_text("c,t\n" + "".join(f"0{i},a\n" for i in range(9)) + "x,b\n")
    refusal("NN405", read_table, request(), tmp_path)
    table = read_table(request(chains=(chain("c", "onehot"),)), tmp_path)
    assert table.columns["c"].texts() == [*(f"0{i}" for i in range(9)), "x"]
    assert not table.notes
    assert read_table(request(target=chain("c", "onehot")), tmp_path).rows == 10


def test_late_texts_keep_the_spelling_of_early_numbers(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("nndsl.data.csv_text.BATCH", 4)
    text = "c,t\n" + "".join(f"0{i},a\n" for i in range(8)) + "".join(f"x{i},b\n" for i in range(8))
    table = table_of(tmp_path, text)
    assert table.columns["c"].texts()[:2] == ["00", "01"]


def test_ragged_rows_are_listed(tmp_path: Path) -> None:
    text = "a,b,t\n" + "1,2\n" * 7 + "1,2,3\n"
    problem = refusal("NN406", table_of, tmp_path, text)
    assert problem.place is not None
    assert problem.place.line == 2
    assert "7 rows" in problem.title
    assert "line 6 has 2, and 2 more" in problem.notes[0]


def test_long_rows_and_trailing_separators(tmp_path: Path) -> None:
    problem = refusal("NN406", table_of, tmp_path, "a,t\n1,2\n1,2,3\n")
    assert problem.place is not None
    assert problem.place.line == 3
    problem = refusal("NN406", table_of, tmp_path, "a,t\n1,x,\n2,y,\n")
    assert "end with a separator" in problem.help[0]
    table = table_of(tmp_path, "a,t,\n1,x,\n2,y,\n")
    assert list(table.columns) == ["a", "t"]


@pytest.mark.parametrize(("separator", "said"), [(";", ";"), ("\t", "tab"), ("|", "|")])
def test_another_separator_is_named(tmp_path: Path, separator: str, said: str) -> None:
    text = PLAIN.replace(",", separator)
    problem = refusal("NN404", table_of, tmp_path, text)
    assert problem.help == (f'csv("d.csv", sep="{said}")',)
    assert cells(table_of(tmp_path, text, sep=said))["a"] == [1.0, 2.0, 3.5]


def test_decimal_commas(tmp_path: Path) -> None:
    text = "a;t\n1,5;x\n2,25;y\n"
    refusal("NN404", table_of, tmp_path, text)
    problem = refusal("NN404", table_of, tmp_path, text, sep=";")
    assert 'decimal=","' in problem.help[0]
    assert cells(table_of(tmp_path, text, sep=";", decimal=","))["a"] == [1.5, 2.25]


def test_decimal_commas_that_repeat_are_no_categories(tmp_path: Path) -> None:
    text = "a;t\n" + "\n".join(f"{i % 4},5;{'xy'[i % 2]}" for i in range(40))
    problem = refusal("NN404", table_of, tmp_path, text, sep=";")
    assert 'decimal=","' in problem.help[0]
    assert cells(table_of(tmp_path, text, sep=";", decimal=","))["a"][:2] == [0.5, 1.5]


def test_a_header_is_never_guessed_away(tmp_path: Path) -> None:
    text = "5.1,3.5,setosa\n4.9,3.0,setosa\n6.3,3.3,virginica\n"
    problem = refusal("NN408", table_of, tmp_path, text)
    assert problem.place is not None
    assert problem.place.line == 1
    assert "header=false" in problem.help[0]
    table = table_of(tmp_path, text, header=False)
    assert table.rows == 3
    assert list(table.columns) == ["1", "2", "3"]
    assert table_of(tmp_path, "2019,2020,t\n1,2,a\n", header=True).rows == 1


def test_a_header_read_as_data_is_explained(tmp_path: Path) -> None:
    rows = "".join(f"{i},a\n" for i in range(12))
    problem = refusal("NN405", table_of, tmp_path, "width,t\n" + rows, header=False)
    assert problem.place is not None
    assert problem.place.line == 1
    assert "header=false" in problem.help[0]


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("a,a,t", "twice"),
        ("a,,t", "no name"),
        ("caf\u00e9,cafe\u0301,t", "twice"),
        ("a, a,t", "twice"),
    ],
)
def test_names_of_columns(tmp_path: Path, header: str, said: str) -> None:
    problem = refusal("NN407", table_of, tmp_path, f"{header}\n1,2,3\n")
    assert said in problem.title
    assert problem.place is not None
    assert problem.place.line == 1


def test_names_are_trimmed(tmp_path: Path) -> None:
    table = table_of(tmp_path, " a , b c ,\u00e4\n1,2,3\n")
    assert list(table.columns) == ["a", "b c", "\u00e4"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('a,t\n1,x\n2,"y\n3,z\n', 3),
        ('a,t\n1,"x\ny"\n2,"z\n', 4),
        ('a,t\n1,x\n"2"3,y\n', 3),
    ],
)
def test_quotes_that_do_not_close(tmp_path: Path, text: str, line: int) -> None:
    problem = refusal("NN409", table_of, tmp_path, text)
    assert problem.place is not None
    assert problem.place.line == line


def test_a_quote_open_for_very_long_is_refused(tmp_path: Path) -> None:
    text = 'a,t\n1,x\n2,"' + "word, word\n" * 20000
    problem = refusal("NN409", table_of, tmp_path, text)
    assert problem.place is not None
    assert problem.place.line == 3


def _npy() -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.zeros(3))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (PLAIN.encode("utf-16"), "UTF-16"),
        (PLAIN.encode("utf-16-le"), "UTF-16"),
        (b"a,t\n1,x\n2,caf\xe9\n", "Latin-1"),
        (b"a,t\n1,x\n2,y\0z\n", "NUL"),
        (gzip.compress(PLAIN.encode(), mtime=0), "gzip"),
        (b"PK\x03\x04rest", "xlsx"),
        (b"PAR1rest", "Parquet"),
        (_npy(), "NumPy"),
    ],
)
def test_other_formats_are_named(tmp_path: Path, content: bytes, said: str) -> None:
    assert said in refusal("NN403", table_of, tmp_path, content).title


def test_the_line_of_what_is_not_utf8_or_nul(tmp_path: Path) -> None:
    far = b"a,t\n" + b"1,x\n" * 3000
    for cell in (b"2,\xe9\n", b"2,y\0\n"):
        problem = refusal("NN403", table_of, tmp_path, far + cell)
        assert problem.place is not None
        assert problem.place.line == 3002


def test_encodings_can_be_given(tmp_path: Path) -> None:
    table = table_of(tmp_path, "a,t\n1,caf\u00e9\n".encode("latin-1"), encoding="latin-1")
    assert table.columns["t"].texts() == ["caf\u00e9"]
    table = table_of(tmp_path, "a,t\n1,caf\u00e9\n".encode("utf-16"), encoding="utf-16")
    assert table.columns["t"].texts() == ["caf\u00e9"]


def test_empty_files_and_files_without_rows(tmp_path: Path) -> None:
    refusal("NN410", table_of, tmp_path, "")
    refusal("NN410", table_of, tmp_path, "\n\n")
    assert table_of(tmp_path, "a,t\n").rows == 0


def test_standard_input(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("nndsl.data.reader.standard_input", lambda: PLAIN.encode())
    table = read_table(request(), tmp_path, "-")
    assert table.rows == 3
    assert table.origin.name == "standard input"


@pytest.mark.parametrize(
    "options",
    [{"sep": ";;"}, {"header": 3}, {"decimal": "x"}, {"encoding": "no-such"}],
)
def test_options_are_checked(tmp_path: Path, options: dict[str, Any]) -> None:
    problem = refusal("NN418", table_of, tmp_path, PLAIN, **options)
    assert problem.primary is not None


def test_too_little_memory_is_said_before_reading(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("nndsl.data.memory.available_bytes", lambda: 10.0)
    monkeypatch.setattr("nndsl.data.memory._WORTH_ASKING", 1.0)
    refusal("NN620", table_of, tmp_path, PLAIN)


def test_categories_are_sorted(tmp_path: Path) -> None:
    column = table_of(tmp_path, "t\nb\nc\na\nb\n").columns["t"]
    assert isinstance(column, CategoryColumn)
    assert column.categories == ("a", "b", "c")
    assert column.codes.tolist() == [1, 2, 0, 1]
