"""One number for each example beside the numbers of a tensor; the sum of a row."""

from __future__ import annotations

import numpy as np

from nndsl.runtime.reference import evaluate
from tests.lower.test_objectives import IRIS, recipe


def test_a_class_stands_beside_all_numbers_of_its_row():
    found = recipe("mean(iris.species * A.output)", IRIS + "net A on iris { dense(3) }\n")
    rng = np.random.default_rng(0)
    given = {"species": np.array([0, 1, 2, 1]), "input": rng.normal(size=(4, 4)),
             "dense.weight": rng.normal(size=(4, 3)), "dense.bias": np.zeros(3)}  # fmt: skip
    expected = np.mean(given["species"][:, None] * (given["input"] @ given["dense.weight"]))
    outputs, _ = evaluate(found.graph, given)
    np.testing.assert_allclose(outputs["loss"], expected)


def test_the_sum_of_a_row():
    found = recipe("mean((A.output^2 -> row_sum)^2)", IRIS + "net A on iris { dense(3) }\n")
    rng = np.random.default_rng(0)
    given = {"input": rng.normal(size=(4, 4)), "dense.weight": rng.normal(size=(4, 3)),
             "dense.bias": np.zeros(3)}  # fmt: skip
    squares = np.sum((given["input"] @ given["dense.weight"]) ** 2, axis=1)
    outputs, _ = evaluate(found.graph, given)
    np.testing.assert_allclose(outputs["loss"], np.mean(squares**2))
