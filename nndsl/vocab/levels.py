"""Levels: the units that a text is taken apart into, for `data book = text("book.txt")`.

A unit is a text of its own. `units` takes a text apart, `joined` puts units together again; what is
lost on the way (blanks between words) is said with the word.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nndsl.params import Int
from nndsl.records import dataclass
from nndsl.vocab.registry import Word, register

UNKNOWN = "\ufffd"
"""Stands for a unit that the training part does not have."""


@dataclass(frozen=True)
class Level(Word):
    """How a text is taken apart.

    `every` are all units there can be, where these are known before any text. With `pairs` the
    units are learnt from the training part by a library (`nndsl.data.text.pairs`).
    """

    units: Callable[[str], Sequence[str]] | None = None
    joined: Callable[[Sequence[str]], str] | None = None
    every: tuple[str, ...] = ()
    pairs: bool = False


_NO_BLANK_BEFORE = frozenset(".,;:!?)]}’”\n")
_NO_BLANK_AFTER = frozenset("\n([{“")


def words_in(text: str) -> list[str]:
    """Words, marks and line ends of a text, in their order: `don't stop!` has three."""
    import re  # here, for exported files have this function alone

    return re.findall(r"\n|[^\W_]+(?:['’][^\W_]+)*|[^\w\s]|_", text)


def _sentence(units: Sequence[str]) -> str:
    """Words with blanks between them, none before a mark or at the ends of a line."""
    written: list[str] = []
    for unit in units:
        before = written[-1] if written else "\n"
        if unit not in _NO_BLANK_BEFORE and before not in _NO_BLANK_AFTER:
            written.append(" ")
        written.append(unit)
    return "".join(written)


def _letters(text: str) -> Sequence[str]:
    return text


def _bytes_of(text: str) -> Sequence[str]:
    return text.encode("utf-8").decode("latin-1")


def _text_of(units: Sequence[str]) -> str:
    return "".join(units).encode("latin-1", "replace").decode("utf-8", "replace")


register(
    Level(
        "character",
        {},
        "Every character of a text is a unit: letters, blanks, marks, line ends.",
        units=_letters,
        joined="".join,
    ),
    'data d = text("book.txt", window=64, level=character)',
)
register(
    Level(
        "bytes",
        {},
        "Every byte of a text in UTF-8 is a unit: 256 of them, whatever the alphabet.",
        units=_bytes_of,
        joined=_text_of,
        every=tuple(map(chr, range(256))),
    ),
    'data d = text("book.txt", window=64, level=bytes)',
)
register(
    Level(
        "word",
        {"count": Int(8000, "so many of the most frequent, the others are unknown", ge=2)},
        "Words, marks and line ends are units; blanks between them are put again by rule.",
        units=words_in,
        joined=_sentence,
    ),
    'data d = text("book.txt", window=32, level=word(8000))',
)
register(
    Level(
        "bpe",
        {"count": Int(8000, "how many units there are", ge=257, le=1 << 20)},
        "Byte pairs: bytes, and runs of them that are frequent in the training part. It needs the "
        "extra `text` (the library tokenizers).",
        "Sennrich, Haddow & Birch 2016, arXiv:1508.07909",
        pairs=True,
    ),
    'data d = text("book.txt", window=64, level=bpe(8000))',
)
