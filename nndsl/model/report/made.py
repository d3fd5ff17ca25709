"""What nets make, as pictures: reconstructions of their inputs, answers to random numbers."""

from __future__ import annotations

from math import prod

import numpy as np

from nndsl import driver
from nndsl.lower.result import JOINT
from nndsl.model.inner_nets import as_images, inner_names, inner_net, samples, scaled
from nndsl.model.running import LoadedRun
from nndsl.schema import Schema


def reconstructed(
    loaded: LoadedRun, inputs: dict[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray] | None:
    """Rows and what the network makes of them, as pictures of numbers from 0 to 1.

    None for a network with several inputs, or whose answer has another size, or has a target.
    """
    network = loaded.network
    if JOINT in network.name or len(network.inputs) != 1 or loaded.outputs:
        return None
    given = next(iter(driver.as_judged(loaded.recipe, inputs).values()))
    name, output = next(iter(network.graph.outputs.items()))
    if not len(given) or prod(given.shape[1:]) != _width(output.type.shape):
        return None
    answers = loaded.evaluate({n: np.ascontiguousarray(a) for n, a in inputs.items()})[name]
    shape = _shape(loaded.schema)
    pair = as_images(given, shape), as_images(answers, shape)
    if pair[0] is None or pair[1] is None:
        return None
    first, second = scaled(pair[0], pair[1])
    return first, second


def sampled(loaded: LoadedRun, net: str | None, count: int) -> tuple[str, np.ndarray] | None:
    """The net's name and its answers to random numbers as pictures; None where they are none.

    Without a name: the first net inside the run whose input has another size than the data.
    """
    name = net if net is not None else _fed_noise(loaded)
    if name is None:
        return None
    made = next(iter(samples(inner_net(loaded, name), count, loaded.recipe.seed).values()))
    images = as_images(made, _shape(loaded.schema))
    return (name, scaled(images)[0]) if images is not None else None


def _fed_noise(loaded: LoadedRun) -> str | None:
    widths = {prod(given.shape) for given in loaded.schema.inputs}
    for name in inner_names(loaded):
        network = loaded.networks[name]
        sizes = {prod(d for d in shape if isinstance(d, int)) for shape in network.inputs.values()}
        answers = {_width(value.type.shape) for value in network.graph.outputs.values()}
        if network.data is None and len(network.inputs) == 1 and not sizes & widths:
            return name if answers <= widths else None
    return None


def _width(shape: tuple[int | str, ...]) -> int:
    return prod(d for d in shape[1:] if isinstance(d, int))


def _shape(schema: Schema) -> tuple[int, ...] | None:
    """Channels, height and width of the data's pictures, where it has some."""
    return next((given.shape for given in schema.inputs if len(given.shape) == 3), None)
