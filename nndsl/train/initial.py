"""Start values of the weights: those written in the file, else drawn from the network's streams."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nndsl.lower.result import Network
from nndsl.random import Stream, stream_of
from nndsl.vocab.kinds import Initializer


def initial_parameters(network: Network, seed: int) -> dict[str, np.ndarray]:
    """Start values by name, float64, in the graph's layout."""
    return dict(drawn_one_by_one(network, seed))


def drawn_one_by_one(network: Network, seed: int) -> Iterator[tuple[str, np.ndarray]]:
    """The start value of each parameter in turn, so that memory need not hold all in float64.

    Every parameter has a random stream of its own, named after it, so that a new layer changes the
    start values of no other.
    """
    for name, info in network.parameters.items():
        if info.values is not None:
            yield name, np.broadcast_to(info.values, info.shape).astype(np.float64)
            continue
        word = info.initializer.word
        if not isinstance(word, Initializer) or word.sample is None:
            raise ValueError(f"{word.name} draws no start values")
        draw = Stream(seed, stream_of(name))
        sample = word.sample(
            draw, info.shape, info.fan_in, info.fan_out, info.initializer.arguments
        )
        yield name, sample.reshape(info.shape)


def to_file_layout(network: Network, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Arrays in the layout that people and files see: PyTorch's (dense: [outputs, inputs])."""
    return {name: _transposed(network, name, array, file=True) for name, array in arrays.items()}


def to_graph_layout(network: Network, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The opposite of `to_file_layout`."""
    return {name: _transposed(network, name, array, file=False) for name, array in arrays.items()}


def _transposed(network: Network, name: str, array: np.ndarray, *, file: bool) -> np.ndarray:
    info = network.parameters.get(name)
    if info is None or info.axes is None:
        return array
    axes = info.axes if file else tuple(np.argsort(info.axes))
    return np.ascontiguousarray(array.transpose(axes))
