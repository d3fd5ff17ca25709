"""Layers built alone: shapes, values, what they ask for, and their errors."""

import numpy as np
import pytest

from nndsl.ir.graph import ShapeError
from nndsl.ir.types import ElementType
from nndsl.ops.base import Clock
from nndsl.vocab.arguments import call
from nndsl.vocab.registry import words
from tests.vocab.context import Built


def test_dense(rng: np.random.Generator) -> None:
    layer = Built("dense", [("N", 4)], 3)
    assert layer.shape == ("N", 3)
    weight, bias = layer.context.asked["weight"], layer.context.asked["bias"]
    assert (weight["shape"], weight["axes"], weight["decays"]) == ((4, 3), (1, 0), True)
    assert (weight["fan_in"], weight["fan_out"]) == (4, 3)
    assert (bias["shape"], bias["values"], bias["decays"]) == ((3,), 0.0, False)
    x, w, b = rng.normal(size=(5, 4)), rng.normal(size=(4, 3)), rng.normal(size=3)
    np.testing.assert_allclose(layer.run(x, weight=w, bias=b), x @ w + b)


def test_dense_adds_several_operands(rng: np.random.Generator) -> None:
    layer = Built("dense", [("N", 4), ("N", 2)], 3)
    assert list(layer.context.asked) == ["weight[1]", "weight[2]", "bias"]
    assert layer.context.asked["weight[2]"]["fan_in"] == 6
    x, h = rng.normal(size=(5, 4)), rng.normal(size=(5, 2))
    given = {
        "weight[1]": rng.normal(size=(4, 3)),
        "weight[2]": rng.normal(size=(2, 3)),
        "bias": np.ones(3),
    }
    expected = x @ given["weight[1]"] + h @ given["weight[2]"] + 1
    np.testing.assert_allclose(layer.run(x, h, **given), expected)


@pytest.mark.parametrize(
    ("bias", "values"), [(True, 0.0), (0.1, 0.1), ([1.0, 2.0], [1.0, 2.0]), (False, None)]
)
def test_bias_of_dense(bias: object, values: object) -> None:
    asked = Built("dense", [("N", 4)], 2, bias=bias).context.asked
    assert ("bias" in asked) == (bias is not False)
    if "bias" in asked:
        np.testing.assert_array_equal(asked["bias"]["values"], values)


def test_given_weights_and_initialisers_are_passed_on() -> None:
    rows = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
    asked = Built("dense", [("N", 2)], 3, weights=rows).context.asked
    np.testing.assert_array_equal(asked["weight"]["values"], rows)
    he = call(words("initializer")["he_normal"])
    assert Built("dense", [("N", 2)], 3, init=he).context.asked["weight"]["initializer"] is he
    assert Built("dense", [("N", 2)], 3).context.asked["weight"]["initializer"] is None
    assert Built("dense", [("N", 2)], 3, weights=0.5).context.asked["weight"]["values"] == 0.5


def test_given_weights_of_several_operands_are_cut() -> None:
    rows = [[1.0, 2.0, 3.0]]
    asked = Built("dense", [("N", 2), ("N", 1)], 1, weights=rows).context.asked
    np.testing.assert_array_equal(asked["weight[1]"]["values"], [[1.0, 2.0]])
    np.testing.assert_array_equal(asked["weight[2]"]["values"], [[3.0]])
    with pytest.raises(ShapeError, match="1 units on 3 inputs need 1x3"):
        Built("dense", [("N", 2), ("N", 1)], 1, weights=[[1.0, 2.0]])


def test_dense_before_the_data_is_known() -> None:
    layer = Built("dense", [("N", "columns of d")], 3)
    assert layer.context.asked["weight"]["shape"] == ("columns of d", 3)
    assert layer.shape == ("N", 3)


def test_dense_needs_a_flat_input() -> None:
    with pytest.raises(ShapeError, match="not 1x28x28") as caught:
        Built("dense", [("N", 1, 28, 28)], 10)
    assert caught.value.code == "NN202"
    assert caught.value.help == "flatten -> dense(10)"
    with pytest.raises(ShapeError, match="not class numbers"):
        Built("dense", [("N", 3)], 10, element=ElementType.INDEX)


def test_dropout_in_training() -> None:
    layer = Built("dropout", [("N", 100)], 0.25, training=True)
    x = np.ones((200, 100))
    first, second = (layer.run(x, clock=Clock(seed=1, step=s)) for s in (0, 1))
    assert set(np.unique(first)) == {0.0, 1 / 0.75}
    assert np.mean(first == 0.0) == pytest.approx(0.25, abs=0.02)
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(first, layer.run(x, clock=Clock(seed=1, step=0)))


def test_dropout_of_the_lectures_scales_at_inference() -> None:
    training = Built("dropout", [("N", 100)], 0.25, training=True, scaling="inference")
    assert set(np.unique(training.run(np.ones((20, 100))))) == {0.0, 1.0}
    inference = Built("dropout", [("N", 3)], 0.25, scaling="inference")
    np.testing.assert_array_equal(inference.run(np.ones((1, 3))), [[0.75] * 3])


@pytest.mark.parametrize(("name", "argument"), [("dropout", 0.5), ("add_noise", 0.5)])
def test_nothing_is_changed_at_inference(name: str, argument: float) -> None:
    layer = Built(name, [("N", 3)], argument)
    assert layer.output is layer.inputs[0]
    nothing = Built(name, [("N", 3)], 0.0, training=True)
    assert nothing.output is nothing.inputs[0]


def test_add_noise() -> None:
    layer = Built("add_noise", [("N", 100)], 0.5, training=True)
    noise = layer.run(np.full((100, 100), 3.0)) - 3.0
    assert np.std(noise) == pytest.approx(0.5, rel=0.03)
    assert abs(np.mean(noise)) < 0.02


def test_noise_needs_no_input() -> None:
    layer = Built("noise", [], 7)
    assert layer.shape == ("N", 7)
    assert words("layer")["noise"].operands == (0, 0)  # type: ignore[attr-defined]


def test_softmax_and_its_logarithm() -> None:
    x = np.array([[1.0, 2.0, 3.0], [1000.0, 0.0, -1000.0]])
    soft = Built("softmax", [("N", 3)]).run(x)
    np.testing.assert_allclose(soft.sum(axis=1), 1.0)
    np.testing.assert_allclose(soft[0], np.exp(x[0]) / np.exp(x[0]).sum())
    np.testing.assert_allclose(Built("log_softmax", [("N", 3)]).run(x)[0], np.log(soft[0]))


def test_flatten(rng: np.random.Generator) -> None:
    layer = Built("flatten", [("N", 2, 3, 4)])
    assert layer.shape == ("N", 24)
    x = rng.normal(size=(5, 2, 3, 4))
    np.testing.assert_array_equal(layer.run(x), x.reshape(5, 24))
    flat = Built("flatten", [("N", 4)])
    assert flat.output is flat.inputs[0]
    assert Built("flatten", [("N", "H", 1)]).shape == ("N", "H")
    with pytest.raises(ShapeError, match="sizes that are known"):
        Built("flatten", [("N", "H", 3)])


def test_concat(rng: np.random.Generator) -> None:
    layer = Built("concat", [("N", 2), ("N", 3)])
    assert layer.shape == ("N", 5)
    a, b = rng.normal(size=(4, 2)), rng.normal(size=(4, 3))
    np.testing.assert_array_equal(layer.run(a, b), np.concatenate([a, b], axis=1))
    alone = Built("concat", [("N", 2)])
    assert alone.output is alone.inputs[0]


def test_scale() -> None:
    np.testing.assert_array_equal(Built("scale", [("N", 2)], 2).run([[1.0, 3.0]]), [[2.0, 6.0]])
