"""What deformed images cost: `python -m benchmarks.deformation`, W4's network with and without.

Every image is deformed anew in each epoch, by another thread, while the network learns from those
before it. Both ways take turns; a figure is the time of a step in all epochs but the first.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.interleave import heading
from benchmarks.workloads import WORKLOADS

IMAGES, EPOCHS = 2560, 4
DEFORMED = "affine(rotate=15, scale=15%, shear=15) -> elastic(sigma=6, strength=36)"
WAYS = {"as they are": "", "deformed": f"augment = {DEFORMED};"}


def source(way: str) -> str:
    """W4's network on images, as a `.nn` file."""
    w4 = WORKLOADS["W4"]
    hidden = ", ".join(map(str, w4.sizes[1:-1]))
    return f"""data d = images("images.npz") {{ split = all }}
net Net on d {{
  flatten
  for n in [{hidden}] {{ dense(n) -> {w4.activation} }}
  dense({w4.sizes[-1]}) -> softmax
}}
train Net {{
  {WAYS[way]} optimizer = adam(1e-3); penalty = none; keep = last
  batch = {w4.batch}; epochs = {EPOCHS}
}}
"""


def seconds_per_step(folder: Path, way: str, threads: int) -> float:
    """Of one training, without its first epoch."""
    path = folder / f"{way.replace(' ', '_')}.nn"
    path.write_text(source(way), encoding="utf-8")
    command = [sys.executable, "-m", "nndsl", "train", str(path), "--json"]
    command += ["--threads", str(threads), "--out", tempfile.mkdtemp(dir=folder) + "/run"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    events = [json.loads(line) for line in printed.splitlines()]
    epochs = [event for event in events if event["event"] == "epoch"]
    first, last = epochs[0], epochs[-1]
    return float((last["seconds"] - first["seconds"]) / (last["step"] - first["step"]))


def main() -> None:
    """Train in turns, and tell what deforming costs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    print(heading())
    random = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pictures = random.random((IMAGES, 1, 28, 28), dtype=np.float32)
        labels = random.integers(0, 10, IMAGES)
        np.savez(folder / "images.npz", image=pictures, label=labels)
        for threads in (1, 2):
            found: dict[str, list[float]] = {way: [] for way in WAYS}
            for _ in range(rounds):
                for way in WAYS:
                    found[way].append(seconds_per_step(folder, way, threads))
            print(f"\nW4, {threads} thread{'s' * (threads > 1)}, {rounds} rounds, ms a step")
            for way, seconds in found.items():
                low, high = min(seconds), max(seconds)
                median = statistics.median(seconds)
                print(f"{way:12} {1e3 * median:8.1f} {1e3 * low:8.1f} {1e3 * high:8.1f}")


if __name__ == "__main__":
    main()
