"""Sharing of temporary memory: pieces in the order of their lives, each at the lowest free place.

Threads work on their own rows of the batch and meet only where a phase ends: at a change between
nodes that work on rows and nodes that do not. So memory that is no longer needed may at once be
taken over by a piece of the same size (the same rows are then the same bytes, and the same
thread's); by any other only after the phase.

Where memory matters more than meetings, `packed` places the largest pieces first.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from nndsl.records import dataclass


@dataclass(eq=False)
class Piece:
    """`size` bytes needed from node `first` to node `last`; `rows`: shared by rows of the batch."""

    size: int
    first: int
    last: int
    rows: bool = False
    offset: int = -1


class Arena:
    """Gives offsets from `base` on. `phases` has the number of the phase of every node."""

    def __init__(self, base: int, phases: Sequence[int]) -> None:
        self.end = base
        self._phases = phases
        self._phase = -1
        self._free: list[tuple[int, int]] = []  # offset, size; sorted, never touching
        self._dead: list[Piece] = []  # ended in this phase
        self._alike: dict[int, list[Piece]] = defaultdict(list)  # the same with rows, by size

    def arrange(self, pieces: Iterable[Piece]) -> None:
        """Place all pieces."""
        ending: dict[int, list[Piece]] = defaultdict(list)
        starting: dict[int, list[Piece]] = defaultdict(list)
        for piece in pieces:
            starting[piece.first].append(piece)
            ending[piece.last].append(piece)
        for number in range(-1, len(self._phases)):
            self._enter(number)
            for piece in starting[number]:
                piece.offset = self._take(piece)
            for piece in ending[number]:
                self._dead.append(piece)
                if piece.rows:
                    self._alike[piece.size].append(piece)

    def _enter(self, number: int) -> None:
        phase = self._phases[number] if number >= 0 else -1
        if phase == self._phase:
            return
        self._phase = phase
        for piece in self._dead:
            self._release(piece.offset, piece.offset + piece.size)
        self._dead, self._alike = [], defaultdict(list)

    def _release(self, start: int, stop: int) -> None:
        """Bytes `start` to `stop` - 1 are free, as one stretch with those beside them."""
        after = bisect_left(self._free, (start,))
        before = after
        if before and sum(self._free[before - 1]) == start:
            before -= 1
            start = self._free[before][0]
        if after < len(self._free) and self._free[after][0] == stop:
            stop += self._free[after][1]
            after += 1
        if start < stop:
            self._free[before:after] = [(start, stop - start)]

    def _take(self, piece: Piece) -> int:
        if piece.rows and self._alike[piece.size]:
            former = self._alike[piece.size].pop()
            self._dead.remove(former)
            return former.offset
        for index, (offset, size) in enumerate(self._free):
            if size >= piece.size:
                rest = [(offset + piece.size, size - piece.size)] if size > piece.size else []
                self._free[index : index + 1] = rest
                return offset
        self.end += piece.size
        return self.end - piece.size


MOST_PACKED = 4000
"""Pieces up to which they are packed: each is compared with all that were placed before it."""


def packed(pieces: Sequence[Piece], base: int) -> int:
    """Place pieces from `base` on, the largest first, each as low as it fits; the end of all.

    The heuristic of Burke, Kendall & Whitwell 2004 (Operations Research 52) for strips that may
    not move along one axis, here time: seldom more than some percent above the most that is alive
    together.
    """
    first, last, start, stop = np.empty((4, len(pieces)), np.int64)
    for number, piece in enumerate(sorted(pieces, key=lambda p: (-p.size, p.first))):
        known = slice(number)
        beside = (first[known] <= piece.last) & (last[known] >= piece.first)
        order = np.argsort(start[known][beside], kind="stable")
        taken = np.maximum.accumulate([base, *stop[known][beside][order]])
        gaps = np.append(start[known][beside][order], np.iinfo(np.int64).max) - taken
        piece.offset = int(taken[np.argmax(gaps >= piece.size)])
        first[number], last[number] = piece.first, piece.last
        start[number], stop[number] = piece.offset, piece.offset + piece.size
    return int(max(stop, default=base))


def phases_of(by_rows: Sequence[bool]) -> list[int]:
    """Phases of nodes that do or do not work on rows: a new one at every change."""
    phases: list[int] = []
    for number, rows in enumerate(by_rows):
        changed = number > 0 and rows is not by_rows[number - 1]
        phases.append((phases[-1] if phases else 0) + int(changed))
    return phases
