"""Every operation's kernels against the NumPy meaning, in poisoned memory."""

import numpy as np
import pytest

from nndsl import random
from nndsl.codegen import glue, glue_random, glue_rows
from nndsl.codegen.generate import EMITTERS, generate
from nndsl.codegen.loops import collapse
from nndsl.codegen.program import Element
from nndsl.ir.graph import Builder, Role
from nndsl.ir.types import ElementType, TensorType
from nndsl.ops import OPERATIONS
from nndsl.ops.map import Map, operand
from nndsl.ops.movement import Concat, Slice, Transpose
from nndsl.ops.reduction import Broadcast, Reduce
from nndsl.ops.source import Random
from nndsl.runtime.executable import load
from nndsl.scalar import functions as f
from tests.codegen.programs import BATCH, compare, graph_of

x0, x1, x2 = operand(0), operand(1), operand(2)
DOUBLE, INDEX = ElementType.DOUBLE, ElementType.INDEX


def _samples():
    """The samples of all ops; a size known only at run time other than the batch is 2."""
    for cls in OPERATIONS.values():
        for number, (operation, types) in enumerate(cls.samples()):
            if "'T'" in str(operation.options()):
                continue
            if operation.name == "attention_weights_gradient" and number:
                continue  # its kernel counts on weights that are 0 where nothing is seen
            fixed = [
                TensorType(tuple(2 if d == "T" else d for d in t.shape), t.element) for t in types
            ]
            yield pytest.param(operation, fixed, id=f"{operation.name}-{number}")


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize(("operation", "types"), list(_samples()))
def test_every_operation_equals_the_oracle(operation, types, precision, rng, store):
    compare(graph_of(operation, types), rng, store, precision)


def test_every_operation_has_kernels_or_needs_none():
    views = {cls for cls in OPERATIONS.values() if cls.is_view}
    constants = {cls for cls in OPERATIONS.values() if cls.samples()[0][0].constant() is not None}
    assert set(EMITTERS) | views | constants >= set(OPERATIONS.values())


@pytest.mark.parametrize(
    "types",
    [
        [("N", 3, 4), (3, 1)],
        [("N", 3, 4), ("N", 1, 4)],
        [("N", 1, 4), (3, 1)],
        [(5, 4, 3), (4, 1)],
        [("N", 40), (40,)],
        [("N", 1), ()],
        [(33,), (33,)],
    ],
    ids=str,
)
def test_maps_broadcast(types, rng, store):
    graph = graph_of(Map((x0 * x1 + 0.5,)), [TensorType(shape) for shape in types])
    compare(graph, rng, store)


@pytest.mark.parametrize("kind", ["sum", "max"])
@pytest.mark.parametrize("axes", [(0,), (1,), (2,), (0, 2), (1, 2), (0, 1), (0, 1, 2)], ids=str)
@pytest.mark.parametrize("shape", [("N", 3, 17), (4, 3, 17)], ids=str)
def test_reductions(kind, axes, shape, rng, store):
    compare(graph_of(Reduce(kind, axes), [TensorType(shape)]), rng, store)


def test_sums_of_many_numbers_are_exact_in_float32(store):
    graph = graph_of(Reduce("sum", (0,)), [TensorType((100_003,))])
    executable = load(generate(graph, "float32", 1), store=store)
    numbers = np.full(100_003, 0.1, np.float32)
    executable.set_parameters({"i0": numbers})
    expected = np.float32(numbers.astype(np.float64).sum())
    assert executable.evaluate({})["o0"] == expected


@pytest.mark.parametrize(
    ("operation", "shape"),
    [
        (Slice(2, 1, 3), ("N", 2, 4)),
        (Slice(1, 1, 2), ("N", 2, 4)),
        (Transpose((0, 2, 1)), ("N", 2, 4)),
        (Transpose((1, 0)), ("N", 6)),
        (Transpose((1, 0)), (37, 21)),
        (Broadcast(("N", 3, 4)), ("N", 1, 4)),
        (Broadcast(("N", 3, 4)), (3, 1)),
    ],
    ids=str,
)
def test_movements(operation, shape, rng, store):
    if operation == Transpose((1, 0)) and shape[0] == "N":
        build = Builder()
        x = build.input("i0", TensorType(shape), Role.DATA)
        turned = build.add(operation, x)
        back = build.add(operation, turned)
        build.graph.outputs = {"o0": back}
        compare(build.graph, rng, store)
    else:
        compare(graph_of(operation, [TensorType(shape)]), rng, store)


def test_concatenation_along_inner_axes(rng, store):
    types = [TensorType(("N", 2, 3)), TensorType(("N", 2, 1)), TensorType(("N", 2, 4))]
    compare(graph_of(Concat(2), types), rng, store)


FUNCTIONS = [
    *("exp", "expm1", "log", "log1p", "sqrt", "tanh", "sigmoid", "softplus", "erf", "sin", "cos"),
    *("absolute", "sign", "floor"),
]


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_functions_of_formulas(name, precision, rng, store):
    inner = f.absolute(x0) + 0.01 if name in ("log", "sqrt", "log1p") else x0
    graph = graph_of(Map((getattr(f, name)(inner),)), [TensorType(("N", 37))])
    compare(graph, rng, store, precision)


def test_conditions_are_numbers_and_choices(rng, store):
    both = f.logical_and(x0 > 0, f.logical_not(x1 > x0))
    either = f.logical_or(x0 > 1, x1 > 1)
    expressions = (both * 2.0, f.where(either, x0, x1), (x0 > x1) + x0, f.where(x0, x1, 3.0))
    graph = graph_of(Map(expressions), [TensorType(("N", 9)), TensorType(("N", 9))])
    compare(graph, rng, store)


def test_numbers_that_are_not_finite_pass_through(store):
    graph = graph_of(Map((x0 + x1, f.maximum(x0, x1))), [TensorType(("N", 3))] * 2)
    executable = load(generate(graph, "float32", BATCH), store=store)
    a = np.array([[np.nan, np.inf, 1.0]], np.float32)
    results = executable.evaluate({"i0": a, "i1": -a})
    np.testing.assert_array_equal(results["o0"], [[np.nan, np.nan, 0.0]])
    assert np.isnan(results["o1"][0, 0])
    assert results["o1"][0, 1:].tolist() == [np.inf, 1.0]


@pytest.mark.parametrize("kind", ["uniform", "normal"])
@pytest.mark.parametrize("shape", [("N", 3), ("N", 5), (7,)], ids=str)
def test_noise_is_that_of_the_definition(kind, shape, store):
    build = Builder()
    x = build.input("x", TensorType(("N", 1)), Role.DATA)
    noise = build.add(Random(kind, shape, 77))
    state = build.input("s", TensorType((), DOUBLE), Role.STATE)
    build.graph.outputs = {"noise": noise, "x": x}
    build.graph.updates = {"s": build.add(Map((x0 + 1.0,), DOUBLE), state)}
    executable = load(generate(build.graph, "float32", 6), store=store)
    executable.bind("x", np.zeros((6, 1), np.float32))
    executable.run(4, 1, seed=2**31 + 5)
    found = executable.output("noise")
    block = random.uniform_block if kind == "uniform" else random.normal_block
    expected = block(2**31 + 5, 77, 4, found.size).reshape(found.shape)
    if kind == "uniform":
        np.testing.assert_array_equal(found, expected.astype(np.float32))
    else:
        np.testing.assert_allclose(found, expected, rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize(("batch", "threads"), [(4, 1), (7, 2), (13, 3)])
def test_noise_of_rows_does_not_depend_on_batches(batch, threads, store):
    build = Builder()
    build.graph.outputs = {"noise": build.add(Random("uniform", ("N", 5), 77, by_row=True))}
    executable = load(generate(build.graph, "float32", batch), threads, store=store)
    found = executable.evaluate({}, 13)["noise"]
    executable.close()
    np.testing.assert_array_equal(found, noise_of_rows(13))


def noise_of_rows(rows):
    numbers = random.uniform_block(0, 77, random.BEFORE_TRAINING, 5 * rows)
    return numbers.reshape(rows, 5).astype(np.float32)


class OnDemand:
    """Rows that are made when they are asked for."""

    def __init__(self, rows):
        self.rows = rows

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, chosen):
        return self.rows[chosen]


def test_noise_of_rows_does_not_depend_on_how_rows_come(store):
    build = Builder()
    x = build.input("x", TensorType(("N", 5)), Role.DATA)
    noise = build.add(Random("uniform", ("N", 5), 77, by_row=True))
    build.graph.outputs = {"sum": build.add(Map((x0 + x1,)), x, noise)}
    executable = load(generate(build.graph, "float32", 3), store=store)
    zeros = np.zeros((40, 5), np.float32)
    for given in (zeros, OnDemand(zeros)):
        np.testing.assert_array_equal(executable.evaluate({"x": given})["sum"], noise_of_rows(40))


@pytest.mark.parametrize("rows", [1, 2, 3, 5, 8, 150, 1025])
def test_order_of_rows_is_the_permutation(rows, store):
    build = Builder()
    x = build.input("x", TensorType(("N", 1)), Role.DATA)
    state = build.input("s", TensorType((), DOUBLE), Role.STATE)
    build.graph.outputs = {"x": x}
    build.graph.updates = {"s": build.add(Map((x0 + 1.0,), DOUBLE), state)}
    executable = load(generate(build.graph, "float64", 16), store=store)
    executable.bind("x", np.arange(rows, dtype=np.float64)[:, None])
    steps = -(-rows // 16)
    for epoch in (0, 3):
        seen = []
        for step in range(steps):
            executable.run(epoch * steps + step, 1, seed=9, shuffle=True)
            seen += executable.output("x")[:, 0].tolist()
        assert seen == random.permutation(rows, 9, epoch).tolist()
    executable.run(0, 1, seed=9, shuffle=False)
    assert executable.output("x")[:, 0].tolist() == list(range(min(rows, 16)))


def test_texts_of_glue_kernels(golden):
    """The texts that `show kernels` prints."""
    kernels = [
        glue.map_kernel(
            (f.where(x0 + x1 > 0, x0 + x1, 0.0),),
            (glue.MapOperand("a0", Element.FLOAT32), glue.MapOperand("a1", Element.FLOAT32)),
            (glue.MapOperand("b2", Element.FLOAT32),),
            collapse(("N", 3), (("N", 3), (3,))),
            Element.FLOAT32,
        ),
        glue.total_kernel("sum", Element.FLOAT32),
        glue.column_sum_kernel(Element.FLOAT32),
        glue.reduce_kernel("max", (False, True), Element.FLOAT64),
        glue.copy_kernel(2, Element.FLOAT32),
        glue.size_kernel(),
        glue_rows.softmax_kernel(Element.FLOAT32, 3),
        glue_rows.log_softmax_kernel(Element.FLOAT64),
        glue_rows.cross_entropy_kernel(0.0, Element.FLOAT32),
        glue_rows.pick_kernel(Element.FLOAT32),
        glue_rows.one_hot_kernel(Element.FLOAT32),
        glue_random.random_kernel("uniform", Element.FLOAT32),
        glue_random.order_kernel(),
        glue_random.fetch_kernel(Element.FLOAT32, single=False),
    ]
    golden("codegen/glue.txt", "\n\n".join(kernel.text for kernel in kernels))
