"""Predictions joined to their rows."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from nndsl.data import Table, read_table
from nndsl.data.predictions import Prediction, write_predictions
from nndsl.diagnostics import NndslError
from nndsl.schema import TargetKind, TargetSchema
from tests.data.helpers import apply, column, constant, refusal, request, table_of

CLASSES = TargetSchema("t", TargetKind.CLASSES, ("no", "yes"))
NUMBERS = TargetSchema("u", TargetKind.NUMBERS)
SHARES = np.array([[0.75, 0.25], [0.125, 0.875]])
ANSWERS = Prediction(CLASSES, np.array([0, 1]), SHARES)


def written(
    table: Table, path: Path, *predictions: Prediction, separator: str = ","
) -> list[list[str]]:
    write_predictions(table, predictions or (ANSWERS,), path)
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.reader(stream, delimiter=separator))


def test_rows_stand_as_they_are_in_the_file(tmp_path: Path) -> None:
    table = table_of(tmp_path, 'x,k\r\n01.50,"a, ""b"""\r\n\r\n,=1+1\r\n')
    assert written(table, tmp_path / "o.csv") == [
        ["x", "k", "predicted_t", "probability_no", "probability_yes"],
        ["01.50", 'a, "b"', "no", "0.75", "0.25"],
        ["", "=1+1", "yes", "0.125", "0.875"],
    ]


def test_names_that_are_taken(tmp_path: Path) -> None:
    table = table_of(tmp_path, "predicted_t,x\na,1\nb,2\n")
    assert written(table, tmp_path / "o.csv")[0][2] == "predicted_t_2"


def test_several_targets_and_refused_answers(tmp_path: Path) -> None:
    table = table_of(tmp_path, "x\n1\n2\n")
    numbers = Prediction(NUMBERS, np.array([[1.5], [2e10]]))
    refused = Prediction(CLASSES, np.array([-1, 1]), SHARES)
    assert written(table, tmp_path / "o.csv", refused, numbers) == [
        ["x", "predicted_t", "probability_t_no", "probability_t_yes", "predicted_u"],
        ["1", "", "0.75", "0.25", "1.5"],
        ["2", "yes", "0.125", "0.875", "2e+10"],
    ]


def test_files_without_header_and_with_other_separators(tmp_path: Path) -> None:
    table = table_of(tmp_path, "1;2,5\n3;4,5\n", header=False, sep=";", decimal=",")
    rows = written(table, tmp_path / "o.csv", separator=";")
    assert rows[0][:3] == ["1", "2", "predicted_t"]
    assert rows[1] == ["1", "2,5", "no", "0,75", "0,25"]


def test_trailing_separators_are_cut(tmp_path: Path) -> None:
    table = table_of(tmp_path, "x,k,\n1,a,\n2,b,\n")
    assert written(table, tmp_path / "o.csv")[1][:3] == ["1", "a", "no"]


def test_rows_left_out_are_not_written(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("x\n1\n2\n3\n4\n")
    wanted = request(where=apply(">", column("x"), constant(2)))
    assert [row[0] for row in written(read_table(wanted, tmp_path), tmp_path / "o.csv")] == [
        "x",
        "3",
        "4",
    ]


def test_other_sources(tmp_path: Path) -> None:
    wanted = request("table", None, table={"x": [1, None], "k": ["a", None]})
    assert written(read_table(wanted, tmp_path), tmp_path / "o.csv")[1:] == [
        ["1", "a", "no", "0.75", "0.25"],
        ["", "", "yes", "0.125", "0.875"],
    ]
    np.save(tmp_path / "x.npy", np.zeros((2, 5)))
    table = read_table(request("array", "x.npy"), tmp_path)
    assert written(table, tmp_path / "o.csv")[0][:2] == ["row", "predicted_t"]


def test_the_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    table = table_of(tmp_path, "x\n1\n2\n")
    refusal("NN423", write_predictions, table, (ANSWERS,), tmp_path / "d.csv")
    out = tmp_path / "o.csv"
    out.write_text("old")
    with pytest.raises(ValueError, match="shorter"):
        write_predictions(table, (Prediction(CLASSES, np.array([0])),), out)
    assert out.read_text() == "old"
    with pytest.raises(NndslError) as caught:
        write_predictions(table, (ANSWERS,), tmp_path / "no" / "o.csv")
    assert caught.value.exit_code == 6
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["d.csv", "o.csv"]
