"""Byte pairs by the library tokenizers, which is there with the extra `text`."""

from __future__ import annotations

import importlib
import json
from collections.abc import Sequence
from typing import Any

from nndsl.diagnostics import error


def learnt_pairs(training: str, count: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The units of a text by their numbers, at most so many, and the pairs joined in turn.

    Units are written in the library's alphabet of bytes. Raises NN429 without the library.
    """
    library = _library()
    coder = library.Tokenizer(library.models.BPE())
    coder.pre_tokenizer = library.pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = sorted(library.pre_tokenizers.ByteLevel.alphabet())
    trainer = library.trainers.BpeTrainer(
        vocab_size=count, initial_alphabet=alphabet, show_progress=False
    )
    coder.train_from_iterator([training], trainer)
    model = json.loads(coder.to_str())["model"]
    numbers: dict[str, int] = model["vocab"]
    pairs = [pair if isinstance(pair, str) else " ".join(pair) for pair in model["merges"]]
    return tuple(sorted(numbers, key=numbers.__getitem__)), tuple(pairs)


def ids_of_pairs(units: Sequence[str], pairs: Sequence[str], text: str) -> list[int]:
    """The numbers of a text's units."""
    library = _library()
    vocabulary = {unit: number for number, unit in enumerate(units)}
    merges = [tuple(pair.split(" ", 1)) for pair in pairs]
    coder = library.Tokenizer(library.models.BPE(vocab=vocabulary, merges=merges))
    coder.pre_tokenizer = library.pre_tokenizers.ByteLevel(add_prefix_space=False)
    return list(coder.encode(text).ids)


def text_of_pairs(units: Sequence[str]) -> str:
    """The text of some units."""
    return str(_library().decoders.ByteLevel().decode(list(units)))


def _library() -> Any:
    try:
        return importlib.import_module("tokenizers")
    except ImportError:
        raise error(
            "NN429",
            "`level = bpe(...)` needs the library tokenizers, which is not installed",
            help='pip install "nndsl[text]", or `level = word(8000)`',
        ) from None
