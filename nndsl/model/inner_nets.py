"""A net of a run for itself: the generator of two nets, the decoder of an autoencoder."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nndsl import compilation
from nndsl.diagnostics import error, nearest
from nndsl.ir.graph import Role
from nndsl.ir.types import format_shape
from nndsl.lower.result import Network
from nndsl.model.net_inputs import sizes_of
from nndsl.random import Stream, stream_of
from nndsl.runtime.durable import write_file

if TYPE_CHECKING:
    from nndsl.model.running import LoadedRun

COLOURS = 3
LEAST_SIDE = 5
"""Rows of at least so many numbers squared are shown as pictures, when that is their shape."""


def inner_names(loaded: LoadedRun) -> list[str]:
    """The nets whose weights the run has beside its own, in the order of the file."""
    return [
        name
        for name, network in loaded.networks.items()
        if name != loaded.network.name and _keys(loaded, network) is not None
    ]


def inner_net(loaded: LoadedRun, name: str) -> LoadedRun:
    """The run with another of its nets in place of its own; NN023 when it has none called so."""
    if name == loaded.network.name:
        return loaded
    network = loaded.networks.get(name)
    keys = _keys(loaded, network) if network is not None else None
    if network is None or keys is None:
        known = [loaded.network.name, *inner_names(loaded)]
        near = nearest(name, known)
        raise error(
            "NN023",
            f"the run in `{loaded.run.path}` has no net `{name}`",
            help=f"--net {near[0]}" if near else f"it has {', '.join(known)}",
        )
    compiled = compilation.compile_prediction(network, precision=loaded.recipe.precision)
    parameters, states = loaded.members[0]
    known_arrays = {**parameters, **states}
    own = {path: known_arrays[key] for path, key in keys.items()}
    members = (
        {n: a for n, a in own.items() if n in network.parameters},
        {n: a for n, a in own.items() if n not in network.parameters},
    )
    compiled.executable.set_parameters(members[0])
    compiled.executable.set_states(members[1])
    return replace(
        loaded,
        network=network,
        recipe=replace(loaded.recipe, targets={}, turns=(), ensemble=None, evaluation=None),
        outputs=(),
        executable=compiled.executable,
        members=(members,),
    )


def _keys(loaded: LoadedRun, network: Network) -> dict[str, str] | None:
    """For each array of a net what the run calls it; None when it has not all of them."""
    parameters, states = loaded.members[0]
    known = {*parameters, *states}
    found = {}
    states_of = [given.value.name for given in network.graph.of_role(Role.STATE)]
    for name in (*network.parameters, *states_of):
        info = network.parameters.get(name)
        inside = name if info is not None and info.owner else f"{network.name}.{name}"
        key = inside if inside in known else name
        if key not in known or (key == name and info is not None and not info.owner):
            return None
        found[name] = key
    return found


def samples(loaded: LoadedRun, count: int, seed: int = 0) -> dict[str, np.ndarray]:
    """The net's outputs for standard normal inputs, the same for a seed: [count, ...] each."""
    precision = np.dtype(loaded.recipe.precision)
    inputs = {}
    for name, shape in loaded.network.inputs.items():
        sizes = sizes_of(shape)
        numbers = Stream(seed, stream_of(f"samples:{name}")).normal(count * prod(sizes))
        inputs[name] = numbers.reshape(count, *sizes).astype(precision)
    return loaded.executable.evaluate(inputs)


def write_samples(loaded: LoadedRun, count: int, path: Path) -> None:
    """The net's answers to random numbers: a sheet of pictures as PNG, else a table.

    NN306 when a sheet is wanted of what are no pictures; NN610-NN612 when it cannot be written.
    """
    made = samples(loaded, count, loaded.recipe.seed)
    if path.suffix.lower() == ".png":
        images = as_images(next(iter(made.values())))
        if images is None:
            shape = format_shape(next(iter(made.values())).shape[1:])
            title = f"the answers of net `{loaded.network.name}` are {shape}, which is no picture"
            raise error("NN306", title, help="name a table: -o made.csv")
        from nndsl.render.sheet import sheet

        write_file(path, sheet(*scaled(images)))
        return
    flat = {name: values.reshape(count, -1) for name, values in made.items()}
    names = [f"{name}_{i + 1}" for name, values in flat.items() for i in range(values.shape[1])]
    rows = np.concatenate(list(flat.values()), axis=1).tolist()
    lines = [",".join(names), *(",".join(f"{number:.9g}" for number in row) for row in rows)]
    write_file(path, ("\n".join(lines) + "\n").encode())


def as_images(values: np.ndarray, like: tuple[int, ...] | None = None) -> np.ndarray | None:
    """Rows of numbers as pictures [n, height, width] or [.., 3]; None where they are none.

    `like` is the shape of one, channels first; else their own, or a square.
    """
    shape = like if like is not None and prod(like) == prod(values.shape[1:]) else values.shape[1:]
    if len(shape) == 1:
        side = round(shape[0] ** 0.5)
        if side < LEAST_SIDE or side * side != shape[0]:
            return None
        shape = (1, side, side)
    if len(shape) != 3:
        return None
    pictures = values.reshape(len(values), *shape).astype(np.float64)
    if shape[0] == COLOURS:
        return pictures.transpose(0, 2, 3, 1)
    averaged: np.ndarray = pictures.mean(axis=1)
    return averaged


def scaled(images: np.ndarray, *others: np.ndarray) -> tuple[np.ndarray, ...]:
    """Pictures with 0 for the least number of all and 1 for the greatest; those of 0 to 1 stay."""
    low = min(float(one.min(initial=0.0)) for one in (images, *others))
    high = max(float(one.max(initial=1.0)) for one in (images, *others))
    return tuple((one - low) / (high - low) for one in (images, *others))
