"""Texts written by trained networks: what is drawn, with which chances, and what is refused."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import nndsl
from nndsl import compilation
from nndsl.cli.main import run
from nndsl.diagnostics import NndslError
from nndsl.driver import check_text
from nndsl.model.running import LoadedRun, load_run
from nndsl.model.writing import _ReaderOfAll, drawn, write

SHARES = np.array([0.1, 0.5, 0.1, 0.3])
CHANCES = (np.arange(1000) + 0.5) / 1000

MODEL = """data book = text("abc.txt", window=8)
net Writer on book {{
  embed(8) -> {stage} -> dense(book.classes) -> softmax
}}
train Writer {{
  optimizer = adam(2e-2)
  batch = 8
  epochs = 20
  answer = generate(12, start="ab", temperature=0)
}}
"""


def counts(temperature: float, top: int | None = None) -> list[int]:
    found = Counter(drawn(SHARES, c, temperature, top) for c in CHANCES.tolist())
    return [found[i] for i in range(len(SHARES))]


def test_classes_are_drawn_by_their_shares() -> None:
    assert counts(1.0) == [100, 500, 100, 300]
    assert counts(1.0, top=2) == [0, 625, 0, 375]
    assert counts(0.5) == [round(1000 * s * s / 0.36) for s in SHARES]
    assert counts(0) == counts(1.0, top=1) == [0, 1000, 0, 0]
    assert drawn(np.array([0.0, 1.0, 0.0]), 0.999999999, 1.0, None) == 1


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Runs of networks that have learnt the order of three letters."""
    folder = tmp_path_factory.mktemp("writing")
    (folder / "abc.txt").write_text("abc" * 200, encoding="utf-8")
    runs = {}
    for name, stage in (("forward", "lstm(12)"), ("both", "both(lstm(6))")):
        (folder / f"{name}.nn").write_text(MODEL.format(stage=stage), encoding="utf-8")
        runs[name] = folder / name
        source = str(folder / f"{name}.nn")
        assert run(["train", source, "--out", str(runs[name]), "--quiet"]) == 0
    return runs


@pytest.fixture
def loaded(trained: dict[str, Path]) -> LoadedRun:
    return load_run(trained["forward"])


def test_what_was_learnt_is_written(loaded: LoadedRun) -> None:
    written = write(loaded, {}, 0)
    assert (written.start, written.added) == ("ab", "cabcabcabcab")
    assert write(loaded, {"start": "c", "length": 20, "top": 1}, 0).added == "abc" * 6 + "ab"
    assert len(write(loaded, {"start": ""}, 0).added) == 12


def test_equal_seeds_write_equal_texts(loaded: LoadedRun) -> None:
    wild = {"temperature": 50.0, "length": 40}
    first, again, other = (write(loaded, wild, seed).added for seed in (1, 1, 2))
    assert first == again != other


def test_a_network_that_looks_ahead_does_not_write(trained: dict[str, Path]) -> None:
    with pytest.raises(NndslError) as caught:
        write(load_run(trained["both"]), {}, 0)
    assert caught.value.diagnostics[0].code == "NN024"


def test_a_start_that_is_not_known(loaded: LoadedRun) -> None:
    with pytest.raises(NndslError) as caught:
        write(loaded, {"start": "abd"}, 0)
    assert caught.value.diagnostics[0].code == "NN414"


def test_the_command_writes_and_no_table_is_predicted(
    trained: dict[str, Path], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(["generate", str(trained["forward"]), "--prompt", "bca", "--length", "4"]) == 0
    assert capsys.readouterr().out == "bcabcab\n"
    text = trained["forward"].parent / "abc.txt"
    assert run(["evaluate", str(trained["forward"]), str(text)]) == 0
    assert "perplexity 1" in capsys.readouterr().out
    made = str(tmp_path / "made.csv")
    assert run(["predict", str(trained["forward"]), str(text), "-o", made]) == 2
    assert "NN025" in capsys.readouterr().err


def test_the_network_alone_is_exported(trained: dict[str, Path], tmp_path: Path) -> None:
    made, names = tmp_path / "writer.py", {"__name__": "writer"}
    assert run(["export", str(trained["forward"]), "--to", "numpy", "-o", str(made)]) == 0
    exec(compile(made.read_text(encoding="utf-8"), str(made), "exec"), names)
    rows = np.random.default_rng(0).integers(0, 3, (5, 8)).astype(np.int32)
    network = names["network"]
    assert callable(network)
    given = load_run(trained["forward"]).evaluate({"text": rows})["output"]
    np.testing.assert_allclose(network(rows)[0], given, atol=1e-6)


def test_what_is_said_of_each_place(trained: dict[str, Path]) -> None:
    model = nndsl.load(trained["forward"])
    rows = np.array([[0, 1, 2, 0, 1, 2, 0, 1], [2, 0, 1, 2, 0, 1, 2, 0]], np.int32)
    assert model.answer(rows) == [list("bcabcabc"), list("abcabcab")]


def test_a_target_that_stands_later_is_not_shifted_again(tmp_path: Path) -> None:
    (tmp_path / "abc.txt").write_text("abc" * 40, encoding="utf-8")
    text = MODEL.format(stage="rnn(4)").replace(
        "  batch", "  loss = cross_entropy(shift=1)\n  batch"
    )
    (found,) = check_text(text, folder=tmp_path)
    assert found.code == "NN306"


def test_a_memory_that_goes_on_is_kept_while_writing(tmp_path: Path) -> None:
    (tmp_path / "sixes.txt").write_text("aaaaab" * 600, encoding="utf-8")
    (tmp_path / "w.nn").write_text(
        """data book = text("sixes.txt", window=4)
        net Writer on book { embed(2) -> gru(12) -> dense(book.classes) -> softmax }
        train Writer { carry = true; optimizer = adam(1e-2); batch = 8; epochs = 20
          answer = generate(24, start="aaaaab", temperature=0) }
        """,
        encoding="utf-8",
    )
    assert run(["train", str(tmp_path / "w.nn"), "--out", str(tmp_path / "r"), "--quiet"]) == 0
    loaded = load_run(tmp_path / "r")
    assert set(write(loaded, {}, 0).added) == {"a", "b"}
    shares_of, ids = _ReaderOfAll(loaded, 2), np.array([0, 1, 1, 0, 1, 0, 0, 0, 1, 1, 0])
    one_stream = compilation.compile_prediction(loaded.network, replace(loaded.recipe, batch=1))
    one_stream.executable.set_parameters(loaded.members[0][0])
    windows = np.append(ids, 0).reshape(3, 4).astype(np.int32)
    expected = one_stream.executable.evaluate({"text": windows})["output"].reshape(12, 2)
    for count in (3, 4, 5, 11, 2):
        np.testing.assert_allclose(shares_of(ids[:count].tolist()), expected[count - 1], rtol=1e-5)
