"""Pictures that networks make: reconstructions beside their inputs, samples of a generator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nndsl.params import Int, NetIn
from nndsl.vocab.figures import Figure, Images, Scale
from nndsl.vocab.pictures import Run, picture

GAP = 1
"""Pixels between an input and its reconstruction."""


def _reconstructions(run: Run, arguments: Mapping[str, Any]) -> list[Figure]:
    found = run.reconstructed(arguments["most"])
    if found is None:
        return []
    inputs, answers = found
    gap = np.ones((len(inputs), GAP, *inputs.shape[2:]))
    both = np.concatenate((inputs, gap, answers), axis=1)
    error = float(np.sqrt(np.mean(np.square(inputs - answers))))
    told = f"{len(both)} rows that did not train: above the input, below what the network makes "
    told += f"of it; between them {error:.2g} of the range of the pixels, in the square mean"
    names = tuple(f"row {i + 1}" for i in range(len(both)))
    return [Images("Inputs and their reconstructions", told, both, names, Scale.PICTURE)]


picture(
    "reconstructions",
    _reconstructions,
    "Rows that did not train as pictures, above what the network makes of them.",
    standard=True,
    needs_rows=True,
    section="answers",
    most=Int(10, "greatest number of rows", ge=1, le=256),
)


def _samples(run: Run, arguments: Mapping[str, Any]) -> list[Figure]:
    found = run.sampled(arguments["of"], arguments["count"])
    if found is None:
        return []
    net, images = found
    told = f"{len(images)} answers of {net} to random numbers"
    return [Images(f"What {net} makes", told, images, ("",) * len(images), Scale.MINIATURE)]


picture(
    "samples",
    _samples,
    "What a net makes of standard normal numbers, as pictures.",
    standard=True,
    section="answers",
    of=NetIn(None, "whose, such as `Generator`; left out: the first that is fed noise alone"),
    count=Int(64, "how many", ge=1, le=1024),
)
