"""Glue kernels that distort pictures: moving, smoothing, colours, boxes, noise.

They mean what `nndsl.vocab.distorting` says in NumPy. Their extent is the number of pictures;
pictures are [channels, height, width], one after another.
"""

from __future__ import annotations

from collections.abc import Sequence

from nndsl.codegen.draft import glue_kernel
from nndsl.codegen.glue import block
from nndsl.codegen.glue_random import normal_lines, philox
from nndsl.codegen.program import Element, Kernel

_WARP = """\
def warp(x, y, matrices, fields, padded, places, downs, rights, fill, bent, edge, channels, height,
         width, out_height, out_width, low, high):
    wide = width + 3
    for picture in range(low, high):
        a = real(matrices[picture * 6])
        b = real(matrices[picture * 6 + 1])
        c = real(matrices[picture * 6 + 2])
        d = real(matrices[picture * 6 + 3])
        e = real(matrices[picture * 6 + 4])
        f = real(matrices[picture * 6 + 5])
        half_row = real(out_height - 1) * real(0.5)
        half_column = real(out_width - 1) * real(0.5)
        middle_row = real(height - 1) * real(0.5) + real(1.0)
        middle_column = real(width - 1) * real(0.5) + real(1.0)
        least = real(edge)
        last_row = real(height + 1 - edge)
        last_column = real(width + 1 - edge)
        area = out_height * out_width
        for row in range(out_height):
            for column in range(out_width):
                at = row * out_width + column
                down = real(row) - half_row
                right = real(column) - half_column
                if bent != 0:
                    down = down + fields[picture * 2 * area + at]
                    right = right + fields[(picture * 2 + 1) * area + at]
                from_row = a * down + b * right + c + middle_row
                from_column = d * down + e * right + f + middle_column
                from_row = where(from_row > least, from_row, least)
                from_row = where(from_row < last_row, from_row, last_row)
                from_column = where(from_column > least, from_column, least)
                from_column = where(from_column < last_column, from_column, last_column)
                first_row = int32(from_row)
                first_column = int32(from_column)
                places[at] = int32(int64(first_row) * wide + int64(first_column))
                downs[at] = from_row - real(first_row)
                rights[at] = from_column - real(first_column)
        for channel in range(channels):
            outside = real(fill[channel])
            for at in range((height + 3) * wide):
                padded[at] = outside
            start = (picture * channels + channel) * height * width
            for row in range(height):
                for column in range(width):
                    padded[(row + 1) * wide + column + 1] = x[start + row * width + column]
            end = (picture * channels + channel) * area
            for at in range(area):
                place = int64(places[at])
                upper = padded[place] + (padded[place + 1] - padded[place]) * rights[at]
                below = padded[place + wide]
                lower = below + (padded[place + wide + 1] - below) * rights[at]
                y[end + at] = upper + (lower - upper) * downs[at]
"""

_FIELD = """\
def field(y, elements, rows, columns, drawn, half, strength, epoch, seed, stream, low, high):
SIZES
    size = many * several
    for picture in range(low, high):
        element = elements[picture]
        for number in range((2 * size + 3) // 4):
DRAW
            drawn[number * 4] = u0
            drawn[number * 4 + 1] = u1
            drawn[number * 4 + 2] = u2
            drawn[number * 4 + 3] = u3
        factor = real(strength[0])
        for way in range(2):
            for row in range(height):
                for j in range(several):
                    half[row * several + j] = real(0.0)
                for i in range(many):
                    weight = rows[row * many + i] * factor
                    for j in range(several):
                        half[row * several + j] += weight * drawn[way * size + i * several + j]
            for row in range(height):
                end = ((picture * 2 + way) * height + row) * width
                for column in range(width):
                    y[end + column] = real(0.0)
                for j in range(several):
                    weight = half[row * several + j]
                    for column in range(width):
                        y[end + column] += weight * columns[j * width + column]
"""

_COLOUR = """\
def colour(x, y, matrices, means, channels, area, low, high):
    count = 2 * channels + 1
    for picture in range(low, high):
        for channel in range(channels):
            total = float64(0.0)
            start = (picture * channels + channel) * area
            for at in range(area):
                total = plus(total, float64(x[start + at]))
            means[channel] = total / float64(area)
        for channel in range(channels):
            line = (picture * channels + channel) * count
            offset = matrices[line + 2 * channels]
            for other in range(channels):
                offset = offset + matrices[line + channels + other] * means[other]
            end = (picture * channels + channel) * area
            for at in range(area):
                y[end + at] = real(offset)
            for other in range(channels):
                weight = real(matrices[line + other])
                start = (picture * channels + other) * area
                for at in range(area):
                    y[end + at] = y[end + at] + weight * x[start + at]
"""

_NOISE = """\
def noise(x, y, elements, deviation, epoch, seed, stream, size, low, high):
    strength = real(deviation[0])
    for picture in range(low, high):
        element = elements[picture]
        start = picture * size
        for number in range((size + 3) // 4):
DRAW
            e = number * 4
            y[start + e] = x[start + e] + strength * u0
            if e + 1 < size:
                y[start + e + 1] = x[start + e + 1] + strength * u1
            if e + 2 < size:
                y[start + e + 2] = x[start + e + 2] + strength * u2
            if e + 3 < size:
                y[start + e + 3] = x[start + e + 3] + strength * u3
"""

_BOX = """\
def box(y, boxes, fill, channels, height, width, low, high):
    for picture in range(low, high):
        for channel in range(channels):
            for row in range(boxes[picture * 4], boxes[picture * 4 + 2]):
                start = ((picture * channels + channel) * height + row) * width
                for column in range(boxes[picture * 4 + 1], boxes[picture * 4 + 3]):
                    y[start + column] = fill[channel]
"""


def _kernel(name: str, text: str, element: Element, signature: Sequence[str]) -> Kernel:
    """A kernel whose text says `real` for the element type."""
    text = text.replace("real(", f"{element.value}(")
    real = f"pointer:{element.value}"
    slots = tuple({"real": real}.get(slot, slot) for slot in signature)
    return glue_kernel(name, text, slots, element)


_NEAREST = "where({} > real(0.5), real(1.0), real(0.0))"


def warp_kernel(element: Element, nearest: bool = False) -> Kernel:
    """Each pixel read at a place of the picture, between its four neighbours; or the nearest one.

    Arguments: x, y, matrices [n, 6], fields [n, 2, out_height, out_width] (read if `bent`);
    scratch: padded (height + 3) x (width + 3), places, downs, rights out_height x out_width; then
    fill [channels], bent, edge, channels, height, width, out_height, out_width. Outside of the
    picture is `fill`, with `edge` 1 the nearest pixel of the edge.
    """
    signature = ("real", "real", "pointer:float64", "real", "real", "pointer:int32", "real", "real",
                 "pointer:float64", *["integer"] * 7)  # fmt: skip
    text = _WARP
    for share in ("from_row - real(first_row)", "from_column - real(first_column)"):
        text = text.replace(share, _NEAREST.format(share)) if nearest else text
    return _kernel("warp", text, element, signature)


def field_kernel(element: Element, **sizes: int) -> Kernel:
    """Smooth displacements: noise on two bases. Its loops are short, so that it pays to know the
    sizes `height`, `width`, `many` and `several`: then it takes a third of the time.

    Arguments: y [n, 2, height, width], elements, bases [height, many] and [several, width];
    scratch: drawn (2 * many * several + 3), half (height * several); then strength [1], epoch,
    seed, stream.
    """
    draw = philox("epoch", "number", "seed", "stream", "element", "1") + normal_lines(element)
    known = [f"{name} = {size}" for name, size in sizes.items()]
    text = _FIELD.replace("DRAW\n", "\n".join(block(draw, 3)) + "\n")
    text = text.replace("SIZES\n", "\n".join(block(known)) + "\n")
    signature = ("real", "pointer:int64", "real", "real", "real", "real", "pointer:float64",
                 *["integer"] * 3)  # fmt: skip
    return _kernel("field", text, element, signature)


def colour_kernel(element: Element) -> Kernel:
    """Each channel a sum of all channels, of their means, and of a number.

    Arguments: x, y, matrices [n, channels, 2 * channels + 1], scratch: means [channels]; channels,
    pixels of a channel.
    """
    signature = ("real", "real", "pointer:float64", "pointer:float64", "integer", "integer")
    return _kernel("colour", _COLOUR, element, signature)


def noise_kernel(element: Element) -> Kernel:
    """A normal number added to each pixel. Arguments: x, y, elements, deviation [1], epoch, seed,
    stream, numbers of a picture.
    """
    draw = philox("epoch", "number", "seed", "stream", "element", "1") + normal_lines(element)
    text = _NOISE.replace("DRAW\n", "\n".join(block(draw, 3)) + "\n")
    signature = ("real", "real", "pointer:int64", "pointer:float64", *["integer"] * 4)
    return _kernel("noise", text, element, signature)


def box_kernel(element: Element) -> Kernel:
    """A rectangle of each picture filled. Arguments: y, boxes [n, 4] (top, left, bottom, right),
    fill [channels], channels, height, width.
    """
    signature = ("real", "pointer:int32", "real", *["integer"] * 3)
    return _kernel("box", _BOX, element, signature)
