"""Distortions of pictures for a network that learns: `augment = shift(1) -> rotate(5)`.

A distortion is one definition: how many uniform numbers it draws for a picture, and what it makes
of them. There are six mechanisms (`Distortion`); their meaning is in `distorting`, their kernels
follow it. What is drawn is a function of the seed, the epoch and the picture alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from nndsl.params import Chain, Flag, Int, OneOf, Pair, Parameter, Real
from nndsl.records import dataclass
from nndsl.vocab.registry import Word, register

Size = tuple[int, int]
Arguments = Mapping[str, Any]
GREY = np.array([0.299, 0.587, 0.114])
"""Shares of red, green and blue in brightness (ITU-R BT.601)."""


@dataclass(frozen=True)
class Distortion(Word):
    """A change of pictures, made by exactly one of these of uniform numbers u [n, draws].

    `warp(u, arguments, size)`: matrices [n, 2, 3]; a pixel is read where they send its place,
    counted from the middle. What comes in from outside is black, with `edge` the nearest pixel of
    the picture's edge (of neighbours that are joined, if one says so). `size(arguments, size)` is
    then the height and width that come out.
    `bend(arguments)`: standard deviation and strength of a smooth random displacement.
    `colour(u, arguments, channels)`: matrices [n, C, 2 C + 1]: a channel is a sum over all, over
    their means, and a number, where black is 0 and white is 1.
    `box(u, arguments, size)`: top, left, bottom, right of a rectangle that becomes grey, [n, 4].
    `noise(arguments)`: standard deviation of what is added, where white is 1.
    `blend(u, arguments, classes)`: shares [n] of the picture in a mixture with another one.

    `follow(target, u, arguments)`, beside a warp: what a target [n, 1] that is one number, in its
    own unit, becomes for the picture that the same u give. Others stay as they are.

    `problem(arguments, channels, size)` says what the arguments would have to be ("": right).
    """

    draws: int = 0
    warp: Callable[[np.ndarray, Arguments, Size], np.ndarray] | None = None
    edge: bool = False
    size: Callable[[Arguments, Size], Size] | None = None
    bend: Callable[[Arguments], tuple[float, float]] | None = None
    colour: Callable[[np.ndarray, Arguments, int], np.ndarray] | None = None
    box: Callable[[np.ndarray, Arguments, Size], np.ndarray] | None = None
    noise: Callable[[Arguments], float] | None = None
    blend: Callable[[np.ndarray, Arguments, bool], np.ndarray] | None = None
    follow: Callable[[np.ndarray, np.ndarray, Arguments], np.ndarray] | None = None
    problem: Callable[[Arguments, int, Size], str] | None = None


def distortion(
    name: str,
    doc: str,
    see: str = "",
    *,
    draws: int = 0,
    example: str = "",
    parameters: Mapping[str, Parameter] | None = None,
    **mechanism: Any,
) -> None:
    """Define a distortion."""
    word = Distortion(name, parameters or {}, doc, see, draws, **mechanism)
    register(word, f"train Net {{ augment = {example or name} }}")


# --- moving pixels --------------------------------------------------------------------------


def matrices(count: int, linear: Any = None, offset: Any = None) -> np.ndarray:
    """[n, 2, 3] of a linear part (None: identity) and an offset (None: none)."""
    found = np.zeros((count, 2, 3))
    found[:, :, :2] = np.eye(2) if linear is None else linear
    if offset is not None:
        found[:, :, 2] = offset
    return found


def around_zero(u: np.ndarray, most: float) -> np.ndarray:
    """Numbers from -most to most."""
    return (2 * u - 1) * most


def _whole(u: np.ndarray, low: Any, high: Any) -> np.ndarray:
    """Whole numbers from low to high, each as likely."""
    return np.asarray(low + np.floor(u * (np.asarray(high) - low + 1)))


def _turn(degrees: np.ndarray) -> np.ndarray:
    """[n, 2, 2]: places turned against the clock, as seen on the screen."""
    angle = np.deg2rad(degrees)
    sine, cosine = np.sin(angle), np.cos(angle)
    return np.stack([np.stack([cosine, sine], -1), np.stack([-sine, cosine], -1)], -2)


def _shift(u: np.ndarray, arguments: Arguments, size: Size) -> np.ndarray:
    pixels = arguments["pixels"]
    if not arguments["straight"]:
        return matrices(len(u), offset=_whole(u, -pixels, pixels))
    along, sign = np.eye(2)[(2 * u[:, 0]).astype(int)], np.where(u[:, 1:] < 0.5, -1, 1)
    return matrices(len(u), offset=along * sign * pixels)


distortion(
    "shift",
    "Moved by whole pixels, up to so many each way; what comes in from outside is black.",
    "Nielsen, Neural Networks and Deep Learning, chapter 3",
    draws=2,
    warp=_shift,
    parameters={
        "pixels": Int(1, "the most pixels each way", ge=1),
        "straight": Flag(False, "by just so many pixels up, down, left or right"),
    },
)


def _pair(size: Any) -> Size:
    return (size, size) if isinstance(size, int) else (size[0], size[1])


def _cropped_size(arguments: Arguments, size: Size) -> Size:
    return _pair(arguments["size"])


def _crop(u: np.ndarray, arguments: Arguments, size: Size) -> np.ndarray:
    made, pad = np.array(_pair(arguments["size"])), arguments["pad"]
    first = _whole(u, -pad, np.array(size) + pad - made)
    return matrices(len(u), offset=first + (made - 1) / 2 - (np.array(size) - 1) / 2)


def _crop_problem(arguments: Arguments, channels: int, size: Size) -> str:
    most = [s + 2 * arguments["pad"] for s in size]
    made = _pair(arguments["size"])
    if made[0] <= most[0] and made[1] <= most[1]:
        return ""
    padded = f" with {arguments['pad']} around them" if arguments["pad"] else ""
    return f"at most {most[0]}x{most[1]}: the pictures are {size[0]}x{size[1]}{padded}"


_SIZE = OneOf(doc="height and width that remain", options=(Int(ge=1), Pair()))
distortion(
    "random_crop",
    "A piece of this size cut out at a random place, after `pad` black pixels were put around.",
    "He et al. 2016, Deep residual learning, section 4.2",
    draws=2,
    warp=_crop,
    size=_cropped_size,
    problem=_crop_problem,
    parameters={"size": _SIZE, "pad": Int(0, "black pixels around the picture", ge=0)},
    example="random_crop(8, pad=1)",
)


def _resized_crop(u: np.ndarray, arguments: Arguments, size: Size) -> np.ndarray:
    made = np.array(_pair(arguments["size"]))
    whole = np.array(size, np.float64)
    share = arguments["smallest"] + (1 - arguments["smallest"]) * u[:, 0]
    ratio = np.exp(around_zero(u[:, 1], math.log(arguments["stretch"])))
    side = np.sqrt(share * whole.prod())[:, None] * np.stack((ratio**-0.5, ratio**0.5), -1)
    side = np.minimum(side, whole)
    linear = np.zeros((len(u), 2, 2))
    linear[:, 0, 0], linear[:, 1, 1] = (side / made).T
    return matrices(len(u), linear, (2 * u[:, 2:4] - 1) * (whole - side) / 2)


distortion(
    "random_resized_crop",
    "A piece of random area and proportions, anywhere in the picture, brought to this size.",
    "Szegedy et al. 2015, Going deeper with convolutions, section 6",
    draws=4,
    warp=_resized_crop,
    size=_cropped_size,
    parameters={
        "size": _SIZE,
        "smallest": Real(0.08, "the smallest share of the area", gt=0, le=1),
        "stretch": Real(4 / 3, "the greatest ratio of width and height", ge=1),
    },
    example="random_resized_crop(8)",
)


def _flip(u: np.ndarray, arguments: Arguments, size: Size) -> np.ndarray:
    sign = np.where(u[:, 0] < arguments["rate"], -1.0, 1.0)
    found = matrices(len(u))
    axis = 0 if arguments["vertical"] else 1
    found[:, axis, axis] = sign
    return found


distortion(
    "random_flip",
    "Left and right exchanged in a share of the pictures, or top and bottom.",
    "Krizhevsky et al. 2012, ImageNet classification, section 4.1",
    draws=1,
    warp=_flip,
    parameters={
        "rate": Real(0.5, "the share of pictures", ge=0, le=1),
        "vertical": Flag(False, "top and bottom instead"),
    },
)


def _rotate(u: np.ndarray, arguments: Arguments, size: Size) -> np.ndarray:
    return matrices(len(u), _turn(around_zero(u[:, 0], arguments["degrees"])))


distortion(
    "rotate",
    "Turned about the middle by up to so many degrees either way.",
    "Ciresan et al. 2010, Deep big simple neural nets, section 2",
    draws=1,
    warp=_rotate,
    parameters={"degrees": Real(10.0, "the greatest angle", ge=0, le=180)},
)


def _affine(u: np.ndarray, arguments: Arguments, size: Size) -> np.ndarray:
    scale = 1 + around_zero(u[:, 1:3], arguments["scale"])
    lean = np.tan(np.deg2rad(around_zero(u[:, 3], arguments["shear"])))
    leaning = np.broadcast_to(np.eye(2), (len(u), 2, 2)).copy()
    leaning[:, 1, 0] = lean
    linear = _turn(around_zero(u[:, 0], arguments["rotate"])) @ leaning / scale[:, None, :]
    return matrices(len(u), linear, around_zero(u[:, 4:6], arguments["shift"]))


distortion(
    "affine",
    "Turned, stretched along each axis, slanted and moved, each by a random amount.",
    "Ciresan et al. 2010, Deep big simple neural nets, section 2",
    draws=6,
    warp=_affine,
    parameters={
        "rotate": Real(0.0, "the greatest angle in degrees", ge=0, le=180),
        "scale": Real(0.0, "the greatest change of size, such as 15%", ge=0, lt=1),
        "shear": Real(0.0, "the greatest slant in degrees", ge=0, lt=90),
        "shift": Real(0.0, "the most pixels each way, fractions too", ge=0),
    },
    example="affine(rotate=15, scale=15%, shear=15)",
)

UNIFORM_DEVIATION = 3**-0.5
"""The standard deviation of a uniform number between -1 and 1."""


def _elastic(arguments: Arguments) -> tuple[float, float]:
    return arguments["sigma"], arguments["strength"] * UNIFORM_DEVIATION


distortion(
    "elastic",
    "Every pixel moved by a smooth random field: noise as strong as uniform numbers between -1 and "
    "1, smoothed by a Gaussian of `sigma` pixels, times `strength`.",
    "Simard et al. 2003, Best practices for convolutional neural networks, section 2",
    bend=_elastic,
    parameters={
        "sigma": Real(6.0, "how smooth, in pixels", ge=0.5),
        "strength": Real(36.0, "how strong", ge=0),
    },
)

# --- pixels themselves ----------------------------------------------------------------------


def _colour(u: np.ndarray, arguments: Arguments, channels: int) -> np.ndarray:
    bright, contrast, saturation = (
        1 + around_zero(u[:, i], arguments[name])
        for i, name in enumerate(("brightness", "contrast", "saturation"))
    )
    grey = GREY if channels == 3 else np.full(channels, 1 / channels)
    rich = saturation[:, None, None]
    own = np.eye(channels) * rich + (1 - rich) * grey  # of one channel: 1, as it should be
    found = np.zeros((len(u), channels, 2 * channels + 1))
    found[:, :, :channels] = own * (contrast * bright)[:, None, None]
    found[:, :, channels:-1] = ((1 - contrast) * bright)[:, None, None] * grey
    return found


distortion(
    "colour",
    "Brightness, contrast about the mean, and saturation of colours, each times a random factor.",
    "Howard 2013, Some improvements on deep convolutional neural network based classification",
    draws=3,
    colour=_colour,
    parameters={
        "brightness": Real(0.0, "the greatest change, such as 20%", ge=0, le=1),
        "contrast": Real(0.0, "the greatest change", ge=0, le=1),
        "saturation": Real(0.0, "the greatest change", ge=0, le=1),
    },
    example="colour(brightness=20%, contrast=20%)",
)

PCA_VALUES = np.array([0.2175, 0.0188, 0.0045])
PCA_VECTORS = np.array(
    [[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]]
)
"""Along which the colours of ImageNet vary, and how far, with white as 1 (AlexNet's)."""


def _pca(u: np.ndarray, arguments: Arguments, channels: int) -> np.ndarray:
    radius = np.sqrt(-2 * np.log(1 - u[:, 0::2]))
    angle = 2 * np.pi * u[:, 1::2]
    normal = np.concatenate((radius * np.cos(angle), radius * np.sin(angle)), axis=1)[:, :3]
    found = np.zeros((len(u), 3, 7))
    found[:, :, :3] = np.eye(3)
    weights = arguments["std"] * normal * PCA_VALUES
    found[:, :, 6] = (weights[:, None] * PCA_VECTORS).sum(axis=-1)
    return found


distortion(
    "pca_colour",
    "A random colour along the main directions of ImageNet's colours, added to all pixels.",
    "Krizhevsky et al. 2012, ImageNet classification, section 4.1",
    draws=4,
    colour=_pca,
    problem=lambda arguments, channels, size: "" if channels == 3 else "for pictures in colour",
    parameters={"std": Real(0.1, "standard deviation of the three weights", ge=0)},
)


def _erase(u: np.ndarray, arguments: Arguments, size: Size) -> np.ndarray:
    whole = np.array(size)
    share = 0.02 + (max(arguments["area"], 0.02) - 0.02) * u[:, 1]
    ratio = np.exp(around_zero(u[:, 2], math.log(1 / 0.3)))
    side = np.sqrt(share * whole.prod())[:, None] * np.stack((ratio**-0.5, ratio**0.5), -1)
    side = np.clip(np.round(side), 1, whole)
    first = _whole(u[:, 3:5], 0, whole - side)
    hit = (u[:, :1] < arguments["rate"]) * 1.0
    return np.concatenate((first, first + side * hit), axis=1).astype(np.int64)


distortion(
    "erase",
    "A rectangle at a random place made grey in a share of the pictures.",
    "Zhong et al. 2020, Random erasing data augmentation",
    draws=5,
    box=_erase,
    parameters={
        "area": Real(0.2, "the greatest share of the area", gt=0, le=1),
        "rate": Real(0.5, "the share of pictures", ge=0, le=1),
    },
)

distortion(
    "pixel_noise",
    "A normal number added to each pixel.",
    "Bishop 1995, Training with noise is equivalent to Tikhonov regularization",
    noise=lambda arguments: float(arguments["std"]),
    parameters={"std": Real(0.05, "standard deviation, with white as 1", ge=0)},
)

# --- two pictures ---------------------------------------------------------------------------

_STEPS = 4096


def beta_quantile(u: np.ndarray, a: float, b: float) -> np.ndarray:
    """The u-quantiles of the beta distribution, by its distribution function at 4096 places.

    With x = sin^2(t) the density in t is sin^(2a-1) cos^(2b-1), which is summed between the places;
    these lie the closer the nearer to 0 and 1.
    """
    edge = np.linspace(-1, 1, _STEPS + 1)
    angle = (np.sign(edge) * (1 - (1 - np.abs(edge)) ** 4) + 1) * np.pi / 4
    middle = (angle[1:] + angle[:-1]) / 2
    density = np.sin(middle) ** (2 * a - 1) * np.cos(middle) ** (2 * b - 1)
    total = np.concatenate(([0.0], np.cumsum(density * np.diff(angle))))
    return np.asarray(np.sin(np.interp(u, total / total[-1], angle)) ** 2)


def _mixup(u: np.ndarray, arguments: Arguments, classes: bool) -> np.ndarray:
    alpha = arguments["alpha"]
    return beta_quantile(u[:, 0], alpha + 1 if classes else alpha, alpha)


distortion(
    "mixup",
    "A share of another picture mixed in. Numbers to be predicted are mixed as well; a class stays "
    "that of the picture with the greater expected share, which in the mean is the same for losses "
    "that are linear in the target, as cross-entropy is.",
    "Zhang et al. 2018, mixup; with the class of one picture: Huszar 2017",
    draws=2,
    blend=_mixup,
    parameters={"alpha": Real(0.2, "how evenly they are mixed", gt=0)},
)

# --- several copies -------------------------------------------------------------------------

distortion(
    "copies",
    "Each picture so many times in an epoch: once as it is, the others distorted.",
    "Pomerleau 1989, ALVINN; Nielsen, chapter 6",
    parameters={
        "count": Int(doc="how often each picture is shown, itself included", ge=2),
        "chain": Chain(doc="the distortions", registry="distortion"),
    },
    example="copies(5, shift(1))",
)
