"""Rows that a caller gives, arrays or a table, as the arrays that a network's kernels read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from nndsl.data import Prepared, apply_schema, read_table
from nndsl.diagnostics import NndslError, error
from nndsl.ir.graph import Input
from nndsl.ir.types import ElementType
from nndsl.records import dataclass
from nndsl.schema import DataSpecification, Schema

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Preparation:
    """How tables become arrays: the data section, and the schema with what it learnt."""

    specification: DataSpecification
    schema: Schema


def is_table(given: Any) -> bool:
    """Whether rows are given as a file or as columns: a path, or a data frame."""
    return isinstance(given, str | Path) or hasattr(given, "columns")


def table_of(given: Any, preparation: Preparation, precision: str) -> Prepared:
    """The arrays of a CSV file, a mapping from column names to values, or a data frame."""
    specification, schema = preparation.specification, preparation.schema
    if isinstance(given, str | Path):
        table = read_table(specification, Path.cwd(), given, expected=schema)
        return apply_schema(table, schema, precision)
    names = given.columns if hasattr(given, "columns") else given
    columns = {str(name): _plain(given[name]) for name in names}
    inline = replace(specification, kind="table", path=None, options={}, table=columns)
    return apply_schema(read_table(inline, Path.cwd(), expected=schema), schema, precision)


def _plain(values: Any) -> Any:
    """A column as a list of Python values, None for missing."""
    listed = values.tolist() if hasattr(values, "tolist") else list(values)
    return [None if value != value else value for value in listed]


def arrays_of(
    given: Any, wanted: list[Input], limits: Mapping[str, int], precision: str, what: str
) -> Arrays:
    """Arrays under the names of a graph's inputs, checked: one array, or a mapping by name.

    `limits` gives for class numbers how many classes there are. NN073 for whatever does not fit.
    """
    names = [i.value.name for i in wanted]
    if not isinstance(given, Mapping):
        if len(names) != 1:
            raise _misfit(what, f"the network has {len(names)}: give a mapping with {names}")
        given = {names[0]: given}
    if unknown := sorted(set(given) - set(names)):
        raise _misfit(what, f"there is no `{unknown[0]}`; the network has {', '.join(names)}")
    if missing := sorted(set(names) - set(given)):
        raise _misfit(what, f"`{missing[0]}` is missing")
    return {i.value.name: _array(given[i.value.name], i, limits, precision) for i in wanted}


def _array(given: Any, wanted: Input, limits: Mapping[str, int], precision: str) -> np.ndarray:
    name, type = wanted.value.name, wanted.value.type
    inner = type.shape[1:]
    array = np.asarray(given)
    if array.dtype.kind not in "fiub":
        raise _misfit(name, f"it holds {array.dtype}, not numbers")
    if inner == (1,) and array.ndim == 1:
        array = array[:, None]
    fits = array.ndim == len(inner) + 1 and all(
        isinstance(wanted, str) or wanted == size
        for wanted, size in zip(inner, array.shape[1:], strict=True)
    )
    if not fits:
        found = f"[{', '.join(map(str, array.shape))}]" if array.ndim else "one number"
        raise _misfit(name, f"it is {found}, not [{', '.join(map(str, ('rows', *inner)))}]")
    if len(array) == 0:
        raise _misfit(name, "it has no rows")
    if type.element is ElementType.INDEX:
        return _classes(array, name, limits.get(name, type.below))
    if not np.isfinite(array).all():
        raise _misfit(name, "it holds numbers that are not finite")
    return np.ascontiguousarray(array, dtype=precision)


def _classes(array: np.ndarray, name: str, limit: int | None) -> np.ndarray:
    whole = array.astype(np.int32)
    if not np.array_equal(whole, array) or array.min() < 0 or (limit and array.max() >= limit):
        legal = f"0 to {limit - 1}" if limit else "whole numbers from 0"
        raise _misfit(name, f"its numbers are {legal}")
    return whole


def _misfit(name: str, why: str) -> NndslError:
    return error(
        "NN073",
        f"the rows given for `{name}` do not fit: {why}",
        help="one row for each example, as the network sees them, or a table",
    )
