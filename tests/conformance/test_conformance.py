"""The runner on the shared cases, and on cases written here."""

from __future__ import annotations

import json

import numpy as np

from tests.conformance.__main__ import main


def write(folder, name, operator, inputs, outputs, **attributes):
    arrays = {f"in_{i}": a for i, a in enumerate(inputs)}
    arrays |= {f"out_{i}": a for i, a in enumerate(outputs)}
    meta = {
        "op": operator,
        "attrs": attributes,
        "inputs": [f"i{i}" for i in range(len(inputs))],
        "outputs": [f"o{i}" for i in range(len(outputs))],
    }
    arrays["meta"] = np.frombuffer(json.dumps(meta).encode(), np.uint8)
    np.savez(folder / f"{name}.npz", **arrays)


def test_every_case_of_an_operator_that_exists_passes(shared_data, capsys):
    assert main(shared_data.parent / "conformance") == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "301 passed, 0 failed, 9 not supported"


def test_right_wrong_and_unknown_cases_are_told_apart(tmp_path, capsys, rng):
    x = rng.normal(size=(3, 4)).astype(np.float32)
    write(tmp_path, "right", "Relu", [x], [np.maximum(x, 0)])
    assert main(tmp_path) == 0
    write(tmp_path, "wrong", "Elu", [x], [x], alpha=2.0)
    write(tmp_path, "unknown", "Erfinv", [x], [x])
    assert main(tmp_path) == 1
    told = capsys.readouterr().out
    assert "failed  wrong (Elu): output 1 differs by up to" in told
    assert "not supported  Erfinv: 1 cases" in told
    assert told.splitlines()[-1] == "1 passed, 1 failed, 1 not supported"


def test_an_empty_folder_passes_nothing(tmp_path):
    assert main(tmp_path) == 1
