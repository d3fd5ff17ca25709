"""`roads(200)`: data that a file makes itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nndsl import driver
from nndsl.diagnostics import NndslError, Source
from nndsl.vocab.roads import roads

NET = "net N on road { flatten -> dense(1) }\ntrain N { epochs = 1 }\n"


def opened(line: str, folder: Path) -> driver.Opened:
    return driver.open_source(Source("m.nn", f"data road = {line}\n{NET}"), folder)


def test_rows_are_those_of_the_generator(tmp_path: Path) -> None:
    found = opened("roads(50, size=8x10, seed=3) { split = [60%, 20%, 20%] }", tmp_path)
    table, made = found.tables["road"], roads(50, (8, 10), 3)
    assert table.rows == 50
    image = table.columns["image"].read(np.arange(50))  # type: ignore[union-attr]
    np.testing.assert_array_equal(image, made["image"])
    np.testing.assert_array_equal(table.columns["steer"].values, made["steer"])  # type: ignore[union-attr]
    schema = found.module.schemas["road"]
    assert [t.name for t in schema.targets] == ["steer"]
    assert schema.inputs[0].shape == (1, 8, 10)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("roads()", "NN312"),
        ("roads(0)", "NN314"),
        ("roads(20, sead=1)", "NN311"),
        ("road(20)", "NN301"),
        ("roads(100000, size=4000x4000)", "NN620"),
    ],
)
def test_mistakes(line: str, code: str, tmp_path: Path) -> None:
    with pytest.raises(NndslError) as caught:
        opened(line, tmp_path)
    assert [d.code for d in caught.value.diagnostics] == [code]
