"""Arrays of data sources as constants: `d.inputs`, `d.y`, `csv("w.csv")`, `least_squares(d)`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nndsl.diagnostics import Span, error
from nndsl.lower.scopes import Scope
from nndsl.lower.values import DataSource, Record, Unknown
from nndsl.syntax import tree


def arrays_of(source: DataSource, name: str, expression: tree.Field, scope: Scope) -> Any | None:
    """`d.inputs`, a named input or a target as a constant array; None for other names.

    Arrays hold what the file says, before any preprocessing; classes count from 0.
    """
    schema = source.schema
    if schema is None or name in ("classes", "count"):
        return None
    inputs = [i.name for i in schema.inputs]
    targets = [t.name for t in schema.targets]
    if name == "inputs" and len(inputs) == 1:
        name = inputs[0]
    if name not in inputs and name not in targets:
        return None
    arrays = _arrays(source, False, scope)
    return arrays[name] if arrays is not None else Unknown(f"{source.name}.{name}")


def _arrays(source: DataSource, prepared: bool, scope: Scope) -> Mapping[str, np.ndarray] | None:
    if scope.session.arrays is None or source.schema is None:
        return None
    found = scope.session.arrays(source.name, prepared)
    return {n: np.asarray(a, dtype=np.float64) for n, a in found.items()}


def matrix(path: str, span: Span, scope: Scope) -> Any:
    """`csv("w.csv")`: the numbers of a file without header, a row a line."""
    if scope.session.matrix is None:
        return Unknown(f'csv("{path}")')
    return np.asarray(scope.session.matrix(path), dtype=np.float64)


def least_squares(source: DataSource, span: Span, scope: Scope) -> Any:
    """The linear fit that minimises the squared error on all rows, as `weights` and `bias`.

    It works on what the network sees, after preprocessing. `weights` has one row for each target.
    """
    arrays = _arrays(source, True, scope)
    if arrays is None or source.schema is None:
        missing = Unknown(f"least_squares({source.name})")
        return Record("least_squares", {"weights": missing, "bias": missing})
    x = np.concatenate([_columns(arrays[i.name]) for i in source.schema.inputs], axis=1)
    if not source.schema.targets:
        raise error("NN304", f"`{source.name}` has no target to fit", span)
    t = np.concatenate([_columns(arrays[t.name]) for t in source.schema.targets], axis=1)
    design = np.concatenate([x, np.ones((len(x), 1))], axis=1)
    solution, *_ = np.linalg.lstsq(design, t, rcond=None)
    return Record("least_squares", {"weights": solution[:-1].T, "bias": solution[-1]})


def _columns(array: np.ndarray) -> np.ndarray:
    return array.reshape(len(array), -1)
