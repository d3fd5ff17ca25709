"""prelu, maxout, gated units, alpha dropout."""

from __future__ import annotations

import numpy as np
import pytest

from nndsl.ir.graph import ShapeError
from nndsl.ir.types import ElementType
from nndsl.vocab.layers.gated import WORDS
from tests.vocab.context import Built


def test_prelu_has_one_slope_or_one_for_each_feature() -> None:
    x = np.array([[-2.0, 3.0, -1.0], [0.0, -4.0, np.nan]])
    one = Built("prelu", [("N", 3)])
    assert one.context.asked["weight"]["shape"] == (1,)
    assert one.context.asked["weight"]["values"] == 0.25
    np.testing.assert_array_equal(
        one.run(x, weight=np.array([0.5])), [[-1.0, 3.0, -0.5], [0.0, -2.0, np.nan]]
    )
    each = Built("prelu", [("N", 3)], 0.1, shared=False)
    assert each.context.asked["weight"]["shape"] == (3,)
    slopes = np.array([1.0, 2.0, 3.0])
    np.testing.assert_array_equal(each.run(x[:1], weight=slopes), [[-2.0, 3.0, -3.0]])
    with pytest.raises(ShapeError, match="not class numbers"):
        Built("prelu", [("N", 3)], element=ElementType.INDEX)


def test_maxout_gives_the_greatest_of_its_pieces(rng: np.random.Generator) -> None:
    layer = Built("maxout", [("N", 4)], 3, pieces=3)
    assert layer.shape == ("N", 3)
    assert len(layer.context.asked) == 6
    x = rng.normal(size=(5, 4))
    given = {n: rng.normal(size=asked["shape"]) for n, asked in layer.context.asked.items()}
    pieces = [x @ given[f"weight[{i}]"] + given[f"bias[{i}]"] for i in (1, 2, 3)]
    np.testing.assert_allclose(layer.run(x, **given), np.max(pieces, axis=0))
    assert list(Built("maxout", [("N", 4)], 3, bias=False).context.asked) == [
        "weight[1]",
        "weight[2]",
    ]
    with pytest.raises(ShapeError, match="`maxout` takes a list of numbers"):
        Built("maxout", [("N", 1, 4)], 3)


GATES = {
    "glu": lambda z: 1 / (1 + np.exp(-z)),
    "reglu": lambda z: np.maximum(z, 0),
    "swiglu": lambda z: z / (1 + np.exp(-z)),
}


@pytest.mark.parametrize("name", GATES)
def test_gated_units(name: str, rng: np.random.Generator) -> None:
    assert name in WORDS
    x = rng.normal(size=(5, 6))
    expected = x[:, :3] * GATES[name](x[:, 3:])
    np.testing.assert_allclose(Built(name, [("N", 6)]).run(x), expected, rtol=1e-12)


@pytest.mark.parametrize("name", WORDS)
def test_gated_units_need_two_halves(name: str) -> None:
    assert Built(name, [("N", 6)]).shape == ("N", 3)
    with pytest.raises(ShapeError, match="even number of features, not 5"):
        Built(name, [("N", 5)])


def test_alpha_dropout_keeps_mean_and_deviation(rng: np.random.Generator) -> None:
    layer = Built("alpha_dropout", [("N", 500)], 0.3, training=True)
    x = rng.normal(size=(400, 500))
    y = layer.run(x)
    assert np.mean(y) == pytest.approx(0.0, abs=0.02)
    assert np.std(y) == pytest.approx(1.0, abs=0.02)
    counts = np.unique(y, return_counts=True)[1]
    assert counts.max() / y.size == pytest.approx(0.3, abs=0.01)  # all dropped are equal


def test_alpha_dropout_only_in_training() -> None:
    for arguments, training in ((0.3, False), (0.0, True)):
        layer = Built("alpha_dropout", [("N", 3)], arguments, training=training)
        assert layer.output is layer.inputs[0]
