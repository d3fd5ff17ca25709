"""Diagrams of transformers: sums of named lines stand in their blocks, shapes show places."""

from __future__ import annotations

import pytest

from nndsl.diagnostics import Source
from nndsl.lower import lower
from nndsl.render.diagram_fold import picture_of
from nndsl.syntax import tree
from nndsl.syntax.parser import parse
from tests.lower.helpers import MODELS


def _tree(name: str) -> tree.File:
    return parse(Source(name, (MODELS / f"{name}.nn").read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    ("name", "net", "blocks", "sums"),
    [
        ("28_gpt", "TinyGPT", ["decoder(128, heads=4)"], 1),
        ("28_translate", "Translate", ["encode(256, 8)", "decode(memory, 256, 8)"], 2),
    ],
)
def test_a_block_that_repeats_is_one_box(name: str, net: str, blocks: list[str], sums: int) -> None:
    """Outside of the blocks are the sums of ids and their places only."""
    picture = picture_of(lower(_tree(name), {}).networks[net])
    titles = [box.lines[0] for box in picture.boxes]
    assert [titles.count(block) for block in blocks] == [1] * len(blocks)
    assert titles.count("+") == sums


def test_arrows_show_places_and_features() -> None:
    picture = picture_of(lower(_tree("28_translate"), {}).networks["Translate"])
    assert {"S×256", "T×256", "T×8000"} <= {arrow.label for arrow in picture.arrows}
