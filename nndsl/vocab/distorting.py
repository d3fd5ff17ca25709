"""What distortions of pictures mean, in NumPy and float64: the oracle of the kernels.

Pictures are [n, channels, height, width]. A place in a picture is (row, column), counted from its
middle, so that a turn or a change of scale leaves the middle where it is.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from nndsl.random import UNIT, lanes_of, stream_of

LOST = 1e-5
"""Share of the variance of a smooth field that may be lost by leaving weak waves out."""


def warp(
    x: np.ndarray,
    matrices: np.ndarray,
    fields: np.ndarray | None,
    size: tuple[int, int],
    fill: np.ndarray,
    edge: bool = False,
    *,
    nearest: bool = False,
) -> np.ndarray:
    """Pictures [n, channels, *size], pixel p read at matrix @ (p + field(p), 1).

    `matrices` is [n, 2, 3], `fields` [n, 2, *size] (None: no displacement). Between pixels the four
    neighbours are weighed by their nearness (bilinear), or the `nearest` one is taken; outside the
    picture is `fill` [channels], with `edge` the nearest pixel of its edge.
    """
    count, channels, height, width = x.shape
    padded = np.empty((count, channels, height + 3, width + 3))
    padded[:] = fill[:, None, None]
    padded[:, :, 1:-2, 1:-2] = x
    down, right = np.meshgrid(*(np.arange(s) - (s - 1) / 2 for s in size), indexing="ij")
    place = np.stack(np.broadcast_arrays(down, right, 1.0)).reshape(3, -1)
    places = np.broadcast_to(place, (count, *place.shape)).copy()
    if fields is not None:
        places[:, :2] += fields.reshape(count, 2, -1)
    found = matrices @ places + np.array([(height + 1) / 2, (width + 1) / 2])[:, None]
    row = np.clip(found[:, 0], int(edge), height + 1 - edge)
    column = np.clip(found[:, 1], int(edge), width + 1 - edge)
    first, left = row.astype(np.int64), column.astype(np.int64)
    low, near = (row - first)[:, None], (column - left)[:, None]
    if nearest:
        low, near = np.where(low > 0.5, 1.0, 0.0), np.where(near > 0.5, 1.0, 0.0)
    number = np.arange(count)[:, None]

    def pixel(r: np.ndarray, c: np.ndarray) -> np.ndarray:
        return np.moveaxis(padded[number, :, r, c], -1, 1)

    upper = pixel(first, left) * (1 - near) + pixel(first, left + 1) * near
    lower = pixel(first + 1, left) * (1 - near) + pixel(first + 1, left + 1) * near
    mixed: np.ndarray = upper * (1 - low) + lower * low
    return mixed.reshape(count, channels, *size)


@cache
def basis(size: int, sigma: float) -> np.ndarray:
    """The waves [size, k] whose sum with normal weights is white noise smoothed along one axis.

    Smoothing is a product with the matrix of a Gaussian, whose singular vectors are waves and whose
    singular values fall so fast that a few of them are all: B z has the distribution of G x.
    """
    distance = np.arange(size)[:, None] - np.arange(size)
    total = np.sqrt(2 * np.pi) * sigma
    gauss = np.exp(-0.5 * (distance / sigma) ** 2) / max(total, 1.0)
    waves, strength, _ = np.linalg.svd(gauss)
    waves *= np.where(waves.sum(axis=0) < 0, -1.0, 1.0)
    lost = 1 - np.cumsum(strength**2) / np.sum(strength**2)
    many = int(np.count_nonzero(lost > LOST)) + 1
    return np.ascontiguousarray(waves[:, :many] * strength[:many])


def field(
    draw: tuple[int, int, int],
    elements: np.ndarray,
    bases: tuple[np.ndarray, np.ndarray],
    strength: float,
) -> np.ndarray:
    """Smooth displacements [n, 2, height, width]: B1 Z B2^T with normal numbers Z.

    `draw` is (epoch, seed, stream).
    """
    (_, many), (_, several) = (b.shape for b in bases)
    numbers = normals(draw, elements, 2 * many * several).reshape(-1, 2, many, several)
    return np.asarray(strength * (bases[0] @ numbers @ bases[1].T))


def normals(draw: tuple[int, int, int], elements: np.ndarray, count: int) -> np.ndarray:
    """`count` standard normal numbers for each element, by Box and Muller: [n, count]."""
    epoch, seed, stream = draw
    lanes = lanes_of(seed, stream, epoch, elements, (count + 3) // 4, part=1)
    uniform = (lanes >> np.uint64(8)).astype(np.float64) * UNIT
    radius = np.sqrt(-2 * np.log(uniform[:, 0::2] + UNIT))
    angle = 2 * np.pi * uniform[:, 1::2]
    pairs = np.stack((radius * np.cos(angle), radius * np.sin(angle)), axis=-1)
    return pairs.reshape(len(elements), -1)[:, :count]


def colour(x: np.ndarray, matrices: np.ndarray) -> np.ndarray:
    """Each channel a sum over the channels, their means and a number: matrices [n, C, 2 C + 1]."""
    channels = x.shape[1]
    means = x.mean(axis=(2, 3))
    own = np.einsum("noc,nchw->nohw", matrices[:, :, :channels], x)
    level = np.einsum("noc,nc->no", matrices[:, :, channels:-1], means) + matrices[:, :, -1]
    return np.asarray(own + level[:, :, None, None])


def noise(
    x: np.ndarray, draw: tuple[int, int, int], elements: np.ndarray, deviation: float
) -> np.ndarray:
    """A normal number of this deviation added to each pixel."""
    numbers = normals(draw, elements, int(np.prod(x.shape[1:])))
    return np.asarray(x + deviation * numbers.reshape(x.shape))


def box(x: np.ndarray, boxes: np.ndarray, fill: np.ndarray) -> np.ndarray:
    """A rectangle (top, left, bottom, right) of each picture filled: boxes [n, 4]."""
    found = np.array(x, np.float64)
    for picture, (top, left, bottom, right) in zip(found, boxes, strict=True):
        picture[:, max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)] = fill[:, None, None]
    return found


def blend(x: np.ndarray, other: np.ndarray, share: np.ndarray) -> np.ndarray:
    """`share` [n] of the first picture and the rest of the other."""
    weight = share.reshape(-1, *[1] * (x.ndim - 1)).astype(x.dtype)
    return np.asarray(weight * x + (1 - weight) * other)


def stream_for(position: int, word: str) -> int:
    """The stream of random numbers of the distortion at one place of a chain."""
    return stream_of(f"augment[{position}].{word}")
