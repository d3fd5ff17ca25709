"""The columns of data as the inputs of a net that may stand on other data."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

import numpy as np

from nndsl.diagnostics import error
from nndsl.ir.types import format_shape
from nndsl.lower.result import Network


def inputs_for(network: Network, given: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The columns of the data as the net's inputs; NN306 when their sizes differ.

    A net that does not stand on the data takes them in their order.
    """
    wanted = network.inputs
    if all(name in given and given[name].shape[1:] == sizes_of(s) for name, s in wanted.items()):
        return dict(given)
    fits = len(wanted) == len(given) and all(
        prod(sizes_of(shape)) == prod(array.shape[1:])
        for shape, array in zip(wanted.values(), given.values(), strict=True)
    )
    if not fits:
        listed = ", ".join(f"`{name}` of {format_shape(s)}" for name, s in wanted.items())
        raise error(
            "NN306",
            f"net `{network.name}` does not take the columns of the data: its input is {listed}",
            help="leave the data out and say how many answers to random numbers: --count 64",
        )
    pairs = zip(wanted.items(), given.values(), strict=True)
    return {name: array.reshape(len(array), *sizes_of(shape)) for (name, shape), array in pairs}


def sizes_of(shape: tuple[int | str, ...]) -> tuple[int, ...]:
    """The sizes of a shape that are numbers: those of one row."""
    return tuple(size for size in shape if isinstance(size, int))
