"""All benchmarks against the peers: `python -m benchmarks`, some twelve minutes on two cores.

Needs `pip install -e '.[peers]'`, a C compiler (for torch.compile), and an otherwise idle machine.
It writes `benchmarks/results/*.txt`, and from them the README's tables and the picture
`docs/pictures/benchmarks.svg`. `--rounds 3` is quicker and less certain, `--only steps` repeats one
part.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import inference, picture, runs, steps, summary
from benchmarks.interleave import heading

RESULTS = Path(__file__).resolve().parent / "results"
ROWS_OF_NUMBERS = [name for name in steps.SYSTEMS if name != "torch channels last"]
WITH_TWO_THREADS = ["nndsl", "jax scan", "jax step", "torch fused", "torch eager"]
OF_IMAGES = ["nndsl", "torch channels last", "torch fused", "torch compiled", "jax step"]
"""JAX's scan over a convolutional step is many times slower than its steps one by one."""
OF_SEQUENCES = ["nndsl", "torch fused", "torch eager", "torch compiled", "jax step", "jax scan"]


def training_steps(rounds: int) -> Iterator[str]:
    """W1 to W4 on one thread, then on two where that is worth it."""
    for name in ("W1", "W2", "W2b", "W3", "W4"):
        yield steps.compare(name, 1, rounds, ROWS_OF_NUMBERS)
    for name in ("W2b", "W3", "W4"):
        yield steps.compare(name, 2, rounds, WITH_TWO_THREADS)


def image_steps(rounds: int) -> Iterator[str]:
    """W5 and W6, convolutional networks, on one thread and on two."""
    for threads in (1, 2):
        for name in ("W5", "W5b", "W6"):
            yield steps.compare(name, threads, rounds, OF_IMAGES)


def sequence_steps(rounds: int) -> Iterator[str]:
    """W7, a recurrence, and W8, a transformer, on one thread and on two."""
    for threads in (1, 2):
        for name in ("W7", "W8"):
            yield steps.compare(name, threads, rounds, OF_SEQUENCES)


def predictions(rounds: int) -> Iterator[str]:
    """One row at a time, and a batch."""
    for name, rows in (("W2", 1), ("W3", 1), ("W2", 256), ("W3", 128)):
        yield inference.compare(name, rows, rounds + 2, list(inference.SYSTEMS))


def whole_runs(rounds: int) -> Iterator[str]:
    """From the start of a process to its end."""
    for name in runs.EPOCHS:
        yield runs.compare(name, max(3, rounds - 2))


PARTS: dict[str, Callable[[int], Iterator[str]]] = {
    "steps": training_steps,
    "images": image_steps,
    "sequences": sequence_steps,
    "inference": predictions,
    "runs": whole_runs,
}


def main() -> None:
    """Run the parts, print and keep what they say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", choices=list(PARTS))
    arguments = parser.parse_args()
    for part in [arguments.only] if arguments.only else PARTS:
        begin = time.perf_counter()
        text = heading() + "\n"
        print(text)
        for found in PARTS[part](arguments.rounds):
            print(found + "\n", flush=True)
            text += found + "\n\n"
        (RESULTS / f"{part}.txt").write_text(text.rstrip() + "\n", encoding="utf-8")
        print(f"{part}: {time.perf_counter() - begin:.0f} s\n", file=sys.stderr)
    summary.write()
    picture.draw()


if __name__ == "__main__":
    main()
