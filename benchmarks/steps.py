"""Training steps against the peers, interleaved: `python -m benchmarks.steps W1 W2 --rounds 7`.

A step fetches its rows, goes forward and backward and updates. With two threads, the time that two
threads take to meet is told too: beyond some 150 ns the cores do not share a cache well, and all
figures for two threads suffer.
"""

from __future__ import annotations

import argparse
import time

from benchmarks.interleave import heading, start, table, take_turns
from benchmarks.workloads import STEPS
from nndsl.codegen.program import Element, Program
from nndsl.runtime.executable import load

SYSTEMS = {
    "torch eager": ("torch_worker", "eager"),
    "torch fused": ("torch_worker", "fused"),
    "torch compiled": ("torch_worker", "compiled"),
    "torch channels last": ("torch_worker", "last"),
    "jax step": ("jax_worker", "step"),
    "jax scan": ("jax_worker", "scan"),
    "scikit-learn": ("sklearn_worker",),
    "nndsl": ("nndsl_worker",),
}


def compare(workload: str, threads: int, rounds: int, systems: list[str]) -> str:
    """One table for one workload."""
    contestants = []
    for name in systems:
        module, *options = SYSTEMS[name]
        contestants.append(start(name, module, [workload, str(threads), *options], threads))
    measured = take_turns([c for c in contestants if c], rounds)
    plural = "s" if threads > 1 else ""
    met = f", threads meet in {1e9 * meeting(threads):.0f} ns" if threads > 1 else ""
    what = STEPS[workload].describe()
    title = f"{workload}: {what}\n{threads} thread{plural}, {rounds} rounds, us a step{met}"
    return table(title, measured)


def meeting(threads: int, steps: int = 100_000) -> float:
    """Seconds that threads take to wait for each other: the loop over steps without calls."""
    nothing = Program((), (), {}, {}, {}, {}, Element.FLOAT32, 1)
    executable = load(nothing, threads)
    seconds = []
    for _ in range(5):
        begin = time.perf_counter()
        executable.run(0, steps)
        seconds.append((time.perf_counter() - begin) / steps)
    executable.close()
    return min(seconds)


def main() -> None:
    """Parse the command line and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workloads", nargs="+", choices=list(STEPS))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--systems", nargs="+", default=list(SYSTEMS), choices=list(SYSTEMS))
    arguments = parser.parse_args()
    print(heading())
    for workload in arguments.workloads:
        print(compare(workload, arguments.threads, arguments.rounds, arguments.systems) + "\n")


if __name__ == "__main__":
    main()
