"""`show` of a training with several updates: each under its name."""

from __future__ import annotations

import pytest

from tests.train.test_rounds import GAN


@pytest.mark.parametrize(
    "words", [("passes",), ("memory",), ("kernels",), ("ir", "--after", "differentiate")]
)
def test_each_update_is_shown(nndsl, place, words):
    (place / "gan.nn").write_text(GAN % "")
    ended = nndsl("show", words[0], "gan.nn", *words[1:])
    assert ended.code == 0
    headings = [line for line in ended.out.splitlines() if line.startswith("update ")]
    assert headings[:1] == ["update Critic"] and "update Maker" in headings
