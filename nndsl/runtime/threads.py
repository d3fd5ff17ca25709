"""A team of threads, started once, that does the same function with different numbers."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable


class Team:
    """`count` threads: the caller is number 0, the others wait between calls of `run`.

    Each of the others is pinned to a core of its own when there are more cores than threads;
    otherwise the system places them.
    """

    def __init__(self, count: int) -> None:
        if count < 1:
            raise ValueError("a team has at least one thread")
        self.count = count
        self._task: Callable[[int], None] = lambda number: None
        self._starts = [threading.Semaphore(0) for _ in range(count)]
        self._ends = [threading.Semaphore(0) for _ in range(count)]
        self._closed = False
        self._threads = [
            threading.Thread(target=self._serve, args=(number,), daemon=True)
            for number in range(1, count)
        ]
        for thread in self._threads:
            thread.start()

    def run(self, task: Callable[[int], None]) -> None:
        """Do `task(number)` for every number at the same time; return when all have returned."""
        self._task = task
        for start in self._starts[1:]:
            start.release()
        task(0)
        for end in self._ends[1:]:
            end.acquire()

    def close(self) -> None:
        """Let the threads end."""
        if not self._closed:
            self._closed = True
            for start in self._starts[1:]:
                start.release()
            for thread in self._threads:
                thread.join()

    def _serve(self, number: int) -> None:
        _pin(number, self.count)
        while True:
            self._starts[number].acquire()
            if self._closed:
                return
            self._task(number)
            self._ends[number].release()


def _pin(number: int, count: int) -> None:
    """Keep the calling thread on one core, when cores are plenty and the system can."""
    if not hasattr(os, "sched_setaffinity"):
        return
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > count:
        os.sched_setaffinity(0, {cores[number]})
