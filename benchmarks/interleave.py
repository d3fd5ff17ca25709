"""Systems that take turns: each runs a round, then the next, so that all see the same machine.

A figure is a median of rounds with its minimum and maximum. A ratio is that of two medians; its
range is that of the ratios round by round.
"""

from __future__ import annotations

import datetime
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

OWN = "nndsl"
PACKAGES = ("numpy", "torch", "jax", "scikit-learn")
BEST = "against the best peer"
"""In the lines below each table from which the picture is drawn."""


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


def start(name: str, module: str, arguments: Sequence[str], threads: int) -> Contestant | None:
    """Start a worker and wait until it is warm; None (with a line) when it fails."""
    environment = dict(os.environ)
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        environment[variable] = str(threads)
    flags = f"--xla_cpu_multi_thread_eigen={'true' if threads > 1 else 'false'}"
    environment["XLA_FLAGS"] = f"{flags} intra_op_parallelism_threads={threads}"
    process = subprocess.Popen(
        [sys.executable, "-m", f"benchmarks.workers.{module}", *arguments],
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
    print(f"{name}: failed: {process.stderr.read().strip()[-300:]}", file=sys.stderr)
    return None


def take_turns(contestants: Sequence[Contestant], rounds: int) -> dict[str, list[float]]:
    """Seconds of each round, by system."""
    for _ in range(rounds):
        for contestant in contestants:
            contestant.round()
    for contestant in contestants:
        contestant.process.communicate()
    return {c.name: c.seconds for c in contestants}


def table(
    title: str, measured: dict[str, list[float]], own: Sequence[str] = (OWN,), unit: float = 1e-6
) -> str:
    """The figures in `unit` seconds, the quickest system first, and the ratios to the best peer."""
    medians = {name: statistics.median(seconds) for name, seconds in measured.items()}
    own = [name for name in own if name in measured]
    peers = [name for name in medians if name not in own]
    head = f"{'system':<24}{'median':>12}{'min':>12}{'max':>12}"
    lines = [title, head + (f"{OWN + ' is':>12}  from - to" if len(own) == 1 else "")]
    for name in sorted(medians, key=lambda name: medians[name]):
        seconds = measured[name]
        figures = (medians[name], min(seconds), max(seconds))
        line = f"{name:<24}" + "".join(f"{s / unit:>12.2f}" for s in figures)
        if len(own) == 1 and name in peers:
            line += f"{medians[name] / medians[own[0]]:>11.2f}x  {_range(measured, name, own[0])}"
        lines.append(line)
    for name in own if peers else ():
        best = min(peers, key=lambda peer: medians[peer])
        ratio = medians[best] / medians[name]
        lines.append(f"{name} {BEST}, {best}: {ratio:.2f}x  {_range(measured, best, name)}")
    return "\n".join(lines)


def _range(measured: dict[str, list[float]], peer: str, own: str) -> str:
    ratios = [theirs / ours for theirs, ours in zip(measured[peer], measured[own], strict=True)]
    return f"{min(ratios):.2f} - {max(ratios):.2f}"


def heading() -> str:
    """When and where: date, processor, versions."""
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    load = f", load {os.getloadavg()[0]:.1f} at the start" if hasattr(os, "getloadavg") else ""
    return (
        f"{datetime.date.today()}, {processor_name()}, {os.cpu_count()} cores{load}\n"
        f"Python {platform.python_version()}, {versions}\n"
    )


def processor_name() -> str:
    """The processor as the system calls it, and how the code generator sees it."""
    from nndsl.codegen.target import host_target

    target = host_target()
    name = platform.processor()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return f"{name} ({target.cpu}, {target.name})"
