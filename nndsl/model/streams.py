"""The rows of a training whose memories go on from batch to batch (`carry = true`)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nndsl.data import Split
from nndsl.data.images.lazy import taken
from nndsl.diagnostics import Diagnostic, NndslError, Severity, error
from nndsl.driver import Rows, batch_of
from nndsl.lower.result import Recipe
from nndsl.streams import stream_order


def in_streams(rows: Rows, split: Split, recipe: Recipe) -> Rows:
    """The same rows, those of training in the order in which each batch goes on from the one
    before. NN327 where windows are missing between others; NN815 noted where nothing goes on.
    """
    for numbers in (split.train, split.validation, split.test):
        if len(numbers) > 2 and np.ptp(np.diff(numbers)):
            raise _gap(numbers, recipe)
    count = len(split.train)
    streams = batch_of(recipe, count)
    order = stream_order(count, streams)
    notes = rows.notes
    if count < 2 * streams:
        title = f"a batch of {streams} takes all {count} windows at once: no memory goes on"
        help = ("a smaller `batch`, or a smaller `window`",)
        notes = (*notes, Diagnostic("NN815", title, help=help, severity=Severity.WARNING))
    train = {name: taken(array, order) for name, array in rows.train.items()}
    return replace(rows, train=train, notes=notes)


def _gap(numbers: np.ndarray, recipe: Recipe) -> NndslError:
    place = int(np.argmax(np.diff(numbers) > np.diff(numbers).min()))
    return error(
        "NN327",
        f"windows are missing after that of row {int(numbers[place]) + 1} of `{recipe.data}`: "
        "no memory goes on over the gap",
        recipe.span,
        "carry = true",
        help="fill in the target there, or leave out `carry`",
    )
