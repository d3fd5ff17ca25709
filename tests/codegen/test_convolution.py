"""Convolutions as contractions: against NumPy, in guarded buffers, with any share of the work."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nndsl.codegen.contraction import llvm_text, loop_nest
from nndsl.codegen.contraction.problem import normalise
from nndsl.codegen.convolution import Geometry, forward, input_gradient, weight_gradient
from nndsl.codegen.program import Element, Operand, Size
from nndsl.codegen.target import host_target, target
from nndsl.ops.windows import convolve, spread_convolution, windows_of
from nndsl.scalar import functions as f
from nndsl.scalar.expression import variable
from tests.codegen.arena import GUARD, Arena, check
from tests.codegen.machine import compile_kernel
from tests.codegen.processors import TARGETS

ROWS = 3
GEOMETRIES = {
    "first": Geometry((9, 10), 1, 20, (5, 5)),
    "second": Geometry((12, 12), 20, 40, (5, 5)),
    "colours": Geometry((7, 8), 3, 17, (3, 3)),
    "single": Geometry((6, 6), 2, 1, (3, 3)),
    "pixels": Geometry((4, 5), 6, 9, (1, 1)),
    "shortcut": Geometry((7, 8), 16, 33, (1, 1), (2, 2)),
    "strided": Geometry((10, 11), 5, 18, (3, 3), (2, 3)),
    "dilated": Geometry((11, 9), 4, 7, (3, 2), (1, 1), (2, 3)),
    "groups": Geometry((6, 7), 6, 8, (3, 2), (1, 2), (1, 2), 2),
    "whole": Geometry((4, 4), 5, 12, (4, 4)),
    "whole groups": Geometry((2, 3), 4, 6, (2, 3), groups=2),
    "line": Geometry((1, 40), 3, 8, (1, 5), (1, 2)),
    "column": Geometry((30, 1), 3, 8, (4, 1)),
    "one place of many": Geometry((3, 5), 7, 6, (1, 4), (3, 2)),
    "few": Geometry((3, 9), 8, 16, (2, 3)),
    "large": Geometry((18, 18), 32, 32, (3, 3)),
}


def arrays_for(g: Geometry, element: Element, rng) -> list[np.ndarray]:
    shapes = (
        (ROWS, *g.size, g.channels),
        (*g.kernel, g.group_channels, g.outputs),
        (ROWS, *g.places, g.outputs),
    )
    return [rng.uniform(-1, 1, shape).astype(element.value) for shape in shapes]


def run(contraction, arrays, shape, processor, rng) -> np.ndarray:
    """The result of the contraction, in a buffer of the shape."""
    arena = Arena(contraction, {"N": ROWS}, rng)
    for place, array in zip(arena.arrays, arrays, strict=False):
        room = place[GUARD:-GUARD]
        room[...] = array.ravel()[: room.size]
    code = llvm_text(contraction, "kernel", processor)
    kernel = compile_kernel(code, "kernel", processor)
    kernel(arena.slots(), np.array([1, ROWS], np.int64), 0, arena.extent)
    found = arena.arrays[-1][GUARD:-GUARD]
    assert found.size == np.prod(shape)
    return found.reshape(shape)


@pytest.mark.parametrize("geometry", GEOMETRIES)
@pytest.mark.parametrize("element", [Element.FLOAT32, Element.FLOAT64])
def test_against_numpy(geometry, element, rng):
    g, processor = GEOMETRIES[geometry], host_target()
    x, w, dy = arrays_for(g, element, rng)
    wide = [a.astype("f8") for a in (x, w, dy)]
    options = g.stride, g.dilation, g.groups
    close = (
        {"rtol": 1e-4, "atol": 1e-4}
        if element is Element.FLOAT32
        else {"rtol": 1e-11, "atol": 1e-12}
    )

    found = run(forward(g, element), [x, w], dy.shape, processor, rng)
    np.testing.assert_allclose(found, convolve(*wide[:2], *options), **close)
    found = run(input_gradient(g, element), [dy, w], x.shape, processor, rng)
    expected = spread_convolution(wide[2], wide[1], g.size, *options)
    np.testing.assert_allclose(found, expected, **close)
    found = run(weight_gradient(g, element), [x, dy], w.shape, processor, rng)
    views = windows_of(wide[0], g.kernel, g.stride, g.dilation)
    parts = zip(np.split(views, g.groups, 3), np.split(wide[2], g.groups, 3), strict=True)
    expected = [np.einsum("nhwcij,nhwo->ijco", v, part) for v, part in parts]
    np.testing.assert_allclose(found, np.concatenate(expected, 3), **close)


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("geometry", GEOMETRIES)
@pytest.mark.parametrize("make", [forward, input_gradient, weight_gradient])
def test_nothing_else_is_touched(geometry, make, name, rng):
    """And shares of the extent give the same bits."""
    contraction = make(GEOMETRIES[geometry], Element.FLOAT32)
    check(contraction, rng, target(name), {"N": ROWS}, 1e-4)


@pytest.mark.parametrize("name", TARGETS)
def test_epilogue_over_a_grid(name, rng):
    """A bias and an activation, and numbers of every kind read beside the sum."""
    g = GEOMETRIES["groups"]
    contraction = forward(g, Element.FLOAT32)
    biased = f.maximum(variable("sum") + variable("bias"), 0)
    moves = [axis.c for axis in contraction.grid]
    pixels = [move // g.outputs for move in moves]
    contraction = replace(
        contraction,
        epilogue=(biased * variable("mask") - variable("weight"), biased + variable("one")),
        operands=(
            Operand("bias", "columns", grid=(0, 0, g.group_outputs)),
            Operand("mask", "tile", g.outputs, grid=tuple(moves)),
            Operand("weight", "rows", 1, grid=tuple(pixels)),
            Operand("one", "scalar"),
        ),
    )
    check(contraction, rng, target(name), {"N": ROWS}, 1e-4)


@pytest.mark.parametrize("name", TARGETS)
def test_batch_of_a_known_size(name, rng):
    g = Geometry((5, 6), 3, 4, (3, 3), batch=Size(ROWS))
    for make in (forward, input_gradient, weight_gradient):
        check(make(g, Element.FLOAT32), rng, target(name), tolerance=1e-4)


def test_loop_nest(golden):
    g = Geometry((12, 12), 20, 40, (5, 5))
    makers = (forward, input_gradient, weight_gradient)
    texts = [loop_nest(make(g, Element.FLOAT32), target("avx512")) for make in makers]
    golden("convolution_loops.txt", "\n".join(texts))


def test_lines_of_large_images_are_rounds(rng):
    """What one line needs stays in the cache; the images are worked on line by line."""
    g = Geometry((40, 66), 40, 24, (2, 2), (1, 1))
    contraction = weight_gradient(g, Element.FLOAT64)
    assert len(normalise(contraction, host_target()).rounds) == 2
    check(contraction, rng, host_target(), {"N": 2}, 1e-10)
    back = input_gradient(Geometry((44, 120), 32, 8, (2, 3)), Element.FLOAT32)
    assert back.columns == 32  # a line of places, one place of the window after another
    check(back, rng, host_target(), {"N": 2}, 1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100))
def test_random_geometries(seed):
    rng = np.random.default_rng(seed)

    def pair(most: int) -> tuple[int, int]:
        first, second = rng.integers(1, most + 1, 2).tolist()
        return first, second

    groups = int(rng.choice((1, 1, 2, 3)))
    kernel, stride, dilation = pair(5), pair(3), pair(2)
    height, width = (
        d * (k - 1) + 1 + int(rng.integers(0, 13)) for k, d in zip(kernel, dilation, strict=True)
    )
    channels, outputs = (groups * int(rng.choice((1, 2, 5, 17, 34))) for _ in range(2))
    g = Geometry((height, width), channels, outputs, kernel, stride, dilation, groups)
    for make in (forward, input_gradient, weight_gradient):
        check(make(g, Element.FLOAT64), rng, host_target(), {"N": ROWS}, 1e-10)
