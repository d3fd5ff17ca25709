"""Every layer has an example: a line that makes a network of four numbers."""

from __future__ import annotations

import pytest

from nndsl.vocab.registry import Word, example_of, words
from tests.lower.helpers import lowered


@pytest.mark.parametrize("word", words("layer").values(), ids=lambda w: w.name)
def test_the_example_of_a_layer(word: Word) -> None:
    line = example_of(word)
    assert word.name in line
    module = lowered(f"net A {{\n  input x: [4]\n  {line}\n}}\n")
    assert word.name in {part.word for part in module.networks["A"].parts}
    assert module.lints == []
