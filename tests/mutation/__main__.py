"""`python -m tests.mutation`: the mutation suite over all models, as a table."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable

from nndsl.report_text import render_text
from tests.mutation.judging import GOALS, MODELS, Figures, Verdict, figures, judged
from tests.mutation.mutants import KINDS

HEADS = {"form": "form", "near": "near", "suggested": "suggested", "single": "one error"}


def table(title: str, rows: Iterable[tuple[str, Figures]]) -> str:
    """Shares in percent, a row for each group."""
    lines = [f"| {title} | mutants | legal | crashes | " + " | ".join(HEADS.values()) + " |"]
    lines.append("|---|" + "---:|" * (3 + len(HEADS)))
    for name, found in rows:
        shares = [f"{100 * found.share(n):.1f}" if found.asked[n] else "" for n in HEADS]
        counts = (found.mutants, found.legal, found.crashes)
        lines.append("| " + " | ".join([name, *map(str, counts), *shares]) + " |")
    return "\n".join(lines)


def goals_row() -> str:
    """The goals as the last row of a table."""
    return "| goal | | | 0 | " + " | ".join(f"{100 * GOALS[n]:g}" for n in HEADS) + " |"


def show(verdict: Verdict) -> str:
    """A mutant with what was said of it."""
    said = "\n".join(render_text(d) for d in verdict.errors[:3]) or verdict.crash
    more = f"\n... {len(verdict.errors)} errors" if len(verdict.errors) > 3 else ""
    faults = ", ".join(verdict.faults)
    return f"=== {verdict.model} [{faults}] {verdict.mutant}\n{said}{more}\n"


def main() -> None:
    """Judge and print."""
    options = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    options.add_argument("--count", type=int, default=400, help="mutants of each model")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--models", default="*", help="pattern of the files' names")
    options.add_argument("--show", type=int, default=0, help="print so many failed mutants")
    options.add_argument("--fault", default="", help="only those with this fault")
    options.add_argument("--kind", default="", help="only mutants of this kind")
    given = options.parse_args()
    start = time.perf_counter()
    models: dict[str, list[Verdict]] = {}
    for path in sorted(MODELS.glob(f"{given.models}.nn")):
        verdicts = judged(path, given.count, given.seed)
        models[path.stem] = [v for v in verdicts if given.kind in v.mutant.kind]
    seconds = time.perf_counter() - start
    every = [verdict for verdicts in models.values() for verdict in verdicts]
    by_kind = [(kind, figures(v for v in every if v.mutant.kind == kind)) for kind in KINDS]
    print(table("mistake", [*by_kind, ("all", figures(every))]), goals_row(), sep="\n")
    print()
    print(table("model", [(name, figures(found)) for name, found in models.items()]))
    print(f"\n{len(every)} mutants in {seconds:.0f} s, seed {given.seed}")
    failed = [v for v in every if v.faults and given.fault in " ".join(v.faults)]
    for verdict in failed[: given.show]:
        print("\n" + show(verdict), end="")


if __name__ == "__main__":
    main()
