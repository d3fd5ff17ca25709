"""Glue kernels that standardise the channels of images over the batch, in three calls.

Each row of the batch gives its own moments, which threads share; they are put together as in Chan,
Golub & LeVeque 1983 (Algorithms for computing the sample variance): the sum of all squared
deviations is that of the rows' own, and what their means lie apart. Until the last call an image
of the result has its moments in its first two places.
"""

from __future__ import annotations

from collections.abc import Sequence

from nndsl.codegen.draft import glue_kernel
from nndsl.codegen.glue import INDENT, block, function
from nndsl.codegen.program import Element, Kernel

ROUND = 4
"""Places added in a round, to read and write the sums less often."""


def row_moments_kernel(center: bool, element: Element) -> Kernel:
    """Mean and squared deviations of each channel of an image, into its places of y.

    Arguments: x, y, places, n (channels). The extent is the batch.
    """
    kind = element.value
    lines = ["first = row * places * n", "second = first + n"]
    moved = "x[{0}]"
    if center:
        lines += _sums("y[first + j]", moved, kind)
        lines += ["for j in range(n):", INDENT + f"y[first + j] = y[first + j] / {kind}(places)"]
        moved = "(x[{0}] - y[first + j])"
    lines += _sums("y[second + j]", f"{moved} * {moved}", kind)
    arguments = {"x": kind, "y": kind}
    lines = ["for row in range(low, high):", *block(lines)]
    return _kernel("row_moments", arguments, lines, element, ("places", "n"))


def _sums(place: str, term: str, kind: str) -> list[str]:
    """Lines that sum a term over the places of the image, channel by channel."""
    terms = [term.format(f"source + {i} * n + j") for i in range(ROUND)]
    pairs = [f"({a} + {b})" for a, b in zip(terms[::2], terms[1::2], strict=True)]
    return [
        "for j in range(n):",
        INDENT + f"{place} = {kind}(0.0)",
        f"for turn in range(places // {ROUND}):",
        INDENT + f"source = first + turn * {ROUND} * n",
        INDENT + "for j in range(n):",
        INDENT * 2 + f"{place} = {place} + ({' + '.join(pairs)})",
        f"for rest in range(places // {ROUND} * {ROUND}, places):",
        INDENT + "source = first + rest * n",
        INDENT + "for j in range(n):",
        INDENT * 2 + f"{place} = {place} + {term.format('source + j')}",
    ]


def joint_moments_kernel(center: bool, element: Element) -> Kernel:
    """Mean and variance over the batch from the moments of its rows. The extent is the channels.

    Arguments: y, mean (with `center`), variance, rows, places, n.
    """
    kind = element.value
    own = "y[row * places * n + n + j]"
    apart = f"{kind}(places) * (y[row * places * n + j] - mean[j])"
    squares = f"{own} + {apart} * (y[row * places * n + j] - mean[j])" if center else own
    lines = []
    if center:
        lines += [
            *_over_rows("mean", "y[row * places * n + j]", kind),
            *_divided("mean", "rows", kind),
        ]
    lines += [*_over_rows("variance", squares, kind), *_divided("variance", "rows * places", kind)]
    pointers = ["y", "mean", "variance"] if center else ["y", "variance"]
    return _kernel(
        "joint_moments", dict.fromkeys(pointers, kind), lines, element, ("rows", "places", "n")
    )


def _over_rows(name: str, term: str, kind: str) -> list[str]:
    return [
        "for j in range(low, high):",
        INDENT + f"{name}[j] = {kind}(0.0)",
        "for row in range(rows):",
        INDENT + "for j in range(low, high):",
        INDENT * 2 + f"{name}[j] = {name}[j] + ({term})",
    ]


def _divided(name: str, count: str, kind: str) -> list[str]:
    return ["for j in range(low, high):", INDENT + f"{name}[j] = {name}[j] / {kind}({count})"]


def scaled_kernel(epsilon: float, center: bool, element: Element) -> Kernel:
    """Y = (x - mean) / deviation. The factors wait in the last place, which is written last.

    Arguments: x, mean (with `center`), variance, y, places, n. The extent is the batch.
    """
    kind = element.value
    moved = "(x[place + j] - mean[j])" if center else "x[place + j]"
    factor = f"{kind}(1.0) / sqrt(variance[j] + {kind}({epsilon!r}))"
    lines = [
        "for row in range(low, high):",
        INDENT + "last = (row + 1) * places * n - n",
        INDENT + "for j in range(n):",
        INDENT * 2 + f"y[last + j] = {factor}",
        INDENT + "for turn in range(places):",
        INDENT * 2 + "place = (row * places + turn) * n",
        INDENT * 2 + "for j in range(n):",
        INDENT * 3 + f"y[place + j] = {moved} * y[last + j]",
    ]
    pointers = ["x", "mean", "variance", "y"] if center else ["x", "variance", "y"]
    return _kernel("scaled", dict.fromkeys(pointers, kind), lines, element, ("places", "n"))


def _kernel(
    word: str, pointers: dict[str, str], lines: list[str], element: Element, sizes: Sequence[str]
) -> Kernel:
    signature = (*(f"pointer:{kind}" for kind in pointers.values()), *("size" for _ in sizes))
    return glue_kernel(word, function(word, [*pointers, *sizes], lines), signature, element)
