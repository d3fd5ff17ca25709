"""Training steps against the peers, interleaved in one run.

`python -m benchmarks.steps W1 W2 --threads 1 --rounds 7` starts every system once, lets each run a
round in turn, and prints medians with minimum and maximum, and the ratio of nndsl to the best peer.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass, field

SYSTEMS = {
    "torch eager": ("torch_worker", "eager"),
    "torch fused": ("torch_worker", "fused"),
    "torch compiled": ("torch_worker", "compiled"),
    "jax step": ("jax_worker", "step"),
    "jax scan": ("jax_worker", "scan"),
    "scikit-learn": ("sklearn_worker",),
    "nndsl": ("nndsl_worker",),
}


@dataclass
class Contestant:
    """A running worker and the seconds of one step that it measured, round by round."""

    name: str
    process: subprocess.Popen[str]
    seconds: list[float] = field(default_factory=list)

    def round(self) -> None:
        """Run one round and note its figure."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        self.seconds.append(float(self.process.stdout.readline()))


def start(name: str, workload: str, threads: int) -> Contestant | None:
    """Start a worker and wait until it is warm; None (with a line) when it fails."""
    module, *arguments = SYSTEMS[name]
    environment = dict(os.environ)
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        environment[variable] = str(threads)
    flags = f"--xla_cpu_multi_thread_eigen={'true' if threads > 1 else 'false'}"
    environment["XLA_FLAGS"] = f"{flags} intra_op_parallelism_threads={threads}"
    command = [sys.executable, "-m", f"benchmarks.workers.{module}", workload, str(threads)]
    process = subprocess.Popen(
        [*command, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert process.stdout and process.stderr
    for line in process.stdout:
        if line.strip() == "ready":
            return Contestant(name, process)
    print(f"{name}: failed: {process.stderr.read().strip()[-300:]}")
    return None


def compare(workload: str, threads: int, rounds: int, systems: list[str]) -> None:
    """One table for one workload."""
    contestants = [c for name in systems if (c := start(name, workload, threads))]
    for _ in range(rounds):
        for contestant in contestants:
            contestant.round()
    for contestant in contestants:
        contestant.process.communicate()
    medians = {c.name: statistics.median(c.seconds) for c in contestants}
    own = medians.get("nndsl")
    print(f"\n{workload}, {threads} thread(s), {rounds} rounds, microseconds a step")
    print(f"{'system':<16}{'median':>10}{'min':>10}{'max':>10}{'nndsl is':>12}")
    for c in sorted(contestants, key=lambda c: medians[c.name]):
        ratio = f"{medians[c.name] / own:.2f}x" if own and c.name != "nndsl" else ""
        figures = (medians[c.name], min(c.seconds), max(c.seconds))
        print(f"{c.name:<16}" + "".join(f"{1e6 * s:>10.2f}" for s in figures) + f"{ratio:>12}")
    peers = [m for name, m in medians.items() if name != "nndsl"]
    if own and peers:
        print(f"nndsl against the best peer: {min(peers) / own:.2f}x", flush=True)


def main() -> None:
    """Parse the command line and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workloads", nargs="+")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--systems", nargs="+", default=list(SYSTEMS), choices=list(SYSTEMS))
    arguments = parser.parse_args()
    for workload in arguments.workloads:
        compare(workload, arguments.threads, arguments.rounds, arguments.systems)


if __name__ == "__main__":
    main()
