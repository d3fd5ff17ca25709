"""Whole runs, process start to end, against the best peers' scripts, interleaved.

`python -m benchmarks.runs W1 W2 --rounds 5`. W1 trains 200 epochs of 144 rows, W2 5 epochs of
30,000 rows, both read from CSV. nndsl runs in three states: nothing cached, kernels of another
network cached, and the same network again. Bytecode is written for all, as an installer does, in
a first round that does not count. Processor seconds stand beside the wall's: they are
what other work on the machine disturbs less.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.interleave import heading, table
from benchmarks.workloads import WORKLOADS, Workload

ROOT = Path(__file__).resolve().parent.parent
EPOCHS = {"W1": 200, "W2": 5}
STATES = ("nndsl, nothing cached", "nndsl, a new network", "nndsl, the same again")
OTHER_SIZES = {"W1": (4, 7, 5, 3), "W2": (20, 48, 80, 1)}
PEERS = {
    "torch eager": ("torch_run", "eager"),
    "jax step": ("jax_run", "step"),
    "jax scan": ("jax_run", "scan"),
    "scikit-learn": ("sklearn_run",),
}
Cost = tuple[float, float]
"""Seconds on the wall, and of the processor."""


def cost(command: list[str], folder: Path, **environment: str) -> Cost:
    """What a process takes; its output is dropped."""
    given = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", **environment}
    given.pop("PYTHONDONTWRITEBYTECODE", None)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    done = subprocess.run(
        command,
        cwd=folder,
        check=False,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=given,
    )
    wall = time.perf_counter() - start
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr.decode()}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


class Nndsl:
    """nndsl's runs of one workload in its three states of the cache."""

    def __init__(self, workload: Workload, folder: Path) -> None:
        self.folder = folder
        self.run_number = 0
        epochs = EPOCHS[workload.name]
        other = dataclasses.replace(workload, sizes=OTHER_SIZES[workload.name])
        (folder / "net.nn").write_text(workload.source("data.csv", epochs))
        (folder / "other.nn").write_text(other.source("data.csv", epochs))

    def train(self, file: str, cache: str) -> Cost:
        """One `nndsl train` in a fresh process."""
        self.run_number += 1
        out = f"run-{self.run_number}"
        command = [sys.executable, "-m", "nndsl", "train", file, "--out", out, "--threads", "1"]
        place = {"NNDSL_CACHE_DIR": str(self.folder / cache), "PYTHONPATH": str(ROOT)}
        return cost(command, self.folder, **place)

    def round(self) -> dict[str, Cost]:
        """The three states, one after the other."""
        for cache in ("empty", "others"):
            shutil.rmtree(self.folder / cache, ignore_errors=True)
        first = self.train("net.nn", "empty")
        self.train("other.nn", "others")
        return {
            STATES[0]: first,
            STATES[1]: self.train("net.nn", "others"),
            STATES[2]: self.train("net.nn", "empty"),
        }


def peer(label: str, name: str, folder: Path) -> Cost:
    """One run of a peer's script."""
    module, *arguments = PEERS[label]
    command = [sys.executable, "-m", f"benchmarks.workers.{module}", name]
    command += [str(folder / "data.csv"), str(EPOCHS[name]), *arguments]
    return cost(command, folder, PYTHONPATH=str(ROOT))


def measure(name: str, rounds: int) -> dict[str, list[Cost]]:
    """By system, the cost of each round."""
    workload = WORKLOADS[name]
    measured: dict[str, list[Cost]] = {}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        workload.write_csv(folder / "data.csv")
        own = Nndsl(workload, folder)
        for number in range(rounds + 1):
            found = own.round() | {label: peer(label, name, folder) for label in PEERS}
            if number:  # the first warms files and bytecode
                for label, value in found.items():
                    measured.setdefault(label, []).append(value)
    return measured


def compare(name: str, rounds: int) -> str:
    """The table of a workload; seconds of the processor beside those on the wall."""
    workload, measured = WORKLOADS[name], measure(name, rounds)
    walls = {label: [wall for wall, _ in costs] for label, costs in measured.items()}
    rows = f"{EPOCHS[name]} epochs of {workload.rows:,} rows from CSV"
    title = f"{name} whole run: {workload.network()}, {rows}\n1 thread, {rounds} rounds, seconds"
    processor = ", ".join(
        f"{label} {statistics.median(used for _, used in costs):.2f}"
        for label, costs in measured.items()
    )
    return f"{table(title, walls, STATES, 1.0)}\nseconds of the processor: {processor}"


def main() -> None:
    """Parse the command line and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workloads", nargs="+", choices=list(EPOCHS))
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    print(heading())
    for name in arguments.workloads:
        print(compare(name, arguments.rounds) + "\n", flush=True)


if __name__ == "__main__":
    main()
