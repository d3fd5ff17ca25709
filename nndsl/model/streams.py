"""The windows of a training whose memories go on from batch to batch (`carry = true`)."""

from __future__ import annotations

import numpy as np

from nndsl.data import Split
from nndsl.diagnostics import error
from nndsl.lower.result import Recipe


def require_unbroken(split: Split, recipe: Recipe) -> None:
    """NN327 where windows are missing between others."""
    for numbers in (split.train, split.validation, split.test):
        steps = np.diff(numbers)
        if len(steps) and steps.max() > steps.min():
            row = int(numbers[int(np.argmax(steps > steps.min()))])
            raise error(
                "NN327",
                f"windows are missing after that of row {row + 1} of `{recipe.data}`: "
                "no memory goes on over the gap",
                recipe.span,
                "carry = true",
                help="fill in the target there, or leave out `carry`",
            )
