"""Whole runs, process start to end, against the best peers' scripts, interleaved.

`python -m benchmarks.runs W1 W2 --rounds 5`. W1 trains 200 epochs of 144 rows, W2 5 epochs of
30,000 rows, both read from CSV. nndsl runs in three states: nothing cached, kernels of another
network cached, and the same network again.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.workloads import WORKLOADS, Workload

EPOCHS = {"W1": 200, "W2": 5}
OTHER_SIZES = {"W1": (4, 7, 5, 3), "W2": (20, 48, 80, 1)}
PEERS = {
    "torch eager": ("torch_run", "eager"),
    "jax step": ("jax_run", "step"),
    "jax scan": ("jax_run", "scan"),
    "scikit-learn": ("sklearn_run",),
}


def seconds(command: list[str], folder: Path, **environment: str) -> float:
    """Wall time of a process; its output is dropped."""
    start = time.perf_counter()
    subprocess.run(
        command,
        cwd=folder,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", **environment},
    )
    return time.perf_counter() - start


class Nndsl:
    """nndsl's runs of one workload in its three states of the cache."""

    def __init__(self, workload: Workload, folder: Path) -> None:
        self.folder = folder
        self.run_number = 0
        epochs = EPOCHS[workload.name]
        other = dataclasses.replace(workload, sizes=OTHER_SIZES[workload.name])
        (folder / "net.nn").write_text(workload.source("data.csv", epochs))
        (folder / "other.nn").write_text(other.source("data.csv", epochs))

    def train(self, file: str, cache: str) -> float:
        """One `nndsl train` in a fresh process."""
        self.run_number += 1
        out = f"run-{self.run_number}"
        command = [sys.executable, "-m", "nndsl", "train", file, "--out", out, "--threads", "1"]
        return seconds(command, self.folder, NNDSL_CACHE_DIR=str(self.folder / cache))

    def round(self) -> dict[str, float]:
        """The three states, one after the other."""
        for cache in ("empty", "others"):
            shutil.rmtree(self.folder / cache, ignore_errors=True)
        first = self.train("net.nn", "empty")
        self.train("other.nn", "others")
        return {
            "nndsl, nothing cached": first,
            "nndsl, a new network": self.train("net.nn", "others"),
            "nndsl, the same again": self.train("net.nn", "empty"),
        }


def compare(name: str, rounds: int) -> None:
    """One table for one workload."""
    workload = WORKLOADS[name]
    root = str(Path(__file__).resolve().parent.parent)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        workload.write_csv(folder / "data.csv")
        own = Nndsl(workload, folder)
        measured: dict[str, list[float]] = {}
        for _ in range(rounds):
            for label, value in own.round().items():
                measured.setdefault(label, []).append(value)
            for label, (module, *arguments) in PEERS.items():
                command = [sys.executable, "-m", f"benchmarks.workers.{module}", name]
                command += [str(folder / "data.csv"), str(EPOCHS[name]), *arguments]
                value = seconds(command, folder, PYTHONPATH=root)
                measured.setdefault(label, []).append(value)
    medians = {label: statistics.median(values) for label, values in measured.items()}
    best = min(medians[label] for label in PEERS)
    print(f"\n{name}: seconds from process start to end, 1 thread, {rounds} rounds")
    print(f"{'system':<24}{'median':>8}{'min':>8}{'max':>8}{'of best peer':>14}")
    for label, values in sorted(measured.items(), key=lambda item: medians[item[0]]):
        figures = "".join(f"{v:>8.2f}" for v in (medians[label], min(values), max(values)))
        print(f"{label:<24}{figures}{medians[label] / best:>13.2f}x", flush=True)


def main() -> None:
    """Parse the command line and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workloads", nargs="+", choices=list(EPOCHS))
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    for name in arguments.workloads:
        compare(name, arguments.rounds)


if __name__ == "__main__":
    main()
