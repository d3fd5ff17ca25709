"""Layers that turn each row of numbers into a row of as many: softmax and its logarithm."""

from __future__ import annotations

from nndsl.ops.rows import LogSoftmax, Softmax
from nndsl.vocab.kinds import Layer
from nndsl.vocab.registry import register

register(
    Layer(
        "softmax",
        {},
        "exp(x) divided by its sum over the outputs: shares above 0 that sum to 1.",
        "Bridle 1990, Probabilistic interpretation of feedforward classification network outputs",
        lambda context, operands, arguments: context.build.add(Softmax(), operands[0]),
    ),
    example="dense(3) -> softmax",
)
register(
    Layer(
        "log_softmax",
        {},
        "Logarithm of softmax, without overflow.",
        "torch.nn.LogSoftmax",
        lambda context, operands, arguments: context.build.add(LogSoftmax(), operands[0]),
    ),
    example="dense(3) -> log_softmax",
)
