"""Windows over a series: what is seen, what is told, how the rows are cut, what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nndsl.data import apply_schema, prepare, read_table, schema_of, split_rows
from nndsl.data import series as windows
from nndsl.data.images.lazy import LazyRows
from nndsl.data.schema_file import schema_from_json, schema_to_json
from nndsl.data.series import naive_forecast
from nndsl.diagnostics import NndslError
from nndsl.schema import ChainRequest, DataSpecification, Setting
from tests.data.helpers import step

DAYS = "day,load,heat\n" + "".join(f"2026-01-{i + 1:02},{i * 10},{i % 7 / 2}\n" for i in range(20))


def specification(target: str = "load", **settings: Any) -> DataSpecification:
    given = {name: Setting(value) for name, value in {"target": target, **settings}.items()}
    keep = step("keep")
    chains = tuple(ChainRequest((name,), (keep,)) for name in ("load", "heat"))
    return DataSpecification("days", "csv", "days.csv", settings=given, chains=chains)


def made(folder: Path, text: str = DAYS, **settings: Any) -> tuple[Any, ...]:
    (folder / "days.csv").write_text(text, encoding="utf-8")
    wanted = specification(**settings)
    table = read_table(wanted, folder)
    schema = schema_of(table, wanted)
    split = split_rows(table, schema, wanted, 0)
    return table, schema, split, prepare(table, schema, wanted, split.train, "float64")


def code_of(folder: Path, text: str = DAYS, **settings: Any) -> str:
    with pytest.raises(NndslError) as caught:
        made(folder, text, **settings)
    return caught.value.diagnostics[0].code


def test_the_past_is_seen_and_the_next_rows_are_told(tmp_path: Path) -> None:
    _, schema, split, prepared = made(tmp_path, window=3, horizon=2, time="day", split="all")
    assert schema.inputs[0].columns == ("load", "heat")
    assert prepared.schema.inputs[0].shape == (3, 2)
    assert schema.targets[0].shape == (2,)
    assert (split.train[0], split.train[-1]) == (2, 17)
    assert prepared.inputs["input"][4, :, 0].tolist() == [20, 30, 40]
    assert prepared.inputs["input"][4, :, 1].tolist() == [1, 1.5, 2]
    assert prepared.targets["load"][4].tolist() == [50, 60]
    assert np.isnan(prepared.targets["load"][[0, 1, 18, 19]]).any(axis=1).all()


def test_parts_follow_each_other_and_share_no_target(tmp_path: Path) -> None:
    split = made(tmp_path, window=3, horizon=3, time="day", split=[0.6, 0.2, 0.2])[2]
    parts = [set(), set(), set()]
    for part, rows in zip(parts, (split.train, split.validation, split.test), strict=True):
        for row in rows.tolist():
            part |= {row + 1, row + 2, row + 3}
    assert all(parts)
    assert max(parts[0]) < min(parts[1])
    assert max(parts[1]) < min(parts[2])


def test_every_so_many_rows(tmp_path: Path) -> None:
    split = made(tmp_path, window=2, stride=4, split="all")[2]
    assert split.train.tolist() == [1, 5, 9, 13, 17]


def test_rows_whose_target_is_missing_are_left_out(tmp_path: Path) -> None:
    text = DAYS.replace("2026-01-10,90,", "2026-01-10,,")
    split = made(tmp_path, text, window=2, split="all")[2]
    assert 8 not in split.train
    assert 9 in split.train


def test_the_naive_forecast_is_what_was_last(tmp_path: Path) -> None:
    _, _, split, prepared = made(tmp_path, window=3, horizon=2, split="all")
    naive = naive_forecast(prepared.schema, prepared.schema.targets[0])
    assert naive is not None
    said = naive({name: rows[split.train] for name, rows in prepared.inputs.items()})
    assert said[:2].tolist() == [[20, 20], [30, 30]]


def test_new_rows_are_seen_in_windows_too(tmp_path: Path) -> None:
    _, _, _, prepared = made(tmp_path, window=3, horizon=2, split="all")
    known = schema_from_json(schema_to_json(prepared.schema))
    assert known == prepared.schema
    table = read_table(specification(window=3), tmp_path, expected=known)
    again = apply_schema(table, known, "float64")
    np.testing.assert_array_equal(again.inputs["input"], prepared.inputs["input"])
    np.testing.assert_array_equal(again.targets["load"], prepared.targets["load"])


def test_many_windows_are_cut_out_late(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.arange(40.0).reshape(20, 2)
    at_once = windows.windowed(rows, 5)
    monkeypatch.setattr(windows, "_MOST_COPIED", 1)
    late = windows.windowed(rows, 5)
    assert isinstance(late, LazyRows)
    np.testing.assert_array_equal(late[:], at_once)
    np.testing.assert_array_equal(late.take(np.array([7, 3]))[:], at_once[[7, 3]])


def test_what_cannot_be(tmp_path: Path) -> None:
    assert code_of(tmp_path, window=0) == "NN418"
    assert code_of(tmp_path, horizon=2) == "NN418"
    assert code_of(tmp_path, window=2, shuffle=True) == "NN418"
    assert code_of(tmp_path, window=30) == "NN410"
    swapped = DAYS.replace("2026-01-05", "2026-01-25")
    assert code_of(tmp_path, swapped, window=3, time="day") == "NN417"
    assert code_of(tmp_path, DAYS.replace("2026-01-05", ""), window=3, time="day") == "NN417"


def test_training_shares_no_target_with_a_test_that_follows_at_once(tmp_path: Path) -> None:
    split = made(tmp_path, window=3, horizon=3, time="day", split=[0.6, 0.0, 0.4])[2]
    assert not len(split.validation)
    assert split.train[-1] + 3 <= split.test[0]


def test_a_part_that_the_horizon_swallows_is_told(tmp_path: Path) -> None:
    assert code_of(tmp_path, window=3, horizon=6, time="day", split=[0.6, 0.2, 0.2]) == "NN410"


def test_parts_by_a_column_share_no_target(tmp_path: Path) -> None:
    lines = DAYS.splitlines()
    part = ["train"] * 8 + ["validation"] * 6 + ["test"] * 6
    text = "\n".join(f"{line},{name}" for line, name in zip(lines, ["part", *part], strict=True))
    split = made(tmp_path, f"{text}\n", window=2, horizon=3, time="day", split="part", drop="part")[
        2
    ]
    assert split.train.tolist() == [1, 2, 3, 4, 5]
    assert split.validation.tolist() == [8, 9, 10, 11]
