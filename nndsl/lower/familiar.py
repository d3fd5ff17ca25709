"""Which of two spellings looks like a slip: the one with triples of letters that no text has.

`Perceptron` or `Percetpron`? When each stands once in a file, only the look of the words tells.
The texts are those at hand: the words of the language with their sentences, the error catalogue,
and the file itself.
"""

from __future__ import annotations

import re
from functools import cache

from nndsl import catalogue
from nndsl.vocab.registry import registries

_PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
"""The parts of a name: `HardSigmoid` and `hard_sigmoid` have two."""
_EXAMPLE = re.compile(r"```.*?```|`[^`]*`", re.DOTALL)
"""What a page of the catalogue quotes, mistakes among it."""


def looks_mistyped(name: str, other: str, text: str) -> bool:
    """Whether `name` is stranger than `other`, going by the language's own texts and `text`.

    Where the two stand in `text` themselves they say nothing, and are left out.
    """
    rest = re.sub(rf"\b({re.escape(name)}|{re.escape(other)})\b", " ", text)
    known = _known() | _triples(rest)
    return len(_triples(name) - known) > len(_triples(other) - known)


@cache
def _known() -> frozenset[str]:
    texts = [_EXAMPLE.sub(" ", catalogue.page(code)) for code in catalogue.codes()]
    for members in registries().values():
        for word in members.values():
            texts += [word.name, *word.parameters, word.doc]
    return _triples(" ".join(texts))


def _triples(text: str) -> frozenset[str]:
    """Three letters in a row, a blank before and after each part."""
    parts = (f" {part.lower()} " for part in _PARTS.findall(text))
    return frozenset(part[i : i + 3] for part in parts for i in range(len(part) - 2))
