"""What a person reads when a training is over."""

from __future__ import annotations

from pathlib import Path

from nndsl.cli.output import table
from nndsl.cli.progress import figure
from nndsl.model.training import Trained
from nndsl.train.folds import FoldsResult
from nndsl.train.job import Verdict

MOST_CLASSES = 6
"""Classes up to which the table of mistakes is printed."""


def print_trained(trained: Trained) -> None:
    """How it ended, the figures on the test rows, where it was saved, what to do next."""
    result = trained.result
    kept = f"; kept epoch {result.best_epoch}" if result.best_epoch is not None else ""
    print(f"done    {result.epochs} epochs in {result.seconds:.2f} s: {result.reason}{kept}")
    if result.verdict is not None:
        _print_verdict(result.verdict)
    elif result.metrics:
        shown = "  ".join(figure(name, value) for name, value in list(result.metrics.items())[:5])
        print(f"figures {shown}")
    print(f"saved   {trained.folder}")
    if result.status == "interrupted":
        print(f"next    nndsl train --resume {trained.folder}")
    else:
        print(f"next    nndsl predict {trained.folder} new.csv")


def _print_verdict(verdict: Verdict) -> None:
    line = f"test    {figure(verdict.metric, verdict.value)}"
    if verdict.right is not None and verdict.interval is not None:
        low, high = verdict.interval
        line += f"  ({verdict.right} of {verdict.rows}; 95 % interval {low:.2f} to {high:.2f})"
    print(f"{line}, {figure('baseline', verdict.baseline)}")
    if verdict.confusion is None or not 2 < len(verdict.classes) <= MOST_CLASSES:
        return
    rows = [["        actual \\ predicted", *verdict.classes, "recall"]]
    for i, name in enumerate(verdict.classes):
        counts = [str(n) if n else "." for n in verdict.confusion[i]]
        rows.append([f"        {name}", *counts, f"{verdict.recalls[i]:.2f}"])
    print(table(rows, right=range(1, len(rows[0]))))


def print_folds(result: FoldsResult, folder: Path) -> None:
    """One line for each fold, then mean and standard deviation."""
    shown = "  ".join(f"{value:.3f}" for value in result.values)
    print(f"folds   {result.metric}: {shown}")
    print(f"mean    {result.mean:.4f} (standard deviation {result.deviation:.4f})")
    print(f"saved   {folder / 'folds.csv'}")
