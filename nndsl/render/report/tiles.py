"""Images as small pictures of the page: weights, feature maps, rows that are photographs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nndsl.render.axes import number_text
from nndsl.render.png import coloured, data_address, png
from nndsl.render.report.content import Tile, Tiles
from nndsl.vocab.figures import Images, Scale

HELD = 0.99
"""Share of the numbers within the scale: a few large ones do not make all others grey."""
TILE, SMALL_TILE, PHOTOGRAPH = 112, 64, 168
"""Pixels of the longer side of an image, about."""
FEW, FEW_SQUARES = 10, 7
"""Images up to which they are half as large again, if they are more than so many squares wide."""
MINUS, LEAST, MOST = "\N{MINUS SIGN}", "\N{LESS-THAN OR EQUAL TO} ", "\N{GREATER-THAN OR EQUAL TO} "


def tiles_of(figure: Images) -> Tiles:
    """The block that shows images."""
    if figure.scale in (Scale.PICTURE, Scale.MINIATURE):
        side = PHOTOGRAPH if figure.scale is Scale.PICTURE else SMALL_TILE
        seen = [f"{figure.title}: {figure.alternative}"] * len(figure.images)
        return Tiles(figure.title, "", photographs(figure.images, seen, side))
    images = figure.images
    limit = float(np.nanquantile(np.abs(images), HELD)) or 1.0
    in_colours = images.ndim == 4
    low = 0.0 if figure.scale is Scale.SMALL and np.nanmin(images) >= 0 else -limit
    pixels = _mixed(images / limit) if in_colours else coloured(_centred(images, low, limit), 1.0)
    side = SMALL_TILE if figure.scale is Scale.SMALL else TILE
    if side == TILE and len(images) <= FEW and max(images.shape[1:3]) > FEW_SQUARES:
        side = round(1.5 * TILE)
    items = tuple(
        Tile(name, data_address(png(one)), _told(name, values), _size(values, side))
        for name, one, values in zip(figure.names, pixels, images, strict=True)
    )
    end = number_text(float(f"{limit:.2g}"))
    told = f"{figure.alternative[:1].upper()}{figure.alternative[1:]}."
    if in_colours:
        return Tiles(figure.title, f"{told} {_in_colours(end)}", items)
    beyond = float(np.nanmax(np.abs(images))) > limit
    ends = (f"{LEAST * beyond}{MINUS}{end}" if low else "0", f"{MOST * beyond}{end}")
    ramp = data_address(png(coloured(np.linspace(-1, 1, 64)[None, :], 1.0)))
    return Tiles(figure.title, told, items, Tile("scale", ramp, "", (160, 10)), ends)


def _in_colours(end: str) -> str:
    return f"A colour is half as bright as it can be at 0, dark at {MINUS}{end}, bright at {end}."


def _centred(images: np.ndarray, low: float, high: float) -> np.ndarray:
    """Numbers from `low` to `high` as numbers from -1 to 1."""
    return (images - (low + high) / 2) / ((high - low) / 2)


def _mixed(shares: np.ndarray) -> np.ndarray:
    """Amounts of red, green and blue from -1 to 1 as bytes."""
    mixed: np.ndarray = np.rint((np.clip(shares, -1, 1) + 1) * 127.5).astype(np.uint8)
    return mixed


def photographs(images: np.ndarray, told: Sequence[str], side: int) -> tuple[Tile, ...]:
    """Pictures from 0 to 1, grey [count, height, width] or in colours [.., 3], one tile each.

    Those larger than `side` pixels on the page are made smaller before; `told` says what each is.
    """
    large = max(images.shape[1:3]) > side
    tiles = []
    for image, alternative in zip(_reduced(images, side), told, strict=True):
        pixels = _mixed(2 * image - 1)
        colours = pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)
        size = _size(image, side)
        tiles.append(Tile("", data_address(png(colours)), alternative, size, smooth=large))
    return tuple(tiles)


def _reduced(images: np.ndarray, side: int) -> np.ndarray:
    """Means of squares, so that no more than two pixels fall on one of the page."""
    step = max(1, max(images.shape[1:3]) // side)
    height, width = (size // step for size in images.shape[1:3])
    if step == 1 or not height or not width:
        return images
    kept = images[:, : height * step, : width * step]
    parts = kept.reshape(len(images), height, step, width, step, *images.shape[3:])
    return np.asarray(parts.mean(axis=(2, 4)))


def _size(image: np.ndarray, side: int) -> tuple[int, int]:
    """Width and height on the page: a whole number of pixels for each square, or shrunk."""
    height, width = image.shape[:2]
    zoom = side / max(height, width)
    zoom = max(1, round(zoom)) if zoom > 0.75 else zoom
    return max(1, round(width * zoom)), max(1, round(height * zoom))


def _told(name: str, values: np.ndarray) -> str:
    """What an image shows, in words: its range, and where it is largest."""
    known = np.nan_to_num(values)
    row, column, *_ = np.unravel_index(int(np.abs(known).argmax()), values.shape)
    size = f"{values.shape[0]} x {values.shape[1]}"
    largest = f"{known.flat[np.abs(known).argmax()]:.2g} in line {row + 1}, column {column + 1}"
    return f"{name}: {size}, from {known.min():.2g} to {known.max():.2g}, largest {largest}"
