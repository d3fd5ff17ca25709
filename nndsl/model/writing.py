"""Texts written by a trained network: what comes next is drawn by its share, again and again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nndsl.data.text.reading import known_ids, vocabulary_of
from nndsl.data.text.vocabulary import Vocabulary
from nndsl.diagnostics import error
from nndsl.model.running import LoadedRun
from nndsl.random import Stream, stream_of
from nndsl.records import dataclass
from nndsl.train.job import inference_states
from nndsl.vocab.arguments import bind_arguments
from nndsl.vocab.registry import words

STREAM = "generate"
_LEAST = 1e-300
_SAME = 1e-4
"""Shares that differ by less at two fillings of what comes later are the same."""


@dataclass(frozen=True)
class Written:
    """A text: its beginning as given, and what the network has added to it."""

    start: str
    added: str


def write(loaded: LoadedRun, settings: Mapping[str, Any], seed: int) -> Written:
    """Continue a text by the arguments of `generate`; those not given are the run's own.

    The network reads at most its own window, the last units written; one whose memory goes on from
    window to window reads all of them, window after window. Equal seeds write equal texts.
    Raises NN024 for a run that is not of a text or looks ahead, NN414 for a start with characters
    that it does not know.
    """
    _require_text(loaded)
    own = loaded.recipe.writing
    given = {**(own.arguments if own is not None else {}), **settings}
    said = {name: value for name, value in given.items() if value is not None}
    arguments = bind_arguments(words("answer")["generate"], (), said)
    vocabulary = vocabulary_of(loaded.specification, loaded.schema)
    ids = known_ids(vocabulary, arguments["start"], "the start").tolist()
    read = ids or [vocabulary.number.get("\n", 0)]
    reader = _Reader if not loaded.recipe.carry else _ReaderOfAll
    shares_of = reader(loaded, len(vocabulary.units))
    shares_of.require_no_look_ahead(read)
    chance = Stream(seed, stream_of(STREAM)).uniform(arguments["length"])
    added: list[int] = []
    for number in chance.tolist():
        shares = shares_of(read + added)
        if vocabulary.knows_unknown:
            shares[0] = 0.0
        added.append(drawn(shares, number, arguments["temperature"], arguments["top"]))
    return Written(arguments["start"], _added(vocabulary, ids, added))


def drawn(shares: np.ndarray, chance: float, temperature: float, top: int | None) -> int:
    """One of the classes by its share [classes]; `chance` is a random number in [0, 1).

    Shares are raised to 1/temperature; of all but the `top` greatest they are 0. Of equal shares
    the first class comes first.
    """
    order = np.argsort(-shares, kind="stable")[: top or len(shares)]
    if temperature == 0:
        return int(order[0])
    logs = np.log(np.maximum(shares[order].astype(np.float64), _LEAST)) / temperature
    weights = np.cumsum(np.exp(logs - logs[0]))
    place = int(np.searchsorted(weights, chance * weights[-1], side="right"))
    return int(order[min(place, len(order) - 1)])


class _Reader:
    """The shares of what comes after some ids."""

    def __init__(self, loaded: LoadedRun, classes: int) -> None:
        self._loaded, self._classes = loaded, classes
        (declared,) = loaded.schema.inputs
        self._input, self._window = declared.name, declared.shape[0]
        self._output = loaded.outputs[0].name

    def __call__(self, ids: list[int], filling: int = 0) -> np.ndarray:
        """Shares [classes]. Places after the last id are filled: the network does not see them."""
        seen = ids[-self._window :]
        row = np.full((1, self._window), filling, np.int32)
        row[0, : len(seen)] = seen
        found = self._loaded.evaluate({self._input: row})[self._output]
        return np.asarray(found[0, len(seen) - 1], np.float64)

    def require_no_look_ahead(self, ids: list[int]) -> None:
        """NN024 for a network whose answer at a place depends on what comes after it."""
        first = ids[: self._window - 1]
        ends = [self(first, filling) for filling in (0, self._classes - 1)]
        if np.abs(ends[0] - ends[1]).max() > _SAME:
            name = self._loaded.network.name
            raise error(
                "NN024",
                f"`{name}` cannot write: what it says at a place depends on what comes after it",
                help="write with `attention(heads, causal=true)`, or a recurrence that is not "
                "`both(...)`",
            )


class _ReaderOfAll(_Reader):
    """The same where memories go on: what a window begins with is what the one before left."""

    def __init__(self, loaded: LoadedRun, classes: int) -> None:
        super().__init__(loaded, classes)
        known = inference_states(loaded.network)
        self._first = {
            name: array if name in known else np.zeros_like(array)
            for name, array in loaded.executable.states().items()
        }
        self._begin, self._states = 0, self._first

    def __call__(self, ids: list[int], filling: int = 0) -> np.ndarray:
        """Shares [classes] after all the ids; they are those of the last time, and more."""
        begin = (len(ids) - 1) // self._window * self._window
        if begin < self._begin:
            self._begin, self._states = 0, self._first
        while self._begin < begin:
            self._read(ids[self._begin : self._begin + self._window], filling)
            self._begin += self._window
            self._states = self._loaded.executable.states()
        seen = ids[begin:]
        return np.asarray(self._read(seen, filling)[0, len(seen) - 1], np.float64)

    def _read(self, seen: list[int], filling: int) -> np.ndarray:
        """Shares [1, window, classes] in a window that goes on from the states kept."""
        row = np.full((1, self._window), filling, np.int32)
        row[0, : len(seen)] = seen
        executable = self._loaded.executable
        executable.set_states(self._states)
        return executable.go_on({self._input: row})[self._output]


def _require_text(loaded: LoadedRun) -> None:
    if loaded.specification.kind != "text" or not loaded.outputs:
        raise error(
            "NN024",
            f"the run in `{loaded.run.path}` was not trained on a text, so it cannot write one",
            help='data book = text("book.txt", window=64)',
        )


def _added(vocabulary: Vocabulary, ids: list[int], added: list[int]) -> str:
    """What comes after the beginning, with the blank that may stand between the two."""
    whole, begun = vocabulary.text([*ids, *added]), vocabulary.text(ids)
    return whole[len(begun) :] if whole.startswith(begun) else vocabulary.text(added)
