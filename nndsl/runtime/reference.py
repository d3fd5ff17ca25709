"""The oracle: a graph computed node by node with the NumPy meanings of its ops."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from nndsl.ir.graph import Graph, Value
from nndsl.ir.types import BATCH, TensorType
from nndsl.ops.base import Clock, computed

Arrays = dict[str, np.ndarray]


def evaluate(
    graph: Graph, inputs: Mapping[str, Any], clock: Clock | None = None, precision: str = "float64"
) -> tuple[Arrays, Arrays]:
    """Outputs and updates by name, for arrays of the inputs by name.

    Sizes known only at run time are read off the arrays, unless `clock.sizes` gives them. SETTING
    inputs without an array have the number in the graph. A missing input, or one whose shape
    does not fit, is a `ValueError`.
    """
    clock = replace(clock or Clock(), precision=precision)
    arrays = {name: _array(graph, name, inputs, clock) for name in graph.inputs}
    clock = replace(clock, sizes=_sizes(graph, arrays, clock))
    values = {i.value: arrays[name] for name, i in graph.inputs.items()}
    with np.errstate(all="ignore"):
        for _ in computed(graph, values, clock):
            pass
    return _named(graph.outputs, values), _named(graph.updates, values)


def _named(chosen: Mapping[str, Value], values: Mapping[Value, np.ndarray]) -> Arrays:
    return {name: values[value] for name, value in chosen.items()}


def _array(graph: Graph, name: str, inputs: Mapping[str, Any], clock: Clock) -> np.ndarray:
    entry = graph.inputs[name]
    given = inputs.get(name, entry.setting)
    if given is None:
        raise ValueError(f"the input {name} has no array")
    return np.asarray(given, dtype=clock.dtype(entry.value.type.element))


def _sizes(graph: Graph, arrays: Mapping[str, np.ndarray], clock: Clock) -> dict[str, int]:
    sizes = dict(clock.sizes or {})
    for name, array in arrays.items():
        _bind(name, graph.inputs[name].value.type, array, sizes)
    sizes.setdefault(BATCH, 1)
    return sizes


def _bind(name: str, type: TensorType, array: np.ndarray, sizes: dict[str, int]) -> None:
    """Learn the sizes that `type` names from an array, and check all of them."""
    fits = len(type.shape) == array.ndim
    for size, found in zip(type.shape, array.shape, strict=False):
        expected = sizes.setdefault(size, found) if isinstance(size, str) else size
        fits = fits and expected == found
    if not fits:
        raise ValueError(f"the input {name} is {type}, not {'x'.join(map(str, array.shape))}")
