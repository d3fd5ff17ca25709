"""Order and meetings of calls, against the plain definition."""

import numpy as np
import pytest

from nndsl.codegen.draft import Draft, Pointer, Share, glue_kernel
from nndsl.codegen.generate import generate
from nndsl.codegen.program import Buffer, Element, Region, Size, Split
from nndsl.codegen.schedule import merge_neighbours, scheduled
from nndsl.passes import pipeline
from tests.networks import optimizer, perceptron

KERNEL = glue_kernel("nothing", "def nothing(low, high):\n    pass\n", (), Element.FLOAT32)


def draft(label, *pointers, split=Split.ROWS, extent=None):
    extent = extent or Size(1, "N" if split is Split.ROWS else "one")
    return Draft(KERNEL, pointers, extent, split, 1, label)


def pointer(start, stop, writes=False, share=Share.PART):
    buffer = Buffer("b", Region.WORKSPACE, Element.FLOAT32, 4 * start, stop - start)
    return Pointer(buffer, stop - start, writes, share)


def labels(drafts):
    return [("wait " if wait else "") + d.label for d, wait in scheduled(drafts)]


def test_rows_of_the_same_bytes_need_no_meeting():
    drafts = [
        draft("write", pointer(0, 8, True)),
        draft("read", pointer(0, 8), pointer(8, 16, True)),
    ]
    assert labels(drafts) == ["write", "read"]


def test_a_whole_read_waits_and_independent_calls_go_first():
    drafts = [
        draft("write", pointer(0, 8, True)),
        draft("sum", pointer(0, 8, share=Share.WHOLE), pointer(8, 9, True), split=Split.ONE),
        draft("other", pointer(16, 24, True)),
        draft("after", pointer(16, 24), pointer(24, 32, True)),
    ]
    assert labels(drafts) == ["write", "other", "after", "wait sum"]


def test_bytes_are_not_overwritten_before_they_are_read():
    drafts = [
        draft("write", pointer(0, 8, True)),
        draft("read", pointer(0, 8, share=Share.WHOLE), split=Split.ONE),
        draft("overwrite", pointer(0, 4, True)),
    ]
    assert labels(drafts) == ["write", "wait read", "wait overwrite"]


def random_drafts(rng, count=30):
    drafts = []
    for number in range(count):
        split = list(Split)[rng.integers(3)]
        pointers = []
        for _ in range(rng.integers(1, 4)):
            start = int(rng.integers(0, 40))
            stop = start + int(rng.integers(1, 12))
            share = Share.PART if rng.integers(2) else Share.WHOLE
            pointers.append(pointer(start, stop, bool(rng.integers(2)), share))
        drafts.append(draft(str(number), *pointers, split=split))
    return drafts


@pytest.mark.parametrize("seed", range(20))
def test_every_pair_that_touches_is_in_order_and_every_conflict_apart(seed):
    drafts = random_drafts(np.random.default_rng(seed))
    result = scheduled(drafts)
    assert sorted(d.label for d, _ in result) == sorted(d.label for d in drafts)
    phase, places = 0, {}
    for place, (call, wait) in enumerate(result):
        phase += wait
        places[int(call.label)] = place, phase
    for later in range(len(drafts)):
        for first in range(later):
            if drafts[first].touches(drafts[later]):
                assert places[first][0] < places[later][0]
            if drafts[first].conflicts(drafts[later]):
                assert places[first][1] < places[later][1]


def test_deep_networks_are_planned_in_linear_time():
    graph = perceptron((8,) * 102, "relu", "classes")
    graph = pipeline.run(graph, pipeline.training(optimizer(graph, "adam", lr=0.1)))
    program = generate(graph, "float32", 16)
    assert len(program.kernels) < 40
    assert sum(call.barrier for call in program.calls) == 2


def test_only_neighbours_of_one_kernel_are_merged():
    def part(start, stop, kernel_share=Share.PART):
        return draft(
            "u", pointer(start, stop, True, kernel_share), split=Split.OWN,
            extent=Size(stop - start),
        )  # fmt: skip

    joined = merge_neighbours([part(0, 16), part(16, 20), part(32, 40)])
    assert [d.extent for d in joined] == [Size(40)]
    assert len(merge_neighbours([part(0, 16), part(48, 64)])) == 2
    assert len(merge_neighbours([part(0, 16), part(8, 24)])) == 2
    between = draft("reads", pointer(0, 4, share=Share.WHOLE), split=Split.ONE)
    assert len(merge_neighbours([part(0, 16), between, part(16, 32)])) == 3
