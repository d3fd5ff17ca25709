"""Layers over images and signals built alone: shapes, weights, values by hand, their errors."""

from __future__ import annotations

import numpy as np
import pytest

from nndsl.ir.graph import ShapeError
from nndsl.ops.base import Clock
from nndsl.vocab.arguments import bind_arguments
from nndsl.vocab.registry import words
from tests.vocab.context import Built

SIGNAL = np.array([[[1.0, 2.0, 3.0, 4.0]]])


@pytest.mark.parametrize(
    ("pad", "expected"),
    [
        ("valid", [8, 12]),
        ("same", [4, 8, 12, 11]),
        ("full", [1, 4, 8, 12, 11, 4]),
        (1, [4, 8, 12, 11]),
        ([0, 2], [8, 12, 11, 4]),
    ],
)
def test_a_signal_by_hand(pad, expected):
    layer = Built("conv", [("N", 1, 4)], 1, 3, pad=pad, bias=False, weights=[[1, 2, 1]])
    np.testing.assert_array_equal(layer.context.asked["weight"]["values"], [[[1, 2, 1]]])
    y = layer.run(SIGNAL, weight=np.array([1.0, 2.0, 1.0]).reshape(3, 1, 1))
    assert layer.shape == ("N", 1, len(expected))
    assert y.reshape(-1).tolist() == expected


def test_the_lectures_sizes():
    sizes = [39]
    for kernel, stride, pad in ((3, 1, 0), (5, 2, 0), (5, 2, 1)):
        layer = Built("conv", [("N", 3, sizes[-1], 39)], 7, kernel, stride=stride, pad=pad)
        sizes.append(layer.shape[2])
        assert sizes[-1] == (sizes[-2] + 2 * pad - kernel) // stride + 1
    assert sizes == [39, 37, 17, 8]


def test_weights_are_as_people_and_pytorch_see_them():
    asked = Built("conv", [("N", 4, 9, 9)], 6, [3, 5], groups=2).context.asked
    weight = asked["weight"]
    seen = tuple(weight["shape"][axis] for axis in weight["axes"])
    assert seen == (6, 2, 3, 5)  # out, in / groups, height, width
    assert (weight["fan_in"], weight["fan_out"]) == (2 * 15, 6 * 15)
    assert asked["bias"]["shape"] == (6,) and not asked["bias"]["decays"]
    weight = Built("conv_transpose", [("N", 4, 9, 9)], 6, 3, groups=2).context.asked["weight"]
    assert tuple(weight["shape"][axis] for axis in weight["axes"]) == (4, 3, 3, 3)
    assert (weight["fan_in"], weight["fan_out"]) == (3 * 9, 4 * 9)  # as PyTorch counts them
    weight = Built("depthwise", [("N", 4, 9, 9)], 3, multiplier=2).context.asked["weight"]
    assert tuple(weight["shape"][axis] for axis in weight["axes"]) == (8, 1, 3, 3)
    weight = Built("conv", [("N", 4, 9)], 6, 3).context.asked["weight"]
    assert tuple(weight["shape"][axis] for axis in weight["axes"]) == (6, 4, 3)


def test_bias_and_given_weights():
    asked = Built("conv", [("N", 1, 4, 4)], 2, 2, bias=[0.5, 1.0], weights=1).context.asked
    assert asked["weight"]["values"] == 1.0
    np.testing.assert_array_equal(asked["bias"]["values"], [0.5, 1.0])
    assert "bias" not in Built("conv", [("N", 1, 4, 4)], 2, 2, bias=False).context.asked
    rows = np.arange(16.0).reshape(2, 8)  # one row for each output, as of a dense layer
    asked = Built("conv", [("N", 2, 4, 4)], 2, 2, weights=rows).context.asked
    np.testing.assert_array_equal(asked["weight"]["values"], rows.reshape(2, 2, 2, 2))


def test_why_an_image_became_smaller():
    remarks = Built("conv", [("N", 1, 8, 8)], 16, 3).context.remarks
    assert remarks == [("no padding: a 3x3 kernel trims 2", "pad=same")]
    assert Built("conv", [("N", 1, 8, 8)], 16, 3, pad="same").context.remarks == []


@pytest.mark.parametrize(
    ("word", "arguments", "size"),
    [
        ("maxpool", {"size": 2}, (3, 3)),
        ("maxpool", {"size": 2, "ceil": True}, (4, 4)),
        ("maxpool", {"size": 3, "stride": 2}, (3, 3)),
        ("maxpool", {"size": 3, "stride": 2, "pad": 1}, (4, 4)),
        ("maxpool", {"size": 3, "stride": 1, "pad": "same"}, (7, 7)),
        ("maxpool", {"size": 2, "stride": 1, "dilation": 2}, (5, 5)),
        ("avgpool", {"size": [2, 3], "stride": [1, 2]}, (6, 3)),
        ("l2pool", {"size": 7}, (1, 1)),
        ("upsample", {}, (14, 14)),
        ("upsample", {"factor": [1, 3]}, (7, 21)),
        ("pad", {"sizes": [1, 2]}, (9, 11)),
        ("pad", {"sizes": [1, 0, 2, 0]}, (8, 9)),
        ("crop", {"sizes": 2}, (3, 3)),
        ("conv_transpose", {"channels": 2, "size": 2, "stride": 2}, (14, 14)),
        ("conv_transpose", {"channels": 2, "size": 3, "stride": 2, "pad": "same"}, (14, 14)),
        ("conv_transpose", {"channels": 2, "size": 2, "stride": 3, "pad": "same"}, (21, 21)),
        ("conv_transpose", {"channels": 2, "size": 3, "pad": 1}, (7, 7)),
        ("lrn", {}, (7, 7)),
        ("instance_norm", {}, (7, 7)),
        ("channel_dropout", {"rate": 0.5}, (7, 7)),
    ],
    ids=str,
)
def test_sizes(word, arguments, size):
    assert Built(word, [("N", 2, 7, 7)], training=True, **arguments).shape == ("N", 2, *size)


@pytest.mark.parametrize("word", ["global_avg_pool", "global_max_pool"])
@pytest.mark.parametrize("shape", [(3, 4, 5), (3, 6)], ids=str)
def test_global_pools(word, shape, rng):
    layer = Built(word, [("N", *shape)])
    x = rng.normal(size=(2, *shape))
    flat = x.reshape(2, 3, -1)
    expected = flat.mean(axis=2) if word == "global_avg_pool" else flat.max(axis=2)
    np.testing.assert_allclose(layer.run(x), expected, rtol=1e-12)


def test_resizing_by_hand():
    x = np.arange(4.0).reshape(1, 1, 2, 2)
    shape = [("N", 1, 2, 2)]
    up = Built("upsample", shape, [1, 2]).run(x)
    assert up[0, 0].tolist() == [[0, 0, 1, 1], [2, 2, 3, 3]]
    padded = Built("pad", shape, [0, 1, 1, 0], value=-1).run(x)
    assert padded[0, 0].tolist() == [[-1, 0, 1], [-1, 2, 3], [-1, -1, -1]]
    cropped = Built("crop", [("N", 1, 3, 3)], [0, 1, 1, 0]).run(padded)
    np.testing.assert_array_equal(cropped, x)
    reshaped = Built("reshape", [("N", 4)], [2, 1, 2])
    assert reshaped.shape == ("N", 2, 1, 2)
    np.testing.assert_array_equal(reshaped.run(x.reshape(1, 4)), x.reshape(1, 2, 1, 2))


def test_concat_joins_channels(rng):
    a, b = rng.normal(size=(2, 3, 4, 5)), rng.normal(size=(2, 1, 4, 5))
    layer = Built("concat", [("N", 3, 4, 5), ("N", 1, 4, 5)])
    np.testing.assert_array_equal(layer.run(a, b), np.concatenate([a, b], axis=1))
    assert Built("concat", [("N", "T", 5), ("N", "T", 2)]).shape == ("N", "T", 7)


@pytest.mark.parametrize("word", ["glu", "softmax", "log_softmax"])
def test_words_over_features_take_channels(word, rng):
    x = rng.normal(size=(2, 4, 3, 5))
    y = Built(word, [("N", 4, 3, 5)]).run(x)
    rows = Built(word, [("N", 4)]).run(np.moveaxis(x, 1, -1).reshape(-1, 4))
    np.testing.assert_allclose(np.moveaxis(y, 1, -1).reshape(len(rows), -1), rows, rtol=1e-12)


def test_prelu_has_a_slope_for_each_channel(rng):
    layer = Built("prelu", [("N", 2, 3, 3)], shared=False)
    assert layer.context.asked["weight"]["shape"] == (2,)
    x = rng.normal(size=(1, 2, 3, 3))
    y = layer.run(x, weight=np.array([0.5, 0.0]))
    np.testing.assert_allclose(y[:, 0], np.where(x[:, 0] > 0, x[:, 0], 0.5 * x[:, 0]))
    np.testing.assert_allclose(y[:, 1], np.maximum(x[:, 1], 0))


def test_channels_are_dropped_whole():
    layer = Built("channel_dropout", [("N", 8, 3, 3)], 0.25, training=True)
    y = layer.run(np.ones((50, 8, 3, 3)), clock=Clock(seed=1))
    by_channel = y.reshape(400, 9)
    assert np.all(by_channel == by_channel[:, :1])
    assert set(np.unique(y)) == {0.0, 1 / 0.75}
    assert np.mean(y == 0) == pytest.approx(0.25, abs=0.06)
    resting = Built("channel_dropout", [("N", 8, 3, 3)], 0.25)
    assert resting.output is resting.inputs[0]


def test_l2pool_of_zeros_has_no_infinite_gradient():
    from nndsl.passes.differentiate import Differentiate
    from nndsl.runtime.reference import evaluate

    layer = Built("prelu", [("N", 1, 2, 2)])
    context = layer.context
    word = words("layer")["l2pool"]
    pooled = word.make(context, [layer.output], bind_arguments(word, [2]))
    from nndsl.ops.reduction import Reduce

    loss = context.build.add(Reduce("sum", (0, 1, 2, 3)), pooled)
    context.build.graph.outputs = {"loss": loss}
    graph = Differentiate()(context.build.graph)
    outputs, _ = evaluate(graph, {"input0": np.zeros((1, 1, 2, 2)), "weight": [0.25]})
    assert outputs["gradient:weight"].tolist() == [0.0]


@pytest.mark.parametrize(
    ("word", "shape", "arguments", "message"),
    [
        ("conv", (784,), (8, 3), "takes an image .* not 784"),
        ("conv", ("T", 9), (8, 3), "sizes that are known"),
        ("conv", (1, 2, 3, 4), (8, 3), "two dimensions"),
        ("conv", (1, 8, 8), (8, 11), "a kernel of 11x11 does not fit into 8x8"),
        ("conv", (3, 8, 8), (8, 3, 1, 0, 1, 2), "cut 3 channels of the input into 2 groups"),
        ("conv", (4, 8, 8), (6, 3, 1, 0, 1, 4), "cut 6 outputs into 4 groups"),
        ("conv", (1, 9), (4, 3, [1, 2]), "`stride` of `conv` has 2 numbers"),
        ("conv", (1, 9), (4, 3, 1, [1, 1, 1, 1]), "a signal has two ends"),
        ("conv_transpose", (1, 2, 2), (4, 3, 1, 2), "nothing is left"),
        ("maxpool", (1, 4, 4), (5,), "a window of 5 does not fit into 4x4"),
        ("maxpool", (1, 4, 4), (2, 2, 2), "nothing but padding"),
        ("avgpool", (16,), (2,), "takes an image"),
        ("global_avg_pool", (16,), (), "takes an image"),
        ("crop", (1, 4, 4), (2,), "takes 4 of 4 numbers"),
        ("reshape", (4,), ([1, 3],), "4 does not fill 1x3: 4 and 3 numbers"),
        ("channel_dropout", (4,), (0.5,), "takes an image or a signal, not 4"),
        ("instance_norm", (4,), (), "takes an image"),
    ],
    ids=str,
)
def test_mistakes(word, shape, arguments, message):
    with pytest.raises(ShapeError, match=message):
        Built(word, [("N", *shape)], *arguments)


def test_a_list_that_would_be_a_square_is_told_how():
    with pytest.raises(ShapeError) as caught:
        Built("conv", [("N", 784)], 8, 3)
    assert (caught.value.code, caught.value.help) == ("NN202", "reshape(1x28x28) first")
