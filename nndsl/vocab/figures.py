"""Pictures as data: what a chart shows, before anybody decides how it is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

import numpy as np

from nndsl.records import dataclass


@dataclass(frozen=True)
class Figure:
    """Base of all. `alternative` tells in words what is to be seen, for who cannot see it."""

    title: str
    alternative: str


@dataclass(frozen=True)
class Line:
    """`y` over `x`, as many numbers each; with `dots` the points are not joined."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    dashed: bool = False
    dots: bool = False


@dataclass(frozen=True)
class Lines(Figure):
    """Lines or points on common axes; `marks` are points to look at: x, y and a few words."""

    lines: tuple[Line, ...]
    x_label: str = ""
    y_label: str = ""
    marks: tuple[tuple[float, float, str], ...] = ()
    y_log: bool = False
    square: bool = False  # both axes mean the same


@dataclass(frozen=True)
class Histogram(Figure):
    """How many values lie between neighbouring edges: `edges` has one number more."""

    edges: Sequence[float]
    counts: Sequence[float]
    x_label: str = ""


@dataclass(frozen=True)
class Confusion(Figure):
    """Counts [actual, predicted] of classes."""

    counts: np.ndarray
    classes: tuple[str, ...]


class Scale(Enum):
    """What the numbers of images mean: how they are coloured, and how large they are drawn."""

    SIGNED = "from -limit to limit"
    SMALL = "many of them; from 0 where none is below it"
    PICTURE = "from 0 to 1, as a photograph"
    MINIATURE = "from 0 to 1, many small photographs"


@dataclass(frozen=True)
class Images(Figure):
    """Images on one scale, each with its name: [count, height, width], NaN is nothing.

    [count, height, width, 3] are amounts of red, green and blue.
    """

    images: np.ndarray
    names: tuple[str, ...]
    scale: Scale = Scale.SIGNED
