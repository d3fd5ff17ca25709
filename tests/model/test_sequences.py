"""Networks of sequences from Python: any length, ids, and the exported file."""

from __future__ import annotations

import runpy

import numpy as np
import pytest

import nndsl
from nndsl.cli.main import run
from nndsl.diagnostics import NndslError

ANY_LENGTH = """net Sums {
  input x: [T, 2]
  dense(4) -> relu -> attention(2, causal=true, rope=true) -> global_avg_pool
}
"""
IDS = "net Words { input w: ids(5)[T]; embed(3) -> global_avg_pool }\n"


def written(folder, text):
    file = folder / "net.nn"
    file.write_text(text, encoding="utf-8")
    return file


def test_sequences_of_any_length(tmp_path, rng) -> None:
    file = written(tmp_path, ANY_LENGTH)
    model = nndsl.load(file)
    exported = tmp_path / "alone.py"
    assert run(["export", str(file), "-o", str(exported)]) == 0
    network = runpy.run_path(str(exported))["network"]
    for length in (3, 5, 3):
        x = rng.normal(size=(2, length, 2))
        np.testing.assert_allclose(model.predict(x), network(x)[0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([[1, 7]], "its numbers are 0 to 4"),
        ([[0.5, 1]], "its numbers are 0 to 4"),
        ([[[1]]], "not [rows, T]"),
    ],
)
def test_ids(given, said, tmp_path) -> None:
    model = nndsl.load(written(tmp_path, IDS))
    assert model.predict([[1, 2, 3], [4, 4, 0]]).shape == (2, 3)
    with pytest.raises(NndslError, match="NN073") as caught:
        model.predict(given)
    assert said in str(caught.value)
