"""Layers with randomness: dropout in two forms, added noise, and noise as an input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nndsl.ir.graph import ShapeError, Value
from nndsl.ir.types import BATCH, format_shape
from nndsl.ops.compose import add_map
from nndsl.ops.map import operand
from nndsl.ops.reduction import Reshape
from nndsl.ops.source import Random
from nndsl.params import Choice, Int, Real
from nndsl.scalar.functions import where
from nndsl.vocab.kinds import Layer, LayerContext
from nndsl.vocab.layers.images import channels_first, is_channels_first
from nndsl.vocab.registry import register


def _random(context: LayerContext, kind: str, value: Value) -> Value:
    """A random number for each of a value's; of images in the order in which they are computed."""
    shape = value.type.shape
    if value.type.rank != 4:
        return context.build.add(Random(kind, shape, context.stream()))
    batch, channels, height, width = shape
    drawn = Random(kind, (batch, height, width, channels), context.stream())
    return channels_first(context.build, context.build.add(drawn), dimensions=2)


def _dropout(
    context: LayerContext, operands: Sequence[Value], arguments: Mapping[str, Any]
) -> Value:
    (value,) = operands
    rate = arguments["rate"]
    at_inference = arguments["scaling"] == "inference"
    if rate == 0.0:
        return value
    if not context.training:
        if not at_inference:
            return value
        return add_map(context.build, (1.0 - rate) * operand(0), value, name="dropout")
    chance = _random(context, "uniform", value)
    kept = operand(0) if at_inference else 1.0 / (1.0 - rate) * operand(0)
    return add_map(context.build, where(operand(1) < rate, 0, kept), value, chance, name="dropout")


def _channel_dropout(
    context: LayerContext, operands: Sequence[Value], arguments: Mapping[str, Any]
) -> Value:
    """One chance for each channel of each example."""
    (value,) = operands
    rate, build = arguments["rate"], context.build
    if not is_channels_first(value.type.shape):
        shape = format_shape(value.type.shape)
        raise ShapeError(
            f"`channel_dropout` takes an image or a signal, not {shape}", "NN202", "dropout"
        )
    if rate == 0.0 or not context.training:
        return value
    chances = build.add(Random("uniform", value.type.shape[:2], context.stream()))
    inner = [1] * (value.type.rank - 2)
    spread = build.add(Reshape((*value.type.shape[:2], *inner)), chances, name="chances")
    kept = where(operand(1) < rate, 0, 1.0 / (1.0 - rate) * operand(0))
    return add_map(build, kept, value, spread, name="channel_dropout")


SELU_LOWEST = -1.7580993408473768
"""What SELU gives far below 0: minus its scale times its alpha."""


def _alpha_dropout(
    context: LayerContext, operands: Sequence[Value], arguments: Mapping[str, Any]
) -> Value:
    """Drops to SELU's lowest value; then a factor and a shift bring mean 0, deviation 1 back."""
    (value,) = operands
    rate = arguments["rate"]
    if rate == 0.0 or not context.training:
        return value
    chance = _random(context, "uniform", value)
    factor = ((1.0 - rate) * (1.0 + rate * SELU_LOWEST**2)) ** -0.5
    shift = -factor * rate * SELU_LOWEST
    kept = where(operand(1) < rate, SELU_LOWEST, operand(0))
    return add_map(context.build, factor * kept + shift, value, chance, name="alpha_dropout")


def _add_noise(
    context: LayerContext, operands: Sequence[Value], arguments: Mapping[str, Any]
) -> Value:
    (value,) = operands
    if not context.training or arguments["std"] == 0.0:
        return value
    normal = _random(context, "normal", value)
    noisy = operand(0) + arguments["std"] * operand(1)
    return add_map(context.build, noisy, value, normal, name="add_noise")


def _noise(context: LayerContext, operands: Sequence[Value], arguments: Mapping[str, Any]) -> Value:
    shape = (BATCH, arguments["size"])
    return context.build.add(Random("normal", shape, context.stream()), name="noise")


register(
    Layer(
        "dropout",
        {
            "rate": Real(doc="share of the numbers that become 0", ge=0, lt=1),
            "scaling": Choice(
                "training",
                "when to make up for it: numbers divided by 1 - rate in training, or "
                "multiplied by it at inference",
                ("training", "inference"),
            ),
        },
        "In training each number becomes 0 with a given chance; afterwards nothing is dropped.",
        "Srivastava et al. 2014, Dropout",
        _dropout,
        transparent=True,
    ),
    example="dense(16) -> relu -> dropout(0.2)",
)
register(
    Layer(
        "channel_dropout",
        {"rate": Real(doc="share of the channels that become 0", ge=0, lt=1)},
        "In training each channel of an image becomes 0 as a whole with a given chance, and the "
        "others are divided by 1 - rate; afterwards nothing is dropped.",
        "Tompson et al. 2015, arXiv:1411.4280",
        _channel_dropout,
        transparent=True,
    ),
    example="reshape(2x1x2) -> channel_dropout(0.2)",
)
register(
    Layer(
        "alpha_dropout",
        {"rate": Real(doc="share of the numbers that are dropped", ge=0, lt=1)},
        "Dropout for `selu`: dropped numbers take SELU's lowest value, and mean 0 and deviation 1 "
        "are kept. Nothing is dropped after training.",
        "Klambauer et al. 2017, arXiv:1706.02515",
        _alpha_dropout,
        transparent=True,
    ),
    example="dense(16) -> selu -> alpha_dropout(0.1)",
)
register(
    Layer(
        "add_noise",
        {"std": Real(0.1, "standard deviation", ge=0)},
        "In training a normal number of mean 0 is added to each; afterwards nothing.",
        "Bishop 1995, Training with noise is equivalent to Tikhonov regularization",
        _add_noise,
        transparent=True,
    ),
    example="add_noise(0.1) -> dense(16) -> relu",
)
register(
    Layer(
        "noise",
        {"size": Int(doc="how many numbers for each example", ge=1, is_size=True)},
        "Standard normal numbers, new at each step: an input made of nothing.",
        "Goodfellow et al. 2014, arXiv:1406.2661",
        _noise,
        (0, 0),
    ),
    example="noise(8) -> dense(16) -> relu",
)
