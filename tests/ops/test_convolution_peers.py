"""Convolution and pooling beside PyTorch's, values and gradients, in float64."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from nndsl.ir.graph import Builder, Graph, Role
from nndsl.ir.types import TensorType
from nndsl.ops.convolution import Convolution, ConvolutionInputGradient
from nndsl.ops.padding import Pad
from nndsl.ops.pooling import MaxPool, SumPool
from nndsl.runtime.reference import evaluate

pytestmark = pytest.mark.peers

CLOSE = {"rtol": 1e-10, "atol": 1e-10}
FIRST, LAST = (0, 3, 1, 2), (0, 2, 3, 1)


def values_and_gradients(make, arrays, upstream_of):
    """The result of `make(build, values)` and the gradients of all operands, given dy."""
    build = Builder()
    values = [
        build.input(f"i{n}", TensorType(("N", *a.shape[1:]) if n == 0 else a.shape), Role.DATA)
        for n, a in enumerate(arrays)
    ]
    result = make(build, values)
    given = {f"i{n}": a for n, a in enumerate(arrays)}
    y = evaluate(Graph(build.graph.inputs, build.graph.nodes, {"y": result}), given)[0]["y"]
    given["d"] = upstream_of(y)
    parts = {result: build.input("d", result.type, Role.DATA)}
    for node in reversed(list(build.graph.nodes)):
        upstream = [parts.get(v) for v in node.outputs]
        gradients = node.operation.gradient(build, node, upstream)
        parts |= {v: g for v, g in zip(node.inputs, gradients, strict=True) if g is not None}
    outputs = {f"g{n}": parts[v] for n, v in enumerate(values)}
    found, _ = evaluate(Graph(build.graph.inputs, build.graph.nodes, outputs), given)
    return y, given["d"], list(found.values())


GRID = [
    (kernel, stride, pad, dilation, groups, size, batch)
    for kernel, stride, pad, dilation, groups in itertools.product(
        [(1, 1), (3, 3), (2, 5)], [(1, 1), (2, 2), (3, 1)], [(0, 0), (1, 2)],
        [(1, 1), (2, 1)], [1, 2, 4],
    )
    for size, batch in [((9, 8), 3), ((7, 11), 1)]
]  # fmt: skip


@pytest.mark.parametrize("case", GRID, ids=str)
def test_convolution(case, rng):
    import torch

    kernel, stride, pad, dilation, groups, size, batch = case
    x = rng.normal(size=(batch, *size, 4))
    w = rng.normal(size=(*kernel, 4 // groups, 8))
    edges = (0, *pad, 0)

    def make(build, values):
        padded = build.add(Pad(edges, edges), values[0])
        return build.add(Convolution(stride, dilation, groups), padded, values[1])

    y, dy, gradients = values_and_gradients(make, [x, w], lambda y: rng.normal(size=y.shape))
    theirs = [torch.tensor(a, requires_grad=True) for a in (x.transpose(FIRST), _people(w))]
    expected = torch.nn.functional.conv2d(
        *theirs, stride=stride, padding=pad, dilation=dilation, groups=groups
    )
    expected.backward(torch.tensor(dy.transpose(FIRST)))
    np.testing.assert_allclose(y.transpose(FIRST), expected.detach(), **CLOSE)
    np.testing.assert_allclose(gradients[0].transpose(FIRST), theirs[0].grad, **CLOSE)
    np.testing.assert_allclose(_people(gradients[1]), theirs[1].grad, **CLOSE)


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize(("stride", "rest"), [((1, 1), 0), ((2, 3), 0), ((3, 2), 1)], ids=str)
def test_transposed_convolution(stride, rest, groups, rng):
    import torch

    x = rng.normal(size=(2, 4, 5, 6))
    w = rng.normal(size=(3, 2, 4 // groups, 6))
    size = tuple((n - 1) * s + k + rest for n, s, k in zip((4, 5), stride, (3, 2), strict=True))
    back = ConvolutionInputGradient(size, stride, (1, 1), groups)
    y, dy, gradients = values_and_gradients(
        lambda build, values: build.add(back, *values), [x, w], lambda y: rng.normal(size=y.shape)
    )
    theirs = [torch.tensor(a, requires_grad=True) for a in (x.transpose(FIRST), _people(w))]
    expected = torch.nn.functional.conv_transpose2d(
        *theirs, stride=stride, output_padding=rest, groups=groups
    )
    expected.backward(torch.tensor(dy.transpose(FIRST)))
    np.testing.assert_allclose(y.transpose(FIRST), expected.detach(), **CLOSE)
    np.testing.assert_allclose(gradients[0].transpose(FIRST), theirs[0].grad, **CLOSE)
    np.testing.assert_allclose(_people(gradients[1]), theirs[1].grad, **CLOSE)


@pytest.mark.parametrize("word", ["max", "sum"])
@pytest.mark.parametrize("size", [(2, 2), (3, 2)], ids=str)
@pytest.mark.parametrize("stride", [(1, 1), (2, 2), (3, 1)], ids=str)
@pytest.mark.parametrize("pad", [(0, 0), (1, 1)], ids=str)
def test_pooling(word, size, stride, pad, rng):
    import torch

    x = rng.integers(0, 4, size=(2, 7, 8, 3)).astype(float)  # with many equal numbers
    operation, value = (MaxPool, float("-inf")) if word == "max" else (SumPool, 0.0)
    edges = (0, *pad, 0)

    def make(build, values):
        padded = build.add(Pad(edges, edges, value), values[0])
        return build.add_all(operation(size, stride), padded)[0]

    y, dy, gradients = values_and_gradients(make, [x], lambda y: rng.normal(size=y.shape))
    theirs = torch.tensor(x.transpose(FIRST), requires_grad=True)
    if word == "max":
        expected = torch.nn.functional.max_pool2d(theirs, size, stride, pad)
    else:
        expected = torch.nn.functional.avg_pool2d(theirs, size, stride, pad, divisor_override=1)
    expected.backward(torch.tensor(dy.transpose(FIRST)))
    np.testing.assert_allclose(y.transpose(FIRST), expected.detach(), **CLOSE)
    np.testing.assert_allclose(gradients[0].transpose(FIRST), theirs.grad, **CLOSE)


def _people(w):
    """Weights as people see them: [O, C / groups, kh, kw]."""
    return w.transpose(3, 2, 0, 1)
