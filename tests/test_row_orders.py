"""Rows as batches of which each goes on where the one before ended, or of like lengths."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from nndsl.row_orders import POOL, bucketed_order, stream_order


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


@pytest.mark.parametrize(("rows", "batch"), [(1, 4), (40, 8), (700, 5), (43, 8)])
def test_batches_hold_rows_of_like_lengths(rows: int, batch: int, rng) -> None:
    lengths = rng.integers(1, 50, rows)
    order = bucketed_order(lengths, batch, seed=3, epoch=1)
    assert sorted(order.tolist()) == list(range(rows))
    spread = [np.ptp(lengths[order[first : first + batch]]) for first in range(0, rows, batch)]
    assert np.mean(spread) <= 50 * batch / min(rows, POOL * batch)
    np.testing.assert_array_equal(order, bucketed_order(lengths, batch, seed=3, epoch=1))
    if rows > batch:
        assert (order != bucketed_order(lengths, batch, seed=3, epoch=2)).any()


def test_some_rows_are_left_out() -> None:
    order = bucketed_order(np.arange(43), 8, seed=0, epoch=0, rows=40)
    assert len(order) == len(set(order.tolist())) == 40
