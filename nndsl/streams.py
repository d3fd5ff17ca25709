"""The order of rows in which each batch goes on where the one before ended."""

from __future__ import annotations

import numpy as np


def stream_order(rows: int, streams: int) -> np.ndarray:
    """The rows, cut into `streams` pieces, as batches of one row from each: int64 [rows].

    Row b of a batch follows row b of the batch before. Pieces are equally long but for one row;
    longer ones come first, so that the last batch has fewer rows and all others `streams`.
    """
    least, longer = divmod(rows, streams)
    lengths = np.full(streams, least)
    lengths[:longer] += 1
    firsts = np.cumsum(lengths) - lengths
    steps = np.arange(least + (longer > 0))
    order = firsts[None, :] + steps[:, None]
    return np.asarray(order[steps[:, None] < lengths[None, :]], np.int64)
