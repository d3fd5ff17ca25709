"""Kernels that standardise: every pattern of axes, odd sizes, far from 0, any number of threads."""

import numpy as np
import pytest

from nndsl.codegen.generate import generate
from nndsl.ir.types import TensorType
from nndsl.ops.standardize import Standardize
from nndsl.runtime.executable import load
from tests.codegen.programs import compare, graph_of


@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("axes", [(0,), (1,), (2,), (0, 1), (1, 2), (0, 2), (0, 1, 2)], ids=str)
@pytest.mark.parametrize("shape", [("N", 3, 17), ("N", 21, 5), (4, 3, 37)], ids=str)
def test_any_axes(shape, axes, center, rng, store):
    compare(graph_of(Standardize(axes, 1e-3, center), [TensorType(shape)]), rng, store, rows=7)


CASES = [((0,), (33, 33)), ((1,), (33, 33)), ((0, 1), (37, 20, 70))]


@pytest.mark.parametrize(("axes", "shape"), CASES, ids=str)
def test_numbers_far_from_zero(axes, shape, rng, store):
    """The variance is that of deviations, not a difference of two large squares."""
    graph = graph_of(Standardize(axes, 1e-5), [TensorType(("N", *shape[1:]))])
    executable = load(generate(graph, "float32", 37), store=store)
    x = (1000.0 + rng.normal(size=shape)).astype(np.float32)
    found = executable.evaluate({"i0": x})["o0"]
    wide = x.astype(np.float64)
    moved = wide - wide.mean(axis=axes, keepdims=True)
    expected = moved / np.sqrt(wide.var(axis=axes, keepdims=True) + 1e-5)
    np.testing.assert_allclose(found, expected, atol=1e-3)


@pytest.mark.parametrize(("axes", "shape"), CASES, ids=str)
def test_threads_change_no_bit(axes, shape, rng, store):
    graph = graph_of(Standardize(axes, 1e-5), [TensorType(("N", *shape[1:]))])
    program = generate(graph, "float32", 40)
    x = rng.normal(size=shape).astype(np.float32)
    results = []
    for threads in (1, 2, 3):
        executable = load(program, threads, store=store)
        executable.bind("i0", x)
        executable.run(0, 1)
        results.append([executable.output(f"o{i}").tobytes() for i in range(3)])
        executable.close()
    assert results[0] == results[1] == results[2]


def test_a_number_that_is_not_finite_stays_in_its_row(store):
    executable = load(
        generate(graph_of(Standardize((1,), 1e-5), [TensorType(("N", 20))]), "float32", 4),
        store=store,
    )
    x = np.arange(60, dtype=np.float32).reshape(3, 20)
    x[1, 5] = np.nan
    found = executable.evaluate({"i0": x})["o0"]
    assert np.isnan(found).all(axis=1).tolist() == [False, True, False]
    assert np.isfinite(found[[0, 2]]).all()
