"""What a person, or a program, reads when a training is over."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite, nan
from pathlib import Path
from shlex import quote

import numpy as np

from nndsl.cli.output import say, table
from nndsl.cli.progress import figure
from nndsl.diagnostics import counted
from nndsl.lower.result import JOINT
from nndsl.model.training import Trained
from nndsl.report_text import visible
from nndsl.train.folds import FoldsResult
from nndsl.train.job import RunResult, Verdict
from nndsl.train.limits import Limits

MOST_CLASSES = 4
"""Classes up to which the table of mistakes is printed."""
SHOWN_PAIRS = 2


def print_trained(trained: Trained) -> None:
    """How it ended, the figures on the test rows, where it was saved, what to do next."""
    result = trained.result
    kept = f"; kept epoch {result.best_epoch}" if result.best_epoch is not None else ""
    time = f"{counted(result.epochs, 'epoch')} in {result.seconds:.2f} s"
    say(f"done    {time}: {result.reason}{kept}")
    if result.verdict is not None:
        _print_verdict(result.verdict)
        _print_further(result.verdict.metric, result.metrics)
        _print_members(result)
    elif result.metrics:
        shown = "  ".join(figure(name, value) for name, value in list(result.metrics.items())[:5])
        say(f"figures {shown}")
    say(f"saved   {trained.folder}")
    if result.exit_code:
        say(f"next    nndsl train --resume {quote(str(trained.run))}")
    else:
        run = quote(str(trained.folder))
        say(f"look    nndsl report {run}")
        if any(target.sequence for target in trained.schema.targets):
            writes = bool(trained.recipe.targets)  # else it guesses what was hidden
            say(f"next    nndsl {f'generate {run}' if writes else f'evaluate {run} new.txt'}")
            return
        pictures = any(len(given.shape) == 3 for given in trained.schema.inputs)
        rows = "new.png" if pictures else "new.csv"
        if JOINT in trained.recipe.net:
            net, rows = _asked_net(trained, rows)
            run = f"{run} --net {net}"
        say(f"next    nndsl predict {run} {rows}")


def _asked_net(trained: Trained, rows: str) -> tuple[str, str]:
    """Of several nets the one to ask, and of what: of noise, where one is fed with it, or rows."""
    fed = trained.network.wiring
    of_noise = [net for source, net in fed if source.startswith("noise(")]
    of_data = [net for source, net in fed if source.startswith(f"{trained.recipe.data}.")]
    net = [*of_noise, *of_data, *trained.recipe.net.split(JOINT)][0]
    return net, rows if net in of_data and net not in of_noise else "--count 64"


def _print_verdict(verdict: Verdict) -> None:
    if verdict.refused and not verdict.rows:
        say(f"test    none of the {counted(verdict.refused, 'row')} got an answer")
        return
    line = f"test    {figure(verdict.metric, verdict.value)}"
    if verdict.right is not None and verdict.interval is not None:
        low, high = verdict.interval
        judged = f"{verdict.rows} answered" if verdict.refused else str(verdict.rows)
        line += f"  ({verdict.right} of {judged}; 95 % interval {low:.2f} to {high:.2f})"
    known = isfinite(verdict.baseline)
    other = "naive forecast" if verdict.naive else "baseline"
    say(f"{line}, {figure(other, verdict.baseline)}" if known else line)
    if verdict.confusion is None or len(verdict.classes) < 3:
        return
    if len(verdict.classes) > MOST_CLASSES:
        _print_worst(verdict.classes, verdict.confusion)
        return
    rows = [["        actual \\ predicted", *verdict.classes, "recall"]]
    for i, name in enumerate(verdict.classes):
        counts = [str(n) if n else "." for n in verdict.confusion[i]]
        rows.append([f"        {name}", *counts, f"{verdict.recalls[i]:.2f}"])
    say(table(rows, right=range(1, len(rows[0]))))


def _print_further(first: str, figures: Mapping[str, float]) -> None:
    """The other metrics on the test rows."""
    known = ("test_loss", f"test_{first}")
    further = {name.removeprefix("test_"): value for name, value in figures.items()
               if name.startswith("test_") and name not in known}  # fmt: skip
    if further:
        say("        " + "  ".join(figure(name, value) for name, value in further.items()))


def _print_members(result: RunResult) -> None:
    """How good the members of an ensemble are alone."""
    assert result.verdict is not None
    name = result.verdict.metric
    alone = [one.metrics.get(f"test_{name}", nan) for one in result.members]
    if alone:
        low, high = figure(name, min(alone)), figure("to", max(alone))
        say(f"members {low} {high}, {figure('mean', sum(alone) / len(alone))}")


def _print_worst(classes: tuple[str, ...], confusion: np.ndarray) -> None:
    """The pairs of classes that are mistaken most often."""
    pairs = [(int(confusion[i, j]), name, other) for i, name in enumerate(classes)
             for j, other in enumerate(classes) if i != j and confusion[i, j]]  # fmt: skip
    worst = sorted(pairs, key=lambda pair: (-pair[0], pair[1:]))[:SHOWN_PAIRS]
    if worst:
        shown = ", ".join(f"{visible(a)[:20]} for {visible(b)[:20]} {n}" for n, a, b in worst)
        say(f"        most often wrong (actual, taken for, times): {shown}")


def limits_table(limits: Limits) -> str:
    """What other margins or thresholds would give; the run's own is marked."""
    rows = [[limits.name, *limits.metrics, ""]]
    for limit, figures in zip(limits.limits, limits.figures.tolist(), strict=True):
        shown = [f"{value:.3f}" if isfinite(value) else "-" for value in figures]
        rows.append([f"{limit:g}", *shown, "this run" if limit == limits.own else ""])
    return table(rows, right=range(len(rows[0]) - 1))


def limits_records(limits: Limits) -> list[dict[str, float | None]]:
    """The same for programs: one object a line of the table, null for what has no meaning."""
    names = (limits.name, *limits.metrics)
    rows = zip(limits.limits, limits.figures.tolist(), strict=True)
    return [dict(zip(names, map(_finite, (limit, *row)), strict=True)) for limit, row in rows]


def print_folds(result: FoldsResult, folder: Path) -> None:
    """One figure for each fold, then mean and standard deviation."""
    if result.exit_code:
        say(f"stopped after {len(result.values)} folds: a cross-validation cannot be resumed")
        return
    if result.values:
        say(f"mean    {figure(result.metric, result.mean)} (standard deviation "
            f"{result.deviation:.3f}, {len(result.values)} folds)")  # fmt: skip
    say(f"saved   {folder / 'folds.csv'}")


def result_record(trained: Trained) -> dict[str, object]:
    """The last line of `--json`: metric and its value on the test rows (null without any)."""
    verdict = trained.result.verdict
    return {
        "event": "result",
        "metric": verdict.metric if verdict is not None else None,
        "test": _finite(verdict.value) if verdict is not None else None,
        "mean": None,
        "std": None,
        "folds": None,
        "out": str(trained.folder),
    }


def folds_record(result: FoldsResult, folder: Path) -> dict[str, object]:
    """The last line of `--json` with `--folds`."""
    return {
        "event": "result",
        "metric": result.metric or None,
        "test": None,
        "mean": _finite(result.mean),
        "std": _finite(result.deviation) if result.values else None,
        "folds": [_finite(value) for value in result.values],
        "out": None if result.exit_code else str(folder),
    }


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None
