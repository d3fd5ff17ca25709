"""The small tools of tables."""

from __future__ import annotations

import numpy as np

from nndsl.data.table import distinct


def test_distinct_is_numpys_unique(rng: np.random.Generator) -> None:
    for values in (np.array([]), np.array([2.5]), rng.integers(0, 9, 100), rng.normal(size=7)):
        np.testing.assert_array_equal(distinct(values), np.unique(values))
