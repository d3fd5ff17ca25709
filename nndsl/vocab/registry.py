"""The registries: every word that a `.nn` file may use, by sort, with its declared arguments.

A word is one definition. Adding one never touches this file, the grammar, or a list: definitions
register themselves when their module is imported by `nndsl.vocab`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nndsl.diagnostics import Span
from nndsl.params import Parameter


@dataclass(frozen=True)
class Word:
    """Base of all definitions: a name, its arguments in order, one sentence, a source.

    The kinds (Activation, Loss, Optimizer, Schedule, Initializer, Metric, Step, Layer) subclass
    this with the part that only they have.
    """

    name: str
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    doc: str = ""
    see: str = ""

    @property
    def registry(self) -> str:
        """The sort of word: 'activation', 'layer', ... derived from the class."""
        return type(self).__name__.lower()


@dataclass(frozen=True)
class WordCall:
    """A word with its arguments converted, as written at `span` (None for a default)."""

    word: Word
    arguments: Mapping[str, Any] = field(default_factory=dict)
    span: Span | None = None

    @property
    def registry(self) -> str:
        """The sort of word."""
        return self.word.registry

    @property
    def name(self) -> str:
        """The word's name."""
        return self.word.name


_words: dict[str, dict[str, Word]] = {}


def register(word: Word) -> Word:
    """Add a definition; a name may be taken once in its registry."""
    names = _words.setdefault(word.registry, {})
    if word.name in names:
        raise ValueError(f"the {word.registry} `{word.name}` is defined twice")
    names[word.name] = word
    return word


def words(registry: str) -> Mapping[str, Word]:
    """All words of one sort by name."""
    return _words.get(registry, {})


def registries() -> Mapping[str, Mapping[str, Word]]:
    """All registries by name."""
    return _words
