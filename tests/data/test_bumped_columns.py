"""Columns through `bump`: widths of inputs and targets, predictions in their own unit, mistakes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import nndsl as library
from nndsl import driver
from nndsl.data import prepare, split_rows
from nndsl.diagnostics import NndslError, Source

X = [round(0.37 * i % 5, 2) for i in range(40)]
Y = [round(2 * x + 1, 2) for x in X]
TABLE = f"data d = table(x={X}, z={X[::-1]}, y={Y})"
PLAIN = "dense(12) -> tanh -> dense(9)"


def text(lines: str, net: str = PLAIN, settings: str = "loss = mse") -> str:
    return f"{TABLE} {{ {lines} }}\nnet N on d {{ {net} }}\ntrain N {{ {settings} }}\n"


def opened(source: str, folder: Path) -> driver.Opened:
    return driver.open_source(Source("m.nn", source), folder)


def test_an_input_becomes_as_many_numbers(tmp_path: Path) -> None:
    lines = "target = y; x -> bump(5, width=2); z -> standardize"
    found = opened(text(lines, "dense(1)"), tmp_path)
    (recipe,) = found.module.recipes
    specification = found.specification_of(recipe)
    table, schema = found.tables["d"], found.module.schemas["d"]
    assert schema.inputs[0].shape == (6,)
    split = split_rows(table, schema, specification, 0)
    inputs = prepare(table, schema, specification, split.train).inputs["input"]
    low, high = np.min(np.array(X)[split.train]), np.max(np.array(X)[split.train])
    place = (np.clip(X, low, high) - low) / (high - low) * 4
    expected = np.exp(-((np.arange(5) - place[:, None]) ** 2) / 2)
    np.testing.assert_allclose(inputs[:, :5], expected, atol=1e-6)


def test_predictions_and_figures_are_numbers_again(tmp_path: Path) -> None:
    settings = "loss = mse; epochs = 150; optimizer = adam(0.03); penalty = none; batch = 8"
    path = tmp_path / "m.nn"
    path.write_text(text("target = y -> bump(9, width=4)", settings=settings))
    model = library.load(path)
    model.fit()
    rows = {"x": np.array(X), "z": np.array(X[::-1])}
    said = model.predict(rows)
    assert said.shape == (40, 1)
    assert np.abs(said[:, 0] - Y).mean() < 0.6


@pytest.mark.parametrize(
    ("lines", "net", "code", "said"),
    [
        ("target = y -> bump(9) -> standardize", PLAIN, "NN419", "several numbers of one"),
        ("target = y -> bump(9)", "dense(1)", "NN306", "9 numbers"),
        ("target = y -> bump(1)", PLAIN, "NN314", "count"),
        ("target = y -> bump(9, width=0)", PLAIN, "NN314", "width"),
        ("target = y -> bump", PLAIN, "NN312", "count"),
    ],
)
def test_mistakes(lines: str, net: str, code: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(NndslError) as caught:
        opened(text(lines, net), tmp_path)
    (problem,) = caught.value.diagnostics
    assert problem.code == code
    assert said in problem.title


def test_pictures_are_no_single_numbers(tmp_path: Path) -> None:
    source = (
        "data d = roads(20) { image -> bump(3) }\nnet N on d { flatten -> dense(1) }\ntrain N\n"
    )
    with pytest.raises(NndslError) as caught:
        opened(source.replace("train N\n", ""), tmp_path)
    assert [d.code for d in caught.value.diagnostics] == ["NN419"]
