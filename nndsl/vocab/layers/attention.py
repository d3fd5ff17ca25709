"""Attention: every place of a sequence asks, and takes the average of what answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nndsl.ir.graph import ShapeError, Value
from nndsl.ir.types import format_shape
from nndsl.ops.attention import AttentionWeights
from nndsl.ops.compose import add_map
from nndsl.ops.einsum import Einsum
from nndsl.ops.map import operand
from nndsl.ops.matmul import MatMul
from nndsl.ops.reduction import Reshape
from nndsl.ops.rotary import Rotary
from nndsl.ops.source import Random, Waves
from nndsl.params import Flag, Int, Places, Real
from nndsl.records import dataclass
from nndsl.scalar.functions import tanh, where
from nndsl.vocab.arguments import call
from nndsl.vocab.kinds import Layer, LayerContext
from nndsl.vocab.layers.dense import TRANSPOSED
from nndsl.vocab.layers.sequences import sequence_of
from nndsl.vocab.registry import register, words


@dataclass(frozen=True)
class Heads:
    """How features are divided: `groups` of keys and values, each for `each` heads of queries."""

    groups: int
    each: int
    size: int

    @property
    def is_grouped(self) -> bool:
        """Whether several heads share their keys and values."""
        return self.each > 1

    @property
    def axes(self) -> str:
        """The letters of the heads of queries."""
        return "gr" if self.is_grouped else "g"


def _heads(features: int, arguments: Mapping[str, Any]) -> Heads:
    """NN212 where the features cannot be divided so."""
    heads = arguments["heads"]
    groups = arguments["kv_heads"] or heads
    if features % heads:
        fitting = [n for n in range(1, features + 1) if features % n == 0]
        near = min(fitting, key=lambda n: abs(n - heads))
        raise ShapeError(
            f"{features} features cannot be divided into {heads} heads of equal size",
            "NN212",
            f"attention({near}), or {-(-features // heads) * heads} features",
        )
    if heads % groups:
        raise ShapeError(
            f"{heads} heads cannot share {groups} heads of keys and values equally",
            "NN212",
            f"a divisor of {heads} such as `kv_heads={_divisor(heads, groups)}`",
        )
    size = features // heads
    if arguments["rope"] and size % 2:
        raise ShapeError(
            f"`rope` turns pairs of features, but a head has {size}",
            "NN212",
            "fewer heads, so that each has an even number",
        )
    return Heads(groups, heads // groups, size)


def _divisor(heads: int, near: int) -> int:
    return min((n for n in range(1, heads + 1) if heads % n == 0), key=lambda n: abs(n - near))


def _attention(
    context: LayerContext, operands: Sequence[Value], arguments: Mapping[str, Any]
) -> Value:
    """softmax(Q K^T / sqrt(size)) V in every head, then a mixture of the heads."""
    x, memory = operands[0], operands[-1]
    length, features = sequence_of(x, "attention")
    sequence_of(memory, "attention")
    if len(operands) == 2 and (arguments["rope"] or arguments["window"]):
        what = "rope" if arguments["rope"] else "window"
        raise ShapeError(f"`{what}` is for places of one sequence, here are two", "NN202")
    heads = _heads(features, arguments)
    shared = heads.groups * heads.size
    wanted = (("query", x, features), ("key", memory, shared), ("value", memory, shared))
    parts = [_projected(context, name, v, n, arguments) for name, v, n in wanted]
    queries, keys, values = (_divided(context, part, heads) for part in parts)
    if arguments["rope"]:
        queries, keys = (_turned(context, v, length, heads.size) for v in (queries, keys))
    counted = _counted(keys, arguments["where"] or context.mask(memory))
    mixed = _mixed(context, heads, (queries, keys, values), counted, arguments)
    joined = context.build.add(Reshape(x.type.shape), mixed, name="heads")
    return _projected(context, "output", joined, features, arguments)


def _projected(
    context: LayerContext, name: str, x: Value, outputs: int, arguments: Mapping[str, Any]
) -> Value:
    """A dense layer of each place."""
    inputs = x.type.shape[-1]
    assert isinstance(inputs, int)  # sequence_of has seen to it
    weight = context.parameter(
        f"{name}.weight",
        (inputs, outputs),
        initializer=call(words("initializer")["glorot_uniform"]),
        fan_in=inputs,
        fan_out=outputs,
        axes=TRANSPOSED,
    )
    y = context.build.add(MatMul(), x, weight, name=name)
    if not arguments["bias"]:
        return y
    bias = context.parameter(f"{name}.bias", (outputs,), values=0.0, decays=False)
    return add_map(context.build, operand(0) + operand(1), y, bias, name=name)


def _divided(context: LayerContext, value: Value, heads: Heads) -> Value:
    """[N, T, heads, size]."""
    batch, length, features = value.type.shape
    assert isinstance(features, int)
    shape = (batch, length, features // heads.size, heads.size)
    return context.build.add(Reshape(shape), value, name="heads")


def _turned(context: LayerContext, value: Value, length: str, size: int) -> Value:
    cosines, sines = (
        context.build.add(Waves(length, size // 2, kind=kind)) for kind in ("cos", "sin")
    )
    return context.build.add(Rotary(), value, cosines, sines, name="rotary")


def _mixed(
    context: LayerContext,
    heads: Heads,
    parts: tuple[Value, Value, Value],
    counted: tuple[Value, ...],
    arguments: Mapping[str, Any],
) -> Value:
    """The average of the values that each query's scores say, [N, T, (groups, each | heads),
    size].
    """
    queries, keys, values = parts
    build, scale, cap = context.build, heads.size**-0.5, arguments["cap"]
    if heads.is_grouped:
        batch, length, _, size = queries.type.shape
        shape = (batch, length, heads.groups, heads.each, size)
        queries = build.add(Reshape(shape), queries, name="heads")
    h, is_causal = heads.axes, arguments["causal"] and queries.type.shape[1] == keys.type.shape[1]
    causal = "ij" if is_causal else ""
    scores = build.add(Einsum(f"ni{h}k,njgk->n{h}ij", causal), queries, keys, name="scores")
    if cap is not None:
        scores = add_map(build, cap * tanh((scale / cap) * operand(0)), scores, name="capped")
        scale = 1.0
    seen = AttentionWeights(scale, arguments["causal"], arguments["window"] or 0)
    weights = build.add(seen, scores, *counted, name="weights")
    rate = arguments["dropout"]
    if rate > 0.0 and context.training:
        chance = build.add(Random("uniform", weights.type.shape, context.stream()))
        kept = where(operand(1) < rate, 0, 1.0 / (1.0 - rate) * operand(0))
        weights = add_map(build, kept, weights, chance, name="dropout")
    return build.add(Einsum(f"n{h}ij,njgk->ni{h}k", causal), weights, values, name="average")


def _counted(keys: Value, places: Value | None) -> tuple[Value, ...]:
    """Which of the keys count, where that is said; NN203 for another number of places."""
    if places is None:
        return ()
    if places.type.shape != keys.type.shape[:2]:
        shape, length = format_shape(places.type.shape), format_shape(keys.type.shape[:2])
        raise ShapeError(f"`where` has {shape} places, what is looked at {length}", "NN203")
    return (places,)


register(
    Layer(
        "attention",
        {
            "heads": Int(doc="into how many parts the features are divided", ge=1),
            "causal": Flag(False, "whether a place sees only itself and those before it"),
            "dropout": Real(0.0, "share of the weights that become 0 in training", ge=0, lt=1),
            "kv_heads": Int(
                None, "how many heads of keys and values the heads share; left out: all", ge=1
            ),
            "window": Int(None, "how many places are seen on each side, itself included", ge=1),
            "rope": Flag(False, "whether pairs of features turn with the place (rotary positions)"),
            "cap": Real(None, "scores are bent by tanh to stay within this size", gt=0),
            "bias": Flag(True, "whether the projections have shifts"),
            "where": Places(
                None,
                "which places may be looked at, as in `text != 0`; left out: all up to the end of "
                "each sequence",
            ),
        },
        "Every place asks by its query, compares with the keys of all places, and takes the "
        "average of their values, in several heads. A second tensor is what is looked at instead "
        "of the sequence itself.",
        "Vaswani et al. 2017, arXiv:1706.03762",
        _attention,
        (1, 2),
        takes="ids(8)[T]",
    ),
    example="embed(16) -> attention(4, causal=true)",
)
