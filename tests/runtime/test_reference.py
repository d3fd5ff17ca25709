"""The oracle: names, precisions, sizes, mistakes."""

import numpy as np
import pytest

from nndsl.ir.graph import Builder, Role
from nndsl.ir.types import ElementType, TensorType
from nndsl.ops.base import Clock
from nndsl.ops.map import Map, operand
from nndsl.ops.source import Random, SizeOf
from nndsl.runtime.reference import evaluate
from nndsl.scalar.functions import exp, log

x, y = operand(0), operand(1)
DOUBLE = TensorType((), ElementType.DOUBLE)


@pytest.fixture
def build() -> Builder:
    build = Builder()
    build.input("x", TensorType(("N", 2)), Role.DATA)
    build.input("w", TensorType((2,)), Role.PARAMETER)
    build.input("lr", DOUBLE, Role.SETTING, setting=0.5)
    return build


def value(build, name):
    return build.graph.inputs[name].value


ARRAYS = {"x": [[1, 2], [3, 4], [5, 6]], "w": [10, 20]}


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_outputs_and_updates_have_the_precision_of_the_run(build, precision):
    build.graph.outputs["y"] = build.add(Map((x * y,)), value(build, "x"), value(build, "w"))
    build.graph.updates["w"] = build.add(Map((x * y,)), value(build, "w"), value(build, "lr"))
    build.graph.outputs["rows"] = build.add(SizeOf("N"))
    outputs, updates = evaluate(build.graph, ARRAYS, precision=precision)
    assert outputs["y"].tolist() == [[10, 40], [30, 80], [50, 120]]
    assert updates["w"].tolist() == [5, 10]
    assert outputs["y"].dtype == updates["w"].dtype == np.dtype(precision)
    assert outputs["rows"] == 3 and outputs["rows"].dtype == np.float64


def test_double_numbers_are_rounded_when_a_real_formula_reads_them(build):
    build.graph.outputs["y"] = build.add(Map((x,)), value(build, "lr"))
    outputs, _ = evaluate(build.graph, {**ARRAYS, "lr": 0.1}, precision="float32")
    assert outputs["y"] == np.float32(0.1)


def test_a_setting_may_be_given_anew(build):
    build.graph.outputs["lr"] = value(build, "lr")
    assert evaluate(build.graph, ARRAYS)[0]["lr"] == 0.5
    assert evaluate(build.graph, {**ARRAYS, "lr": 2})[0]["lr"] == 2


def test_noise_follows_the_clock(build):
    build.graph.outputs["y"] = build.add(Random("uniform", ("N", 2), 1))
    first, again, later = (
        evaluate(build.graph, ARRAYS, Clock(seed=1, step=s))[0]["y"] for s in (0, 0, 1)
    )
    assert np.array_equal(first, again) and not np.array_equal(first, later)
    fewer, _ = evaluate(build.graph, {**ARRAYS, "x": [[1, 2]]}, Clock(seed=1))
    assert np.array_equal(fewer["y"], first[:1])


def test_infinities_are_results_and_no_warnings(build):
    risky = Map((log(x - 1) + exp(1000 * x),))
    build.graph.outputs["y"] = build.add(risky, value(build, "x"))
    assert not np.isfinite(evaluate(build.graph, ARRAYS)[0]["y"]).all()


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"w": None}, "w has no array"),
        ({"w": [1, 2, 3]}, "w is real"),
        ({"x": [1, 2]}, "x is real"),
        ({"x": [[1, 2, 3]]}, "x is real"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(build, changed, complaint):
    arrays = {k: v for k, v in {**ARRAYS, **changed}.items() if v is not None}
    with pytest.raises(ValueError, match=complaint):
        evaluate(build.graph, arrays)


def test_one_name_is_one_size(build):
    build.input("t", TensorType(("N",)), Role.TARGET)
    with pytest.raises(ValueError, match="t is real"):
        evaluate(build.graph, {**ARRAYS, "t": [1.0, 2.0]})
