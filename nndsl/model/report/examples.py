"""Rows as pictures, and what the layers of a network make of one of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import zip_longest

import numpy as np

from nndsl.data import Table
from nndsl.data.images.column import ImageColumn
from nndsl.data.table import NumberColumn
from nndsl.ir.graph import Role, Value
from nndsl.lower.result import Network
from nndsl.model.running import LoadedRun
from nndsl.passes.dce import DeadCode
from nndsl.render.structure import Stage, structure_of
from nndsl.runtime import reference
from nndsl.schema import Schema

MOST_LAYERS = 8
LEAST_SIDE = 5
"""Rows of at least so many numbers squared are shown as pictures, when that is their shape."""


def images_of(
    table: Table, schema: Schema, network: Network, places: np.ndarray
) -> np.ndarray | None:
    """Rows as pictures [rows, height, width] or, in colours, [.., 3], from 0 to 1.

    None for rows that are no pictures.
    """
    names = [name for given in schema.inputs for name in given.columns]
    columns = [table.columns[name] for name in names]
    if len(columns) == 1 and isinstance(columns[0], ImageColumn):
        pixels = np.asarray(columns[0].read(places), np.float64)
        return _shown(pixels, columns[0].range)
    numbers = [c for c in columns if isinstance(c, NumberColumn) and not c.missing.any()]
    if len(numbers) < len(columns):
        return None
    shape = _shape_of_rows(network, sum(c.width for c in numbers))
    if shape is None:
        return None
    values = [c.values[places].reshape(len(places), -1).astype(np.float64) for c in numbers]
    return _shown(np.concatenate(values, axis=1).reshape(len(places), *shape), None)


def _shown(pixels: np.ndarray, range: tuple[float, float] | None) -> np.ndarray:
    """Pictures [rows, channels, height, width] as they are shown; of odd colours, their mean."""
    low, high = range or (float(pixels.min(initial=0.0)), float(pixels.max(initial=0.0)))
    share = (pixels - low) / ((high - low) or 1.0)
    return share.transpose(0, 2, 3, 1) if pixels.shape[1] == 3 else share.mean(axis=1)


def _shape_of_rows(network: Network, width: int) -> tuple[int, int, int] | None:
    """Channels, height and width of rows of `width` numbers: those of the net, else a square."""
    shapes = list(network.inputs.values())
    shapes += [part.output.type.shape[1:] for part in network.parts[:1] if part.word == "reshape"]
    for sizes in map(_map_sizes, shapes):
        if sizes is not None and math.prod(sizes) == width:
            return sizes
    side = math.isqrt(width)
    return (1, side, side) if side >= LEAST_SIDE and side * side == width else None


def _map_sizes(shape: Sequence[int | str]) -> tuple[int, int, int] | None:
    """Channels, height and width where that is the shape of one row."""
    sizes = [size for size in shape if isinstance(size, int)]
    return (sizes[0], sizes[1], sizes[2]) if len(sizes) == 3 else None


def maps_of(
    loaded: LoadedRun, inputs: Sequence[np.ndarray], place: str | None
) -> dict[str, np.ndarray]:
    """What stages make of one row, [channels, height, width] by their names.

    `inputs` are the row's prepared numbers for each input of the net, [1, ...]; `place` is the
    path of a stage or named line, None: those worth looking at. Computed by the oracle.
    """
    network = loaded.network
    wanted = _worth_seeing(network) if place is None else {place: _value_at(network, place)}
    if not wanted:
        return {}
    graph = network.graph.copy()
    graph.outputs = dict(wanted)
    graph = DeadCode()(graph)
    rows = zip(network.graph.of_role(Role.DATA), inputs, strict=True)
    given = {
        entry.value.name: array.reshape(1, *entry.value.type.shape[1:]) for entry, array in rows
    }
    parameters, states = loaded.members[0]
    known: Mapping[str, np.ndarray] = {**parameters, **states, **given}
    found, _ = reference.evaluate(graph, known, precision=loaded.recipe.precision)
    return {name: found[name][0] for name in wanted}


def _value_at(network: Network, place: str) -> Value:
    by_part = {part.path: part.output for part in reversed(network.parts)}
    return by_part[place] if place in by_part else network.points[place]


def _worth_seeing(network: Network) -> dict[str, Value]:
    """The first layer that gives maps, then the last of each size, a few at most."""
    stages = [
        stage
        for stage in structure_of(network).root.stages()
        if stage.kind != "input" and stage.words != ["reshape"] and _is_picture(stage.output)
    ]
    ends = [
        stage
        for stage, after in zip_longest(stages, stages[1:])
        if after is None or stage.output.type.shape[2:] != after.output.type.shape[2:]
    ]
    chosen = list(dict.fromkeys([*stages[:1], *ends]))
    if len(chosen) > MOST_LAYERS:
        steps = np.linspace(0, len(chosen) - 1, MOST_LAYERS)
        chosen = [chosen[round(step)] for step in steps]
    return {_name(stage): stage.output for stage in chosen}


def _is_picture(value: Value) -> bool:
    sizes = _map_sizes(value.type.shape[1:])
    return sizes is not None and min(sizes[1:]) > 1


def _name(stage: Stage) -> str:
    """`conv[1] → relu`: the path of the layer, and what follows it."""
    return " \N{RIGHTWARDS ARROW} ".join((stage.path or stage.words[0], *stage.words[1:]))
