"""`python -m tests.fuzz`: texts at random through `check`; what ended in a traceback or hung.

`--first 1234 --count 1 --show` repeats one text.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections import Counter

from tests.fuzz.running import MOST_SECONDS, Outcome, outcome
from tests.fuzz.texts import WAYS, text_number

MOST_BYTES = 6 << 30
"""Address space of the process, so that a text that asks for too much fails alone."""


def main() -> None:
    """Run, count, print what failed."""
    options = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    options.add_argument("--count", type=int, default=1000, help="number of texts")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--first", type=int, default=0, help="number of the first text")
    options.add_argument("--compile", action="store_true", help="right files go on to kernels")
    options.add_argument("--show", action="store_true", help="print the texts that failed")
    given = options.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    counts: dict[str, Counter[str]] = {way: Counter() for way in WAYS}
    failed: dict[str, list[Outcome]] = {}
    start, slowest = time.perf_counter(), (0.0, 0)
    for number in range(given.first, given.first + given.count):
        way, text = text_number(number, given.seed)
        begun = time.perf_counter()
        found = outcome(number, way, text, given.compile)
        slowest = max(slowest, (time.perf_counter() - begun, number))
        counts[way].update(_counted(found))
        if found.fault:
            failed.setdefault(found.fault, []).append(found)
            if len(failed[found.fault]) == 1:
                print(f"text {number} ({way}):\n{found.crash or found.badly_said}", flush=True)
                print(text if given.show else "", end="", flush=True)
    print(table(counts))
    for fault, texts in sorted(failed.items(), key=lambda pair: -len(pair[1])):
        print(f"{len(texts)} times: {fault} (texts {', '.join(str(t.number) for t in texts[:5])})")
    seconds = time.perf_counter() - start
    print(
        f"\n{given.count} texts in {seconds:.0f} s, seed {given.seed}; the slowest took "
        f"{slowest[0]:.2f} s (text {slowest[1]}), the limit is {MOST_SECONDS:g} s"
    )


def _counted(found: Outcome) -> dict[str, int]:
    crash, bad = bool(found.crash), bool(found.badly_said)
    right = not (found.errors or found.crash)
    return {"texts": 1, "right": right, "errors": found.errors, "crashes": crash, "form": bad}


def table(counts: dict[str, Counter[str]]) -> str:
    """A row for each way of making texts."""
    heads = ("texts", "right", "errors", "crashes", "form")
    lines = ["| made by | texts | right | errors told | tracebacks or hangs | badly said |"]
    lines.append("|---|" + "---:|" * len(heads))
    rows = [*counts.items(), ("all", sum(counts.values(), Counter()))]
    for name, row in rows:
        lines.append("| " + " | ".join([name, *(f"{row[head]}" for head in heads)]) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
