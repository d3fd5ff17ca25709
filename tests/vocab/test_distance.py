"""Neurons by distance beside the formula in NumPy, and their gradients at the centre itself."""

from __future__ import annotations

import numpy as np
import pytest

from nndsl.ir.graph import ShapeError
from nndsl.ir.types import ElementType
from nndsl.ops.compose import add_mean
from nndsl.passes.differentiate import PREFIX, Differentiate
from nndsl.runtime.reference import evaluate
from tests.vocab.context import Built


def distances(x, centres):
    """|x - w| for each row and centre; centres are columns."""
    return np.sqrt(((x[:, :, None] - centres[None]) ** 2).sum(axis=1))


def test_distances_divided_by_learnt_widths(rng) -> None:
    made = Built("distance", [("N", 3)], 4)
    assert made.shape == ("N", 4)
    x, w, b = rng.normal(size=(5, 3)), rng.normal(size=(3, 4)), rng.uniform(0.5, 2, 4)
    found = made.run(x, weight=w, width=b)
    np.testing.assert_allclose(found, distances(x, w) / b, rtol=1e-12)


def test_a_width_that_is_not_learnt(rng) -> None:
    made = Built("distance", [("N", 3)], 4, width=2.0, learn_width=False)
    assert list(made.context.asked) == ["weight"]
    x, w = rng.normal(size=(5, 3)), rng.normal(size=(3, 4))
    np.testing.assert_allclose(made.run(x, weight=w), distances(x, w) / 2, rtol=1e-12)


def test_far_centres_keep_small_differences() -> None:
    made = Built("distance", [("N", 1)], 1, learn_width=False)
    found = made.run(np.array([[1e8 + 1.0]]), weight=np.array([[1e8]]))
    assert found.tolist() == [[1.0]]


def test_widths_start_where_they_are_told() -> None:
    made = Built("distance", [("N", 3)], 4, width=0.5)
    assert float(made.context.asked["width"]["values"]) == 0.5


def test_at_the_centre_gradients_are_zero(rng) -> None:
    made = Built("distance", [("N", 2)], 3)
    graph = made.context.build.graph
    graph.outputs = {"loss": add_mean(made.context.build, made.output)}
    done = Differentiate("loss")(graph)
    x = np.array([[1.0, 2.0]])
    given = {"input0": x, "weight": np.repeat(x.T, 3, axis=1), "width": np.ones(3)}
    found, _ = evaluate(done, given)
    gradients = {name: array for name, array in found.items() if name.startswith(PREFIX)}
    assert len(gradients) == 2
    assert not any(array.any() for array in gradients.values())


@pytest.mark.parametrize("shape", [("N", "T", 3), ("N", 1, 8, 8)])
def test_only_lists_of_numbers(shape) -> None:
    with pytest.raises(ShapeError):
        Built("distance", [shape], 4)


def test_no_class_numbers() -> None:
    with pytest.raises(ShapeError):
        Built("distance", [("N",)], 4, element=ElementType.INDEX)
