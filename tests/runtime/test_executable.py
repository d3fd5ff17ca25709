"""Loaded programs: data, parameters, steps, stopping, threads."""

import numpy as np
import pytest

from nndsl.codegen.generate import generate
from nndsl.codegen.program import Call, Kernel, Size, Split
from nndsl.codegen.target import host_target, target
from nndsl.passes import pipeline
from nndsl.passes.dce import DeadCode
from nndsl.runtime.compiler import Machine
from nndsl.runtime.executable import aligned, load
from nndsl.runtime.threads import Team
from tests.networks import data_for, optimizer, perceptron, start_values
from tests.runtime import small

ROWS = 10


@pytest.fixture
def training(store):
    graph = perceptron((4, 6, 3), "relu", "classes")
    passes = pipeline.training(optimizer(graph, "sgd", lr=0.1, momentum=0.9))
    graph = pipeline.run(graph, passes)
    executable = load(generate(graph, "float32", 4), store=store)
    executable.set_parameters(start_values(graph))
    for name, array in data_for(graph, ROWS).items():
        executable.bind(name, array)
    return executable


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_a_number_that_is_not_finite_stops_within_one_step(threads, store):
    executable = load(small.program(), threads, store=store)
    executable.set_parameters({"p": np.full(small.SIZE, 1.0)})
    assert executable.run(0, 10) == 10
    assert not executable.stopped
    weights = np.ones(small.SIZE)
    weights[50] = np.nan
    executable.set_parameters({"p": weights})
    assert executable.run(0, 10) == 1
    assert executable.stopped
    assert np.isnan(executable.output("loss"))
    executable.set_parameters({"p": np.ones(small.SIZE)})
    assert executable.run(0, 3) == 3
    assert executable.output("loss") == small.SIZE / 4
    executable.close()


def test_infinity_stops_too_and_nothing_does_unwatched(store):
    executable = load(small.program(), store=store)
    executable.set_parameters({"p": np.full(small.SIZE, np.inf)})
    assert executable.run(0, 5) == 1
    executable = load(small.program(watch=None), store=store)
    executable.set_parameters({"p": np.full(small.SIZE, np.inf)})
    assert executable.run(0, 5) == 5


@pytest.mark.parametrize("extent", [1, 7, 16, 33, 100])
@pytest.mark.parametrize("threads", [1, 2, 3, 7])
@pytest.mark.parametrize("align", [1, 8])
def test_every_element_is_done_once_by_one_thread(extent, threads, align, store):
    count = Kernel(
        "count",
        "glue",
        "def count(p, w, low, high):\n"
        "    for i in range(low, high):\n"
        "        p[i] = p[i] + float32(1.0)\n"
        "        w[i] = float32(low)\n",
        ("pointer:float32",) * 2,
        small.HALVE.element,
    )
    call = Call(0, (small.P, small.W), Size(extent), Split.OWN, align=align, reach=(100, 100))
    base = small.program(watch=None)
    program = type(base)(
        **{**{f: getattr(base, f) for f in base.__dataclass_fields__}, "kernels": (count,)}
        | {"calls": (call,)}
    )
    executable = load(program, threads, store=store)
    executable.set_parameters({"p": np.zeros(small.SIZE)})
    executable.run(0, 20)
    done = executable.parameters()["p"]
    assert done[:extent].tolist() == [20] * extent
    assert not done[extent:].any()
    starts = set(executable.output("w")[:extent].tolist())
    assert all(start % align == 0 for start in starts)
    executable.close()


def test_the_same_steps_at_once_or_one_by_one(training):
    weights = training.parameters()
    assert training.run(0, 7, seed=2, shuffle=True, total_steps=9) == 7
    at_once = {**training.parameters(), **training.states()}
    training.set_parameters(weights)
    training.set_states({n: np.zeros_like(v) for n, v in training.states().items()})
    for step in range(7):
        training.run(step, 1, seed=2, shuffle=True, total_steps=9)
    for name, array in {**training.parameters(), **training.states()}.items():
        np.testing.assert_array_equal(array, at_once[name])


def test_seed_and_order_matter(training):
    weights = training.parameters()
    results = []
    for seed, shuffle in ((1, True), (2, True), (1, False)):
        training.set_parameters(weights)
        training.set_states({n: np.zeros_like(v) for n, v in training.states().items()})
        training.run(0, 3, seed=seed, shuffle=shuffle)
        results.append(training.parameters()["w1"].tobytes())
    assert len(set(results)) == 3


def test_fewer_rows_and_outputs_of_short_batches(training):
    training.run(0, 3, rows=10)
    assert training.run(2, 1, rows=10) == 1
    assert training.output("data_loss").shape == ()
    with pytest.raises(ValueError, match="11 rows of 10"):
        training.run(0, 1, rows=11)
    assert training.run(0, 0) == 0


def test_an_epoch_may_leave_out_the_last_rows_of_its_order(training):
    """Of 10 rows in batches of 4, 8 are seen: the step after them begins the next order."""
    weights = training.parameters()

    def after(*steps, **rows):
        training.set_parameters(weights)
        training.set_states({n: np.zeros_like(v) for n, v in training.states().items()})
        for first, count in steps:
            training.run(first, count, seed=3, shuffle=True, rows=10, total_steps=9, **rows)
        return training.parameters()["w1"].tobytes()

    assert after((0, 5), epoch_rows=8) == after((0, 2), (2, 2), (4, 1), epoch_rows=8)
    assert after((0, 2), epoch_rows=8) == after((0, 2))
    assert after((0, 3), epoch_rows=8) != after((0, 3))


def test_what_is_bound_must_fit(training):
    with pytest.raises(KeyError):
        training.bind("nothing", np.zeros((3, 4), np.float32))
    with pytest.raises(KeyError):
        training.bind("w1", np.zeros((4, 6), np.float32))
    for array in (np.zeros((3, 4)), np.zeros((3, 5), np.float32), np.float32(1)):
        with pytest.raises(ValueError, match="x takes float32 rowsx4"):
            training.bind("x", np.asarray(array))
    with pytest.raises(ValueError, match="contiguous"):
        training.bind("x", np.zeros((6, 4), np.float32)[::2])
    training.bind("x", np.zeros((7, 4), np.float32))
    with pytest.raises(ValueError, match="different numbers of rows"):
        training.run(0, 1)


@pytest.mark.parametrize("wrong", [-1, 3, 2**31 - 1])
def test_class_numbers_are_checked_because_kernels_use_them_as_places(training, wrong):
    classes = np.zeros(ROWS, np.int32)
    classes[4] = wrong
    with pytest.raises(ValueError, match=r"beyond 0\.\.2"):
        training.bind("t", classes)


def test_parameters_states_and_settings_by_name(training):
    values = {"b1": np.arange(6.0)}
    training.set_parameters(values)
    assert training.parameters()["b1"].tolist() == [0, 1, 2, 3, 4, 5]
    assert training.memory("b1").base is not None
    with pytest.raises(KeyError):
        training.set_parameters({"b9": values["b1"]})
    with pytest.raises(ValueError, match="shape"):
        training.set_parameters({"b1": np.zeros(5)})
    with pytest.raises(KeyError):
        training.set_states({"b1": values["b1"]})
    with pytest.raises(KeyError):
        training.memory("nothing")
    training.set_settings({"optimizer.lr": 0.0})
    training.run(0, 2)
    assert training.parameters()["b1"].tolist() == [0, 1, 2, 3, 4, 5]
    with pytest.raises(KeyError):
        training.set_settings({"optimizer.nothing": 1.0})


def test_how_many_steps_fit_into_a_time(training):
    assert training.steps_within(1.0) == 1
    training.run(0, 1000)
    assert training.steps_within(0.1) > 1000


def test_evaluation_in_batches_equals_one_batch(store):
    graph = perceptron((4, 6, 3), "tanh", "classes")
    graph = pipeline.run(graph, pipeline.INFERENCE)
    weights, data = start_values(graph), data_for(graph, 23)
    results = []
    for batch in (1, 8, 23, 64):
        executable = load(generate(graph, "float32", batch), store=store)
        executable.set_parameters(weights)
        results.append(executable.evaluate(data))
    for other in results[:-1]:
        np.testing.assert_array_equal(other["y"], results[-1]["y"])
        np.testing.assert_allclose(other["loss"], results[-1]["loss"], rtol=1e-6)


def test_too_many_threads_are_refused(store):
    with pytest.raises(ValueError, match="0 threads"):
        load(small.program(), 0, store=store)


def test_a_team_runs_every_number_and_ends():
    team = Team(4)
    for _ in range(3):
        seen = []
        team.run(seen.append)
        assert sorted(seen) == [0, 1, 2, 3]
    team.close()
    team.close()
    with pytest.raises(ValueError, match="at least one"):
        Team(0)


def test_memory_is_aligned():
    for size in (1, 100):
        assert aligned(size).ctypes.data % 64 == 0
        assert len(aligned(size)) == size


@pytest.mark.parametrize("name", ["plain", "avx2"])
def test_glue_for_other_processors(name, store):
    """Code for lesser processors gives the same results where it can run."""
    wanted = target(name)
    if wanted.lanes > host_target().lanes:
        pytest.skip("this processor is less than that")
    executable = load(small.program(), target=wanted, store=store)
    executable.set_parameters({"p": np.ones(small.SIZE)})
    executable.run(0, 2)
    assert executable.parameters()["p"].tolist() == [0.25] * small.SIZE


def test_kernels_may_only_call_mathematics():
    with pytest.raises(ValueError, match="calls system"):
        Machine(host_target()).object_code(
            "declare i32 @system(ptr)\n"
            "define void @f(ptr %a) { %r = call i32 @system(ptr %a) ret void }",
            optimise=False,
        )


def test_a_predictor_gives_what_evaluation_gives(store):
    graph = perceptron((4, 6, 3), "tanh", "classes")
    for name in ("loss", "data_loss"):
        del graph.outputs[name]
    del graph.inputs["t"]
    graph = pipeline.run(graph, (DeadCode(), *pipeline.INFERENCE))
    executable = load(generate(graph, "float32", 8), store=store)
    executable.set_parameters(start_values(graph))
    for rows in (1, 5, 8):
        x = data_for(graph, rows)["x"]
        expected = executable.evaluate({"x": x})["y"]
        predict = executable.predictor(rows)
        predict(np.zeros_like(x))
        np.testing.assert_array_equal(predict(x), expected)
    with pytest.raises(ValueError, match="9 rows"):
        executable.predictor(9)


@pytest.fixture(scope="module")
def predicting(store):
    graph = perceptron((4, 6, 3), "tanh", "classes")
    for name in ("loss", "data_loss"):
        del graph.outputs[name]
    del graph.inputs["t"]
    graph = pipeline.run(graph, (DeadCode(), *pipeline.INFERENCE))
    executable = load(generate(graph, "float32", 8), store=store)
    executable.set_parameters(start_values(graph))
    return executable


def as_given(x):
    return x


def as_another_type(x):
    return x.astype(np.float64)


def every_second_column(x):
    return np.repeat(x, 2, axis=1)[:, ::2]


def column_by_column(x):
    return np.asfortranarray(x)


class Rows(np.ndarray):
    """A kind of array of somebody else's."""


def of_another_class(x):
    return x.view(Rows)


@pytest.mark.parametrize(
    "form",
    [as_given, as_another_type, every_second_column, column_by_column, of_another_class],
)
@pytest.mark.parametrize("brief", [0.0, 1e9])
def test_a_predictor_reads_any_array_right(form, brief, predicting, rng, monkeypatch):
    """Arrays that cannot be read where they lie are copied, not misread."""
    monkeypatch.setattr("nndsl.runtime.executable.BRIEF", brief)
    x = rng.normal(size=(5, 4)).astype(np.float32)
    (expected,) = predicting.evaluate({"x": x}).values()
    predict = predicting.predictor(5)
    predict(np.full((5, 4), np.nan, np.float32))
    np.testing.assert_array_equal(predict(form(x)), expected)


@pytest.mark.parametrize("shape", [(5, 3), (4, 4), (5, 4, 1), (20,)])
def test_a_predictor_refuses_other_shapes(shape, predicting):
    predict = predicting.predictor(5)
    with pytest.raises(ValueError, match="broadcast"):
        predict(np.zeros(shape, np.float32))


def test_a_predictor_without_knowledge_of_arrays(predicting, rng, monkeypatch):
    """On a Python or NumPy whose arrays look otherwise in memory."""
    monkeypatch.setattr("nndsl.runtime.predicting._fields", lambda given: None)
    x = rng.normal(size=(2, 4)).astype(np.float32)
    (expected,) = predicting.evaluate({"x": x}).values()
    predict = predicting.predictor(2)
    np.testing.assert_array_equal(predict(x), expected)


def test_training_programs_have_no_predictor(training):
    with pytest.raises(ValueError, match="no prediction"):
        training.predictor(1)
