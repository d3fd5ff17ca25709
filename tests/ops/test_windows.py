"""Windows: sizes, mistakes, ties, and numbers that are none."""

from __future__ import annotations

import numpy as np
import pytest

from nndsl.ir.graph import ShapeError
from nndsl.ir.types import ElementType, TensorType
from nndsl.ops.base import Clock
from nndsl.ops.convolution import (
    Convolution,
    ConvolutionInputGradient,
    ConvolutionWeightGradient,
)
from nndsl.ops.padding import Crop, Pad
from nndsl.ops.pooling import MaxPool, MaxPoolGradient, SumPool, SumPoolGradient
from nndsl.ops.windows import Windows

IMAGE = TensorType(("N", 5, 6, 4))


@pytest.mark.parametrize("size", range(1, 12))
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("dilation", [1, 2])
def test_the_lectures_formula(size, stride, dilation):
    starts = [i for i in range(0, size, stride) if i + dilation * 2 < size]
    windows = Windows((3, 3), (stride, stride), (dilation, dilation))
    assert max(windows.count(0, size), 0) == len(starts)


@pytest.mark.parametrize(
    ("operation", "types", "words"),
    [
        (Convolution(), [IMAGE, TensorType((3, 3, 5, 2))], "has 4 channels, .* weights take 5"),
        (Convolution(), [IMAGE, TensorType((7, 3, 4, 2))], "a window of 7x3 does not fit into 5x6"),
        (
            Convolution(dilation=(3, 1)),
            [IMAGE, TensorType((3, 3, 4, 2))],
            "a window of 7x3 does not fit into 5x6",
        ),
        (Convolution(groups=2), [IMAGE, TensorType((3, 3, 2, 3))], "3 outputs .* 2 equal groups"),
        (Convolution(), [TensorType(("N", 4)), TensorType((3, 3, 4, 2))], "not rows of 4"),
        (Convolution(), [IMAGE, TensorType((3, 4, 2))], "4 known sizes"),
        (Convolution((0, 1)), [IMAGE, TensorType((3, 3, 4, 2))], "at least 1"),
        (
            ConvolutionInputGradient((9, 9)),
            [IMAGE, TensorType((3, 3, 2, 4))],
            "a window makes 7x7 of 9x9, not 5x6",
        ),
        (
            ConvolutionWeightGradient((3, 3), groups=3),
            [IMAGE, TensorType(("N", 3, 4, 3))],
            "4 channels cannot be cut into 3",
        ),
        (MaxPool((6, 2), (2, 2)), [IMAGE], "a window of 6x2 does not fit into 5x6"),
        (SumPool((2, 2), (2, 2)), [TensorType(("N", "H", 6, 4))], "height x width x channels"),
        (SumPoolGradient((5, 5), (2, 2), (2, 2)), [IMAGE], "a window makes 2x2 of 5x5, not 5x6"),
        (
            MaxPoolGradient((5, 5), (2, 2), (2, 2)),
            [IMAGE, TensorType(("N", 5, 5, 4), ElementType.INDEX)],
            "places 5x5x4 differ",
        ),
        (Pad((0, 1), (0, 1)), [IMAGE], "counts for all axes"),
        (Pad((1, 0, 0, 0), (0, 0, 0, 0)), [IMAGE], "its size is not known"),
        (Crop((0, 3, 0, 0), (0, 2, 0, 0)), [IMAGE], "leaves nothing"),
    ],
    ids=str,
)
def test_mistakes_are_told_with_their_sizes(operation, types, words):
    with pytest.raises(ShapeError, match=words):
        operation.infer(types)


def test_the_first_of_equals_wins_and_gets_the_gradient():
    x = np.array([[1.0, 3.0], [3.0, 2.0]]).reshape(1, 2, 2, 1)
    values, index = MaxPool((2, 2), (2, 2)).meaning([x], Clock())
    assert (values.item(), index.item()) == (3.0, 1)
    back = MaxPoolGradient((2, 2), (2, 2), (2, 2))
    (dx,) = back.meaning([np.ones((1, 1, 1, 1)), index], Clock())
    assert dx.reshape(-1).tolist() == [0, 1, 0, 0]


def test_a_number_that_is_none_wins():
    x = np.array([[1.0, np.nan], [np.nan, np.inf]]).reshape(1, 2, 2, 1)
    values, index = MaxPool((2, 2), (2, 2)).meaning([x], Clock())
    assert np.isnan(values.item()) and index.item() == 1


def test_padding_with_nothing_less_than_all_numbers():
    x = TensorType(("N", 2, 2, 1))
    pad = Pad((0, 1, 1, 0), (0, 1, 1, 0), float("-inf"))
    assert pad.infer([x]) == (TensorType(("N", 4, 4, 1)),)
    (padded,) = pad.meaning([np.full((1, 2, 2, 1), -1e300)], Clock())
    values, index = MaxPool((2, 2), (2, 2)).meaning([padded], Clock())
    assert (values == -1e300).all() and index.reshape(-1).tolist() == [3, 2, 1, 0]


def test_padding_and_cropping_join():
    edges = ((0, 1, 2, 0), (0, 1, 2, 0))
    pad, crop = Pad(*edges), Crop(*edges)
    assert pad.after(pad, [IMAGE]) == Pad((0, 2, 4, 0), (0, 2, 4, 0))
    assert Pad(*edges, 1.0).after(pad, [IMAGE]) is None
    assert crop.after(crop, [IMAGE]) == Crop((0, 2, 4, 0), (0, 2, 4, 0))
    undone = crop.after(pad, [IMAGE])
    assert undone is not None and undone.is_identity([IMAGE])
