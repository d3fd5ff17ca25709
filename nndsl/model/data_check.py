"""What training would refuse in the data, found without training."""

from __future__ import annotations

import numpy as np

from nndsl import driver
from nndsl.data import prepare
from nndsl.data.mistakes import Mistakes
from nndsl.data.table import CategoryColumn, NumberColumn, Table


def require_preparable(opened: driver.Opened) -> None:
    """NN413 and NN419 for the tables that a file trains on, all of them together.

    Arrays and pictures are left alone: preparing them takes long, and their numbers are seldom
    outside of what a step takes.
    """
    mistakes = Mistakes()
    for name in dict.fromkeys(recipe.data for recipe in opened.module.recipes):
        if name is not None and name in opened.tables and _is_plain(opened.tables[name]):
            table = opened.tables[name]
            with mistakes.caught():
                rows = np.arange(table.rows)
                prepare(table, opened.module.schemas[name], opened.specifications[name], rows)
    mistakes.raise_any()


def _is_plain(table: Table) -> bool:
    return all(
        isinstance(column, CategoryColumn)
        or (isinstance(column, NumberColumn) and column.width == 1)
        for column in table.columns.values()
    )
