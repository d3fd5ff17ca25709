"""`python -m tests.fuzz`: texts at random through `check`; what ended in a traceback or hung.

`--first 1234 --count 1 --show` repeats one text.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections import Counter
from contextlib import suppress

from tests.fuzz.running import MOST_SECONDS, Outcome, outcome
from tests.fuzz.texts import WAYS, text_number

MOST_BYTES = 6 << 30
"""Address space of the process, so that a text that asks for too much fails alone."""


def main() -> None:
    """Run, count, print what failed; Ctrl-C ends the run and prints what there is."""
    options = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    options.add_argument("--count", type=int, default=1000, help="number of texts")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--first", type=int, default=0, help="number of the first text")
    options.add_argument("--compile", action="store_true", help="right files go on to kernels")
    options.add_argument("--show", action="store_true", help="print the texts that failed")
    given = options.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    tally, start = Tally(), time.perf_counter()
    with suppress(KeyboardInterrupt):
        for number in range(given.first, given.first + given.count):
            way, text = text_number(number, given.seed)
            begun = time.process_time()
            found = outcome(number, way, text, given.compile)
            if tally.add(found, time.process_time() - begun):
                print(f"text {number} ({way}):\n{found.crash or found.badly_said}", flush=True)
                print(text if given.show else "", end="", flush=True)
    print(tally.table(), *tally.faults(), sep="\n")
    seconds, slowest = time.perf_counter() - start, tally.slowest
    print(
        f"\n{tally.total} texts from {given.first} in {seconds:.0f} s ({time.process_time():.0f} s "
        f"of the processor), seed {given.seed}; the slowest took {slowest[0]:.2f} s (text "
        f"{slowest[1]}), the limit is {MOST_SECONDS:g} s"
    )


class Tally:
    """Counts by the way that texts were made, and the texts that failed by what was said."""

    def __init__(self) -> None:
        self.counts: dict[str, Counter[str]] = {way: Counter() for way in WAYS}
        self.failed: dict[str, list[int]] = {}
        self.slowest = (0.0, 0)

    @property
    def total(self) -> int:
        return sum(row["texts"] for row in self.counts.values())

    def add(self, found: Outcome, seconds: float) -> bool:
        """Count a text; whether it failed as none did before."""
        self.slowest = max(self.slowest, (seconds, found.number))
        right = not (found.errors or found.crash)
        self.counts[found.way].update(
            texts=1,
            right=int(right),
            errors=found.errors,
            crashes=int(bool(found.crash)),
            form=int(bool(found.badly_said)),
        )
        if not found.fault:
            return False
        self.failed.setdefault(found.fault, []).append(found.number)
        return len(self.failed[found.fault]) == 1

    def faults(self) -> list[str]:
        """A line for each way to fail, the most frequent first."""
        return [
            f"{len(numbers)} times: {fault} (texts {', '.join(map(str, numbers[:5]))})"
            for fault, numbers in sorted(self.failed.items(), key=lambda pair: -len(pair[1]))
        ]

    def table(self) -> str:
        """A row for each way of making texts."""
        heads = ("texts", "right", "errors", "crashes", "form")
        lines = ["| made by | texts | right | errors told | tracebacks or hangs | badly said |"]
        lines.append("|---|" + "---:|" * len(heads))
        for name, row in (*self.counts.items(), ("all", sum(self.counts.values(), Counter()))):
            lines.append("| " + " | ".join([name, *(f"{row[head]}" for head in heads)]) + " |")
        return "\n".join(lines)


if __name__ == "__main__":
    main()
