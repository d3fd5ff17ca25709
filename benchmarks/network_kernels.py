"""Speed of each contraction of a network's training step, against the peak of multiply-adds.

    python -m benchmarks.network_kernels W5 W6

One line for each call, in the order of the step, on one thread, in processor time. Of several
measurements each call counts with its fastest, and so does the peak: other programs on the machine
slow them all. Calls of less than a thousandth of the step are together in the last line but one.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace

import numpy as np

from benchmarks.kernels import Bench, peak
from benchmarks.workers.nndsl_worker import opened
from benchmarks.workloads import STEPS
from nndsl.codegen.target import host_target
from nndsl.model.report.machine import CallTime, measure

REPEATS = 5
SMALL = 1e-3


def table(name: str) -> list[str]:
    """The lines of one workload, as Markdown."""
    workload = STEPS[name]
    x, y = workload.data()
    (recipe,) = opened(workload).module.recipes
    bench = Bench(host_target())
    arrays = {"input": x.reshape(len(x), -1), "y": y.astype(np.int32)}
    top, rounds = 0.0, []
    for _ in range(REPEATS):
        top = max(top, peak(bench))
        rounds.append(measure(recipe, len(x), arrays, 1000, time.process_time).times)
    step = min(times.step for times in rounds)
    together = zip(*(times.calls for times in rounds), strict=True)
    calls = [replace(same[0], seconds=min(c.seconds for c in same)) for same in together]
    all_calls = sum(call.seconds for call in calls)
    products = [call for call in calls if call.kernel.startswith("contraction_")]
    shown = [call for call in products if call.seconds >= SMALL * all_calls]
    small, total = _joined([call for call in products if call not in shown]), _joined(products)
    return [
        f"{name}: {workload.describe()}; peak {top / 1e9:.0f} GFLOP/s; "
        f"{len(calls)} calls, {1e6 * step:,.0f} us a step",
        "",
        "| call | us | share | GFLOP/s | of the peak |",
        "|---|---|---|---|---|",
        *(_line(call.label, call.seconds, call.flops, all_calls, top) for call in shown),
        _line("smaller ones", small.seconds, small.flops, all_calls, top),
        _line("all of these", total.seconds, total.flops, all_calls, top),
        "",
    ]


def _joined(calls: list[CallTime]) -> CallTime:
    seconds, flops = sum(c.seconds for c in calls), sum(c.flops for c in calls)
    return CallTime(0, "", "", (), seconds, flops)


def _line(label: str, seconds: float, flops: int, all_calls: float, top: float) -> str:
    rate = flops / max(seconds, 1e-12)
    share, part = 100 * seconds / all_calls, 100 * rate / top
    return f"| {label} | {1e6 * seconds:.1f} | {share:.0f} % | {rate / 1e9:.0f} | {part:.0f} % |"


def main() -> None:
    """The tables of the workloads named."""
    for name in sys.argv[1:] or ("W5", "W6"):
        print("\n".join(table(name)))


if __name__ == "__main__":
    main()
