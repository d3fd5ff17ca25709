"""Convolutions as contractions of what lies in memory anyway: channels last, no copy of windows.

A window's row of kw pixels is kw * C numbers side by side, in the input as in the weights, so
they are the depth of one product; the kh rows are a reduced axis.
"""

from __future__ import annotations

from collections.abc import Iterable

from nndsl.codegen.program import Axis, Contraction, Element, Size
from nndsl.ir.types import BATCH
from nndsl.records import dataclass

ROWS_OF_A_BLOCK = 16
"""Rows of a weight gradient that one thread does together, at most."""

FEW_ROWS = 4
"""Output rows from which on a tile of the input's gradient works on a column of them."""

LARGE_IMAGE = 1 << 16
"""Numbers of an image from which on it works on a line instead, for memory's sake."""

FEW_CHANNELS = 8
"""Channels up to which a line would fill too little of a register."""


@dataclass(frozen=True)
class Geometry:
    """A convolution without padding: x [N, H, W, C], w [kh, kw, C/groups, O] -> [N, Ho, Wo, O].

    `size` is (H, W), `outputs` O, `batch` N; pairs are for rows and columns of pixels.
    """

    size: tuple[int, int]
    channels: int
    outputs: int
    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    groups: int = 1
    batch: Size = Size(1, BATCH)

    @property
    def pixels(self) -> Size:
        """Pixels of the input, over the batch."""
        return Size(self.batch.factor * self.size[0] * self.size[1], self.batch.symbol)

    @property
    def places(self) -> tuple[int, int]:
        """Ho and Wo: places of the window."""
        height, width = (
            (size - dilation * (kernel - 1) - 1) // stride + 1
            for size, kernel, stride, dilation in zip(
                self.size, self.kernel, self.stride, self.dilation, strict=True
            )
        )
        return height, width

    @property
    def group_channels(self) -> int:
        """Channels of the input that a group reads."""
        return self.channels // self.groups

    @property
    def group_outputs(self) -> int:
        """Channels that a group makes."""
        return self.outputs // self.groups

    @property
    def joined(self) -> bool:
        """Whether a window's row lies side by side, in the input and in the weights."""
        return self.groups == 1 and (self.dilation[1] == 1 or self.kernel[1] == 1)

    @property
    def is_product(self) -> bool:
        """Whether it is a plain product for each pixel."""
        return self.joined and self.kernel == (1, 1) == self.stride

    @property
    def is_depthwise(self) -> bool:
        """Whether each channel is convolved alone, and makes one channel."""
        return 1 < self.groups == self.channels == self.outputs

    @property
    def image(self) -> int:
        """Numbers of the input for a row of the batch."""
        return self.size[0] * self.size[1] * self.channels

    @property
    def result(self) -> int:
        """Numbers of the result for a row of the batch."""
        return self.places[0] * self.places[1] * self.outputs

    def steps(self, axis: int) -> tuple[int, int]:
        """From one place of the window to the next: numbers of the input and of the result."""
        across = self.channels, self.outputs
        lines = self.size[1] * self.channels, self.places[1] * self.outputs
        step, place = (lines, across)[axis]
        return self.stride[axis] * step, place

    def taps(self, axis: int) -> tuple[int, int]:
        """From one element of the window to the next: numbers of the input and of the weights."""
        inner = self.group_channels * self.outputs
        if axis == 1:
            return self.dilation[1] * self.channels, inner
        return self.dilation[0] * self.size[1] * self.channels, self.kernel[1] * inner


def forward(g: Geometry, element: Element) -> Contraction:
    """Result = input * weights. Rows are a line of results, or the batch where it is one pixel."""
    if g.is_product:
        strides = (g.channels, 1, g.outputs, 1, g.outputs)
        return Contraction(element, g.outputs, g.pixels, Size(g.channels), *strides)
    batch = Axis(g.batch, a=g.image, c=g.result)
    lines, pixels_of_line = (
        Axis(Size(count), a=steps[0], c=steps[1])
        for count, steps in zip(g.places, (g.steps(0), g.steps(1)), strict=True)
    )
    along = sorted((lines, pixels_of_line), key=lambda axis: axis.count.factor)
    rows = batch if g.places == (1, 1) else along.pop()
    grid = (*(() if rows is batch else (batch,)), *along, _groups(g))
    depth, taps = _window(g)
    return Contraction(
        element=element,
        columns=g.group_outputs,
        rows=rows.count,
        depth=Size(depth),
        a_row=rows.a,
        a_depth=1,
        b_depth=g.outputs,
        b_column=1,
        c_row=rows.c,
        reduced=_longer(Axis(Size(count), a=a, b=b) for count, a, b in taps),
        grid=_longer(grid),
    )


def weight_gradient(g: Geometry, element: Element) -> Contraction:
    """Weights' gradient = input * result's gradient, summed over the batch and all places.

    Rows are what lies side by side of a window; the batch is the outermost reduced axis.
    """
    if g.is_product:
        strides = (1, g.channels, g.outputs, 1, g.outputs)
        return Contraction(element, g.outputs, Size(g.channels), g.pixels, *strides)
    batch = Axis(g.batch, a=g.image, b=g.result)
    places = [
        Axis(Size(count), a=steps[0], b=steps[1])
        for count, steps in zip(g.places, (g.steps(0), g.steps(1)), strict=True)
    ]
    longest = max(reversed(places), key=lambda axis: axis.count.factor)
    depth = batch if g.places == (1, 1) else longest
    reduced = [axis for axis in (batch, *places) if axis is not depth]
    width, taps = _window(g)
    rows = _block(width)
    grid = (
        *(Axis(Size(count), a=a, c=c) for count, a, c in taps),
        _groups(g),
        Axis(Size(width // rows), a=rows, c=rows * g.outputs),
    )
    return Contraction(
        element=element,
        columns=g.group_outputs,
        rows=Size(rows),
        depth=depth.count,
        a_row=1,
        a_depth=depth.a,
        b_depth=depth.b,
        b_column=1,
        c_row=g.outputs,
        reduced=_longer(reduced),
        grid=_longer(grid),
    )


def input_gradient(g: Geometry, element: Element) -> Contraction:
    """Input's gradient = result's gradient * weights transposed, added where windows overlap.

    Rows are a column of places (a line, where there are few lines or the image is large); what a
    window's row covers are the columns. So there is no product with a zero, whatever the stride.
    """
    if g.is_product:
        strides = (g.outputs, 1, 1, g.outputs, g.channels)
        return Contraction(element, g.channels, g.pixels, Size(g.outputs), *strides)
    places = [
        Axis(Size(count), a=steps[1], c=steps[0])
        for count, steps in zip(g.places, (g.steps(0), g.steps(1)), strict=True)
    ]
    small = g.image <= LARGE_IMAGE or g.group_channels <= FEW_CHANNELS
    down = g.places[0] >= (min(FEW_ROWS, g.places[1]) if small else 2 * g.places[1])
    rows, other = places if down else places[::-1]
    columns, taps = _window(g)
    if not down and g.joined:  # the windows of a line overlap: one element of them at a time
        columns = g.channels
        taps = [*taps, (g.kernel[1], *g.taps(1))]
    reduced = (
        _groups(g, back=True),
        *(Axis(Size(count), b=b, c=c) for count, c, b in taps),
        other,
    )
    return Contraction(
        element=element,
        columns=columns,
        rows=rows.count,
        depth=Size(g.group_outputs),
        a_row=rows.a,
        a_depth=1,
        b_depth=1,
        b_column=g.outputs,
        c_row=rows.c,
        reduced=_longer(reduced),
        grid=(Axis(g.batch, a=g.result, c=g.image),),
        clear=g.image,
    )


def _window(g: Geometry) -> tuple[int, list[tuple[int, int, int]]]:
    """What lies side by side of a window, and the other elements: count, strides in the input and
    in the weights.
    """
    lines = (g.kernel[0], *g.taps(0))
    if g.joined:
        return g.kernel[1] * g.channels, [lines]
    return g.group_channels, [lines, (g.kernel[1], *g.taps(1))]


def _groups(g: Geometry, *, back: bool = False) -> Axis:
    """From group to group; `back`: with A and C exchanged, as in the input's gradient."""
    a, c = g.group_channels, g.group_outputs
    return Axis(Size(g.groups), a=c if back else a, b=c, c=a if back else c)


def _longer(axes: Iterable[Axis]) -> tuple[Axis, ...]:
    """The axes of more than one place."""
    return tuple(axis for axis in axes if axis.count != Size(1))


def _block(width: int) -> int:
    """Rows done together: the largest equal parts of the width."""
    return max(rows for rows in range(1, ROWS_OF_A_BLOCK + 1) if width % rows == 0)
