"""Canon row 27: recurrent networks that learn a play letter by letter, and write on."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.models.running import MODELS

BITS = r"bits_per_character (\d+\.\d+)"
FREQUENCIES = 4.7
"""Bits that a letter of the play takes by how frequent it is."""


def bits_of(text: str) -> float:
    """The figure of the test part, the last of a training."""
    return float(re.findall(BITS, text)[-1])


@pytest.mark.parametrize(("name", "epochs"), [("27_char_rnn", 3), ("27_own_cell", 3)])
def test_the_play_is_learnt(name: str, epochs: int, nndsl, tmp_path: Path) -> None:
    run = tmp_path / "run"
    ended = nndsl("train", MODELS / f"{name}.nn", "--out", run, "--set", f"epochs={epochs}")
    assert bits_of(ended.out) < FREQUENCIES - 0.6
    first, again = (nndsl("generate", run, "--prompt", "ROMEO:").out for _ in range(2))
    assert first == again
    assert first.startswith("ROMEO:")
    assert len(first) == len("ROMEO:") + 300 + 1


def test_remarks_are_read_in_both_directions(nndsl, tmp_path: Path) -> None:
    run, made = tmp_path / "run", tmp_path / "made.csv"
    assert nndsl("train", MODELS / "27_bidirectional.nn", "--out", run).code == 0
    new = tmp_path / "new.csv"
    kind = "We expected it to be dull, but it was lovely."
    unkind = "We expected it to be lovely, but it was dull."
    new.write_text(f'remark\n"{kind}"\n"{unkind}"\n', encoding="utf-8")
    assert nndsl("predict", run, new, "-o", made).code == 0
    said = [line.split(",")[-3] for line in made.read_text(encoding="utf-8").splitlines()[1:]]
    assert said == ["yes", "no"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["27_char_rnn", "27_own_cell"])
def test_what_the_files_promise(name: str, nndsl, tmp_path: Path) -> None:
    assert nndsl("train", MODELS / f"{name}.nn", "--out", tmp_path / "run").code == 0


def test_the_default_penalty_counts_places(nndsl) -> None:
    shown = nndsl("show", "defaults", MODELS / "27_char_rnn.nn").out
    (line,) = [line for line in shown.splitlines() if line.startswith("penalty")]
    assert float(re.findall(r"l2\((.*?)\)", line)[0]) == pytest.approx(1 / (997 * 32), rel=0.01)
