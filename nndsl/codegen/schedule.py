"""The order of calls: neighbours merged, equal shares, and no more waiting than must be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nndsl.codegen.context import batched
from nndsl.codegen.draft import ROW_ALIGN, Draft, merged
from nndsl.codegen.program import Split
from nndsl.ir.graph import Graph, Node, rebuild


def in_phases(graph: Graph) -> Graph:
    """The nodes in another order: as many as can be that work on rows of the batch, then as many
    as can be of the others, and so on.

    Threads need to meet only between two phases. Done before memory is planned, since memory
    that a later phase reuses would tie the order down.
    """
    left = list(graph.nodes)
    made = {entry.value for entry in graph.inputs.values()}
    order: list[Node] = []
    turn = True
    while left:
        later = []
        for node in left:
            if batched(node.outputs[0]) is turn and made.issuperset(node.inputs):
                order.append(node)
                made.update(node.outputs)
            else:
                later.append(node)
        left, turn = later, not turn
    return rebuild(graph, order)


def merge_neighbours(drafts: Sequence[Draft]) -> list[Draft]:
    """Calls of one kernel over adjoining memory become one call, at the place of the last.

    This makes one loop of an optimizer's update of all parameters.
    """
    result: list[Draft] = []
    for draft in drafts:
        position = _partner(result, draft)
        if position is None:
            result.append(draft)
            continue
        joined = merged(result.pop(position), draft)
        assert joined is not None
        result.append(joined)
    return result


def _partner(done: Sequence[Draft], draft: Draft) -> int | None:
    """The earlier call that `draft` goes on from, if it may move here over all between."""
    for position in range(len(done) - 1, -1, -1):
        earlier = done[position]
        if earlier.kernel == draft.kernel and merged(earlier, draft) is not None:
            between = done[position + 1 :]
            return None if any(earlier.touches(other) for other in between) else position
    return None


def same_shares(drafts: Sequence[Draft]) -> list[Draft]:
    """All calls split by rows of the batch get shares that start at the same rows.

    The heaviest call chooses: its kernel works best on whole tiles.
    """
    by_rows = [d for d in drafts if d.split is Split.ROWS and d.extent.factor == 1]
    heaviest = max(by_rows, key=lambda d: d.flops, default=None)
    align = ROW_ALIGN if heaviest is None or heaviest.align == 1 else heaviest.align
    return [
        replace(d, align=align * d.extent.factor) if d.split is Split.ROWS else d for d in drafts
    ]


def scheduled(drafts: Sequence[Draft]) -> list[tuple[Draft, bool]]:
    """The calls in an order of few meetings, each with whether all threads meet before it.

    A call must come after every earlier one whose memory it touches; where the same thread does
    both parts, that is enough, otherwise all threads meet in between. Calls that can do without a
    further meeting go first.
    """
    waiting = list(range(len(drafts)))
    result: list[tuple[Draft, bool]] = []
    earlier = {i: [j for j in range(i) if drafts[j].touches(drafts[i])] for i in waiting}
    apart = {i: {j for j in earlier[i] if drafts[j].conflicts(drafts[i])} for i in waiting}
    before: set[int] = set()  # done before the last meeting
    while waiting:
        phase: set[int] = set()
        first = True
        for i in list(waiting):
            done = before | phase
            if all(j in done and (j in before or j not in apart[i]) for j in earlier[i]):
                result.append((drafts[i], first and bool(result)))
                first = False
                phase.add(i)
                waiting.remove(i)
        before |= phase
    return result
