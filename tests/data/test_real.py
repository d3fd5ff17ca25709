"""Real tables end to end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nndsl.data import (
    Prepared,
    Split,
    apply_schema,
    prepare,
    read_table,
    schema_from_json,
    schema_of,
    schema_to_json,
    split_rows,
)
from nndsl.schema import TargetKind
from tests.data.helpers import request


def end_to_end(path: Path, **options: Any) -> tuple[Prepared, Split, list[str]]:
    """Everything from the file to the arrays, and the same again as new data."""
    wanted = request(options=options)
    table = read_table(wanted, path.parent, path)
    schema = schema_of(table, wanted)
    split = split_rows(table, schema, wanted, 0)
    found = prepare(table, schema, wanted, split.train)
    known = schema_from_json(schema_to_json(found.schema))
    again = apply_schema(read_table(wanted, path.parent, path, expected=known), known)
    for name, array in found.inputs.items():
        assert np.array_equal(array, again.inputs[name])
        train = array[split.train]
        assert np.isfinite(array).all()
        assert np.abs(train.mean(axis=0)).max() <= 1
    return found, split, [n.code for n in found.notes]


def test_iris(root: Path) -> None:
    found, split, notes = end_to_end(root / "models" / "iris.csv", target="species")
    assert found.inputs["input"].shape == (150, 4)
    assert found.schema.targets[0].classes == ("setosa", "versicolor", "virginica")
    assert [len(split.train), len(split.validation), len(split.test)] == [96, 24, 30]
    assert notes == []


def test_penguins(root: Path) -> None:
    found, _, notes = end_to_end(root / "models" / "penguins.csv", target="species")
    assert len(found.inputs["input"]) == 344
    assert notes == ["NN450"]


@pytest.mark.parametrize(
    ("file", "options", "shape", "kind"),
    [
        ("adult-train.csv", {"header": False, "target": 15}, (32561, 108), "classes"),
        ("diamonds.csv", {"target": "price"}, (53940, 26), "numbers"),
        ("pollution.csv", {"target": "pm2.5"}, (43824, 15), "numbers"),
        ("shuttle.csv", {"target": "anomaly"}, (49097, 9), "classes"),
        ("pima-indians-diabetes.csv", {"header": False, "target": 9}, (768, 8), "classes"),
        ("sonar.csv", {"header": False, "target": 61}, (208, 60), "classes"),
        ("german.csv", {"header": False, "target": 21}, (1000, 61), "classes"),
        ("abalone.csv", {"header": False, "target": 9}, (4177, 10), "numbers"),
        ("winequality-white.csv", {"header": False, "target": 12}, (4898, 11), "numbers"),
        ("auto_imports.csv", {"header": False, "target": 26}, (201, 0), "numbers"),
        ("horse-colic.csv", {"header": False, "target": 24}, (300, 27), "classes"),
    ],
)
def test_tables_of_the_literature(
    shared_data: Path, file: str, options: dict[str, Any], shape: tuple[int, int], kind: str
) -> None:
    path = shared_data / file
    if not path.exists():
        pytest.skip(f"{file} is not here")
    found, _, _ = end_to_end(path, **options)
    rows, width = found.inputs["input"].shape
    assert rows == shape[0]
    assert not shape[1] or width == shape[1]
    assert found.schema.targets[0].kind is TargetKind(kind)


@pytest.mark.peers
@pytest.mark.parametrize(
    ("name", "kind", "width"),
    [
        ("diabetes", "numbers", 10),
        ("breast_cancer", "classes", 30),
        ("digits", "classes", 64),
        ("wine", "classes", 13),
    ],
)
def test_tables_of_scikit_learn(tmp_path: Path, name: str, kind: str, width: int) -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    bunch = getattr(datasets, f"load_{name}")()
    names = [*(f"f{i}" for i in range(width)), "target"]
    rows = np.column_stack([bunch.data, bunch.target])
    path = tmp_path / f"{name}.csv"
    np.savetxt(path, rows, "%.17g", ",", header=",".join(names), comments="")
    found, _, _ = end_to_end(path, target="target")
    assert found.inputs["input"].shape == (len(rows), width)
    assert found.schema.targets[0].kind is TargetKind(kind)
