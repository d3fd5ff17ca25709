"""lrn: local response normalisation, neighbouring channels against each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nndsl.ir.graph import Value
from nndsl.ops.compose import add_map
from nndsl.ops.map import operand
from nndsl.ops.padding import Pad
from nndsl.ops.pooling import SumPool
from nndsl.ops.reduction import Reshape
from nndsl.params import Int, Real
from nndsl.vocab.kinds import Layer, LayerContext
from nndsl.vocab.layers.images import image_of
from nndsl.vocab.registry import register


def _lrn(context: LayerContext, operands: Sequence[Value], arguments: Mapping[str, Any]) -> Value:
    """Sums over neighbouring channels are sums over windows of a row: channels as a width."""
    build, size = context.build, arguments["size"]
    image = image_of(build, operands[0], "lrn")
    shape = image.value.type.shape
    rows = (shape[0], image.size[0] * image.size[1], image.channels, 1)
    squares = add_map(build, operand(0) * operand(0), image.value, name="squares")
    line = build.add(Reshape(rows), squares, name="squares")
    edges = (0, 0, size // 2, 0), (0, 0, (size - 1) // 2, 0)
    sums = build.add(SumPool((1, size), (1, 1)), build.add(Pad(*edges), line, name="pad"))
    around = build.add(Reshape(shape), sums, name="sums")
    alpha, beta, k = (float(arguments[name]) for name in ("alpha", "beta", "k"))
    formula = operand(0) * (k + alpha / size * operand(1)) ** -beta
    return image.back(add_map(build, formula, image.value, around, name="lrn"))


register(
    Layer(
        "lrn",
        {
            "size": Int(5, "how many neighbouring channels are added up", ge=1),
            "alpha": Real(1e-4, "weight of their mean square", ge=0),
            "beta": Real(0.75, "power of the divisor", gt=0),
            "k": Real(1.0, "what is added to it", gt=0),
        },
        "x / (k + alpha * mean of x^2 over neighbouring channels)^beta. AlexNet's paper sums "
        "where PyTorch, Caffe and this take the mean: its alpha is a size-th of this one.",
        "Krizhevsky, Sutskever & Hinton 2012; torch.nn.LocalResponseNorm",
        _lrn,
        transparent=True,
    ),
    example="reshape(4x1x1) -> lrn(3)",
)
