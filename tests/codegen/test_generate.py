"""Whole small networks: compiled training steps against the oracle, in every setting."""

from dataclasses import replace

import numpy as np
import pytest

from nndsl import random
from nndsl.codegen.generate import generate
from nndsl.codegen.program import Region, Size, Split
from nndsl.ir.graph import Builder, Role
from nndsl.ir.types import ElementType, TensorType
from nndsl.ops.base import Clock
from nndsl.ops.map import Map, operand
from nndsl.passes import pipeline
from nndsl.runtime import reference
from nndsl.runtime.executable import load
from tests.networks import data_for, optimizer, perceptron, start_values, without

ROWS, BATCH, STEPS, SEED = 21, 8, 7, 3
NETWORKS = {
    "classes": ((4, 6, 4, 3), "elu", "classes", "sgd", {"lr": 0.1, "momentum": 0.9}),
    "binary": ((5, 17, 9, 1), "relu", "binary", "adam", {"lr": 0.01}),
    "regression": ((3, 8, 2), "tanh", "mse", "momentum", {"lr": 0.02}),
    "sigmoid": ((3, 33, 3), "sigmoid", "classes", "nesterov", {"lr": 0.1}),
}
WITHOUT = (
    ("fuse_maps", "fuse_epilogues"),
    ("fuse_maps",),
    ("fuse_epilogues",),
    ("simplify", "join", "cse", "fold"),
)


def training_graph(name, left_out=(), clip=None):
    sizes, activation, loss, word, numbers = NETWORKS[name]
    graph = perceptron(sizes, activation, loss)
    passes = pipeline.training(optimizer(graph, word, **numbers), clip)
    return pipeline.run(graph, without(passes, left_out))


def inputs_for(graph, precision):
    data = data_for(graph, ROWS, 2, precision)
    return {n: a.astype(precision) for n, a in start_values(graph).items()}, data


def trained(graph, precision, store, threads=1, batch=BATCH, chunks=(STEPS,)):
    """Parameters and states after the steps, and the last loss."""
    executable = load(generate(graph, precision, batch), threads, store=store)
    weights, data = inputs_for(graph, precision)
    executable.set_parameters(weights)
    for name, array in data.items():
        executable.bind(name, array)
    executable.poison()
    first = 0
    for steps in chunks:
        assert executable.run(first, steps, seed=SEED, shuffle=True, total_steps=STEPS) == steps
        first += steps
    results = {**executable.parameters(), **executable.states()}
    loss = executable.output("data_loss")
    executable.close()
    return results, loss


def oracle(graph, precision, batch=BATCH):
    weights, data = inputs_for(graph, precision)
    values = dict(weights)
    for entry_name, entry in graph.inputs.items():
        if entry.role is Role.STATE:
            values[entry_name] = np.zeros(entry.value.type.shape)
    per_epoch = -(-ROWS // batch)
    for step in range(STEPS):
        epoch, place = divmod(step, per_epoch)
        order = random.permutation(ROWS, SEED, epoch)[place * batch : (place + 1) * batch]
        clock = {"step": step, "epoch": epoch, "total_steps": STEPS, "steps_per_epoch": per_epoch}
        given = {n: c for n, c in clock.items() if n in graph.inputs}
        rows = {n: a[order] for n, a in data.items()}
        arrays = {**values, **rows, **given}
        outputs, updates = reference.evaluate(graph, arrays, Clock(SEED, step), precision)
        values.update(updates)
    return {n: values[n] for n in updates}, outputs["data_loss"]


def assert_close(found, expected, precision):
    close = 3e-5 if precision == "float32" else 1e-12
    for name, value in expected[0].items():
        np.testing.assert_allclose(found[0][name], value, rtol=close, atol=close, err_msg=name)
    np.testing.assert_allclose(found[1], expected[1], rtol=close)


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("name", NETWORKS)
def test_training_equals_the_oracle(name, precision, store):
    graph = training_graph(name)
    assert_close(trained(graph, precision, store), oracle(graph, precision), precision)


@pytest.mark.parametrize("left_out", WITHOUT, ids="+".join)
@pytest.mark.parametrize("name", ["classes", "binary"])
def test_passes_change_nothing(name, left_out, store):
    expected = oracle(training_graph(name), "float64")
    graph = training_graph(name, left_out)
    assert_close(trained(graph, "float64", store), expected, "float64")


def test_clipping_by_norm(store):
    graph = training_graph("binary", clip=0.01)
    assert_close(trained(graph, "float64", store), oracle(graph, "float64"), "float64")


@pytest.mark.parametrize("name", NETWORKS)
def test_threads_and_chunks_give_the_same_bits(name, store):
    graph = training_graph(name)
    one, loss = trained(graph, "float32", store, batch=21)
    settings = [{"threads": 2}, {"threads": 3}, {"chunks": (1, 2, STEPS - 3)}]
    for setting in settings:
        other, other_loss = trained(graph, "float32", store, batch=21, **setting)
        assert other_loss == loss
        for array, again in zip(one.values(), other.values(), strict=True):
            np.testing.assert_array_equal(array, again)


def test_the_update_of_all_parameters_is_one_call():
    program = generate(training_graph("binary"), "float32", BATCH)
    updates = [c for c in program.calls if "next:" in c.label]
    assert len(updates) == 1
    assert updates[0].extent.factor >= sum(a * b + b for a, b in ((5, 17), (17, 9), (9, 1)))


def test_no_kernel_is_there_twice_and_calls_are_few():
    program = generate(training_graph("classes"), "float32", BATCH)
    names = [k.name for k in program.kernels]
    assert len(names) == len(set(names))
    assert len(program.calls) <= 21
    assert sum(c.barrier for c in program.calls) <= 5


def test_a_graph_of_other_sizes_has_the_same_glue():
    small = generate(training_graph("classes"), "float32", BATCH)
    sizes = ((7, 9, 5, 3), "elu", "classes")
    graph = perceptron(*sizes)
    passes = pipeline.training(optimizer(graph, "sgd", lr=0.2, momentum=0.5))
    large = generate(pipeline.run(graph, passes), "float32", 100)
    glue = [{k.name for k in p.kernels if k.kind == "glue"} for p in (small, large)]
    assert glue[0] == glue[1]


def test_inference_reads_the_rows_where_they_are(store):
    graph = perceptron((4, 6, 3), "relu", "classes")
    graph = pipeline.run(graph, pipeline.INFERENCE)
    program = generate(graph, "float32", 8)
    assert not program.gathers
    executable = load(program, store=store)
    weights, data = inputs_for(graph, "float32")
    executable.set_parameters(weights)
    found = executable.evaluate(data)
    expected, _ = reference.evaluate(graph, {**weights, **data}, precision="float32")
    assert found["y"].shape == (ROWS, 3)
    np.testing.assert_allclose(found["y"], expected["y"], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found["loss"], expected["loss"], rtol=1e-6)


def test_an_input_may_be_an_output_and_updates_may_swap(store):
    build = Builder()
    number = TensorType((3,), ElementType.REAL)
    a = build.input("a", number, Role.PARAMETER)
    b = build.input("b", number, Role.PARAMETER)
    x = build.input("x", TensorType(("N", 2)), Role.DATA)
    build.graph.outputs = {"x": x, "a": a}
    build.graph.updates = {"a": b, "b": a}
    executable = load(generate(build.graph, "float32", 2), store=store)
    executable.set_parameters({"a": np.arange(3), "b": np.arange(3) + 10})
    executable.bind("x", np.ones((2, 2), np.float32))
    executable.run(0, 1)
    swapped = executable.parameters()
    assert swapped["a"].tolist() == [10, 11, 12]
    assert swapped["b"].tolist() == [0, 1, 2]
    assert executable.output("x").tolist() == [[1, 1], [1, 1]]


def test_a_call_that_reaches_beyond_its_buffer_is_refused(store):
    program = generate(training_graph("classes"), "float32", BATCH)
    calls = list(program.calls)
    wrong = replace(calls[3], reach=(10**6, *calls[3].reach[1:]))
    with pytest.raises(ValueError, match="reaches beyond"):
        load(replace(program, calls=(*calls[:3], wrong, *calls[4:])), store=store)
    small = {**program.region_bytes, Region.WORKSPACE: 64}
    with pytest.raises(ValueError, match="outside its region"):
        load(replace(program, region_bytes=small), store=store)


def test_sizes_with_two_names_are_refused():
    build = Builder()
    x = build.input("x", TensorType(("N", "T")), Role.DATA)
    build.graph.outputs = {"y": build.add(Map((operand(0) * 2.0,)), x)}
    with pytest.raises(ValueError, match="T"):
        generate(build.graph, "float32", 4)


def test_calls_say_where_they_come_from():
    program = generate(training_graph("classes"), "float32", BATCH)
    assert any("dense[2]" in call.label for call in program.calls)
    assert {call.split for call in program.calls} == set(Split)
    assert all(call.extent != Size(0) for call in program.calls)


def test_a_program_as_text(golden):
    """Kernels, extents and waits of a small training step."""
    program = generate(training_graph("regression"), "float32", BATCH)
    lines = []
    for call in program.calls:
        wait = "wait; " if call.barrier else ""
        kernel = program.kernels[call.kernel]
        word = kernel.name.rsplit("_", 1)[0]
        extent = f"{call.extent.factor} {call.extent.symbol}"
        lines.append(f"{wait}{word}  {call.label}  [{extent}, {call.split.value}]")
    golden("codegen/program.txt", "\n".join(lines) + "\n")
