"""Gated units: one half of the features times an activation of the other half."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nndsl.ir.graph import ShapeError, Value
from nndsl.ir.types import format_shape
from nndsl.ops.compose import add_map
from nndsl.ops.map import operand
from nndsl.ops.movement import Slice
from nndsl.scalar.expression import constant
from nndsl.scalar.inspection import substitute
from nndsl.vocab.kinds import Activation, Layer, LayerContext
from nndsl.vocab.layers.images import feature_axis
from nndsl.vocab.registry import register, words

WORDS = {
    "glu": ("sigmoid", "Dauphin et al. 2017, arXiv:1612.08083"),
    "reglu": ("relu", "Shazeer 2020, arXiv:2002.05202"),
    "geglu": ("gelu", "Shazeer 2020, arXiv:2002.05202"),
    "swiglu": ("silu", "Shazeer 2020, arXiv:2002.05202"),
}
"""Each gated unit with the activation of its gate."""


def _maker(
    word: str, activation: str
) -> Callable[[LayerContext, Sequence[Value], Mapping[str, Any]], Value]:
    def make(
        context: LayerContext, operands: Sequence[Value], arguments: Mapping[str, Any]
    ) -> Value:
        """The first half times the activation of the second, as torch.nn.GLU cuts them."""
        (x,) = operands
        axis = feature_axis(x)
        size = x.type.shape[axis]
        if not isinstance(size, int) or size % 2:
            shape = format_shape(x.type.shape)
            raise ShapeError(f"`{word}` needs an even number of features, not {shape}", "NN203")
        halves = [
            context.build.add(Slice(axis, start, start + size // 2), x, name="half")
            for start in (0, size // 2)
        ]
        gate = words("activation")[activation]
        assert isinstance(gate, Activation)
        names = {n: constant(float(p.default)) for n, p in gate.parameters.items()}
        names["x"] = operand(1)
        opened = substitute(gate.expression, names)
        return add_map(context.build, operand(0) * opened, *halves, name=word)

    return make


for _word, (_activation, _source) in WORDS.items():
    register(
        Layer(
            _word,
            {},
            f"The first half of the features times `{_activation}` of the second half: half as "
            "many outputs.",
            _source,
            _maker(_word, _activation),
        ),
        example=f"dense(16) -> {_word}",
    )
