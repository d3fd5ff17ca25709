"""Every form, tile and rest of the contraction kernels against NumPy in float64."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from nndsl.codegen.contraction import align, extents, flops, llvm_text, loop_nest
from nndsl.codegen.contraction.problem import Form, normalise
from nndsl.codegen.contraction.tiles import choose
from nndsl.codegen.program import Axis, Contraction, Element, Operand, Size
from nndsl.codegen.target import host_target, target, target_names
from nndsl.scalar import functions as f
from nndsl.scalar.expression import variable
from tests.codegen.arena import Arena, check
from tests.codegen.machine import compile_kernel
from tests.codegen.processors import TARGETS


def dense(m, k, n, *, element=Element.FLOAT32, rows=None, depth=None, **options) -> Contraction:
    """C = A B, all row-major."""
    rows, depth = rows or Size(m), depth or Size(k)
    return Contraction(element, n, rows, depth, k, 1, n, 1, n, **options)


SHAPES = [
    (1, 1, 1), (2, 3, 1), (16, 4, 6), (5, 1, 3), (16, 16, 16), (33, 20, 64), (17, 65, 40),
    (7, 33, 100), (31, 10, 17), (20, 64, 48), (1, 40, 70), (3, 0, 5),
]  # fmt: skip


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize(("m", "k", "n"), SHAPES)
@pytest.mark.parametrize("known", [True, False])
def test_forward(m, k, n, known, name, rng):
    rows = Size(m) if known else Size(1, "N")
    check(dense(m, k, n, rows=rows), rng, target(name), {"N": m})


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize(("m", "k", "n"), [(16, 4, 6), (33, 20, 65), (128, 10, 24), (9, 31, 1)])
def test_weight_gradient(m, k, n, name, rng):
    """A transposed, the depth known only at run time."""
    contraction = Contraction(Element.FLOAT32, n, Size(k), Size(1, "N"), 1, k, n, 1, n)
    check(contraction, rng, target(name), {"N": m})


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize(("k", "n", "swapped"), [(32, 17, True), (20, 64, False), (32, 32, False)])
def test_weight_gradient_of_sequences(k, n, swapped, name, rng):
    """Sums over all steps of all sequences, along the side whose registers are full."""
    contraction = Contraction(Element.FLOAT32, n, Size(k), Size(64, "N"), 1, k, n, 1, n)
    assert normalise(contraction, target(name)).swapped == swapped
    check(contraction, rng, target(name), {"N": 2})


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize(("m", "k", "n"), [(16, 6, 4), (33, 20, 65), (8, 64, 70), (40, 3, 33)])
@pytest.mark.parametrize("known", [True, False])
def test_input_gradient(m, k, n, known, name, rng):
    """B transposed: a dot product a number, or a copied panel."""
    rows = Size(m) if known else Size(1, "N")
    contraction = Contraction(Element.FLOAT32, n, rows, Size(k), k, 1, 1, k, n)
    check(contraction, rng, target(name), {"N": m})


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("columns", [1, 3, 6, 17, 40, 64])
@pytest.mark.parametrize("element", [Element.FLOAT32, Element.FLOAT64])
@pytest.mark.parametrize("depth", [Size(7), Size(1, "N")])
def test_sums_of_columns(columns, element, depth, name, rng):
    """A row of ones times a matrix: A is never read."""
    contraction = Contraction(
        element, columns, Size(1), depth, 0, 0, columns, 1, columns, ones=True,
        epilogue=(variable("sum") / 7,),
    )  # fmt: skip
    arena = Arena(contraction, {"N": 18}, rng)
    arena.a()[...] = np.nan
    code = llvm_text(contraction, "kernel", target(name))
    (found,) = arena.run(compile_kernel(code, "kernel", target(name)))
    tolerance = 1e-5 if element is Element.FLOAT32 else 1e-13
    expected = arena.b().astype("f8").sum(axis=0)[None] / 7
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)
    assert "* B" not in loop_nest(contraction, target(name))


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("depth", [Size(37), Size(1, "T")])
@pytest.mark.parametrize("rows", [Size(11), Size(1, "N")])
@pytest.mark.parametrize(("outer", "n"), [(1, 9), (3, 5), (2, 1)])
def test_dot(depth, rows, outer, n, name, rng):
    contraction = Contraction(
        Element.FLOAT32, n, rows, depth, 40 * outer, 1, 1, 40 * outer, n,
        reduced=(Axis(Size(outer), 40, 40),),
    )  # fmt: skip
    form = normalise(contraction, target(name)).form
    assert form is Form.DOT or (depth.symbol == "one" and n > 1)
    check(contraction, rng, target(name), {"N": 11, "T": 37})


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("rows", [Size(37), Size(1, "N")])
@pytest.mark.parametrize("accumulate", [True, False])
def test_swapped(rows, accumulate, name, rng):
    """C^T = B^T A^T: the rows of A and C are contiguous."""
    contraction = Contraction(
        Element.FLOAT32, 6, rows, Size(9), 1, 40, 6, 1, 1, 41,
        accumulate=accumulate,
        epilogue=(variable("sum") * 2 + variable("bias") - variable("r") * variable("x"),),
        operands=(
            Operand("bias", "columns"), Operand("r", "rows", 2), Operand("x", "tile", 7),
        ),
    )  # fmt: skip
    assert normalise(contraction, target(name)).swapped
    check(contraction, rng, target(name), {"N": 37})


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("depth", [Size(9), Size(1, "T")])
@pytest.mark.parametrize(
    "strides",
    [(30, 3, 70, 7, 50, 5), (2, 90, 2, 40, 3, 70), (1, 40, 5, 60, 20, 1), (9, 1, 10, 1, 2, 90)],
)
def test_any_strides(strides, depth, name, rng):
    contraction = Contraction(Element.FLOAT32, 10, Size(1, "N"), depth, *strides)
    check(contraction, rng, target(name), {"N": 21, "T": 9})


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize(("m", "k", "n"), [(1, 33, 70), (10, 5, 21), (3, 40, 6)])
@pytest.mark.parametrize("form", ["plain", "transposed", "swapped"])
def test_shares_of_the_columns(m, k, n, form, name, rng):
    strides = {
        "plain": (k, 1, n, 1, n, 1),
        "transposed": (k, 1, 1, k, n, 1),
        "swapped": (1, m, n, 1, 1, m),
    }[form]
    contraction = Contraction(
        Element.FLOAT32, n, Size(m), Size(k), *strides, split_columns=True,
        epilogue=(variable("sum") + variable("bias"),), operands=(Operand("bias", "columns"),),
    )  # fmt: skip
    check(contraction, rng, target(name))


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("depth", [Size(15), Size(3, "T"), Size(2)])
@pytest.mark.parametrize("transposed", [False, True])
def test_reduced(depth, transposed, name, rng):
    """A convolution's rows: overlapping runs of A, a round for each row of the kernel."""
    b = (1, 45) if transposed else (20, 1)
    contraction = Contraction(
        Element.FLOAT32, 20, Size(1, "N"), depth, 4, 1, *b, 20,
        reduced=(Axis(Size(3), 100, 15 if transposed else 300),), accumulate=True,
    )  # fmt: skip
    check(contraction, rng, target(name), {"N": 19, "T": 5})


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("form", ["plain", "packed", "dot"])
def test_float64(form, name, rng):
    strides = {"plain": (20, 1, 21, 1, 21), "packed": (20, 1, 1, 20, 21), "dot": (20, 1, 1, 20, 21)}
    depth = Size(1, "T") if form == "dot" else Size(20)
    contraction = Contraction(Element.FLOAT64, 21, Size(1, "N"), depth, *strides[form])
    check(contraction, rng, target(name), {"N": 19, "T": 20})


@pytest.mark.parametrize("name", TARGETS)
def test_large(name, rng):
    """Depth in a loop, panels in a loop, several columns left."""
    check(dense(70, 300, 150, rows=Size(1, "N")), rng, target(name), {"N": 70}, 1e-4)


@pytest.mark.parametrize("known", [True, False])
def test_larger_than_the_cache(known, rng):
    """What is asked for in advance does not change results."""
    rows = Size(130) if known else Size(1, "N")
    contraction = dense(130, 140, 1100, rows=rows)
    problem = normalise(contraction, host_target())
    assert problem.far_right
    assert problem.far_outputs is known
    check(contraction, rng, host_target(), {"N": 130}, 1e-4)


ACTIVATIONS = {
    "relu": f.maximum(variable("sum") + variable("bias"), 0),
    "elu": f.where(variable("sum") > 0, variable("sum"), f.expm1(variable("sum"))),
    "tanh": f.tanh(variable("sum") + variable("bias")),
    "gradient": f.where(variable("h") > 0, variable("sum"), 0) * variable("scale"),
    "rows": variable("sum") * variable("weight") + variable("count"),
    "logic": f.where(
        f.logical_and(variable("sum") > 0, f.logical_not(variable("h") > 0.5)),
        (variable("bias") > 0) * variable("sum"),
        f.sign(variable("h")),
    ),
}
OPERANDS = (
    Operand("bias", "columns"),
    Operand("h", "tile", 29),
    Operand("scale", "scalar"),
    Operand("weight", "rows", 3),
    Operand("count", "rows", 1, Element.INT32),
)


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("element", [Element.FLOAT32, Element.FLOAT64])
def test_epilogue(activation, element, name, rng):
    contraction = dense(
        19, 6, 21, element=element, rows=Size(1, "N"),
        epilogue=(ACTIVATIONS[activation],), operands=OPERANDS,
    )  # fmt: skip
    check(contraction, rng, target(name), {"N": 19}, 3e-6 if element is Element.FLOAT32 else None)


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("form", ["plain", "packed", "dot", "swapped"])
def test_several_outputs_and_accumulation(form, name, rng):
    strides = {
        "plain": (6, 1, 21, 1, 21),
        "packed": (6, 1, 1, 6, 21),
        "dot": (6, 1, 1, 6, 21),
        "swapped": (1, 60, 21, 1, 1, 60),
    }[form]
    depth = Size(1, "T") if form == "dot" else Size(6)
    contraction = Contraction(
        Element.FLOAT32, 21, Size(1, "N"), depth, *strides,
        epilogue=(variable("sum") + variable("h"), variable("sum") * variable("h")),
        operands=(Operand("h", "tile", 29),),
    )  # fmt: skip
    check(contraction, rng, target(name), {"N": 19, "T": 6})
    single = replace(contraction, epilogue=contraction.epilogue[:1], accumulate=True)
    check(single, rng, target(name), {"N": 19, "T": 6})


@pytest.mark.parametrize("name", TARGETS)
def test_in_place(name, rng):
    """An output may be the buffer of an operand read at the same elements: fused updates."""
    contraction = dense(
        12, 5, 21, rows=Size(1, "N"),
        epilogue=(variable("p") - 0.5 * variable("m"), variable("m") + variable("sum")),
        operands=(Operand("p", "tile", 21), Operand("m", "tile", 21)),
    )  # fmt: skip
    arena = Arena(contraction, {"N": 12}, rng)
    kernel = compile_kernel(llvm_text(contraction, "kernel", target(name)), "kernel", target(name))
    apart = arena.run(kernel)
    slots = arena.slots()
    slots[4:6] = slots[2:4]
    kernel(slots, np.array([1, 12], np.int64), 0, 12)
    for index, result in enumerate(apart, 2):
        np.testing.assert_array_equal(arena.view(index, (21, 12), (1, 21)), result)


def test_nothing_in_an_empty_share(rng):
    contraction = dense(8, 4, 6, rows=Size(1, "N"))
    arena = Arena(contraction, {"N": 8}, rng)
    kernel = compile_kernel(
        llvm_text(contraction, "kernel", host_target()), "kernel", host_target()
    )
    assert np.isnan(arena.run(kernel, [(3, 3)])[0]).all()


@pytest.mark.parametrize("name", target_names())
@pytest.mark.parametrize("rows", [Size(1, "N"), Size(1), Size(10), Size(784)])
def test_tiles_fit_the_registers(rows, name):
    processor = target(name)
    for element, columns in product((Element.FLOAT32, Element.FLOAT64), range(1, 200, 7)):
        problem = normalise(dense(784, 20, columns, rows=rows, element=element), processor)
        plan = choose(problem, processor)
        for panel in plan.panels:
            vectors = len(panel.parts)
            assert plan.heights[0] * vectors + vectors + 1 <= processor.registers
        covered = sum(panel.width * (panel.count or 0) for panel in plan.panels)
        assert problem.swapped or problem.form is Form.DOT or covered == columns


def test_alignment_is_the_tallest_tile():
    processor = target("avx512")
    assert align(dense(1, 64, 64, rows=Size(1, "N")), processor) == 4
    split = dense(4, 64, 64, split_columns=True)
    assert align(split, processor) % 16 == 0


def test_flops_and_extents():
    contraction = dense(8, 4, 6, rows=Size(2, "N"), operands=(Operand("lr", "scalar"),))
    assert flops(contraction, {"N": 5}) == 2 * 10 * 4 * 6
    assert extents(contraction, {"N": 5}) == (160, 96, 8, 240)
    assert extents(contraction, {"N": 0}) == (0, 96, 8, 0)


def test_loop_nest(golden):
    relu = f.maximum(variable("sum") + variable("bias"), 0)
    forward = dense(
        1, 20, 64, rows=Size(1, "N"), epilogue=(relu,), operands=(Operand("bias", "columns"),)
    )
    gradient = Contraction(Element.FLOAT32, 20, Size(1, "N"), Size(64), 64, 1, 1, 64, 20)
    weights = Contraction(Element.FLOAT64, 64, Size(20), Size(1, "N"), 1, 20, 64, 1, 64)
    single = dense(1, 64, 1, rows=Size(1, "N"), accumulate=True)
    texts = [loop_nest(c, target("avx512")) for c in (forward, gradient, weights, single)]
    golden("contraction_loops.txt", "\n".join(texts))
