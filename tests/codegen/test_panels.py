"""Weights in panels: which are, and that products, updates and people get the same numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nndsl.codegen import panels
from nndsl.codegen.contraction import extents, llvm_text, loop_nest
from nndsl.codegen.generate import generate
from nndsl.codegen.program import Contraction, Element, Operand, Size
from nndsl.codegen.target import host_target, target
from nndsl.ir.graph import Builder, Graph, Role
from nndsl.ir.types import TensorType
from nndsl.ops.map import Map, operand
from nndsl.ops.matmul import MatMul
from nndsl.ops.reduction import Reduce
from nndsl.passes import memory, pipeline
from nndsl.passes.fuse import FuseEpilogues
from nndsl.runtime import layout
from nndsl.runtime.executable import load
from nndsl.scalar import functions as f
from nndsl.scalar.expression import variable
from tests.codegen.machine import compile_kernel
from tests.codegen.processors import TARGETS
from tests.networks import data_for, optimizer, perceptron, start_values


def in_panels(matrix: np.ndarray, width: int) -> np.ndarray:
    flat = np.full(matrix.size, np.nan, matrix.dtype)
    layout.to_panels(matrix, flat, width)
    return flat


@pytest.mark.parametrize("shape", [(3, 7), (5, 8), (2, 20), (4, 1)])
def test_layout_is_undone_and_places_are_found(shape, rng):
    matrix = rng.normal(size=shape)
    flat = in_panels(matrix, 8)
    assert layout.to_rows(flat, shape, 8).tolist() == matrix.tolist()
    for index in np.ndindex(shape):
        assert flat[layout.place(index, shape, 8)] == matrix[index]
        assert matrix.reshape(-1)[layout.place(index, shape)] == matrix[index]
    assert layout.place((), ()) == 0


def run(contraction: Contraction, arrays, processor, sizes):
    """The outputs, flat, of a kernel on flat arrays."""
    count = max(1, len(contraction.epilogue))
    kinds = extents(contraction, sizes)
    outputs = [np.zeros(size // 4, np.float32) for size in kinds[-count:]]
    assert [array.nbytes for array in arrays] == list(kinds[:-count])
    names = ["one", *sizes]
    rest = []
    for size in (contraction.rows, contraction.depth):
        rest += [size.factor, names.index(size.symbol)]
    slots = np.array([*(a.ctypes.data for a in (*arrays, *outputs)), *rest], np.int64)
    kernel = compile_kernel(llvm_text(contraction, "kernel", processor), "kernel", processor)
    extent = contraction.rows.factor * sizes.get(contraction.rows.symbol, 1)
    table = np.array([1, *sizes.values()], np.int64)
    middle = extent // 3
    kernel(slots, table, 0, middle)
    kernel(slots, table, middle, extent)
    return outputs


SHAPES = [(9, 20, 70), (17, 5, 32), (8, 33, 10), (3, 70, 65)]


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize(("m", "k", "n"), SHAPES)
def test_forward(m, k, n, name, rng):
    processor = target(name)
    width = panels.panel_width(processor, Element.FLOAT32)
    a, b = (rng.normal(size=s).astype("f4") for s in ((m, k), (k, n)))
    bias = rng.normal(size=n).astype("f4")
    rows = Contraction(
        Element.FLOAT32, n, Size(1, "N"), Size(k), k, 1, n, 1, n,
        epilogue=(f.maximum(variable("sum") + variable("bias"), 0),),
        operands=(Operand("bias", "columns"),),
    )  # fmt: skip
    (plain,) = run(rows, [a, b, bias], processor, {"N": m})
    cut = replace(rows, b_depth=width, b_panel=width)
    (found,) = run(cut, [a, in_panels(b, width), bias], processor, {"N": m})
    np.testing.assert_array_equal(found, plain)
    np.testing.assert_allclose(
        found.reshape(m, n), np.maximum(a @ b + bias, 0), rtol=1e-4, atol=1e-4
    )
    assert f"in panels of {width}" in loop_nest(cut, processor)


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize(("m", "k", "n"), SHAPES)
def test_weight_gradient_with_an_update_in_place(m, k, n, name, rng):
    """The outputs and what stands at the same places beside them lie in panels alike."""
    processor = target(name)
    width = panels.panel_width(processor, Element.FLOAT32)
    x, dy = (rng.normal(size=s).astype("f4") for s in ((m, k), (m, n)))
    p, v = (rng.normal(size=(k, n)).astype("f4") for _ in range(2))
    speed = 0.9 * variable("v") + variable("sum")
    rows = Contraction(
        Element.FLOAT32, n, Size(k), Size(1, "N"), 1, k, n, 1, n,
        epilogue=(variable("p") - 0.1 * speed, speed),
        operands=(Operand("p", "tile", n), Operand("v", "tile", n)),
    )  # fmt: skip
    plain = run(rows, [x, dy, p, v], processor, {"N": m})
    cut = replace(rows, c_row=width, c_panel=width)
    given = [x, dy, in_panels(p, width), in_panels(v, width)]
    for found, expected in zip(run(cut, given, processor, {"N": m}), plain, strict=True):
        result = layout.to_rows(found, (k, n), width)
        np.testing.assert_array_equal(result, expected.reshape(k, n))


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize(("m", "n", "k"), [*SHAPES, (13, 2100, 21)])
def test_input_gradient(m, n, k, name, rng):
    """Depth in panels; a long one is done in stretches, from rows and from panels alike."""
    processor = target(name)
    width = panels.panel_width(processor, Element.FLOAT32)
    dy, w = (rng.normal(size=s).astype("f4") for s in ((m, n), (k, n)))
    y = rng.normal(size=(m, k)).astype("f4")
    rows = Contraction(
        Element.FLOAT32, k, Size(1, "N"), Size(n), n, 1, 1, n, k,
        epilogue=(f.where(variable("y") > 0, variable("sum"), 0),),
        operands=(Operand("y", "tile", k),),
    )  # fmt: skip
    (plain,) = run(rows, [dy, w, y], processor, {"N": m})
    cut = replace(rows, b_column=width, b_panel=width)
    (found,) = run(cut, [dy, in_panels(w, width), y], processor, {"N": m})
    np.testing.assert_array_equal(found, plain)
    expected = np.where(y > 0, dy.astype("f8") @ w.T.astype("f8"), 0)
    np.testing.assert_allclose(found.reshape(m, k), expected, rtol=1e-4, atol=1e-3)


def trained(graph, precision, store, threads, *, cut):
    program = generate(graph, precision, 8, shared=not cut)
    executable = load(program, threads, store=store)
    executable.set_parameters({n: a.astype(precision) for n, a in start_values(graph).items()})
    for name, array in data_for(graph, 21, 2, precision).items():
        executable.bind(name, array)
    executable.poison()
    executable.run(0, 5, seed=3, shuffle=True)
    results = {**executable.parameters(), **executable.states()}
    executable.close()
    return program, results


def training_graph(word: str, large: int) -> Graph:
    """Updates of weights of so many numbers are computed where their gradients are."""
    graph = perceptron((5, 70, 33, 3), "relu", "classes")
    passes = pipeline.training(optimizer(graph, word, lr=0.01), None)
    fused = [FuseEpilogues(large) if isinstance(step, FuseEpilogues) else step for step in passes]
    return pipeline.run(graph, fused)


@pytest.mark.parametrize("word", ["momentum", "adam"])
@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("large", [100, 10**6])
def test_training_gives_the_same_bits(word, precision, large, store, monkeypatch):
    monkeypatch.setattr(panels, "LARGE_BYTES", 200)
    graph = training_graph(word, large)
    program, expected = trained(graph, precision, store, 1, cut=False)
    assert not program.panels
    for threads in (1, 2):
        program, found = trained(graph, precision, store, threads, cut=True)
        assert {"w1", "w2"} <= set(program.panels)
        assert len(program.panels) > len([n for n in program.parameters if n in program.panels])
        for name, array in expected.items():
            np.testing.assert_array_equal(found[name], array, name)


def test_updates_of_large_weights_need_no_gradients_in_memory(store):
    apart, inside = (training_graph("adam", large) for large in (10**6, 100))
    plans = [memory.plan(graph, 8, gathers=True) for graph in (apart, inside)]
    saved = plans[0].areas[memory.Area.WORKSPACE] - plans[1].areas[memory.Area.WORKSPACE]
    assert saved >= 4 * (5 * 70 + 70 * 33)
    assert not plans[1].copies
    _, expected = trained(apart, "float64", store, 1, cut=False)
    _, found = trained(inside, "float64", store, 2, cut=False)
    for name, array in expected.items():
        np.testing.assert_allclose(found[name], array, rtol=1e-9, atol=1e-12, err_msg=name)


def weights_and(build_more) -> tuple[Builder, object]:
    build = Builder()
    x = build.input("x", TensorType(("N", 4)), Role.DATA)
    w = build.input("w", TensorType((4, 9)), Role.PARAMETER)
    build.graph.outputs["y"] = build.add(MatMul(), x, w)
    build_more(build, w)
    return build, w


def row(build, w):
    other = build.input("r", TensorType((9,)), Role.PARAMETER)
    product = build.add(Map((operand(0) * operand(1),)), w, other)
    build.graph.outputs["z"] = build.add(Reduce("sum", (0, 1)), product)


def total(*axes):
    def more(build, w):
        build.graph.outputs["z"] = build.add(Reduce("sum", axes), w)

    return more


def twice(build, w):
    build.graph.outputs["z"] = build.add(Map((operand(0) * 2,)), w)


@pytest.mark.parametrize(
    ("more", "cut"),
    [(lambda build, w: None, True), (total(0, 1), True), (total(0), False), (twice, False),
     (row, False)],
)  # fmt: skip
def test_only_what_can_be_read_in_panels_lies_so(more, cut, monkeypatch):
    monkeypatch.setattr(panels, "LARGE_BYTES", 100)
    build, w = weights_and(more)
    assert (w in panels.panelled(build.graph, Element.FLOAT32)) is cut


def test_small_weights_stay_in_rows():
    build, _ = weights_and(lambda build, w: None)
    assert not panels.panelled(build.graph, Element.FLOAT32)


def test_people_see_rows(store, monkeypatch, rng):
    monkeypatch.setattr(panels, "LARGE_BYTES", 100)
    build, _ = weights_and(lambda build, w: None)
    plain = load(generate(build.graph, batch=4, shared=True), store=store)
    executable = load(generate(build.graph, batch=4), store=store)
    assert executable.program.panels == {"w": panels.panel_width(host_target(), Element.FLOAT32)}
    w = rng.normal(size=(4, 9)).astype("f4")
    executable.set_parameters({"w": w})
    np.testing.assert_array_equal(executable.parameters()["w"], w)
    executable.cell("w", (2, 8))[()] = w[2, 8] = 5
    plain.take(executable, ["w"])
    np.testing.assert_array_equal(plain.memory("w"), w)
    executable.take(plain, ["w"])
    x = {"x": rng.normal(size=(7, 4)).astype("f4")}
    np.testing.assert_array_equal(executable.evaluate(x)["y"], plain.evaluate(x)["y"])
    with pytest.raises(ValueError, match="panels"):
        executable.memory("w")
    with pytest.raises(KeyError):
        executable.cell("v", (0, 0))
