"""Glue kernels that slide windows over images, channel by channel: pooling, depthwise convolution.

Sizes are written into the text: so LLVM knows how often the loops over channels run, and that
places of one window do not overlap. Small windows are written out, and a number's result stays in a
register; the results of large ones are kept in memory from one place of the window to the next.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

from nndsl.codegen.convolution import Geometry
from nndsl.codegen.draft import glue_kernel
from nndsl.codegen.glue import INDENT, block, function
from nndsl.codegen.program import Element, Kernel
from nndsl.records import dataclass

WRITTEN_OUT = 16
"""Places up to which a window is written out."""

Tap = Callable[[str, str], list[str]]
"""Lines for one place of the window, given where it is read (or written) and its number."""


@dataclass(frozen=True)
class _Gather:
    """A number of the result from a window: what it starts from, each place, where it is kept."""

    arguments: dict[str, str]
    start: list[str]
    tap: Tap
    kept: dict[str, str]  # variable: where it is stored
    lone: bool = True  # whether nothing but the image knows of channels
    done: int = 0  # places that it starts from


def max_pool_kernel(g: Geometry, element: Element) -> Kernel:
    """The first greatest number and its place in the window; not-a-number wins."""

    def tap(source: str, number: str) -> list[str]:
        better = "where(value <= best, {0}, where(best == best, {1}, {0}))"
        return [
            f"value = x[{source} + c]",
            f"chosen = {better.format('chosen', f'int32({number})')}",
            f"best = {better.format('best', 'value')}",
        ]

    pointers = {"x": element.value, "y": element.value, "index": "int32"}
    start = ["best = x[first + c]", "chosen = int32(0)"]
    return _gather("max_pool", g, element, _Gather(pointers, start, tap, _BEST, done=1))


_BEST = {"best": "y", "chosen": "index"}


def sum_pool_kernel(g: Geometry, element: Element) -> Kernel:
    """The sum of a window."""

    def tap(source: str, number: str) -> list[str]:
        return [f"total = total + x[{source} + c]"]

    pointers = {"x": element.value, "y": element.value}
    start = [f"total = {element.value}(0.0)"]
    return _gather("sum_pool", g, element, _Gather(pointers, start, tap, {"total": "y"}))


def pick_kernel(g: Geometry, element: Element) -> Kernel:
    """The number at a given place of each window."""

    def tap(source: str, number: str) -> list[str]:
        chosen = f"index[place + c] == int32({number})"
        return [f"value = where({chosen}, x[{source} + c], value)"]

    pointers = {"x": element.value, "index": "int32", "y": element.value}
    picked = _Gather(pointers, ["value = x[first + c]"], tap, {"value": "y"}, done=1)
    return _gather("pick", g, element, picked)


def depthwise_kernel(g: Geometry, element: Element) -> Kernel:
    """The sum of a window times the weights of its channel. Arguments: x, weights, y."""

    def tap(source: str, number: str) -> list[str]:
        return [f"total = total + x[{source} + c] * w[{number} * {g.channels} + c]"]

    pointers = dict.fromkeys(("x", "w", "y"), element.value)
    start = [f"total = {element.value}(0.0)"]
    made = _Gather(pointers, start, tap, {"total": "y"}, lone=False)
    return _gather("depthwise", g, element, made)


def _gather(word: str, g: Geometry, element: Element, made: _Gather) -> Kernel:
    """One number of the result for each window and channel. The extent is the batch."""
    channels = _numbers(g, made.lone)
    stored = [f"{array}[place + c] = {name}" for name, array in made.kept.items()]
    if g.kernel[0] * g.kernel[1] <= WRITTEN_OUT:
        places = _taps(g)[made.done :]
        taps = [line for where, number in places for line in made.tap(where, number)]
        inner = [channels, *block([*made.start, *taps, *stored])]
    else:
        loaded = [f"{name} = {array}[place + c]" for name, array in made.kept.items()]
        once = [channels, *block([*loaded, *made.tap("source", "number"), *stored])]
        inner = [channels, *block([*made.start, *stored]), *_over_taps(g, once)]
    return _kernel(word, made.arguments, _over_places(g, inner, lone=made.lone), element)


def max_pool_gradient_kernel(g: Geometry, element: Element) -> Kernel:
    """Each number of dy at its place in an image of zeros. Arguments: dy, index, dx."""
    zero = f"{element.value}(0.0)"
    value = f"where(index[place + c] == int32(number), dy[place + c], {zero})"
    pointers = {"dy": element.value, "index": "int32", "dx": element.value}
    return _spread("max_pool_gradient", g, element, pointers, value)


def sum_pool_gradient_kernel(g: Geometry, element: Element) -> Kernel:
    """Each number of dy at every place of its window. Arguments: dy, dx."""
    pointers = dict.fromkeys(("dy", "dx"), element.value)
    return _spread("sum_pool_gradient", g, element, pointers, "dy[place + c]")


def depthwise_gradient_kernel(g: Geometry, element: Element) -> Kernel:
    """Each number of dy times the weights, at its window. Arguments: dy, weights, dx."""
    pointers = dict.fromkeys(("dy", "w", "dx"), element.value)
    value = f"dy[place + c] * w[number * {g.channels} + c]"
    return _spread("depthwise_gradient", g, element, pointers, value, lone=False)


def _spread(
    word: str,
    g: Geometry,
    element: Element,
    pointers: dict[str, str],
    value: str,
    *,
    lone: bool = True,
) -> Kernel:
    """Numbers for each place of each window, added up where windows overlap.

    `lone`: what is added knows nothing of channels.
    """
    reach = [d * (k - 1) + 1 for k, d in zip(g.kernel, g.dilation, strict=True)]
    apart = all(step >= size for step, size in zip(g.stride, reach, strict=True))
    filled = [step * count for step, count in zip(g.stride, g.places, strict=True)]
    covered = apart and g.kernel == g.stride and tuple(filled) == g.size

    before = "" if apart else "dx[source + c] + "
    added = [_numbers(g, lone), INDENT + f"dx[source + c] = {before}{value}"]
    zeros = [
        f"for k in range(image * {g.image}, (image + 1) * {g.image}):",
        INDENT + f"dx[k] = {element.value}(0.0)",
    ]
    lines = _over_places(g, _over_taps(g, added), [] if covered else zeros, lone=lone)
    return _kernel(word, pointers, lines, element)


def depthwise_weights_kernel(g: Geometry, element: Element) -> Kernel:
    """The gradient of the weights, one place of the window after another: the extent.

    Arguments: x, dy, dw, rows of the batch.
    """
    ahead, sideways = g.steps(0), g.steps(1)
    lines = [
        "for number in range(low, high):",
        INDENT + f"tap = number // {g.kernel[1]} * {g.taps(0)[0]}",
        INDENT + f"tap = tap + number % {g.kernel[1]} * {g.taps(1)[0]}",
        INDENT + f"for c in range({g.channels}):",
        INDENT * 2 + f"dw[number * {g.channels} + c] = {element.value}(0.0)",
        INDENT + "for image in range(rows):",
        INDENT * 2 + f"for i in range({g.places[0]}):",
        INDENT * 3 + f"for j in range({g.places[1]}):",
        INDENT * 4 + f"source = image * {g.image} + i * {ahead[0]} + j * {sideways[0]} + tap",
        INDENT * 4 + f"place = image * {g.result} + i * {ahead[1]} + j * {sideways[1]}",
        INDENT * 4 + f"for c in range({g.channels}):",
        INDENT * 5 + f"total = dw[number * {g.channels} + c]",
        INDENT * 5 + f"dw[number * {g.channels} + c] = total + x[source + c] * dy[place + c]",
    ]
    pointers = dict.fromkeys(("x", "dy", "dw"), element.value)
    return _kernel("depthwise_weights", pointers, lines, element, sizes=("rows",))


def _kernel(
    word: str,
    pointers: dict[str, str],
    lines: list[str],
    element: Element,
    sizes: Sequence[str] = (),
) -> Kernel:
    signature = (*(f"pointer:{kind}" for kind in pointers.values()), *("size" for _ in sizes))
    return glue_kernel(word, function(word, [*pointers, *sizes], lines), signature, element)


def _numbers(g: Geometry, lone: bool) -> str:
    """The loop over channels; over those of a whole line, where its windows follow one another."""
    count = g.channels * g.places[1] if lone and g.stride[1] == 1 else g.channels
    return f"for c in range({count}):"


def _over_places(
    g: Geometry, inner: list[str], before: Sequence[str] = (), *, lone: bool
) -> list[str]:
    """Lines for every image (`before`), and for every place of the window on it."""
    ahead, sideways = g.steps(0), g.steps(1)
    start = [
        "for image in range(low, high):",
        *block(before),
        INDENT + f"for i in range({g.places[0]}):",
    ]
    if lone and g.stride[1] == 1:
        return [
            *start,
            INDENT * 2 + f"first = image * {g.image} + i * {ahead[0]}",
            INDENT * 2 + f"place = image * {g.result} + i * {ahead[1]}",
            *block(inner, 2),
        ]
    return [
        *start,
        INDENT * 2 + f"for j in range({g.places[1]}):",
        INDENT * 3 + f"first = image * {g.image} + i * {ahead[0]} + j * {sideways[0]}",
        INDENT * 3 + f"place = image * {g.result} + i * {ahead[1]} + j * {sideways[1]}",
        *block(inner, 3),
    ]


def _taps(g: Geometry) -> list[tuple[str, str]]:
    """Where each place of the window stands, and its number."""
    offsets = [i * g.taps(0)[0] + j * g.taps(1)[0] for i, j in product(*map(range, g.kernel))]
    return [(f"first + {offset}", str(number)) for number, offset in enumerate(offsets)]


def _over_taps(g: Geometry, inner: list[str]) -> list[str]:
    """Loops over the places of a window."""
    return [
        f"for a in range({g.kernel[0]}):",
        INDENT + f"for b in range({g.kernel[1]}):",
        INDENT * 2 + f"source = first + a * {g.taps(0)[0]} + b * {g.taps(1)[0]}",
        INDENT * 2 + f"number = a * {g.kernel[1]} + b",
        *block(inner, 2),
    ]
