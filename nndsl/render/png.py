"""Small pictures as PNG files, for what is drawn in squares: weights, feature maps.

Source: PNG Specification (ISO/IEC 15948), sections 5 (chunks) and 9 (filter type 0).
"""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np

STOPS = np.array(
    [(0, 32, 78), (60, 77, 110), (124, 123, 120), (188, 175, 112), (255, 233, 69)], np.float64
)
"""Low to high, as in cividis (Nuñez et al. 2018): the lightness says as much as the colour."""


_KINDS = {3: 2, 4: 6}
"""Colour types of PNG by channels."""


def coloured(values: np.ndarray, limit: float) -> np.ndarray:
    """Numbers of any shape as uint8 colours [..., 3], from -limit to limit; 0 is grey.

    Where a number is NaN all are [..., 4], red, green, blue and how much is seen, and it is clear.
    """
    place = np.clip(np.nan_to_num(values / (limit or 1.0)), -1.0, 1.0) * 0.5 + 0.5
    scaled = place * (len(STOPS) - 1)
    low = np.minimum(scaled.astype(np.int64), len(STOPS) - 2)
    share = (scaled - low)[..., None]
    mixed = STOPS[low] * (1 - share) + STOPS[low + 1] * share
    colours: np.ndarray = np.rint(mixed).astype(np.uint8)
    clear = np.isnan(values)
    if not clear.any():
        return colours
    return np.concatenate((colours, np.where(clear, 0, 255)[..., None].astype(np.uint8)), axis=-1)


def png(pixels: np.ndarray) -> bytes:
    """The file of colours [height, width, 3], or 4 where parts are clear, uint8."""
    height, width, channels = pixels.shape
    lines = np.concatenate((np.zeros((height, 1), np.uint8), pixels.reshape(height, -1)), axis=1)
    header = struct.pack(">IIBBBBB", width, height, 8, _KINDS[channels], 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes(), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def data_address(picture: bytes) -> str:
    """A PNG as the address of an image that needs no file."""
    return "data:image/png;base64," + base64.b64encode(picture).decode("ascii")
