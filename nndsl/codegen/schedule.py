"""The order of calls: neighbours merged, equal shares, and no more waiting than must be."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from nndsl.codegen.context import batched
from nndsl.codegen.draft import LINE, ROW_ALIGN, Draft, Share, merged
from nndsl.codegen.program import Region, Split
from nndsl.ir.graph import Graph, Value, rebuild


def in_phases(graph: Graph) -> Graph:
    """The nodes in another order: as many as can be that work on rows of the batch, then as many
    as can be of the others, and so on.

    Threads need to meet only between two phases. Done before memory is planned, since memory
    that a later phase reuses would tie the order down.
    """
    phases: dict[Value, int] = {}
    turns: list[int] = []  # phases of even number are those of the batch
    for node in graph.nodes:
        earliest = max((phases.get(value, 0) for value in node.inputs), default=0)
        turns.append(earliest + (earliest % 2 == batched(node.outputs[0])))
        phases.update(dict.fromkeys(node.outputs, turns[-1]))
    order = [node for _, node in sorted(zip(turns, graph.nodes, strict=True), key=_first)]
    return rebuild(graph, order)


def merge_neighbours(drafts: Sequence[Draft], apart: Collection[Region] = ()) -> list[Draft]:
    """Calls of one kernel over adjoining memory become one call, at the place of the last.

    This makes one loop of an optimizer's update of all parameters. What adjoins in a region
    `apart` may lie elsewhere when the program is loaded, and is left alone.
    """
    result: list[Draft | None] = []
    ends: dict[tuple[object, ...], int] = {}  # where calls end that the next may go on from
    for draft in drafts:
        if any(part.buffer.region in apart for part in draft.pointers):
            result.append(draft)
            continue
        position = ends.get(_joint(draft, at_start=True))
        joined = _joined(result, position, draft) if position is not None else None
        if joined is not None and position is not None:
            result[position] = None
        ends[_joint(joined or draft, at_start=False)] = len(result)
        result.append(joined or draft)
    return [draft for draft in result if draft is not None]


def _joint(draft: Draft, *, at_start: bool) -> tuple[object, ...]:
    """The line of memory at which a call's parts begin, or before which they end."""
    part = next((p for p in draft.pointers if p.share is Share.PART), None)
    if part is None:
        return ()
    place = part.start if at_start else -(-part.stop // LINE) * LINE
    return draft.kernel.name, part.buffer.region, place


def _joined(done: Sequence[Draft | None], position: int, draft: Draft) -> Draft | None:
    """`draft` with the earlier call at `position`, if that may move here over all between."""
    earlier = done[position]
    if earlier is None:
        return None
    joined = merged(earlier, draft)
    between = (other for other in done[position + 1 :] if other is not None)
    if joined is None or any(earlier.touches(other) for other in between):
        return None
    return joined


def same_shares(drafts: Sequence[Draft]) -> list[Draft]:
    """All calls split by rows of the batch get shares that start at the same rows.

    The heaviest call chooses: its kernel works best on whole tiles. A convolution has tiles within
    each row of the batch.
    """
    by_rows = [d for d in drafts if d.split is Split.ROWS]
    heaviest = max(by_rows, key=lambda d: d.flops, default=None)
    align = ROW_ALIGN if heaviest is None else _rows_of_a_share(heaviest)
    return [
        replace(d, align=align * d.extent.factor) if d.split is Split.ROWS else d for d in drafts
    ]


def scheduled(drafts: Sequence[Draft]) -> list[tuple[Draft, bool]]:
    """The calls in an order of few meetings, each with whether all threads meet before it.

    A call must come after every earlier one whose memory it touches; where the same thread does
    both parts, that is enough, otherwise all threads meet in between. Calls that can do without a
    further meeting go first.
    """
    earlier = _dependencies(drafts)
    phases: list[int] = []
    for needed, draft in zip(earlier, drafts, strict=True):
        last = max((phases[j] for j in needed), default=0)
        meets = any(drafts[j].conflicts(draft) for j in needed if phases[j] == last)
        phases.append(last + meets)
    calls = sorted(zip(phases, drafts, strict=True), key=_first)
    before = [calls[0][0], *(phase for phase, _ in calls)] if calls else []
    return [(draft, phase != last) for (phase, draft), last in zip(calls, before, strict=False)]


def _first(pair: tuple[int, object]) -> int:
    return pair[0]


def _rows_of_a_share(draft: Draft) -> int:
    """Of what number of rows of the batch shares should be multiples."""
    contraction = draft.kernel.contraction
    if draft.extent.factor > 1 or (contraction is not None and contraction.grid):
        return 1
    return ROW_ALIGN if draft.align == 1 else draft.align


class _Stretch:
    """Bytes `start` to `stop` - 1 of a region: who wrote them last, who has read them since."""

    __slots__ = ("readers", "start", "stop", "writer")

    def __init__(
        self, start: int, stop: int, writer: int | None = None, readers: Iterable[int] = ()
    ) -> None:
        self.start = start
        self.stop = stop
        self.writer = writer
        self.readers = list(readers)

    def part(self, start: int, stop: int) -> _Stretch:
        """The same of some of the bytes."""
        return _Stretch(start, stop, self.writer, self.readers)


class _Stretches:
    """What has been touched of one region, in order and without overlaps."""

    def __init__(self) -> None:
        self._starts: list[int] = []  # those of the stretches
        self._stretches: list[_Stretch] = []

    def covering(self, start: int, stop: int) -> list[_Stretch]:
        """The stretches that make up `start` to `stop` - 1, cut and added as needed."""
        if start >= stop:
            return []
        first = max(0, bisect_right(self._starts, start) - 1)
        last = bisect_left(self._starts, stop, first)
        old = self._stretches[first:last]
        if len(old) == 1 and (old[0].start, old[0].stop) == (start, stop):
            return old
        before, inside, after = _cut(old, start, stop)
        self._stretches[first:last] = [*before, *inside, *after]
        self._starts[first:last] = [s.start for s in (*before, *inside, *after)]
        return inside


def _cut(
    old: Sequence[_Stretch], start: int, stop: int
) -> tuple[list[_Stretch], list[_Stretch], list[_Stretch]]:
    """Stretches before, from `start` to `stop` without gaps, and after."""
    before: list[_Stretch] = []
    inside: list[_Stretch] = []
    after: list[_Stretch] = []
    place = start
    for stretch in old:
        if stretch.start < start:
            before.append(stretch.part(stretch.start, min(stretch.stop, start)))
        if stretch.stop <= start:
            continue
        if place < stretch.start:
            inside.append(_Stretch(place, stretch.start))
        place = min(stretch.stop, stop)
        inside.append(stretch.part(max(stretch.start, start), place))
        if stretch.stop > stop:
            after.append(stretch.part(stop, stretch.stop))
    if place < stop:
        inside.append(_Stretch(place, stop))
    return before, inside, after


def _dependencies(drafts: Sequence[Draft]) -> list[set[int]]:
    """For each call the earlier ones that it must follow directly.

    Who touched the same bytes before the last writer needs no mention: the writer follows them,
    and where threads had to meet before it, they have.
    """
    regions: dict[Region, _Stretches] = {region: _Stretches() for region in Region}
    found: list[set[int]] = []
    for number, draft in enumerate(drafts):
        needed: set[int] = set()
        for pointer in draft.pointers:
            stretches = regions[pointer.buffer.region]
            for stretch in stretches.covering(pointer.start, pointer.stop):
                if stretch.writer is not None:
                    needed.add(stretch.writer)
                if pointer.writes:
                    needed.update(stretch.readers)
                    stretch.writer, stretch.readers = number, []
                else:
                    stretch.readers.append(number)
        needed.discard(number)
        found.append(needed)
    return found
