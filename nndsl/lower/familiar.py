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


def looks_mistyped(name: str, other: str, text: str) -> bool:
    """Whether `name` is stranger than `other`, going by the language's own texts and `text`.

    Where the two stand in `text` themselves they say nothing, and are left out. Of two equally
    strange ones that which lacks a letter is the slip.
    """
    rest = _parts(re.sub(rf"\b({re.escape(name)}|{re.escape(other)})\b", " ", text))
    words = _known_words() | rest
    triples = _known_triples() | _triples(rest)
    mine, its = (_strangeness(_parts(n), words, triples) for n in (name, other))
    return mine > its or (mine == its and _lacks_a_letter(name, other))


def _strangeness(
    parts: frozenset[str], words: frozenset[str], triples: frozenset[str]
) -> tuple[int, int]:
    return len(parts - words), len(_triples(parts) - triples)


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
    return _parts(" ".join(texts))


@cache
def _known_triples() -> frozenset[str]:
    return _triples(_known_words())


def _parts(text: str) -> frozenset[str]:
    return frozenset(part.lower() for part in _PARTS.findall(text))


def _triples(parts: frozenset[str]) -> frozenset[str]:
    """Three letters in a row, a blank before and after each part."""
    blanked = (f" {part} " for part in parts)
    return frozenset(part[i : i + 3] for part in blanked for i in range(len(part) - 2))
