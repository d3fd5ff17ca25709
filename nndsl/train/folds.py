"""Cross-validation: a network trained anew for each fold, and what the folds say together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from nndsl.records import dataclass
from nndsl.train import folder as names
from nndsl.train.ensembles import train_job
from nndsl.train.events import FoldEnded, Noted, Observer
from nndsl.train.figures import mean_and_deviation
from nndsl.train.folder import RunFolder
from nndsl.train.job import RunResult, TrainingJob, record_of, row_count
from nndsl.train.record import finite, to_text


@dataclass(frozen=True)
class FoldsResult:
    """Figures of all folds. `mean` and `deviation` (of a sample) are of the first metric."""

    metric: str
    values: tuple[float, ...]
    mean: float
    deviation: float
    results: tuple[RunResult, ...]
    seconds: float
    exit_code: int = 0  # 130 or 143 after an interruption: then some folds are missing


def train_folds(
    make_job: Callable[[int], TrainingJob],
    folds: int,
    observer: Observer | None = None,
    folder: RunFolder | None = None,
) -> FoldsResult:
    """Train fold 1 ... `folds`; `make_job(fold)` gives its job, whose test rows are the fold.

    The folder gets `folds.csv`, the source and the record; the networks themselves are not kept.
    """
    observer = observer or Observer()
    results: list[RunResult] = []
    rows: list[tuple[int, int]] = []
    jobs: TrainingJob | None = None
    for fold in range(1, folds + 1):
        job = make_job(fold)
        job = replace(job, folder=None, notes=job.notes if fold == 1 else ())
        jobs = jobs or job
        result = train_job(job, _FoldObserver(observer))
        if result.status == "interrupted":
            return _summary(results, result.exit_code)
        results.append(result)
        rows.append((row_count(job.train), row_count(job.test)))
        observer.on_fold(FoldEnded(fold, folds, result.metrics, result.seconds))
    summary = _summary(results, 0)
    if folder is not None and jobs is not None:
        _write(folder, jobs, summary, rows)
    return summary


class _FoldObserver(Observer):
    """Passes on only the notes: the epochs of each fold are nobody's concern."""

    def __init__(self, outer: Observer) -> None:
        self._outer = outer

    def on_note(self, event: Noted) -> None:
        """Passed on."""
        self._outer.on_note(event)


def _summary(results: list[RunResult], exit_code: int) -> FoldsResult:
    names = [r.verdict.metric for r in results if r.verdict is not None]
    values = tuple(r.verdict.value for r in results if r.verdict is not None)
    mean, deviation = mean_and_deviation(values) if values else (float("nan"), 0.0)
    seconds = sum(result.seconds for result in results)
    return FoldsResult(
        names[0] if names else "", values, mean, deviation, tuple(results), seconds, exit_code
    )


def _write(
    folder: RunFolder, job: TrainingJob, summary: FoldsResult, rows: list[tuple[int, int]]
) -> None:
    metric = summary.metric
    record = record_of(
        job,
        "finished",
        rows={},
        epochs=sum(result.epochs for result in summary.results),
        steps=sum(result.steps for result in summary.results),
        stopped=f"all {len(summary.results)} folds are done",
        metrics=finite(
            {f"test_{metric}_mean": summary.mean, f"test_{metric}_std": summary.deviation}
        ),
        seconds=round(summary.seconds, 3),
    )
    texts = {**job.documents, names.FOLDS: _table(summary, rows), names.RECORD: to_text(record)}
    folder.write({name: text.encode() for name, text in texts.items()})


def _table(summary: FoldsResult, rows: list[tuple[int, int]]) -> str:
    """One line a fold: its number, rows, epochs, and every figure of its test rows."""
    figures = list(summary.results[0].metrics)
    lines = [",".join(["fold", "train_rows", "test_rows", "epochs", "best_epoch", *figures])]
    for fold, (result, (train_rows, test_rows)) in enumerate(
        zip(summary.results, rows, strict=True), 1
    ):
        best = "" if result.best_epoch is None else result.best_epoch
        values = [repr(result.metrics[name]) for name in figures]
        lines.append(",".join(map(str, [fold, train_rows, test_rows, result.epochs, best])))
        lines[-1] += "".join(f",{value}" for value in values)
    return "\n".join(lines) + "\n"
