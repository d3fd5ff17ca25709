"""What every operation promises: types, values, gradients, decompositions. Driven by samples."""

import numpy as np
import pytest

from nndsl.ir.graph import Builder, Graph, Role, ShapeError
from nndsl.ir.types import ElementType
from nndsl.ops import OPERATIONS
from nndsl.ops.base import Clock, Fusion, Op
from nndsl.ops.reduction import sum_to
from nndsl.ops.shapes import actual
from nndsl.runtime.reference import evaluate
from tests.ops.sampling import SAMPLES, SIZES, central_differences, draw, graph_of, names

CLOCK = Clock(seed=4, step=2, sizes=SIZES)
each_sample = pytest.mark.parametrize(("operation", "types"), SAMPLES, ids=names())


@pytest.mark.parametrize("cls", OPERATIONS.values(), ids=list(OPERATIONS))
def test_every_operation_describes_itself(cls):
    assert cls.samples(), "an op without samples is not tested"
    assert isinstance(cls.fusion, Fusion)
    assert cls.__doc__ and issubclass(cls, Op)
    for operation, _ in cls.samples():
        assert hash(operation) == hash(type(operation)(**operation.options()))


@each_sample
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_values_have_the_inferred_type(operation, types, precision, rng):
    clock = Clock(seed=4, step=2, sizes=SIZES, precision=precision)
    arrays = [
        a.astype(clock.dtype(t.element)) for a, t in zip(draw(types, rng), types, strict=True)
    ]
    expected = operation.infer(types)
    results = operation.meaning(arrays, clock)
    assert len(results) == len(expected)
    for result, type in zip(results, expected, strict=True):
        assert result.shape == actual(type.shape, SIZES)
        assert result.dtype == clock.dtype(type.element)


@each_sample
def test_an_identity_hands_on_its_operand(operation, types, rng):
    if types and operation.is_identity(types):
        arrays = draw(types, rng)
        assert np.array_equal(operation.meaning(arrays, CLOCK)[0], arrays[0])


@each_sample
def test_flops_are_counted(operation, types):
    counted = operation.flops(types)
    assert counted >= 0
    if operation.fusion in (Fusion.CONTRACTION, Fusion.ROW, Fusion.ELEMENTWISE, Fusion.REDUCE):
        assert counted > 0


@each_sample
def test_a_wrong_number_of_operands_is_refused(operation, types):
    if operation.name not in ("map", "concat", "attention_weights"):
        with pytest.raises(ShapeError):
            operation.infer([*types, *types, *types][: len(types) + 1] or [None])


@each_sample
def test_the_gradient_is_that_of_central_differences(operation, types, rng):
    build = graph_of(operation, types)
    (node,) = build.graph.nodes
    arrays = {f"i{i}": array for i, array in enumerate(draw(types, rng))}
    weights = {f"d{i}": draw([v.type], rng)[0] for i, v in enumerate(node.outputs)}
    upstream = [build.input(f"d{i}", v.type, Role.DATA) for i, v in enumerate(node.outputs)]
    if node.outputs[0].type.element is ElementType.INDEX:
        return  # class numbers have no gradient

    def total(changed):
        outputs, _ = evaluate(build.graph, {**arrays, **weights, **changed}, CLOCK)
        return sum((outputs[f"o{i}"] * weights[f"d{i}"]).sum() for i in range(len(node.outputs)))

    gradients = operation.gradient(build, node, upstream)
    assert len(gradients) == len(types)
    for i, (gradient, type) in enumerate(zip(gradients, types, strict=True)):
        if gradient is None:
            assert type.element is ElementType.INDEX
            continue
        gradient = sum_to(build, gradient, type)
        assert gradient.type == type
        found, _ = evaluate(
            Graph(build.graph.inputs, build.graph.nodes, {"g": gradient}),
            {**arrays, **weights},
            CLOCK,
        )
        expected = central_differences(lambda a, i=i: total({f"i{i}": a}), arrays[f"i{i}"])
        np.testing.assert_allclose(found["g"], expected, rtol=1e-6, atol=1e-8)


@each_sample
def test_no_upstream_gives_no_gradient(operation, types):
    build = graph_of(operation, types)
    (node,) = build.graph.nodes
    assert list(operation.gradient(build, node, [None] * len(node.outputs))) == [None] * len(types)


@each_sample
def test_a_joint_op_equals_its_decomposition_in_value_and_gradient(operation, types, rng):
    build = graph_of(operation, types)
    joint = build.graph.nodes[0]
    parts = operation.decompose(build, joint.inputs)
    if parts is None:
        return
    arrays = {f"i{i}": array for i, array in enumerate(draw(types, rng))}
    values, _ = evaluate(_showing(build, [*joint.outputs, *parts]), arrays, CLOCK)
    for i in range(len(parts)):
        np.testing.assert_allclose(values[str(i)], values[str(i + len(parts))], rtol=1e-12)
    upstream = [build.input(f"d{i}", v.type, Role.DATA) for i, v in enumerate(joint.outputs)]
    arrays |= {f"d{i}": draw([v.type], rng)[0] for i, v in enumerate(joint.outputs)}
    one_pass = operation.gradient(build, joint, upstream)[0]
    derived = back_propagate(build, dict(zip(parts, upstream, strict=True)), joint.inputs[0])
    gradients, _ = evaluate(_showing(build, [one_pass, derived]), arrays, CLOCK)
    np.testing.assert_allclose(gradients["0"], gradients["1"], rtol=1e-9, atol=1e-12)


def _showing(build: Builder, values) -> Graph:
    graph = build.graph
    return Graph(graph.inputs, graph.nodes, {str(i): v for i, v in enumerate(values)})


def back_propagate(build, gradients, wanted):
    """Gradients through all nodes but the first (the joint one), from the last to the first."""
    from nndsl.ops.compose import add_sum

    collected = {value: [g] for value, g in gradients.items()}
    makers = [n for n in build.graph.nodes[1:] if n.inputs and not _is_gradient(n)]
    for node in reversed(makers):
        upstream = [add_sum(build, collected[v]) if v in collected else None for v in node.outputs]
        if all(u is None for u in upstream):
            continue
        gradients = node.operation.gradient(build, node, upstream)
        for value, gradient in zip(node.inputs, gradients, strict=True):
            if gradient is not None:
                summed = sum_to(build, gradient, value.type)
                collected.setdefault(value, []).append(summed)
    return add_sum(build, collected[wanted])


def _is_gradient(node):
    return any(v.name.startswith("gradient") for v in node.outputs)
