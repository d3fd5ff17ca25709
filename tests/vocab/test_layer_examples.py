"""Every layer has an example: a line that makes a network of what the layer takes."""

from __future__ import annotations

import pytest

from nndsl.vocab.kinds import Layer
from nndsl.vocab.registry import Word, example_of, words
from tests.lower.helpers import lowered


@pytest.mark.parametrize("word", words("layer").values(), ids=lambda w: w.name)
def test_the_example_of_a_layer(word: Word) -> None:
    line = example_of(word)
    assert word.name in line
    assert isinstance(word, Layer)
    module = lowered(f"net A {{\n  input x: {word.takes}\n  {line}\n}}\n")
    assert word.name in {part.word for part in module.networks["A"].parts}
    assert module.lints == []
