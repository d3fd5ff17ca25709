"""Rows as batches of which each goes on where the one before ended."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from nndsl.streams import stream_order


@pytest.mark.parametrize(("rows", "streams"), [(1, 1), (7, 1), (7, 7), (7, 3), (12, 4), (13, 5)])
def test_each_batch_goes_on_from_the_one_before(rows: int, streams: int) -> None:
    order = stream_order(rows, streams)
    assert sorted(order.tolist()) == list(range(rows))
    batches = [order[first : first + streams] for first in range(0, rows, streams)]
    for before, after in pairwise(batches):
        np.testing.assert_array_equal(after, before[: len(after)] + 1)
    firsts = batches[0]
    assert firsts[0] == 0
    assert len(firsts) == min(rows, streams)
