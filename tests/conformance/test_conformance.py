"""The runner on the shared cases, and on cases written here."""

from __future__ import annotations

import json

import numpy as np
import pytest

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


def test_two_cases_of_every_operator_pass(shared_data, capsys):
    assert main(shared_data.parent / "conformance", most=2) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "82 passed, 0 failed, 0 not supported"


@pytest.mark.slow  # two hundred kernels are compiled
def test_every_case_of_an_operator_that_exists_passes(shared_data, capsys):
    assert main(shared_data.parent / "conformance") == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "310 passed, 0 failed, 0 not supported"


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


def test_recurrences_with_all_that_the_shared_cases_lack(tmp_path, rng):
    """An LSTM in both directions, rows first, with a memory at the start, biases and peepholes."""
    rows, steps, features, units = 2, 4, 3, 2
    x = rng.normal(size=(rows, steps, features))
    w, r = rng.normal(size=(2, 4 * units, features)), rng.normal(size=(2, 4 * units, units))
    bias, seen = rng.normal(size=(2, 8 * units)), rng.normal(size=(2, 3 * units))
    first = rng.normal(size=(2, rows, 2, units))
    y, last = np.zeros((rows, steps, 2, units)), np.zeros((2, rows, 2, units))
    for way in range(2):
        h, c = first[:, :, way]
        of_i, of_o, of_f = np.split(seen[way], 3)
        for t in reversed(range(steps)) if way else range(steps):
            sums = x[:, t] @ w[way].T + h @ r[way].T + bias[way].reshape(2, -1).sum(axis=0)
            i, o, f, g = np.split(sums, 4, axis=1)
            i, f = (1 / (1 + np.exp(-s)) for s in (i + of_i * c, f + of_f * c))
            c = f * c + i * np.tanh(g)
            h = np.tanh(c) / (1 + np.exp(-(o + of_o * c)))
            y[:, t, way] = h
        last[:, :, way] = h, c
    given = [x, w, r, bias, None, *first, seen]
    arrays = {f"in_{n}": a for n, a in enumerate(a for a in given if a is not None)}
    arrays |= {f"out_{n}": a for n, a in enumerate((y, *last))}
    attributes = {"hidden_size": units, "direction": "bidirectional", "layout": 1}
    inputs = ["" if a is None else f"i{n}" for n, a in enumerate(given)]
    meta = {"op": "LSTM", "attrs": attributes, "inputs": inputs, "outputs": ["y", "h", "c"]}
    arrays["meta"] = np.frombuffer(json.dumps(meta).encode(), np.uint8)
    np.savez(tmp_path / "lstm.npz", **{n: a if n == "meta" else a.astype(np.float32)
                                       for n, a in arrays.items()})  # fmt: skip
    assert main(tmp_path) == 0
