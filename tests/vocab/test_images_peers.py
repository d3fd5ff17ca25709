"""Layers over images beside PyTorch's, in float64."""

from __future__ import annotations

import numpy as np
import pytest

from tests.vocab.context import Built

pytestmark = pytest.mark.peers

CLOSE = {"rtol": 1e-10, "atol": 1e-10}
SHAPES = [(4, 9, 8), (4, 11)]
each_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)


def beside(layer, x, theirs, **parameters):
    import torch

    expected = theirs(torch.tensor(x)).detach().numpy()
    np.testing.assert_allclose(layer.run(x, **parameters), expected, **CLOSE)


def drawn(layer, rng):
    """Parameters as the graph has them, and as PyTorch has them."""
    import torch

    ours, theirs = {}, {}
    for name, asked in layer.context.asked.items():
        ours[name] = rng.normal(size=asked["shape"])
        axes = asked["axes"] or range(ours[name].ndim)
        theirs[name] = torch.tensor(np.ascontiguousarray(ours[name].transpose(axes)))
    return ours, theirs


@each_shape
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("pad", [0, 2])
@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("groups", [1, 2, 4])
def test_conv(shape, stride, pad, dilation, groups, rng):
    from torch.nn import functional

    options = {"stride": stride, "dilation": dilation, "groups": groups}
    layer = Built("conv", [("N", *shape)], 8, 3, pad=pad, **options)
    ours, theirs = drawn(layer, rng)
    conv = functional.conv2d if len(shape) == 3 else functional.conv1d
    given = theirs["weight"], theirs["bias"]
    x = rng.normal(size=(2, *shape))
    beside(layer, x, lambda t: conv(t, *given, padding=pad, **options), **ours)


@each_shape
@pytest.mark.parametrize("kernel", [2, 3, 4, 5])
def test_same_padding(shape, kernel, rng):
    from torch.nn import functional

    layer = Built("conv", [("N", *shape)], 2, kernel, pad="same", dilation=2)
    ours, theirs = drawn(layer, rng)
    conv = functional.conv2d if len(shape) == 3 else functional.conv1d
    x = rng.normal(size=(1, *shape))
    given = theirs["weight"], theirs["bias"]
    beside(layer, x, lambda t: conv(t, *given, padding="same", dilation=2), **ours)


@each_shape
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("pad", [0, 1])
def test_conv_transpose(shape, stride, pad, rng):
    from torch.nn import functional

    layer = Built("conv_transpose", [("N", *shape)], 6, 3, stride=stride, pad=pad, groups=2)
    ours, theirs = drawn(layer, rng)
    conv = functional.conv_transpose2d if len(shape) == 3 else functional.conv_transpose1d
    given = theirs["weight"], theirs["bias"]
    x = rng.normal(size=(2, *shape))
    beside(layer, x, lambda t: conv(t, *given, stride=stride, padding=pad, groups=2), **ours)


@each_shape
@pytest.mark.parametrize("ceil", [False, True])
@pytest.mark.parametrize("pad", [0, 1])
@pytest.mark.parametrize(("size", "stride"), [(2, 2), (3, 2), (3, 1), (2, 3)])
@pytest.mark.parametrize("word", ["maxpool", "avgpool", "uncounted", "l2pool"])
def test_pools(word, shape, size, stride, pad, ceil, rng):
    from torch import nn

    d = len(shape) - 1
    options = {"stride": stride, "ceil_mode": ceil}
    arguments = {"stride": stride, "pad": pad, "ceil": ceil}
    x = rng.normal(size=(2, *shape))
    if word == "maxpool":
        layer = Built("maxpool", [("N", *shape)], size, **arguments)
        return beside(layer, x, getattr(nn, f"MaxPool{d}d")(size, padding=pad, **options))
    if word == "l2pool":
        if pad or ceil:
            return None  # PyTorch's has no padding
        layer = Built("l2pool", [("N", *shape)], size, **arguments)
        return beside(layer, x, getattr(nn, f"LPPool{d}d")(2, size, **options))
    counts = word == "avgpool"
    layer = Built("avgpool", [("N", *shape)], size, **arguments, count_pad=counts)
    pool = getattr(nn, f"AvgPool{d}d")(size, padding=pad, count_include_pad=counts, **options)
    return beside(layer, x, pool)


@pytest.mark.parametrize("size", [3, 4, 5])
def test_lrn(size, rng):
    from torch import nn

    options = {"alpha": 0.3, "beta": 0.75, "k": 2.0}
    layer = Built("lrn", [("N", 6, 3, 4)], size, **options)
    beside(layer, rng.normal(size=(2, 6, 3, 4)), nn.LocalResponseNorm(size, **options))


@each_shape
def test_norms(shape, rng):
    from torch.nn import functional

    x = rng.normal(2.0, 3.0, (3, *shape))
    for word, arguments, theirs in (
        ("group_norm", (2,), lambda t, p: functional.group_norm(t, 2, p["weight"], p["bias"])),
        ("instance_norm", (), lambda t, p: functional.instance_norm(t, None, None, **p)),
        (
            "batch_norm",
            (),
            lambda t, p: functional.batch_norm(t, None, None, **p, training=True),
        ),
    ):
        layer = Built(word, [("N", *shape)], *arguments, training=True)
        ours, given = drawn(layer, rng)
        if word == "batch_norm":
            ours |= {"running_mean": np.zeros(4), "running_var": np.ones(4)}
        beside(layer, x, lambda t, f=theirs, g=given: f(t, g), **ours)


def test_upsample(rng):
    from torch import nn

    x = rng.normal(size=(2, 3, 4, 5))
    layer = Built("upsample", [("N", 3, 4, 5)], [2, 3])
    beside(layer, x, nn.Upsample(scale_factor=(2, 3)))
