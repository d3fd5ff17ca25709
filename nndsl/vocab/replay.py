"""`replay = buffer(200, replace=easiest)`: a few examples that are learnt over and over.

A car that drives straight ahead for long would make its network forget the bends. So the network
does not learn from the newest pictures alone, but from a buffer of examples, of which a few give
way to new ones before each epoch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from nndsl.params import Choice, Int
from nndsl.records import dataclass
from nndsl.vocab.registry import Word, register

Leaving = Callable[[np.ndarray, Callable[[], np.ndarray], np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Replay(Word):
    """How the examples of an epoch are chosen."""


LEAVING: Mapping[str, Leaving] = {
    "oldest": lambda arrivals, errors, u: arrivals,
    "easiest": lambda arrivals, errors, u: errors(),
    "random": lambda arrivals, errors, u: u,
}
"""Which examples give way: those with the least of this, of equals the older ones first.

It is given of each example the number of its arrival, what finds the error of the network, and a
uniform number: [n] each.
"""

register(
    Replay(
        "buffer",
        {
            "size": Int(doc="how many examples the buffer holds", ge=1),
            "replace": Choice("easiest", "which examples give way", tuple(LEAVING)),
            "fresh": Int(
                None,
                "how many new examples arrive before each epoch but the first; left out: as many "
                "as `copies` makes of a picture, else 1",
                ge=1,
            ),
        },
        "An epoch is one pass over a buffer of examples, of which some give way to new ones before "
        "the next. `easiest`: those on which the network is least wrong at that moment.",
        "Pomerleau 1991, Efficient training of neural networks for autonomous navigation",
    )
)
