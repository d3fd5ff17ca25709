"""What a network says over the plane of its two columns."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nndsl.data import Table
from nndsl.data.table import NumberColumn
from nndsl.model.given_rows import Preparation, table_of
from nndsl.model.running import LoadedRun
from nndsl.train.scoring import probabilities
from nndsl.vocab.pictures import Judged, Plane

MARGIN = 0.05
"""Of the range of a column, beyond its least and greatest number."""


def plane_of(
    loaded: LoadedRun, table: Table, rows: np.ndarray, judged: Judged, steps: int
) -> Plane | None:
    """The shares of the classes over a grid around these rows of the table.

    None where there are not two columns of numbers, or no classes.
    """
    inputs = loaded.schema.inputs
    if len(inputs) != 1 or inputs[0].shape != (2,) or len(inputs[0].columns) != 2:
        return None
    columns = [table.columns[name] for name in inputs[0].columns]
    if not judged.classes or judged.image:
        return None
    values = [c.values for c in columns if isinstance(c, NumberColumn) and not c.missing.any()]
    if len(values) < 2 or any(v.ndim > 1 and v.shape[1] > 1 for v in values):
        return None
    points = np.stack([v.reshape(len(v))[rows] for v in values], axis=1).astype(np.float64)
    axes = [_around(points[:, number], steps) for number in (0, 1)]
    across, up = np.meshgrid(*axes)
    names = inputs[0].columns
    grid: Mapping[str, np.ndarray] = {names[0]: across.ravel(), names[1]: up.ravel()}
    preparation = Preparation(loaded.specification, loaded.schema)
    prepared = table_of(grid, preparation, loaded.recipe.precision)
    shares = probabilities(loaded.evaluate(prepared.inputs)[judged.output])
    over_grid = shares.reshape(steps, steps, -1)
    return Plane((names[0], names[1]), points, axes[0], axes[1], over_grid, judged)


def _around(values: np.ndarray, steps: int) -> np.ndarray:
    low, high = float(values.min()), float(values.max())
    more = MARGIN * ((high - low) or 1.0)
    return np.linspace(low - more, high + more, steps)
