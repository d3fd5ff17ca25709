"""Windows that slide over images: sizes, the words of their mistakes, and NumPy functions.

Images are [N, H, W, C]: channels last. The functions use nothing but NumPy, so that an exported
file can bring their text along.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nndsl.ir.graph import ShapeError
from nndsl.ir.types import Dimension, ElementType, TensorType, format_shape
from nndsl.ops.shapes import format_full, require_element
from nndsl.records import dataclass

Pair = tuple[int, int]
"""Height and width."""


@dataclass(frozen=True)
class Windows:
    """Windows of `size` numbers, `dilation` apart, that start every `stride` numbers."""

    size: Pair
    stride: Pair = (1, 1)
    dilation: Pair = (1, 1)

    def reach(self, axis: int) -> int:
        """From the first to the last number of a window, both counted."""
        return self.dilation[axis] * (self.size[axis] - 1) + 1

    def count(self, axis: int, size: int) -> int:
        """How many windows lie wholly within `size` numbers (0 or less: none)."""
        return (size - self.reach(axis)) // self.stride[axis] + 1

    def over(self, image: Pair, what: str) -> Pair:
        """Rows and columns of windows; NN201 where not even one fits."""
        if min(*self.size, *self.stride, *self.dilation) < 1:
            raise ShapeError(f"{what} needs sizes, strides and dilations of at least 1", "NN202")
        counts = self.count(0, image[0]), self.count(1, image[1])
        if min(counts) < 1:
            reach = f"{self.reach(0)}x{self.reach(1)}"
            raise ShapeError(f"{what} of {reach} does not fit into {image[0]}x{image[1]}")
        return counts

    def require(self, image: Pair, result: Sequence[Dimension], what: str) -> None:
        """Refuse `result` rows and columns that are not those of the windows over `image`."""
        counts = self.over(image, what)
        if counts != tuple(result):
            raise ShapeError(
                f"{what} makes {counts[0]}x{counts[1]} of {image[0]}x{image[1]}, "
                f"not {format_shape(tuple(result))}"
            )


def image_size(type: TensorType, what: str, element: ElementType = ElementType.REAL) -> Pair:
    """Height and width of a tensor [N, H, W, C], of which all but N must be known."""
    require_element(type, element, what)
    numbers = [d for d in type.shape[1:] if isinstance(d, int)]
    if type.rank != 4 or len(numbers) != 3:
        raise ShapeError(
            f"{what} needs rows of height x width x channels, not {format_full(type.shape)}"
        )
    return numbers[0], numbers[1]


def channels_of(type: TensorType) -> int:
    """The last size, which `image_size` has seen to be a number."""
    size = type.shape[-1]
    assert isinstance(size, int)
    return size


def windows_of(
    x: np.ndarray, size: tuple[int, int], stride: tuple[int, int], dilation: tuple[int, int]
) -> np.ndarray:
    """All windows of x [N, H, W, C], as a view [N, Ho, Wo, C, height, width]."""
    reach = [d * (k - 1) + 1 for k, d in zip(size, dilation, strict=True)]
    views = np.lib.stride_tricks.sliding_window_view(x, reach, axis=(1, 2))
    steps = [slice(None, None, step) for step in (*stride, *dilation)]
    return views[:, steps[0], steps[1], :, steps[2], steps[3]]


def taps_of(
    x: np.ndarray, i: int, j: int, count: Sequence[int], stride: Sequence[int]
) -> np.ndarray:
    """The numbers at place (i, j) of `count` rows and columns of windows: a view of x."""
    rows = slice(i, i + stride[0] * (count[0] - 1) + 1, stride[0])
    columns = slice(j, j + stride[1] * (count[1] - 1) + 1, stride[1])
    return x[:, rows, columns]


def convolve(
    x: np.ndarray,
    w: np.ndarray,
    stride: tuple[int, int],
    dilation: tuple[int, int],
    groups: int,
) -> np.ndarray:
    """Image x [N, H, W, C] with w [kh, kw, C/groups, O], without padding: [N, Ho, Wo, O]."""
    views = windows_of(x, w.shape[:2], stride, dilation)
    parts = [
        np.tensordot(view, kernel, axes=([4, 5, 3], [0, 1, 2]))
        for view, kernel in zip(
            np.split(views, groups, axis=3), np.split(w, groups, axis=3), strict=True
        )
    ]
    return np.concatenate(parts, axis=3)


def spread_convolution(
    dy: np.ndarray,
    w: np.ndarray,
    size: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    groups: int,
) -> np.ndarray:
    """What dy [N, Ho, Wo, O] of a convolution means for its input: [N, height, width, C]."""
    channels = w.shape[2]
    dx = np.zeros((len(dy), *size, channels * groups), dy.dtype)
    parts = zip(np.split(dy, groups, axis=3), np.split(w, groups, axis=3), strict=True)
    for group, (part, kernel) in enumerate(parts):
        own = dx[..., group * channels : (group + 1) * channels]
        for i, j in np.ndindex(*w.shape[:2]):
            place = taps_of(own, i * dilation[0], j * dilation[1], dy.shape[1:3], stride)
            place += part @ kernel[i, j].T
    return dx


def pool_maximum(
    x: np.ndarray, size: tuple[int, int], stride: tuple[int, int], dilation: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """The first greatest number of every window, and its place in it; not-a-number wins."""
    views = windows_of(x, size, stride, dilation)
    flat = views.reshape(*views.shape[:4], -1)
    index = flat.argmax(axis=-1)
    return np.take_along_axis(flat, index[..., None], axis=-1)[..., 0], index.astype(np.int32)


def pool_sum(
    x: np.ndarray, size: tuple[int, int], stride: tuple[int, int], dilation: tuple[int, int]
) -> np.ndarray:
    """The sum of every window, taken in float64."""
    views = windows_of(x, size, stride, dilation)
    total: np.ndarray = views.sum(axis=(4, 5), dtype=np.float64)
    return total.astype(x.dtype)
