"""Exported networks whose answers are pictures give what the run gives."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest

import nndsl
from nndsl.cli.main import run
from nndsl.vocab.shapes import shapes

CASES = {
    "classes": ("kinds=2)", "conv(d.classes, 3, pad=same) -> softmax", ""),
    "two": (")", "conv(1, 3, pad=same) -> sigmoid", ""),
    "vote": ("kinds=2)", "conv(d.classes, 3, pad=same)", "ensemble = committee(2, answer=vote)"),
    "numbers": (") { target = image -> standardize; drop = mask }", "conv(1, 3, pad=same)", ""),
}


@pytest.mark.parametrize("case", CASES)
def test_the_file_gives_the_runs_predictions(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, net, line = CASES[case]
    monkeypatch.chdir(tmp_path)
    text = f"data d = shapes(30, size=6x8, {data}\nnet N on d {{ {net} }}\n"
    text = text.replace(", )", ")") + f"train N {{ epochs = 1; {line} }}\n"
    (tmp_path / "m.nn").write_text(text)
    assert run(["train", "m.nn", "--out", "run", "--quiet"]) == 0
    assert run(["export", "run", "--to", "numpy", "-o", "network.py"]) == 0
    new = shapes(5, (6, 8), 1, 0.1, 9)["image"]
    np.save("new.npy", new)
    model, found = nndsl.load("run"), runpy.run_path("network.py")
    wanted, made = model.predict("new.npy"), found["predict"]({"image": new})
    np.testing.assert_allclose(made[:, -wanted.shape[1] :], wanted, rtol=1e-4, atol=1e-4)
    said = np.asarray(found["answers"]({"image": new})[0])
    if case != "numbers":
        np.testing.assert_array_equal(said, model.answer("new.npy")[:, 0])
