"""The units that a network knows, numbered: text to ids and back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

import numpy as np

from nndsl.data.text.pairs import ids_of_pairs, learnt_pairs, text_of_pairs
from nndsl.records import dataclass
from nndsl.vocab.levels import UNKNOWN, Level
from nndsl.vocab.registry import WordCall


@dataclass(frozen=True)
class Vocabulary:
    """Units by their number. The first is `UNKNOWN` where units were met that are not among them.

    `level` is how a text is taken apart, `pairs` the byte pairs that are joined in turn.
    """

    level: WordCall
    units: tuple[str, ...]
    pairs: tuple[str, ...] = ()

    @property
    def knows_unknown(self) -> bool:
        """Whether there is a number for units that are not known."""
        return self.units[:1] == (UNKNOWN,)

    @cached_property
    def number(self) -> Mapping[str, int]:
        """The number of each unit."""
        return {unit: number for number, unit in enumerate(self.units)}

    def ids(self, text: str) -> np.ndarray:
        """The numbers of a text's units, int32; 0 for one that is not known, -1 without UNKNOWN."""
        if _of_pairs(self.level):
            return np.array(ids_of_pairs(self.units, self.pairs, text), np.int32)
        number, missing = self.number, 0 if self.knows_unknown else -1
        units = parts_of(self.level, text)
        return np.fromiter((number.get(u, missing) for u in units), np.int32, len(units))

    def text(self, ids: Iterable[int]) -> str:
        """The text of some numbers."""
        return joined(self.level, [self.units[i] for i in ids])


def parts_of(level: WordCall, text: str) -> Sequence[str]:
    """A text taken apart."""
    assert isinstance(level.word, Level) and level.word.units is not None
    return level.word.units(text)


def joined(level: WordCall, units: Sequence[str]) -> str:
    """Units put together."""
    if _of_pairs(level):
        return text_of_pairs(units)
    assert isinstance(level.word, Level) and level.word.joined is not None
    return level.word.joined(units)


def _of_pairs(level: WordCall) -> bool:
    return isinstance(level.word, Level) and level.word.pairs


def learnt(level: WordCall, training: str, others: Sequence[str] = ()) -> Vocabulary:
    """The vocabulary of a training text: the most frequent units, in the order of their names.

    There is one for what is unknown if the training text, or what is judged by, has more.
    """
    assert isinstance(level.word, Level)
    if level.word.pairs:
        return Vocabulary(level, *learnt_pairs(training, level.arguments["count"]))
    if level.word.every:
        return Vocabulary(level, level.word.every)
    counts = Counter(parts_of(level, training))
    counts.pop(UNKNOWN, None)
    most, kept = level.arguments.get("count"), sorted(counts)
    more = any(not counts.keys() >= set(parts_of(level, text)) for text in others)
    if most is not None and len(kept) + more > most:
        by_count = sorted(kept, key=lambda unit: -counts[unit])
        kept, more = sorted(by_count[: most - 1]), True
    return Vocabulary(level, (UNKNOWN, *kept) if more else tuple(kept))
