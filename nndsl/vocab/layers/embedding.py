"""Ids become rows of numbers, and places in time get numbers of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nndsl.ir.graph import ShapeError, Value
from nndsl.ir.types import (
    BATCH,
    Dimension,
    ElementType,
    TensorType,
    format_shape,
    number_of,
)
from nndsl.ops.embedding import Lookup
from nndsl.ops.map import Map, operand
from nndsl.ops.matmul import MatMul
from nndsl.ops.movement import Slice
from nndsl.ops.reduction import Broadcast, Reshape
from nndsl.ops.source import Random, Waves
from nndsl.params import Int, Real, Ref, SharedStage
from nndsl.scalar.functions import where
from nndsl.vocab.arguments import call
from nndsl.vocab.kinds import Layer, LayerContext
from nndsl.vocab.layers.sequences import ids_length, sequence_of
from nndsl.vocab.registry import WordCall, register, words

FEATURES = Int(doc="how many numbers each place has", ge=1)
INIT = Ref(
    None,
    "start of the table; left out: normal numbers, a row has length 1 on average",
    "initializer",
)


def _start(arguments: Mapping[str, Any]) -> WordCall:
    """The initializer written, else one by which rows have length 1 on average."""
    given = arguments["init"]
    std = arguments["features"] ** -0.5
    found = given or call(words("initializer")["normal"], std=std)
    assert isinstance(found, WordCall)
    return found


def _embed(context: LayerContext, operands: Sequence[Value], arguments: Mapping[str, Any]) -> Value:
    """A row of the table for each id."""
    (ids,) = operands
    ids_length(ids, "embed")
    if ids.type.below is None:
        raise ShapeError("how many ids there are is not known", "NN202", "ids(8000)[T]")
    count, features = ids.type.below, arguments["features"]
    table = context.parameter(
        "weight", (count, features), initializer=_start(arguments), fan_in=count, fan_out=features
    )
    return context.build.add(Lookup(), table, ids, name="embed")


def _tied(context: LayerContext, operands: Sequence[Value], arguments: Mapping[str, Any]) -> Value:
    """Products with all rows of the table: how much each place is like each id."""
    (x,) = operands
    _, features = sequence_of(x, "tied")
    tables = [v for v in context.weights_at(arguments["stage"]) if v.type.rank == 2]
    if len(tables) != 1:
        raise ShapeError(
            "`tied` takes a shared `embed` that has been used already", "NN202", "share token = "
            f"embed({features})",
        )  # fmt: skip
    if tables[0].type.shape[1] != features:
        shape = format_shape(tables[0].type.shape)
        raise ShapeError(f"{features} features do not meet a table of {shape}", "NN203")
    return context.build.add(MatMul(transpose_b=True), x, tables[0], name="tied")


def _position(
    context: LayerContext, operands: Sequence[Value], arguments: Mapping[str, Any]
) -> Value:
    """The first rows of the table, one for each place."""
    length = _length(operands[0], "position")
    features, longest = arguments["features"], arguments["longest"]
    known = number_of(length)
    if longest is None and known is None:
        raise ShapeError(
            f"how long a sequence may be must be known for `position`: {length} is a name",
            "NN209",
            f"position({features}, longest=512), or `sinusoidal({features})`",
        )
    if known is not None and longest is not None and known > longest:
        raise ShapeError(
            f"the sequence has {known} places, but `position` {longest}",
            "NN203",
            f"position({features}, longest={known})",
        )
    rows = int(longest or known or 1)
    table = context.parameter(
        "weight", (rows, features), initializer=_start(arguments), fan_in=rows, fan_out=features
    )
    return _spread(context, operands[0], context.build.add(Slice(0, 0, length), table))


def _sinusoidal(
    context: LayerContext, operands: Sequence[Value], arguments: Mapping[str, Any]
) -> Value:
    """Sines and cosines of the place."""
    length = _length(operands[0], "sinusoidal")
    if arguments["features"] % 2:
        raise ShapeError("`sinusoidal` has sines and cosines: an even number of features", "NN203")
    waves = Waves(length, arguments["features"], float(arguments["base"]))
    return _spread(context, operands[0], context.build.add(waves))


def _mask_tokens(
    context: LayerContext, operands: Sequence[Value], arguments: Mapping[str, Any]
) -> Value:
    """One chance for each place."""
    (ids,) = operands
    ids_length(ids, "mask_tokens")
    token, rate = arguments["token"], arguments["rate"]
    build = context.build
    if (context.training or context.judging) and rate > 0.0:
        by_row = not context.training
        chance = build.add(Random("uniform", ids.type.shape, context.stream(), by_row))
        chosen = where(operand(1) < rate, float(token), operand(0))
        hidden = build.add(Map((chosen,), ElementType.INDEX), ids, chance, name="mask_tokens")
    else:
        hidden = build.add(Map((operand(0),), ElementType.INDEX), ids, name="mask_tokens")
    if ids.type.below is not None:
        below = max(ids.type.below, token + 1)
        hidden.type = TensorType(ids.type.shape, ElementType.INDEX, below)
    return hidden


def _length(value: Value, word: str) -> Dimension:
    """How many places ids or a sequence have."""
    if value.type.element is not ElementType.INDEX:
        return sequence_of(value, word)[0]
    axes = ids_length(value, word)
    if len(axes) != 1:
        raise ShapeError(f"`{word}` takes ids in time, here is one for each example", "NN202")
    return axes[0]


def _spread(context: LayerContext, like: Value, rows: Value) -> Value:
    """The same rows for every example."""
    build, shape = context.build, rows.type.shape
    one = build.add(Reshape((1, *shape)), rows, name="places")
    return build.add(Broadcast((BATCH, *shape)), one, name="places")


register(
    Layer(
        "embed",
        {"features": FEATURES, "init": INIT},
        "Each id becomes a learnt row of numbers: a word as a vector.",
        "Bengio et al. 2003, A neural probabilistic language model",
        _embed,
        takes="ids(8)[T]",
    ),
    example="embed(16) -> attention(2)",
)
register(
    Layer(
        "tied",
        {"stage": SharedStage(doc="the shared `embed` whose table is used again")},
        "A number for each id: the product of every row of features with the rows of a shared "
        "`embed`, so that words alike are answered alike.",
        "Press & Wolf 2017, arXiv:1608.05859",
        _tied,
        takes="ids(8)[T]",
    ),
    example="share token = embed(16)\n  token -> dense(16) -> tied(token)",
)
register(
    Layer(
        "position",
        {
            "features": FEATURES,
            "longest": Int(
                None, "how many places there may be; left out: the length, where it is known", ge=1
            ),
            "init": INIT,
        },
        "A learnt row of numbers for each place in time, the same for every example: added to what "
        "stands there.",
        "Gehring et al. 2017, arXiv:1705.03122",
        _position,
        takes="ids(8)[T]",
    ),
    example="embed(16) + position(16, longest=100)",
)
register(
    Layer(
        "sinusoidal",
        {
            "features": FEATURES,
            "base": Int(10000, "how much slower the last wave is than the first", ge=2),
        },
        "Sines and cosines of each place in time, slower from feature to feature: added to what "
        "stands there. Nothing is learnt, and there is no longest sequence.",
        "Vaswani et al. 2017, arXiv:1706.03762",
        _sinusoidal,
        takes="ids(8)[T]",
    ),
    example="embed(16) + sinusoidal(16)",
)
register(
    Layer(
        "mask_tokens",
        {
            "rate": Real(doc="share of the ids that are hidden", ge=0, lt=1),
            "token": Int(doc="the id that stands in their place", ge=0),
        },
        "In training each id is hidden with a given chance: a network learns to guess it from the "
        "others. Where the objective asks what was hidden, it is judged by ids of its own, the "
        "same of a row every time. When it answers, nothing is hidden.",
        "Devlin et al. 2018, arXiv:1810.04805",
        _mask_tokens,
        takes="ids(8)[T]",
    ),
    example="mask_tokens(15%, token=8) -> embed(16)",
)
