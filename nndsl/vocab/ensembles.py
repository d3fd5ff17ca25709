"""Ensembles: several networks from one recipe, and how they answer together.

The functions are NumPy over rows; they stand word for word in exported files too.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nndsl.params import Choice, Int, Parameter
from nndsl.records import dataclass
from nndsl.vocab.registry import Word, register


@dataclass(frozen=True)
class Ensemble(Word):
    """Several networks from one recipe, which differ by their seed.

    The first argument is how many, `answer` how they answer together (`TOGETHER`). With `samples`
    each learns from a bootstrap sample of the training rows: as many, drawn with replacement.
    """

    samples: bool = False


def mean_of(members: np.ndarray) -> np.ndarray:
    """The mean over the members: outputs [members, rows, ...] to [rows, ...], float64."""
    return np.asarray(members.mean(axis=0, dtype=np.float64))


def votes_of(members: np.ndarray) -> np.ndarray:
    """The share of the members that are for each class, float64 [rows, classes].

    `members` are shares [members, rows, classes], or [members, rows, 1] of the second of two
    classes. A ten-millionth of the mean share is added, so that it decides between classes with
    as many votes, and the shares of a row still sum to 1.
    """
    if members.shape[-1] == 1:
        votes = (members > 0.5).mean(axis=0)
    else:
        votes = np.eye(members.shape[-1])[members.argmax(axis=-1)].mean(axis=0)
    return np.asarray((1 - 1e-7) * votes + 1e-7 * members.mean(axis=0, dtype=np.float64))


def votes_of_pixels(members: np.ndarray) -> np.ndarray:
    """The same for each pixel, whose classes are channels: [members, rows, classes, height, width]
    to float64 [rows, classes, height, width].
    """
    return np.moveaxis(votes_of(np.moveaxis(members, 2, -1)), -1, 1)


TOGETHER: dict[str, Callable[[np.ndarray], np.ndarray]] = {"mean": mean_of, "vote": votes_of}
"""What the argument `answer` of an ensemble may be."""


def _ensemble(name: str, members: int, doc: str, see: str, *, samples: bool) -> None:
    """Define a kind of ensemble; `members` is a usual number of them, for the manual."""
    how = "how they answer together: the mean of their outputs, or one vote each for a class"
    parameters: dict[str, Parameter] = {
        "members": Int(doc="how many networks", ge=2, le=1000),
        "answer": Choice("mean", how, tuple(TOGETHER)),
    }
    register(Ensemble(name, parameters, doc, see, samples), f"ensemble = {name}({members})")


_ensemble(
    "committee",
    5,
    "Networks with the seeds s, s + 1, ... on the same rows.",
    "Hansen & Salamon 1990, Neural network ensembles",
    samples=False,
)
_ensemble(
    "bagging",
    15,
    "Networks with the seeds s, s + 1, ... on a bootstrap sample of the training rows each.",
    "Breiman 1996, Bagging predictors",
    samples=True,
)
