"""A table with mistakes in several columns is told all of them, each with its place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nndsl.data import prepare, schema_of
from nndsl.diagnostics import Diagnostic, NndslError
from nndsl.schema import ChainRequest
from tests.data.helpers import chain, request, table_of

HEAD = "age,height,weight,city,ill\n"
ROWS = ["20,1.7,70,Graz,no", "21,1.6,60,Wien,yes", "22,1.8,80,Graz,no", "23,1.5,90,Linz,yes"]
ROWS += ["24,1.7,70,Graz,no", "25,1.6,60,Wien,yes", "26,1.8,80,Graz,no", "27,1.5,90,Linz,yes"]


def told(folder: Path, text: str, *chains: ChainRequest) -> list[Diagnostic]:
    """All that is wrong with a table, from reading it to the arrays."""
    wanted = request(target="ill", chains=chains)
    with pytest.raises(NndslError) as caught:
        table = table_of(folder, text)
        schema = schema_of(table, wanted)
        prepare(table, schema, wanted, np.arange(table.rows))
    return list(caught.value.diagnostics)


def places(found: list[Diagnostic]) -> list[tuple[str, int | None, str | None]]:
    for diagnostic in found:
        assert diagnostic.help or diagnostic.primary, diagnostic
    return [(d.code, d.place and d.place.line, d.place and d.place.column) for d in found]


def text_of(rows: list[str], head: str = HEAD) -> str:
    return head + "\n".join(rows) + "\n"


def test_cells_of_several_columns_and_rows_of_another_width(tmp_path: Path) -> None:
    rows = ["x,1.7,70,Graz,no", "21,1.6,60kg,Wien,yes", "22,1.8,80,Graz,no,3", *ROWS[3:]]
    found = places(told(tmp_path, text_of(rows)))
    assert found == [("NN406", 4, None), ("NN405", 2, "age"), ("NN405", 3, "weight")]


def test_where_most_rows_are_of_another_width_only_that_is_told(tmp_path: Path) -> None:
    rows = ["x,1.7,70,Graz,no", *(f"{row},3" for row in ROWS[1:])]
    assert places(told(tmp_path, text_of(rows))) == [("NN406", 3, None)]


def test_every_name_that_stands_twice(tmp_path: Path) -> None:
    found = told(tmp_path, text_of(ROWS, "age,age,ill,city,ill\n"))
    assert places(found) == [("NN407", 1, "age"), ("NN407", 1, "ill")]


def test_steps_that_do_not_fit_several_columns(tmp_path: Path) -> None:
    chains = (
        chain("city", "standardize"),
        chain("age", "keep onehot"),
        chain("height", "standardize"),
    )
    assert len(told(tmp_path, text_of(ROWS), *chains)) == 2


def test_cells_that_steps_refuse_in_several_columns(tmp_path: Path) -> None:
    rows = ["-2,1.7,70,Graz,no", *ROWS[1:3], "23,1.5,-9,Linz,yes", *ROWS[4:]]
    chains = chain("age", "log standardize"), chain("weight", "log"), chain("height", "log")
    found = told(tmp_path, text_of(rows), *chains)
    assert places(found) == [("NN419", 2, "age"), ("NN419", 5, "weight")]


def test_at_most_ten(tmp_path: Path) -> None:
    names = [f"c{i}" for i in range(14)]
    text = ",".join([*names, *names]) + "\n" + ",".join(["1"] * 28) + "\n"
    assert len(told(tmp_path, text)) == 10
