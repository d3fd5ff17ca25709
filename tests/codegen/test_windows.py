"""Pooling, padding and depthwise convolution: large windows, not-a-number, threads."""

import numpy as np
import pytest

from nndsl.codegen import glue, glue_windows
from nndsl.codegen.convolution import Geometry
from nndsl.codegen.generate import generate
from nndsl.codegen.program import Element
from nndsl.ir.types import TensorType
from nndsl.ops.convolution import (
    Convolution,
    ConvolutionInputGradient,
    ConvolutionWeightGradient,
)
from nndsl.ops.padding import Crop, Pad
from nndsl.ops.pooling import MaxPool, MaxPoolGradient, PoolPick, SumPool, SumPoolGradient
from nndsl.runtime import reference
from nndsl.runtime.executable import load
from tests.codegen.programs import BATCH, arrays_of, compare, feed, graph_of

WINDOWS = [
    ((5, 7), (5, 5), (1, 2), (1, 1)),
    ((6, 6), (3, 2), (3, 2), (1, 1)),
    ((7, 9), (3, 3), (2, 2), (1, 1)),
    ((9, 8), (2, 2), (3, 2), (1, 1)),
    ((6, 7), (3, 3), (2, 1), (1, 2)),
]


@pytest.mark.parametrize("channels", [1, 19])
@pytest.mark.parametrize("sizes", WINDOWS, ids=str)
def test_pooling(sizes, channels, rng, store):
    image, size, stride, dilation = sizes
    whole = TensorType(("N", *image, channels))
    options = size, stride, dilation
    pooled, index = MaxPool(*options).infer([whole])
    for operation, types in (
        (MaxPool(*options), [whole]),
        (SumPool(*options), [whole]),
        (PoolPick(*options), [whole, index]),
        (MaxPoolGradient(image, *options), [pooled, index]),
        (SumPoolGradient(image, *options), [pooled]),
    ):
        compare(graph_of(operation, types), rng, store)


@pytest.mark.parametrize("size", [(2, 2), (5, 5)], ids=str)
def test_not_a_number_wins_and_the_first_of_equals(size, rng, store):
    graph = graph_of(MaxPool(size, (1, 1)), [TensorType(("N", 7, 7, 3))])
    x = np.round(rng.uniform(-2, 2, (4, 7, 7, 3))).astype(np.float32)
    x[rng.uniform(size=x.shape) < 0.05] = np.nan
    x[rng.uniform(size=x.shape) < 0.3] = -np.inf
    found = feed(load(generate(graph, "float32", BATCH), store=store), graph, {"i0": x})
    expected, _ = reference.evaluate(graph, {"i0": x}, precision="float32")
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value)


@pytest.mark.parametrize("value", [0.0, -np.inf, np.inf, 0.25])
def test_padding(value, rng, store):
    for shape, before, behind in (
        (("N", 5, 4, 3), (0, 2, 1, 0), (0, 0, 3, 0)),
        (("N", 5, 4, 3), (0, 0, 0, 2), (0, 0, 0, 1)),
        ((4, 3), (2, 0), (1, 2)),
        ((4, 3), (0, 1), (0, 0)),
        (("N",), (0,), (0,)),
    ):
        pad, crop = Pad(before, behind, value), Crop(before, behind)
        compare(graph_of(pad, [TensorType(shape)]), rng, store)
        compare(graph_of(crop, pad.infer([TensorType(shape)])), rng, store)


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("kernel", [(3, 3), (5, 5), (1, 4)], ids=str)
@pytest.mark.parametrize("stride", [(1, 1), (2, 1)], ids=str)
def test_depthwise(kernel, stride, precision, rng, store):
    channels, image = 37, (9, 10)
    forward = Convolution(stride, groups=channels)
    x, w = TensorType(("N", *image, channels)), TensorType((*kernel, 1, channels))
    (dy,) = forward.infer([x, w])
    back = ConvolutionInputGradient(image, stride, groups=channels)
    learn = ConvolutionWeightGradient(kernel, stride, groups=channels)
    for operation, types in ((forward, [x, w]), (back, [dy, w]), (learn, [x, dy])):
        graph = graph_of(operation, types)
        executable = load(generate(graph, precision, BATCH), store=store)
        arrays = arrays_of(graph, rng, 5, precision)
        found = feed(executable, graph, arrays)["o0"]
        expected, _ = reference.evaluate(graph, arrays, precision=precision)
        close = 2e-5 if precision == "float32" else 1e-12
        np.testing.assert_allclose(found, expected["o0"], rtol=close, atol=close)


@pytest.mark.parametrize("groups", [1, 12])
def test_any_number_of_threads_gives_the_same_bits(groups, rng, store):
    image = (9, 10)
    forward = Convolution((1, 2), groups=groups)
    x, w = TensorType(("N", *image, 12)), TensorType((3, 3, 12 // groups, 12))
    (dy,) = forward.infer([x, w])
    back = ConvolutionInputGradient(image, (1, 2), groups=groups)
    learn = ConvolutionWeightGradient((3, 3), (1, 2), groups=groups)
    for operation, types in ((forward, [x, w]), (back, [dy, w]), (learn, [x, dy])):
        graph = graph_of(operation, types)
        arrays = arrays_of(graph, rng, 7, "float32")
        program = generate(graph, "float32", 7)
        results = []
        for threads in (1, 2, 3):
            executable = load(program, threads, store=store)
            results.append(feed(executable, graph, arrays)["o0"])
            executable.close()
        for other in results[1:]:
            np.testing.assert_array_equal(results[0], other)


def test_texts_of_kernels(golden):
    """The texts that `show kernels` prints."""
    apart = Geometry((4, 6), 8, 8, (2, 2), (2, 2), groups=8)
    along = Geometry((5, 9), 8, 8, (5, 5), groups=8)
    kernels = [
        glue_windows.max_pool_kernel(apart, Element.FLOAT32),
        glue_windows.max_pool_gradient_kernel(apart, Element.FLOAT32),
        glue_windows.sum_pool_kernel(along, Element.FLOAT64),
        glue_windows.sum_pool_gradient_kernel(along, Element.FLOAT32),
        glue_windows.depthwise_kernel(apart, Element.FLOAT32),
        glue_windows.depthwise_weights_kernel(apart, Element.FLOAT32),
        glue.pad_kernel((4, 6, 8), (1, 2, 0), (0, 2, 0), 0.0, Element.FLOAT32),
        glue.crop_kernel((4, 6, 8), (1, 2, 0), (0, 2, 0), Element.FLOAT32),
    ]
    golden("codegen/windows.txt", "\n\n".join(kernel.text for kernel in kernels))
