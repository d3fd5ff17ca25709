"""One picture file: its size from its header, its pixels decoded. Nothing in it is trusted.

Only the two decoders named here ever see a file, whatever it is called; the size that a header
declares is checked before anything of that size is allocated.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from nndsl.diagnostics import NndslError, Place, error
from nndsl.ir.types import format_shape
from nndsl.records import dataclass

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

ENDINGS = (".png", ".jpg", ".jpeg")
MOST_PIXELS = 1 << 26
"""Pixels of one file, 8192 x 8192: more is no photograph but a trap."""

MOST_LEVELS = 32
"""Different levels up to which the pixels of a target are classes, if nothing else is said."""

_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
_CHANNELS = {"1": 1, "L": 1, "RGB": 3, "YCbCr": 3, "CMYK": 3, "P": 3}
_TRANSPARENT = ("LA", "La", "PA", "RGBA", "RGBa")
_MODES = {1: "L", 3: "RGB"}
_FAILURES = (
    *(OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError),
    *(OverflowError, AttributeError, MemoryError, struct.error, zlib.error),
)
"""All that a decoder may raise for a file that is not what it says."""


@dataclass(frozen=True)
class Frame:
    """What every picture is to be: [channels, height, width], bytes.

    With `convert` files of other colours are converted, with `fit` those of another size are
    scaled until they cover the frame, and what stands over is cut off on both sides alike. `whose`
    says in messages where the shape comes from. With `levels` a file of numbered colours (a
    palette) is one channel of their numbers, and few different levels stay so when it is scaled.
    """

    shape: tuple[int, int, int]
    convert: bool = False
    fit: bool = False
    whose: str = "the other pictures are"
    levels: bool = False


def is_picture(head: bytes) -> bool:
    """Whether a file begins as PNG or JPEG files do."""
    return head.startswith((_PNG, _JPEG))


def measure(
    path: Path, name: str, channels: int | None = None, *, levels: bool = False
) -> tuple[int, int, int]:
    """Channels, height and width by the header alone; NN425 for what cannot be a picture.

    `channels` are those wanted, if the file is to be converted; `levels` as in a `Frame`.
    """
    with path.open("rb") as stream:
        image = _opened(stream, name)
        width, height = image.size
        return channels or _channels_of(image, name, levels), height, width


def decode(path: Path, name: str, frame: Frame) -> np.ndarray:
    """The pixels of a file, uint8 [channels, height, width]; NN425, NN426 when they do not fit."""
    with path.open("rb") as stream:
        image = _opened(stream, name)
        channels, height, width = frame.shape
        if not frame.convert and _channels_of(image, name, frame.levels) != channels:
            raise unlike(name, (_channels_of(image, name), height, width), frame)
        if not frame.fit and image.size != (width, height):
            raise unlike(name, (channels, *image.size[::-1]), frame)
        try:
            pixels = _pixels(image, channels, (width, height), frame.levels)
        except _FAILURES as problem:
            raise _broken(name, _first_line(problem)) from None
    return np.ascontiguousarray(pixels.reshape(height, width, channels).transpose(2, 0, 1))


def _opened(stream: IO[bytes], name: str) -> ImageFile:
    """The file with its header read, by the decoder that its first bytes ask for."""
    head = stream.read(len(_PNG))
    stream.seek(0)
    try:
        image: Any
        if head.startswith(_PNG):
            from PIL.PngImagePlugin import PngImageFile  # only who reads pictures waits for it

            image = PngImageFile(stream)
        elif head.startswith(_JPEG):
            from PIL.JpegImagePlugin import JpegImageFile

            image = JpegImageFile(stream)
        else:
            raise _broken(name, "it begins neither as a PNG nor as a JPEG file does")
    except _FAILURES as problem:
        raise _broken(name, _first_line(problem)) from None
    width, height = image.size
    if width * height > MOST_PIXELS or not width * height:
        raise _broken(name, f"its header declares {width:,} x {height:,} pixels")
    return image  # type: ignore[no-any-return]


def _channels_of(image: ImageFile, name: str, levels: bool = False) -> int:
    if levels and image.mode == "P":
        return 1
    if image.mode in _TRANSPARENT or "transparency" in image.info:
        raise error(
            "NN426",
            f"{name} has transparent pixels: it is not said what stands behind them",
            place=Place(name),
            help="`channels=3` (or 1) leaves the transparency out, or save the file without it",
        )
    if image.mode not in _CHANNELS:
        raise error(
            "NN426",
            f"{name} has more than 8 bits a pixel and channel ({image.mode})",
            place=Place(name),
            help="save it with 8 bits",
        )
    return _CHANNELS[image.mode]


def _pixels(
    image: ImageFile, channels: int, size: tuple[int, int], levels: bool = False
) -> np.ndarray:
    """Decoded, in the right colours and size: [height, width] or [height, width, 3]."""
    if image.mode.startswith(("I", "F")):
        raise ValueError(f"more than 8 bits a pixel ({image.mode})")
    done: Any = image
    numbered = levels and done.mode == "P"
    if done.mode != _MODES[channels] and not numbered:
        if "transparency" in image.info:
            done = done.convert("RGBA")
        done = done.convert(_MODES[channels])
    if done.size != size:
        from PIL import Image, ImageOps

        few = numbered or (levels and done.getcolors(MOST_LEVELS) is not None)
        way = Image.Resampling.NEAREST if few else Image.Resampling.BILINEAR
        done = ImageOps.fit(done, size, way)
    done.load()
    return np.asarray(done, dtype=np.uint8)


def unlike(name: str, found: tuple[int, int, int], frame: Frame) -> NndslError:
    """NN426: a picture of another size or with other channels than the rest."""
    wanted = frame.shape
    what = "channels" if found[0] != wanted[0] else "size"
    remedy = f"channels={wanted[0]}" if what == "channels" else f"size={wanted[1]}x{wanted[2]}"
    return error(
        "NN426",
        f"{name} is {format_shape(found)}, {frame.whose} {format_shape(wanted)}",
        place=Place(name),
        help=f"`{remedy}` makes all alike, or take the file away",
    )


def _broken(name: str, reason: str) -> NndslError:
    return error(
        "NN425",
        f"{name} cannot be read as a picture: {reason}",
        place=Place(name),
        help="the file is damaged or no PNG or JPEG: get it again, or take it away",
    )


def _first_line(problem: BaseException) -> str:
    """What a decoder complains of, in one short line."""
    lines = str(problem).splitlines()
    return (lines[0] if lines else type(problem).__name__)[:80]
