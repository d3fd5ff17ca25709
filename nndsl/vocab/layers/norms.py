"""Norms: batch, layer, group, instance, root mean square. Numbers get mean 0 and deviation 1, then
a learnt scale and shift; they differ in which numbers are taken together. Features are the last
axis here: images and signals are turned so that their channels are (`_of_images`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nndsl.ir.graph import ShapeError, Value
from nndsl.ir.types import BATCH, Dimension, ElementType, format_shape
from nndsl.ops.compose import add_map, count_of
from nndsl.ops.map import operand
from nndsl.ops.reduction import Reshape
from nndsl.ops.standardize import Standardize
from nndsl.params import Choice, Flag, Int, Real
from nndsl.scalar.expression import Expression
from nndsl.scalar.functions import maximum, sqrt
from nndsl.vocab.kinds import Layer, LayerBuild, LayerContext
from nndsl.vocab.layers.images import image_of, is_channels_first
from nndsl.vocab.registry import register

EPSILON = Real(1e-5, "added to the variance before its root is taken", gt=0)
SCALE = Flag(True, "whether a factor for each feature is learnt")
BIAS = Flag(True, "whether a shift for each feature is learnt")


def _of_images(make: LayerBuild, word: str, ranks: tuple[int, ...] = (3, 4)) -> LayerBuild:
    """A norm that takes images (rank 4) and signals (rank 3), channels first, as well as rows."""

    def make_either(
        context: LayerContext, operands: Sequence[Value], arguments: Mapping[str, Any]
    ) -> Value:
        (x,) = operands
        if x.type.rank not in ranks or not is_channels_first(x.type.shape):
            return make(context, operands, arguments)
        image = image_of(context.build, x, word)
        return image.back(make(context, [image.value], arguments))

    return make_either


def _example_axes(x: Value) -> tuple[int, ...]:
    """The features of a row; all numbers of an image."""
    return (1, 2, 3) if x.type.rank == 4 else (x.type.rank - 1,)


def _batch_norm(
    context: LayerContext, operands: Sequence[Value], arguments: Mapping[str, Any]
) -> Value:
    """The lectures' four steps in training: mean, variance, standardise, scale and shift.

    At inference the running statistics stand for those of the batch.
    """
    (x,) = operands
    features = _features(x, "batch_norm")
    running = [
        context.state("running_mean", (features,)),
        context.state("running_var", (features,), start=1.0),
    ]
    epsilon = arguments["epsilon"]
    if not context.training:
        learnt = _learnt(context, features, arguments)
        (scale, shift), values = _formula(learnt, first=3)
        formula = (operand(0) - operand(1)) * (scale / sqrt(operand(2) + epsilon)) + shift
        return add_map(context.build, formula, x, *running, *values, name="batch_norm")
    axes = tuple(range(x.type.rank - 1))
    y, mean, variance = context.build.add_all(Standardize(axes, epsilon), x, name="standardized")
    _follow(context, x, axes, running, [mean, variance], arguments)
    return _scaled(context, y, features, arguments, "batch_norm")


def _follow(
    context: LayerContext,
    x: Value,
    axes: tuple[int, ...],
    running: Sequence[Value],
    batch: Sequence[Value],
    arguments: Mapping[str, Any],
) -> None:
    """Move the running statistics towards those of the batch."""
    build, momentum = context.build, arguments["momentum"]
    old, new = operand(0), operand(1)
    mean, variance = (build.add(Reshape(x.type.shape[-1:]), v, name="statistics") for v in batch)
    formula = (1.0 - momentum) * old + momentum * new
    context.update("running_mean", add_map(build, formula, running[0], mean, name="next"))
    sizes: list[Value] = []
    if arguments["variance"] == "unbiased":
        count, sizes = count_of(build, x, axes, first=2)
        unbiased = count / maximum(count - 1.0, 1.0)  # one row alone tells no spread
        formula = (1.0 - momentum) * old + momentum * (unbiased * new)
    context.update(
        "running_var", add_map(build, formula, running[1], variance, *sizes, name="next")
    )


def _layer_norm(
    context: LayerContext, operands: Sequence[Value], arguments: Mapping[str, Any]
) -> Value:
    (x,) = operands
    features = _features(x, "layer_norm")
    means = Standardize(_example_axes(x), arguments["epsilon"])
    y = context.build.add_all(means, x, name="standardized")[0]
    return _scaled(context, y, features, arguments, "layer_norm")


def _rms_norm(
    context: LayerContext, operands: Sequence[Value], arguments: Mapping[str, Any]
) -> Value:
    (x,) = operands
    features = _features(x, "rms_norm")
    squares = Standardize(_example_axes(x), arguments["epsilon"], center=False)
    y = context.build.add_all(squares, x, name="standardized")[0]
    return _scaled(context, y, features, arguments, "rms_norm")


def _instance_norm(
    context: LayerContext, operands: Sequence[Value], arguments: Mapping[str, Any]
) -> Value:
    image = image_of(context.build, operands[0], "instance_norm")
    means = Standardize((1, 2), arguments["epsilon"])
    y = context.build.add_all(means, image.value, name="standardized")[0]
    return image.back(_scaled(context, y, image.channels, arguments, "instance_norm"))


def _group_norm(
    context: LayerContext, operands: Sequence[Value], arguments: Mapping[str, Any]
) -> Value:
    (x,) = operands
    features, groups = _features(x, "group_norm"), arguments["groups"]
    if not isinstance(features, int) or features % groups:
        raise ShapeError(
            f"`group_norm` cannot cut {features} features into {groups} groups of equal size",
            "NN203",
        )
    build, shape = context.build, x.type.shape
    parted = build.add(Reshape((*shape[:-1], groups, features // groups)), x, name="groups")
    inner = tuple(axis for axis in range(1, parted.type.rank) if axis != parted.type.rank - 2)
    y = build.add_all(Standardize(inner, arguments["epsilon"]), parted, name="standardized")[0]
    whole = build.add(Reshape(shape), y, name="standardized")
    return _scaled(context, whole, features, arguments, "group_norm")


def _features(x: Value, word: str) -> Dimension:
    """How many features an example has; NN202 where there is no axis of them."""
    if x.type.rank < 2 or x.type.shape[0] != BATCH or x.type.element is not ElementType.REAL:
        shape = format_shape(x.type.shape)
        raise ShapeError(f"`{word}` takes rows of numbers for each example, not {shape}", "NN202")
    return x.type.shape[-1]


def _learnt(
    context: LayerContext, features: Dimension, arguments: Mapping[str, Any]
) -> tuple[Value | None, Value | None]:
    """The learnt factors and shifts, where there are some."""

    def parameter(name: str, start: float) -> Value:
        return context.parameter(name, (features,), values=start, decays=False)

    weight = parameter("weight", 1.0) if arguments["scale"] else None
    return weight, parameter("bias", 0.0) if arguments["bias"] else None


def _formula(
    learnt: tuple[Value | None, Value | None], first: int
) -> tuple[tuple[Expression | float, Expression | float], list[Value]]:
    """Factor and shift in a formula whose operands from `first` on are the values returned."""
    weight, bias = learnt
    values = [value for value in learnt if value is not None]
    scale: Expression | float = operand(first) if weight is not None else 1.0
    shift: Expression | float = operand(first + len(values) - 1) if bias is not None else 0.0
    return (scale, shift), values


def _scaled(
    context: LayerContext, y: Value, features: Dimension, arguments: Mapping[str, Any], name: str
) -> Value:
    """The last step: times the learnt factor, plus the learnt shift."""
    (scale, shift), values = _formula(_learnt(context, features, arguments), first=1)
    if not values:
        return y
    return add_map(context.build, scale * operand(0) + shift, y, *values, name=name)


register(
    Layer(
        "batch_norm",
        {
            "momentum": Real(
                0.1, "share of the batch in the running statistics; Keras counts 1 - it", ge=0, le=1
            ),
            "epsilon": EPSILON,
            "scale": SCALE,
            "bias": BIAS,
            "variance": Choice(
                "unbiased",
                "the running variance: of the batch as a sample (divided by one row less), or as "
                "it is; the batch itself is always standardised by its own, biased one",
                ("unbiased", "biased"),
            ),
        },
        "Every feature gets mean 0 and deviation 1 over the batch (every channel of images, over "
        "the batch and all places), then a learnt scale and shift. At inference, running means of "
        "the statistics stand for those of the batch.",
        "Ioffe & Szegedy 2015, arXiv:1502.03167",
        _of_images(_batch_norm, "batch_norm"),
        transparent=True,
    ),
    example="dense(16, bias=false) -> batch_norm -> relu",
)
register(
    Layer(
        "layer_norm",
        {"epsilon": EPSILON, "scale": SCALE, "bias": BIAS},
        "The features of each example get mean 0 and deviation 1 (all numbers of an image), then a "
        "learnt scale and shift for each feature or channel.",
        "Ba, Kiros & Hinton 2016, arXiv:1607.06450",
        _of_images(_layer_norm, "layer_norm", (4,)),
        transparent=True,
    ),
    example="dense(16) -> layer_norm -> relu",
)
register(
    Layer(
        "rms_norm",
        {"epsilon": EPSILON, "scale": SCALE, "bias": Flag(False, BIAS.doc)},
        "The features of each example are divided by the root of their mean square, then scaled.",
        "Zhang & Sennrich 2019, arXiv:1910.07467",
        _of_images(_rms_norm, "rms_norm", (4,)),
        transparent=True,
    ),
    example="dense(16) -> rms_norm -> silu",
)
register(
    Layer(
        "group_norm",
        {
            "groups": Int(doc="into how many groups of neighbours the features are cut", ge=1),
            "epsilon": EPSILON,
            "scale": SCALE,
            "bias": BIAS,
        },
        "The features of each group of an example (of images, channels at all places) get mean 0 "
        "and deviation 1, then a learnt scale and shift for each feature. One group is "
        "`layer_norm`.",
        "Wu & He 2018, arXiv:1803.08494",
        _of_images(_group_norm, "group_norm"),
        transparent=True,
    ),
    example="dense(16) -> group_norm(4) -> relu",
)
register(
    Layer(
        "instance_norm",
        {"epsilon": EPSILON, "scale": SCALE, "bias": BIAS},
        "Every channel of each image gets mean 0 and deviation 1, then a learnt scale and shift.",
        "Ulyanov, Vedaldi & Lempitsky 2016, arXiv:1607.08022",
        _instance_norm,
        transparent=True,
    ),
    example="reshape(2x1x2) -> instance_norm -> relu",
)
