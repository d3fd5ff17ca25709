"""Predictions for one row or a few, against the peers: `python -m benchmarks.inference W2 W3`.

One call from Python a prediction, weights random, one thread; rows come as a NumPy array (for
PyTorch: a tensor) and the answer goes back as one.
"""

from __future__ import annotations

import argparse

from benchmarks.interleave import heading, start, table, take_turns
from benchmarks.workloads import WORKLOADS

SYSTEMS = {
    "torch inference": ("torch_inference", "eager"),
    "torch scripted": ("torch_inference", "scripted"),
    "jax jit": ("jax_inference",),
    "scikit-learn": ("sklearn_inference",),
    "nndsl": ("nndsl_inference",),
}


def compare(workload: str, rows: int, rounds: int, systems: list[str]) -> str:
    """One table for one network and one number of rows."""
    contestants = []
    for name in systems:
        module, *options = SYSTEMS[name]
        contestants.append(start(name, module, [workload, str(rows), *options], 1))
    measured = take_turns([c for c in contestants if c], rounds)
    what = WORKLOADS[workload].network()
    title = f"{workload} inference, {rows} row{'s' if rows > 1 else ''}: {what}"
    return table(f"{title}\n1 thread, {rounds} rounds, us a prediction", measured)


def main() -> None:
    """Parse the command line and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workloads", nargs="+", choices=list(WORKLOADS))
    parser.add_argument("--rows", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--systems", nargs="+", default=list(SYSTEMS), choices=list(SYSTEMS))
    arguments = parser.parse_args()
    print(heading())
    for workload in arguments.workloads:
        print(compare(workload, arguments.rows, arguments.rounds, arguments.systems) + "\n")


if __name__ == "__main__":
    main()
