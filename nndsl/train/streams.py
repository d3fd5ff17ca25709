"""Training whose memories go on from batch to batch (`carry = true`)."""

from __future__ import annotations

from dataclasses import replace

from nndsl.data.images.lazy import taken
from nndsl.diagnostics import Diagnostic, Severity
from nndsl.row_orders import stream_order
from nndsl.train.job import TrainingJob, row_count
from nndsl.train.plan import plan


def in_streams(job: TrainingJob) -> TrainingJob:
    """The job with its rows in the order in which each batch goes on from the one before, not
    shuffled. NN815 is noted where nothing goes on.
    """
    rows = row_count(job.train)
    streams = plan(job.recipe, rows).batch
    order, notes = stream_order(rows, streams), job.notes
    if rows < 2 * streams:
        title = f"a batch of {streams} takes all {rows} windows at once: no memory goes on"
        help = ("a smaller `batch`, or a smaller `window`",)
        notes = (*notes, Diagnostic("NN815", title, help=help, severity=Severity.WARNING))
    train = {name: taken(array, order) for name, array in job.train.items()}
    return replace(job, train=train, shuffle=False, notes=notes)
