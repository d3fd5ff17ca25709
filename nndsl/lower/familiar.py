"""Which of two spellings looks like a slip of the fingers.

`Perceptron` or `Percetpron`? When each stands once in a file, only the look of the words tells:
whether their parts are words, and whether three letters in a row are found in any. The texts that
say so are those at hand: the words of the language with their sentences, the error catalogue, and
the file itself.
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
DATA_SETS = "mnist fashion emnist kmnist usps svhn cifar imagenet iris wine penguins titanic boston"
"""What data is often called, and no text at hand spells."""


def looks_mistyped(name: str, other: str, text: str) -> bool:
    """Whether `name` is stranger than `other`, going by the language's own texts and `text`.

    Where the two stand in `text` themselves they say nothing, and are left out. Of two that are no
    words that which lacks a letter of the other is the slip, else that which looks stranger.
    """
    rest = _parts(re.sub(rf"\b({re.escape(name)}|{re.escape(other)})\b", " ", text))
    words = _known_words() | rest
    triples = _known_triples() | _triples(rest)
    mine, its = (_parts(n) for n in (name, other))
    if len(mine - words) != len(its - words):
        return len(mine - words) > len(its - words)
    if _lacks_a_letter(name, other) or _lacks_a_letter(other, name):
        return _lacks_a_letter(name, other)
    return len(_triples(mine) - triples) > len(_triples(its) - triples)


def _lacks_a_letter(name: str, other: str) -> bool:
    """Whether `other` is `name` with one more letter that is no repetition of its neighbour."""
    for i, letter in enumerate(other):
        if other[:i] + other[i + 1 :] == name and letter not in (
            other[i - 1 : i],
            other[i + 1 : i + 2],
        ):
            return True
    return False


@cache
def _known_words() -> frozenset[str]:
    texts = [_EXAMPLE.sub(" ", catalogue.page(code)) for code in catalogue.codes()]
    for members in registries().values():
        for word in members.values():
            texts += [word.name, *word.parameters, word.doc]
    return _parts(" ".join((DATA_SETS, *texts)))


@cache
def _known_triples() -> frozenset[str]:
    return _triples(_known_words())


def _parts(text: str) -> frozenset[str]:
    return frozenset(part.lower() for part in _PARTS.findall(text))


def _triples(parts: frozenset[str]) -> frozenset[str]:
    """Three letters in a row, a blank before and after each part."""
    blanked = (f" {part} " for part in parts)
    return frozenset(part[i : i + 3] for part in blanked for i in range(len(part) - 2))
