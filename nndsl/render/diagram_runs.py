"""Finding what repeats: stretches of a flow in which the same stages, wired alike, follow again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from itertools import pairwise

from nndsl.records import dataclass
from nndsl.render.structure import Group, Stage

LONGEST_PERIOD = 4
FEWEST_LAYERS = 3
"""Copies of plain layers from which on they fold; blocks fold from two copies on."""

OUTSIDE = -1

Child = Stage | Group
Place = tuple[int, int] | Stage
"""Where a stage reads from: child and place inside it, or a stage outside of this level."""


@dataclass(frozen=True)
class Run:
    """The first copy of what repeats, and the copies after it; `alike`: of equal sizes too."""

    first: tuple[Child, ...]
    copies: tuple[tuple[Child, ...], ...] = ()
    alike: bool = True

    @property
    def times(self) -> int:
        """How many copies there are."""
        return 1 + len(self.copies)


class Signatures:
    """A number for each structure: stages or blocks with equal numbers are drawn alike."""

    def __init__(self, kept_apart: Collection[Child], is_open: Callable[[Group], bool]) -> None:
        self._apart = kept_apart
        self._is_open = is_open
        self._numbers: dict[Hashable, int] = {}
        self._known: dict[Child, int] = {}

    def of(self, child: Child) -> int:
        """The number of a stage or block."""
        if child not in self._known:
            key: Hashable = child
            if child not in self._apart:
                key = _stage_key(child) if isinstance(child, Stage) else self._group_key(child)
            self._known[child] = self._numbers.setdefault(key, len(self._numbers))
        return self._known[child]

    def written(self, child: Child) -> Hashable:
        """Equal for closed blocks that are written alike, whatever their sizes."""
        if isinstance(child, Stage) or child.part is None or child in self._apart:
            return child
        if self._is_open(child):
            return child
        return child.part.word, child.part.shown, sum(1 for _ in child.stages())

    def _group_key(self, group: Group) -> Hashable:
        level = _Level(group.children)
        outer: dict[Stage, int] = {}
        wiring = tuple(
            tuple(
                outer.setdefault(place, -len(outer) - 1) if isinstance(place, Stage) else place
                for place in places
            )
            for places in level.reads
        )
        word = group.part.word if group.part is not None else ""
        return "block", word, tuple(map(self.of, group.children)), wiring


def _stage_key(stage: Stage) -> Hashable:
    shapes = tuple(source.output.type for source in stage.sources)
    shared = stage.weights if stage.is_shared else None
    sizes = stage.parameters if not stage.is_shared else 0
    return stage.kind, tuple(stage.lines), stage.output.type, shapes, sizes, shared


class _Level:
    """The children of one block: what each reads, as places."""

    def __init__(self, children: Sequence[Child]) -> None:
        self.children = children
        self.places: dict[Stage, tuple[int, int]] = {}
        for number, child in enumerate(children):
            for offset, stage in enumerate(child.stages()):
                self.places[stage] = number, offset
        self.reads = [self._reads(number) for number in range(len(children))]

    def _reads(self, number: int) -> tuple[Place, ...]:
        sources = (s for stage in self.children[number].stages() for s in stage.sources)
        places = (self.places.get(s, s) for s in dict.fromkeys(sources))
        return tuple(p for p in places if isinstance(p, Stage) or p[0] != number)


def runs_of(
    children: Sequence[Child],
    signatures: Signatures,
    readers: Mapping[Stage, Sequence[Stage]],
    leaving: Collection[Stage],
) -> list[Run]:
    """The children in order, those that repeat joined into runs.

    `readers` says who reads each stage, `leaving` which stages are outputs of the net.
    """
    finder = _Finder(children, signatures, readers, leaving)
    found, start = [], 0
    while start < len(children):
        period, times, alike = finder.longest(start)
        copies = [
            tuple(children[start + k * period : start + (k + 1) * period]) for k in range(times)
        ]
        found.append(Run(copies[0], tuple(copies[1:]), alike))
        start += period * times
    return found


class _Finder:
    def __init__(
        self,
        children: Sequence[Child],
        signatures: Signatures,
        readers: Mapping[Stage, Sequence[Stage]],
        leaving: Collection[Stage],
    ) -> None:
        self.children = children
        self.level = _Level(children)
        self.numbers: list[Hashable] = [signatures.of(child) for child in children]
        self.written = [signatures.written(child) for child in children]
        self.read_by = [self._read_by(n, readers, leaving) for n in range(len(children))]

    def _read_by(
        self,
        number: int,
        readers: Mapping[Stage, Sequence[Stage]],
        leaving: Collection[Stage],
    ) -> set[int]:
        found = set()
        for stage in self.children[number].stages():
            if stage in leaving:
                found.add(OUTSIDE)
            for reader in readers.get(stage, ()):
                found.add(self.level.places.get(reader, (OUTSIDE, 0))[0])
        return found - {number}

    def longest(self, start: int) -> tuple[int, int, bool]:
        """Period and copies of the run at `start` that hides the most, and whether sizes are equal.

        Period and copies are 1 if none hides anything.
        """
        best = 1, 1
        for period in range(1, LONGEST_PERIOD + 1):
            times = self._copies(start, period, self.numbers)
            blocks = any(isinstance(c, Group) for c in self.children[start : start + period])
            if times < (2 if blocks else FEWEST_LAYERS):
                continue
            if (times - 1) * period > (best[1] - 1) * best[0]:
                best = period, times
        growing = self._copies(start, 1, self.written)
        sizes = self.numbers[start : start + growing]
        if growing >= FEWEST_LAYERS and all(a != b for a, b in pairwise(sizes)):
            return 1, growing, False
        return *best, True

    def _copies(self, start: int, period: int, numbers: Sequence[Hashable]) -> int:
        times = 1
        while self._repeats(start, period, times, numbers):
            times += 1
        return times

    def _repeats(self, start: int, period: int, times: int, numbers: Sequence[Hashable]) -> bool:
        """Whether one more copy follows `times` copies: alike, wired alike, in a chain."""
        begin = start + times * period
        end = begin + period
        if end > len(self.children):
            return False
        if numbers[begin - period : begin] != numbers[begin:end]:
            return False
        before = range(begin - period, end)
        if any(self.read_by[n] - set(before) for n in range(begin - period, begin)):
            return False
        return all(self._wired_alike(n, begin, period, start) for n in range(begin, end))

    def _wired_alike(self, number: int, begin: int, period: int, start: int) -> bool:
        here, there = self.level.reads[number], self.level.reads[number - period]
        if len(here) != len(there):
            return False
        return all(
            self._same_place(place, other, begin, period, start)
            for place, other in zip(here, there, strict=True)
        )

    def _same_place(self, place: Place, other: Place, begin: int, period: int, start: int) -> bool:
        """Whether a copy reads at `place` what the copy before it reads at `other`."""
        if isinstance(place, Stage) or place[0] < start:
            return place == other
        if place[0] < begin - period:
            return False
        moved = place[0] - period, place[1]
        if place[0] >= begin or begin - period > start:
            return moved == other
        # the second copy goes on from the first one, which goes on from anything before it
        return isinstance(other, Stage) or other[0] < start
