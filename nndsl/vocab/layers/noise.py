"""Layers with randomness: dropout, added noise, and noise as an input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nndsl.ir.graph import Value
from nndsl.ir.types import BATCH
from nndsl.ops.compose import add_map
from nndsl.ops.map import operand
from nndsl.ops.source import Random
from nndsl.params import Choice, Int, Real
from nndsl.scalar.functions import where
from nndsl.vocab.kinds import Layer, LayerContext
from nndsl.vocab.registry import register


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
    chance = context.build.add(Random("uniform", value.type.shape, context.stream()))
    kept = operand(0) if at_inference else 1.0 / (1.0 - rate) * operand(0)
    return add_map(context.build, where(operand(1) < rate, 0, kept), value, chance, name="dropout")


def _add_noise(
    context: LayerContext, operands: Sequence[Value], arguments: Mapping[str, Any]
) -> Value:
    (value,) = operands
    if not context.training or arguments["std"] == 0.0:
        return value
    normal = context.build.add(Random("normal", value.type.shape, context.stream()))
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
    )
)
register(
    Layer(
        "add_noise",
        {"std": Real(0.1, "standard deviation", ge=0)},
        "In training a normal number of mean 0 is added to each; afterwards nothing.",
        "Bishop 1995, Training with noise is equivalent to Tikhonov regularization",
        _add_noise,
    )
)
register(
    Layer(
        "noise",
        {"size": Int(doc="how many numbers for each example", ge=1)},
        "Standard normal numbers, new at each step: an input made of nothing.",
        "Goodfellow et al. 2014, arXiv:1406.2661",
        _noise,
        (0, 0),
    )
)
