"""Answers: how the outputs of a network become what a person is told.

Everything here is NumPy over rows. The functions stand word for word in exported files too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any

import numpy as np

from nndsl.params import Int, Real, Text
from nndsl.records import dataclass
from nndsl.vocab.registry import Word, WordCall, register


@dataclass(frozen=True)
class Answer(Word):
    """How the shares of a row's classes become its answer.

    `choose(shares, **arguments)`: class numbers [rows], -1 for a row that gets no answer, from
    shares [rows, classes] in the order of the classes. `two_classes`: it decides between two.
    `writes`: it is for networks that say what comes next in a text, which it continues.
    `metrics` are told beside those of the run, with their arguments by name.
    """

    choose: Callable[..., np.ndarray] | None = None
    two_classes: bool = False
    writes: bool = False
    metrics: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def most_likely(shares: np.ndarray) -> np.ndarray:
    """The class of the greatest share in each row; of equal ones the first."""
    return np.asarray(np.argmax(shares, axis=1))


def second_if_above(shares: np.ndarray, threshold: float) -> np.ndarray:
    """1 where the share of the second class is above a limit, else 0."""
    return np.asarray((shares[:, 1] > threshold).astype(np.int64))


def clear_or_none(shares: np.ndarray, margin: float) -> np.ndarray:
    """The most likely class; -1 where the second share is closer to the first than the margin."""
    order = np.sort(shares, axis=1)
    return np.where(order[:, -1] - order[:, -2] < margin, -1, np.argmax(shares, axis=1))


def likeliest_next(shares: np.ndarray, **arguments: Any) -> np.ndarray:
    """What is said of each place of a given text, where nothing is drawn."""
    return most_likely(shares)


def decided(answer: WordCall | None, shares: np.ndarray) -> np.ndarray:
    """Class numbers [rows], -1 for no answer, of shares [rows, classes]; None: the most likely."""
    if answer is None:
        return most_likely(shares)
    assert isinstance(answer.word, Answer)
    assert answer.word.choose is not None
    return answer.word.choose(shares, **answer.arguments)


register(Answer("argmax", {}, "The class of the greatest share.", choose=most_likely))
register(
    Answer(
        "threshold",
        {"threshold": Real(doc="share above which the second class is the answer", gt=0, lt=1)},
        "Of two classes the second where its share is above a limit; 0.5 is the most likely.",
        "sklearn.model_selection.FixedThresholdClassifier",
        second_if_above,
        two_classes=True,
        metrics={"precision": {"average": "binary"}, "recall": {"average": "binary"}},
    )
)
register(
    Answer(
        "refuse",
        {"margin": Real(doc="least distance of the two greatest shares", ge=0, lt=1)},
        "The most likely class, or no answer where the two greatest shares are too close.",
        "LeCun et al. 1989, Backpropagation applied to handwritten zip code recognition",
        clear_or_none,
        metrics={"refused": {}},
    )
)
register(
    Answer(
        "generate",
        {
            "length": Int(300, "how many characters (or other units) are written", ge=1),
            "start": Text("", "what stands before them; left out: the end of a line"),
            "temperature": Real(
                1.0, "below 1 what is likely becomes likelier, 0 takes the likeliest", ge=0
            ),
            "top": Int(None, "draw among so many of the likeliest; left out: among all", ge=1),
        },
        "A text is written: what comes next is drawn by its share, again and again. "
        "`nndsl generate RUN` writes it.",
        "Graves 2013, arXiv:1308.0850; top: Fan, Lewis & Dauphin 2018, arXiv:1805.04833",
        likeliest_next,
        writes=True,
    )
)
