"""From a syntax tree, the words and a schema to graphs and recipes."""

from __future__ import annotations

from nndsl.lower.expectations import Evidence, judge, nets_asked
from nndsl.lower.module import data_specifications, lower
from nndsl.lower.scopes import Session

__all__ = ["Evidence", "Session", "data_specifications", "judge", "lower", "nets_asked"]
