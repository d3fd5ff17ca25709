"""Layers that turn each row of numbers into a row of as many: softmax and its logarithm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nndsl.ir.graph import Value
from nndsl.ops.base import Op
from nndsl.ops.rows import LogSoftmax, Softmax
from nndsl.vocab.kinds import Layer, LayerBuild, LayerContext
from nndsl.vocab.layers.images import image_of
from nndsl.vocab.registry import register


def _over_features(operation: Op) -> LayerBuild:
    """An op over the last axis, made one over the features; over the channels of images."""

    def make(
        context: LayerContext, operands: Sequence[Value], arguments: Mapping[str, Any]
    ) -> Value:
        (x,) = operands
        if x.type.rank != 4:
            return context.build.add(operation, x)
        image = image_of(context.build, x, operation.name)
        return image.back(context.build.add(operation, image.value))

    return make


register(
    Layer(
        "softmax",
        {},
        "exp(x) divided by its sum over the outputs: shares above 0 that sum to 1.",
        "Bridle 1990, Probabilistic interpretation of feedforward classification network outputs",
        _over_features(Softmax()),
    ),
    example="dense(3) -> softmax",
)
register(
    Layer(
        "log_softmax",
        {},
        "Logarithm of softmax, without overflow.",
        "torch.nn.LogSoftmax",
        _over_features(LogSoftmax()),
    ),
    example="dense(3) -> log_softmax",
)
