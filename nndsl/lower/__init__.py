"""From a syntax tree, the words and a schema to graphs and recipes."""

from __future__ import annotations

from nndsl.lower.module import data_specifications, lower

__all__ = ["data_specifications", "lower"]
