"""Sums over batch and places in two steps: right, shared among threads, the same bits for any."""

import numpy as np
import pytest

from nndsl.codegen.generate import generate
from nndsl.codegen.program import Split
from nndsl.codegen.sums import sums_by_rows
from nndsl.ir.types import TensorType
from nndsl.ops.reduction import Reduce
from nndsl.runtime.executable import load
from tests.codegen.programs import compare, feed, graph_of


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("axes", [(0, 1, 2), (1, 2)], ids=str)
@pytest.mark.parametrize("channels", [2, 5, 19, 70])
def test_sums_of_images(channels, axes, keep, precision, rng, store):
    operation = Reduce("sum", axes, keep)
    compare(graph_of(operation, [TensorType(("N", 5, 4, channels))]), rng, store, precision)


def test_threads_share_the_first_step(rng, store):
    graph = graph_of(Reduce("sum", (0, 1, 2)), [TensorType(("N", 9, 9, 16))])
    assert [node.operation.options()["axes"] for node in sums_by_rows(graph).nodes] == [
        (1, 2),
        (0,),
    ]
    program = generate(graph, "float32", 7)
    assert [call.split for call in program.calls] == [Split.ROWS, Split.ONE]
    arrays = {"i0": rng.normal(size=(7, 9, 9, 16)).astype("f4")}
    results = []
    for threads in (1, 2, 3):
        executable = load(program, threads, store=store)
        results.append(feed(executable, graph, arrays)["o0"])
        executable.close()
    for other in results[1:]:
        np.testing.assert_array_equal(results[0], other)


@pytest.mark.parametrize("shape", [("N", 3, 5, 4), ("N", 40), (6, 5, 5, 4)], ids=str)
def test_sums_of_few_or_no_places_are_left(shape):
    operation = Reduce("sum", tuple(range(len(shape) - 1)))
    graph = graph_of(operation, [TensorType(shape)])
    assert len(sums_by_rows(graph).nodes) == 1
