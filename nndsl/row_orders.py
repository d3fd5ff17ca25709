"""Orders of rows: each batch goes on where the one before ended, or holds rows of like lengths."""

from __future__ import annotations

import numpy as np

from nndsl.random import permutation

POOL = 32
"""Batches whose rows are sorted among each other."""


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


def bucketed_order(
    lengths: np.ndarray, batch: int, seed: int, epoch: int, rows: int | None = None
) -> np.ndarray:
    """Random rows in batches of like lengths: int64 [rows], of those with `lengths` some or all.

    Rows are drawn as in any epoch, and sorted by length among those of some batches; the batches
    then come in a random order, but the smaller one, if there is one, is the last.
    """
    drawn = permutation(len(lengths), seed, epoch)[:rows]
    size = POOL * batch
    pools = [drawn[first : first + size] for first in range(0, len(drawn), size)]
    ordered = np.concatenate([p[np.argsort(lengths[p], kind="stable")] for p in pools])
    whole = len(ordered) // batch
    batches = ordered[: whole * batch].reshape(whole, batch)
    shuffled = batches[permutation(whole, seed, epoch)] if whole else batches
    return np.concatenate([shuffled.reshape(-1), ordered[whole * batch :]])
