"""Columns of text as ids: the words or characters of each cell, all cells of one length.

Id 0 fills cells that are shorter, 1 stands for what the training part does not have; the others
are the most frequent of it. A longer cell is cut at its end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nndsl.params import Int
from nndsl.vocab.levels import words_in
from nndsl.vocab.preprocessing import Arguments, Change, Fit, Learnt, preprocessing

LENGTH = Int(100, "units of each cell: shorter ones are filled, longer ones cut", ge=1, le=1 << 16)


def ids_of_texts(
    values: np.ndarray,
    learnt: Learnt,
    arguments: Arguments,
    apart: Callable[[str], Sequence[str]],
) -> np.ndarray:
    """[n, length] ids of texts, which `apart` takes apart into units."""
    number = {unit: i for i, unit in enumerate(learnt["units"], 2)}
    length = int(arguments["length"])
    ids = np.zeros((len(values), length))
    for row, text in zip(ids, values, strict=True):
        found = [number.get(unit, 1) for unit in apart(str(text or ""))[:length]]
        row[: len(found)] = found
        if not found:
            row[0] = 1  # a sequence has at least one place
    return ids


def small_words(text: str) -> list[str]:
    """Words and marks in small letters."""
    return words_in(text.lower())


def _words(values: np.ndarray, learnt: Learnt, arguments: Arguments) -> np.ndarray:
    return ids_of_texts(values, learnt, arguments, small_words)


def _chars(values: np.ndarray, learnt: Learnt, arguments: Arguments) -> np.ndarray:
    return ids_of_texts(values, learnt, arguments, list)


def _most_frequent(apart: Callable[[str], Sequence[str]]) -> Fit:
    """What learns the most frequent units, the first of them first."""

    def fit(values: np.ndarray, arguments: Arguments) -> dict[str, Any]:
        texts = (str(value) for value in values if value is not None)
        counts = Counter(unit for text in texts for unit in apart(text))
        by_count = sorted(counts, key=lambda unit: (-counts[unit], unit))
        return {"units": by_count[: arguments["count"] - 2]}

    return fit


def _tokens(name: str, apart: Callable[[str], Sequence[str]], apply: Change, usual: int,
            doc: str) -> None:  # fmt: skip
    preprocessing(
        name,
        apply,
        doc,
        fit=_most_frequent(apart),
        accepts="category",
        numbers=lambda arguments: int(arguments["length"]),
        ids=lambda arguments: int(arguments["count"]),
        padding=0,
        count=Int(usual, "ids in all: filling, unknown, and the most frequent units", ge=3,
                  le=1 << 24),
        length=LENGTH,
    )  # fmt: skip


_tokens(
    "words",
    small_words,
    _words,
    8000,
    "The words and marks of a text in small letters as ids, for `embed`; a recurrence ends at the "
    "last word, attention does not see what fills.",
)
_tokens("chars", list, _chars, 256, "The characters of a text as ids, for `embed`.")
