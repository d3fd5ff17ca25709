"""Parts: sizes, strata, order, folds, and that a seed says all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nndsl.data import Split, Table, fold_count, folds, read_table, schema_of, split_rows
from nndsl.data.split import _spread
from nndsl.schema import Schema, StepRequest
from tests.data.helpers import inline, refusal, request


def made(rows: int = 150, seed: int = 0, **settings: Any) -> tuple[Table, Schema, Any]:
    columns = inline(
        x=np.arange(rows) * 1.0,
        t=["abc"[i * 3 // rows] for i in range(rows)],
        part=["train", "validation", "test", "Train", "val"] * (rows // 5) + ["test"] * (rows % 5),
    )
    wanted = request("table", None, table=columns, target="t", **settings)
    table = read_table(wanted, Path())
    return table, schema_of(table, wanted), wanted


def parts(rows: int = 150, seed: int = 0, **settings: Any) -> Split:
    return split_rows(*made(rows, **settings), seed)


def sizes(split: Split) -> list[int]:
    return [len(split.train), len(split.validation), len(split.test)]


def assert_disjoint(split: Split, rows: int) -> None:
    together = np.concatenate([split.train, split.validation, split.test])
    assert len(np.unique(together)) == len(together) <= rows
    for part in (split.train, split.validation, split.test):
        assert np.all(np.diff(part) > 0)


def test_the_default_is_64_16_20_by_class() -> None:
    split = parts()
    assert sizes(split) == [96, 24, 30]
    assert_disjoint(split, 150)
    for part in (split.train, split.validation, split.test):
        assert np.bincount(part // 50).tolist() == [len(part) // 3] * 3


def test_the_seed_says_all() -> None:
    assert all(np.array_equal(a, b) for a, b in zip(*map(_tuple, (parts(), parts())), strict=True))
    assert not np.array_equal(parts(seed=1).test, parts().test)


def _tuple(split: Split) -> tuple[np.ndarray, ...]:
    return split.train, split.validation, split.test


@pytest.mark.parametrize(
    ("split", "expected"),
    [
        ([0.6, 0.2, 0.2], [90, 30, 30]),
        ([0.8, 0.2], [120, 30, 0]),
        ((0.9, 0.0, 0.1), [135, 0, 15]),
        ([100, 20, 30], [100, 20, 30]),
        ([50, 10], [50, 10, 0]),
        ("all", [150, 0, 0]),
        ("part", [60, 60, 30]),
        (StepRequest("kfold", {"folds": 10}), [96, 24, 30]),
    ],
)
def test_sizes(split: Any, expected: list[int]) -> None:
    found = parts(split=split)
    assert sizes(found) == expected
    assert_disjoint(found, 150)


@pytest.mark.parametrize("split", [[100, 51], "x"])
def test_splits_that_cannot_be(split: Any) -> None:
    problem = refusal("NN417", parts, split=split)
    assert problem.primary is not None


def test_split_columns_are_checked() -> None:
    refusal("NN411", parts, split="prt")
    wanted = request("table", None, table=inline(x=[1, 2], p=["a", "b"]), target="x", split="p")
    table = read_table(wanted, Path())
    with pytest.raises(Exception, match="no column left"):
        schema_of(table, wanted)
    wanted = request(
        "table", None, table=inline(x=[1, 2], y=[1.5, 2.5], p=["a", "b"]), target="x", split="p"
    )
    table = read_table(wanted, Path())
    problem = refusal("NN417", split_rows, table, schema_of(table, wanted), wanted, 0)
    assert "`a`" in problem.title


def test_order_of_time_and_of_the_file() -> None:
    rows = np.array([5, 3, 1, 2, 4, 0, 9, 8, 7, 6])
    columns = inline(day=[f"2026-01-{d:02}" for d in rows], x=rows * 1.5, t=rows * 0.5)
    wanted = request("table", None, table=columns, target="t", time="day", split=[0.6, 0.2, 0.2])
    table = read_table(wanted, Path())
    split = split_rows(table, schema_of(table, wanted), wanted, 0)
    assert sorted(rows[split.train].tolist()) == [0, 1, 2, 3, 4, 5]
    assert sorted(rows[split.test].tolist()) == [8, 9]
    wanted = request("table", None, table=columns, target="t", shuffle=False, split=[6, 2, 2])
    split = split_rows(table, schema_of(table, wanted), wanted, 0)
    assert [part.tolist() for part in _tuple(split)] == [[0, 1, 2, 3, 4, 5], [6, 7], [8, 9]]


def test_time_must_be_there_in_every_row() -> None:
    columns = inline(day=[1, None, 3], x=[1, 2, 3], t=[0.5, 1.5, 2.5])
    wanted = request("table", None, table=columns, target="t", time="day")
    table = read_table(wanted, Path())
    refusal("NN417", split_rows, table, schema_of(table, wanted), wanted, 0)


def test_rows_without_target_are_in_no_part() -> None:
    columns = inline(x=np.arange(10), t=["a", "b", None, "a", "b"] * 2)
    wanted = request("table", None, table=columns, target="t")
    table = read_table(wanted, Path())
    schema = schema_of(table, wanted)
    split = split_rows(table, schema, wanted, 0)
    assert sorted(np.concatenate(_tuple(split)).tolist()) == [0, 1, 3, 4, 5, 6, 8, 9]
    assert sum(map(len, (f.test for f in folds(table, schema, wanted, 0, 4)))) == 8


def test_too_few_rows_for_the_parts() -> None:
    wanted = request("table", None, table=inline(x=[1, 2], t=[0.5, 3]), target="t")
    table = read_table(wanted, Path())
    refusal("NN410", split_rows, table, schema_of(table, wanted), wanted, 0)


@pytest.mark.parametrize("count", [2, 5, 10])
def test_folds_test_each_row_once(count: int) -> None:
    table, schema, wanted = made()
    found = folds(table, schema, wanted, 3, count)
    tested = np.concatenate([fold.test for fold in found])
    assert sorted(tested.tolist()) == list(range(150))
    for fold in found:
        assert_disjoint(fold, 150)
        assert sum(sizes(fold)) == 150
        assert abs(len(fold.validation) - 0.2 * (150 - len(fold.test))) <= 0.5
        assert np.ptp(np.bincount(fold.test // 50, minlength=3)) <= 1
        assert np.ptp(np.bincount(fold.validation // 50, minlength=3)) <= 1


def test_folds_of_numbers_and_their_limits() -> None:
    wanted = request("table", None, table=inline(x=np.arange(9), t=np.arange(9) * 0.5), target="t")
    table = read_table(wanted, Path())
    schema = schema_of(table, wanted)
    assert len(folds(table, schema, wanted, 0, 4)) == 4
    for count in (0, 1, 5):
        refusal("NN417", folds, table, schema, wanted, 0, count)


def test_the_number_of_folds_asked_for() -> None:
    assert fold_count(request(split=StepRequest("kfold", {"folds": 10}))) == 10
    assert fold_count(request(split=[0.5, 0.5])) is None
    assert fold_count(request()) is None


@given(st.lists(st.integers(0, 3), min_size=1, max_size=60), st.integers(0, 60))
def test_every_beginning_has_its_share_of_each_class(labels: list[int], cut: int) -> None:
    codes = np.array(labels)
    order = _spread(np.arange(len(codes)), codes)
    assert sorted(order.tolist()) == list(range(len(codes)))
    share = min(cut, len(codes)) / len(codes)
    taken = np.bincount(codes[order[: min(cut, len(codes))]], minlength=4)
    everything = np.bincount(codes, minlength=4)
    assert np.all(np.abs(taken - share * everything) <= 2)
