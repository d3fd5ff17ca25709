"""Pictures of layers: weights by unit, filters of convolutions, maps of one example."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nndsl.params import Int, Pair, PlaceIn, WeightsOf
from nndsl.vocab.figures import Figure, Images, Scale
from nndsl.vocab.pictures import Run, Shapes, picture

MOST_CHANNELS = 16
"""Channels of a filter that are shown."""
MOST_PIXELS = 64
"""Height and width up to which a map is shown as it is; of larger ones, means of squares."""


def _tiles(shapes: Shapes, chosen: Sequence[str] | None) -> list[str]:
    """The arrays that can be drawn by unit: those named, else those of the first layer."""
    names = [n for n, shape in shapes.items() if len(shape) > 1 and (not chosen or n in chosen)]
    return names if chosen else names[:1]


def _numbers(shape: tuple[int | str, ...]) -> int | None:
    """How many weights lead into one unit, where all sizes are known."""
    sizes = [size for size in shape[1:] if isinstance(size, int)]
    return math.prod(sizes) if len(sizes) == len(shape) - 1 else None


def _weights_problem(shapes: Shapes, arguments: Mapping[str, Any]) -> str:
    names = _tiles(shapes, arguments["part"])
    if not names:
        return "a part that has weights, not biases alone"
    size = arguments["size"]
    for name in names if size is not None else ():
        numbers = _numbers(shapes[name])
        if numbers is not None and numbers != size[0] * size[1]:
            return f"a height and width whose product is {numbers}: `{name}` has so many weights"
    return ""


def _weights(run: Run, arguments: Mapping[str, Any]) -> list[Figure]:
    shapes: Shapes = {name: array.shape for name, array in run.weights.items()}
    found: list[Figure] = []
    for name in _tiles(shapes, arguments["part"]):
        array = run.weights[name]
        units = array.reshape(len(array), -1)[: arguments["most"]]
        height, width = arguments["size"] or _size_of(units.shape[1])
        told = f"the weights into {len(units)} of {len(array)} units of {name}, "
        told += f"from {array.min():.3g} to {array.max():.3g}".replace("-", "\N{MINUS SIGN}")
        images = units.reshape(len(units), height, width).astype(np.float64)
        names = tuple(f"unit {i + 1}" for i in range(len(units)))
        found.append(Images(f"Weights of {name}", told, images, names))
    return found


def _size_of(numbers: int) -> tuple[int, int]:
    """A square where there is one, else one line."""
    side = math.isqrt(numbers)
    return (side, side) if side * side == numbers else (1, numbers)


picture(
    "weights",
    _weights,
    "The weights into each unit as a picture: dark below 0, light above.",
    problem=_weights_problem,
    section="weights",
    part=WeightsOf(None, "whose weights, such as `Net.hidden`; left out: the first ones"),
    size=Pair(None, "height and width of a picture; left out: a square, or one line"),
    most=Int(64, "greatest number of units", ge=1, le=1024),
)


# --- convolutions ---------------------------------------------------------------------------


def _kernels(shapes: Shapes, chosen: Sequence[str] | None) -> list[str]:
    """The kernels of the part named, else those of the first convolution that sees neighbours."""
    found = [n for n, s in shapes.items() if len(s) in (3, 4) and (not chosen or n in chosen)]
    wide = [n for n in found if any(size != 1 for size in shapes[n][2:])]
    return found if chosen else wide[:1]


def _filters_problem(shapes: Shapes, arguments: Mapping[str, Any]) -> str:
    part = arguments["part"]
    return "" if part is None or _kernels(shapes, part) else "a part with kernels: a convolution"


def _filters(run: Run, arguments: Mapping[str, Any]) -> list[Figure]:
    shapes: Shapes = {name: array.shape for name, array in run.weights.items()}
    found: list[Figure] = []
    for name in _kernels(shapes, arguments["part"]):
        array = run.weights[name].astype(np.float64)
        if array.ndim == 3:
            array = array[:, None]  # of a signal: its channels one below the other
        shown = array[: arguments["most"], :MOST_CHANNELS]
        in_colours = shown.shape[1] == 3
        images = shown.transpose(0, 2, 3, 1) if in_colours else _side_by_side(shown)
        told = f"{_share(len(shown), len(array), 'filter')} of {name}, "
        told += f"{array.shape[2]} x {array.shape[3]} weights"
        told += f" for each of {array.shape[1]} channels" if array.shape[1] > 1 else ""
        if in_colours:
            told += ", the three channels as red, green and blue"
        elif array.shape[1] > MOST_CHANNELS:
            told += f", of which the first {MOST_CHANNELS} stand side by side"
        names = tuple(f"filter {i + 1}" for i in range(len(shown)))
        found.append(Images(f"Filters of {name}", told, images, names))
    return found


def _share(shown: int, all_of_them: int, name: str) -> str:
    if shown < all_of_them:
        return f"the first {shown} of {all_of_them} {name}s"
    return f"the {shown} {name}s" if shown > 1 else f"the only {name}"


def _side_by_side(kernels: np.ndarray) -> np.ndarray:
    """Kernels [filters, channels, h, w], the channels of each in lines: [filters, height, width].

    Between them is a gap of NaN.
    """
    filters, channels, height, width = kernels.shape
    columns = math.ceil(math.sqrt(channels))
    lines = math.ceil(channels / columns)
    sheet = np.full((filters, lines * (height + 1) - 1, columns * (width + 1) - 1), np.nan)
    for channel in range(channels):
        line, column = divmod(channel, columns)
        top, left = line * (height + 1), column * (width + 1)
        sheet[:, top : top + height, left : left + width] = kernels[:, channel]
    return sheet


picture(
    "filters",
    _filters,
    "The filters of a convolution as pictures: dark below 0, light above, or in colours.",
    problem=_filters_problem,
    standard=True,
    part=WeightsOf(None, "a convolution such as `Net.conv[2]`; left out: the first one"),
    most=Int(64, "greatest number of filters", ge=1, le=1024),
)


def _maps_problem(shapes: Shapes, arguments: Mapping[str, Any]) -> str:
    place = arguments["part"]
    shape = shapes.get(place)
    if place is None or (shape is not None and len(shape) == 3):
        return ""
    if shape is None:
        return "a stage, block or named line"
    sizes = "x".join(map(str, shape)) if len(shape) > 1 else f"{(*shape, 1)[0]} numbers"
    return f"a stage that gives maps, channels x height x width: `{place}` gives {sizes}"


def _maps(run: Run, arguments: Mapping[str, Any]) -> list[Figure]:
    example = run.example(arguments["row"], arguments["part"])
    if example is None or not example.maps:
        return []
    found: list[Figure] = []
    if example.image is not None:
        title = ": ".join(filter(None, (example.name, example.told)))
        told = "the picture that the maps below are made of"
        found.append(Images(title, told, example.image[None], ("",), Scale.PICTURE))
    for name, maps in example.maps.items():
        shown, side = _smaller(maps[: arguments["most"]])
        told = f"{_share(len(shown), len(maps), 'map')} of {maps.shape[1]} x {maps.shape[2]}, "
        told += f"from {shown.min():.3g} to {shown.max():.3g}".replace("-", "\N{MINUS SIGN}")
        told += f", each square the mean of {side} x {side} numbers" if side > 1 else ""
        names = tuple(f"map {i + 1}" for i in range(len(shown)))
        found.append(Images(f"What {name} gives", told, shown, names, Scale.SMALL))
    return found


def _smaller(maps: np.ndarray) -> tuple[np.ndarray, int]:
    """Maps [count, height, width] of at most `MOST_PIXELS`, and the side of the squares joined."""
    side = math.ceil(max(maps.shape[1:]) / MOST_PIXELS)
    height, width = (size // side for size in maps.shape[1:])
    if side == 1 or not height or not width:
        return maps.astype(np.float64), 1
    kept = maps[:, : height * side, : width * side].astype(np.float64)
    return kept.reshape(len(maps), height, side, width, side).mean(axis=(2, 4)), side


picture(
    "maps",
    _maps,
    "What layers make of one picture that did not train: each of their channels as a picture.",
    problem=_maps_problem,
    standard=True,
    needs_rows=True,
    part=PlaceIn(None, "a stage or named line such as `Net.conv[1]`; left out: several"),
    row=Int(1, "which of the rows that did not train", ge=1),
    most=Int(10, "greatest number of maps of a stage", ge=1, le=1024),
)
