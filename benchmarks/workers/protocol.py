"""The line protocol between the interleaver and a worker."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator

import numpy as np


def serve(run_round: Callable[[], int]) -> None:
    """Warm up once, say so, then time one round for each line until the input ends."""
    run_round()
    print("ready", flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        steps = run_round()
        print((time.perf_counter() - start) / steps, flush=True)


def minibatches(
    x: np.ndarray, y: np.ndarray, batch: int, steps: int, random: np.random.Generator
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Shuffled anew each epoch: one gather an epoch, then views; whole batches only."""
    done = 0
    while True:
        order = random.permutation(len(x))
        shuffled_x, shuffled_y = x[order], y[order]
        for start in range(0, len(x) // batch * batch, batch):
            if done == steps:
                return
            yield shuffled_x[start : start + batch], shuffled_y[start : start + batch]
            done += 1


def predictions(predict: Callable[[object], object], rows: object) -> None:
    """Serve rounds of predictions of the same rows, each about 50 ms long."""
    count, begin = 0, time.perf_counter()
    while time.perf_counter() - begin < 0.5:  # warm, and find out how many make a round
        predict(rows)
        count += 1
    repeats = range(max(1, count // 10))

    def run_round() -> int:
        for _ in repeats:
            predict(rows)
        return len(repeats)

    serve(run_round)
