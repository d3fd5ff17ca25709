"""Recurrent layers: cells written for one step, forward only. The way back through time follows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from nndsl.ir.graph import ShapeError, Value
from nndsl.ir.types import BATCH, TensorType, format_shape
from nndsl.ops.compose import add_map, add_sum
from nndsl.ops.map import operand
from nndsl.ops.matmul import MatMul
from nndsl.ops.movement import Slice, zeros
from nndsl.ops.recurrence import Step, recurrence
from nndsl.ops.split import Split
from nndsl.params import Choice, Flag, Int, Parameter, Real, Ref
from nndsl.records import dataclass
from nndsl.scalar.expression import Expression, constant
from nndsl.scalar.functions import sigmoid, tanh
from nndsl.scalar.inspection import substitute
from nndsl.vocab.kinds import Activation, Layer, LayerContext
from nndsl.vocab.layers.dense import TRANSPOSED
from nndsl.vocab.layers.sequences import sequence_of
from nndsl.vocab.registry import register

X, Y, Z = operand(0), operand(1), operand(2)


@dataclass(eq=False)
class Weights:
    """What a cell has learnt: products with input and state, [features, gates x units]."""

    input: Value
    state: Value
    bias: Value | None
    state_bias: Value | None = None  # of a gru whose reset gate comes after the product
    peepholes: Value | None = None  # of an lstm: three rows, for the gates i, f, o


Cell = Callable[[LayerContext, Step, Weights, Mapping[str, Any]], Sequence[Value]]
"""Writes one step; gives the next memory, of which the first is the output."""


def rnn_cell(
    context: LayerContext, step: Step, weights: Weights, arguments: Mapping[str, Any]
) -> Sequence[Value]:
    """H = g(W x + U h + b)."""
    (x,), (h,) = step.inputs, step.memory
    total = _sum(context, [(x, weights.input), (h, weights.state)], weights.bias)
    return (add_map(context.build, _function(arguments["activation"]), total, name="h"),)


def lstm_cell(
    context: LayerContext, step: Step, weights: Weights, arguments: Mapping[str, Any]
) -> Sequence[Value]:
    """C = f c + i g, h = o tanh(c); the gates i, f, o are sigmoids, g is a tanh."""
    build = context.build
    (x,), (h, c) = step.inputs, step.memory
    total = _sum(context, [(x, weights.input), (h, weights.state)], weights.bias)
    units = arguments["units"]
    i, f, g, o = build.add_all(Split(1, (units,) * 4), total, name="gates")
    seen = [build.add(Slice(0, n, n + 1), weights.peepholes) for n in range(3)] if (
        weights.peepholes is not None
    ) else []  # fmt: skip

    def gate(sum: Value, number: int, memory: Value, name: str) -> Value:
        if not seen:
            return add_map(build, sigmoid(X), sum, name=name)
        return add_map(build, sigmoid(X + Y * Z), sum, seen[number], memory, name=name)

    opened, forgot = gate(i, 0, c, "i"), gate(f, 1, c, "f")
    new = add_map(build, tanh(X), g, name="g")
    memory = add_map(build, X * Y + Z * operand(3), forgot, c, opened, new, name="c")
    return add_map(build, X * tanh(Y), gate(o, 2, memory, "o"), memory, name="h"), memory


def gru_cell(
    context: LayerContext, step: Step, weights: Weights, arguments: Mapping[str, Any]
) -> Sequence[Value]:
    """H = (1 - z) n + z h, n = tanh(W x + r (U h + b')) or tanh(W x + U (r h))."""
    build, units = context.build, arguments["units"]
    (x,), (h,) = step.inputs, step.memory
    of_input = _sum(context, [(x, weights.input)], weights.bias)
    r_x, z_x, n_x = build.add_all(Split(1, (units,) * 3), of_input, name="gates")
    if arguments["reset"] == "after":
        of_state = build.add(MatMul(), h, weights.state, name="state")
        r_h, z_h, n_h = build.add_all(Split(1, (units,) * 3), of_state, name="gates")
    else:
        outer = build.add(Slice(1, 0, 2 * units), weights.state, name="gates")
        product = build.add(MatMul(), h, outer, name="state")
        r_h, z_h = build.add_all(Split(1, (units,) * 2), product, name="gates")
    r = add_map(build, sigmoid(X + Y), r_x, r_h, name="r")
    z = add_map(build, sigmoid(X + Y), z_x, z_h, name="z")
    if arguments["reset"] == "after":
        bias = () if weights.state_bias is None else (weights.state_bias,)
        inner = tanh(X + Y * (Z + operand(3)) if bias else X + Y * Z)
        n = add_map(build, inner, n_x, r, n_h, *bias, name="n")
    else:
        reset = add_map(build, X * Y, r, h, name="reset")
        inside = build.add(Slice(1, 2 * units, 3 * units), weights.state, name="gate")
        n = add_map(build, tanh(X + Y), n_x, build.add(MatMul(), reset, inside), name="n")
    return (add_map(build, (1.0 - X) * Y + X * Z, z, n, h, name="h"),)


def _sum(
    context: LayerContext, products: Sequence[tuple[Value, Value]], bias: Value | None
) -> Value:
    terms = [context.build.add(MatMul(), x, w) for x, w in products]
    return add_sum(context.build, [*terms, *(() if bias is None else (bias,))])


def _function(call: Any) -> Expression:
    """An activation with its arguments as a formula of x0."""
    assert isinstance(call.word, Activation)
    names: dict[str, Expression] = {"x": X}
    names |= {n: constant(float(v)) for n, v in call.arguments.items()}
    return substitute(call.word.expression, names)


def _maker(word: str, cell: Cell, gates: int, memories: int) -> Any:
    def make(
        context: LayerContext, operands: Sequence[Value], arguments: Mapping[str, Any]
    ) -> Value:
        """The cell at every step, from a memory given or of zeros; its output at every step."""
        x = operands[0]
        _, features = sequence_of(x, word)
        units = arguments["units"]
        weights = _weights(context, features, units, gates, arguments)
        starts = _starts(context, operands[1:], word, TensorType((BATCH, units)), memories)

        def write(step: Step) -> Sequence[Value]:
            return cell(context, step, weights, arguments)

        made = recurrence(
            context.build,
            [x],
            starts,
            write,
            reverse=context.reverse,
            mask=context.mask(x),
            names=("h", "c")[:memories],
        )
        return made.output

    return make


def _starts(
    context: LayerContext, given: Sequence[Value], word: str, type: TensorType, memories: int
) -> list[Value]:
    """The memory before the first step: as given, zeros for the rest."""
    for value in given:
        if value.type != type:
            wanted, found = format_shape(type.shape), format_shape(value.type.shape)
            raise ShapeError(
                f"the memory of `{word}` is {wanted}, what it starts from {found}",
                "NN203",
                "the last step of another recurrence: `-> last`",
            )
    missing = memories - len(given)
    return [*given, *([zeros(context.build, type)] * missing if missing else ())]


def _weights(
    context: LayerContext, features: int, units: int, gates: int, arguments: Mapping[str, Any]
) -> Weights:
    """The learnt arrays of a cell, in PyTorch's order of gates."""

    def matrix(name: str, size: int, init: Any) -> Value:
        shape = (size, gates * units)
        return context.parameter(
            name, shape, initializer=init, fan_in=size, fan_out=units, axes=TRANSPOSED
        )

    weights = Weights(
        matrix("input_weight", features, arguments["init"]),
        matrix("state_weight", units, arguments["state_init"]),
        None,
    )
    if arguments["bias"]:
        values: np.ndarray | float = 0.0
        if "forget_bias" in arguments:
            values = np.repeat([0.0, arguments["forget_bias"], 0.0, 0.0], units)
        weights.bias = context.parameter("bias", (gates * units,), values=values, decays=False)
        if arguments.get("reset") == "after":
            weights.state_bias = context.parameter("state_bias", (units,), values=0.0, decays=False)
    if arguments.get("peepholes"):
        weights.peepholes = context.parameter("peepholes", (3, units), values=0.0, decays=False)
    return weights


COMMON: dict[str, Parameter] = {
    "units": Int(doc="how many numbers it remembers, and gives at every step", ge=1),
    "bias": Flag(True, "whether a learnt number is added to every sum"),
    "init": Ref("glorot_uniform", "start of the weights of its input", "initializer"),
    "state_init": Ref("orthogonal", "start of the weights of its memory", "initializer"),
}


def _recurrent(
    word: str,
    cell: Cell,
    gates: int,
    memories: int,
    doc: str,
    source: str,
    **more: Parameter,
) -> None:
    parameters = {"units": COMMON["units"], **more, **COMMON}
    make = _maker(word, cell, gates, memories)
    layer = Layer(word, parameters, doc, source, make, (1, 1 + memories), takes="[T, 3]")
    register(layer, example=f"{word}(16) -> last")


_recurrent(
    "rnn",
    rnn_cell,
    1,
    1,
    "At every step an activation of the input and of what the layer gave at the step before.",
    "Elman 1990, Finding structure in time",
    activation=Ref("tanh", "what is done to the sums", "activation"),
)
_recurrent(
    "lstm",
    lstm_cell,
    4,
    2,
    "Long short-term memory: gates say what is written into a memory, kept in it and read from it.",
    "Hochreiter & Schmidhuber 1997; Gers, Schmidhuber & Cummins 2000",
    forget_bias=Real(1.0, "where the bias of the forget gate begins: at first it remembers"),
    peepholes=Flag(False, "whether the gates see the memory (Gers & Schmidhuber 2000)"),
)
_recurrent(
    "gru",
    gru_cell,
    3,
    1,
    "Gated recurrent unit: one gate mixes old and new, another hides the old from the new.",
    "Cho et al. 2014, arXiv:1406.1078",
    reset=Choice(
        "after",
        "whether the reset gate acts before the product with the weights, as Cho et al. have "
        "it, or after it, as fast libraries do",
        ("before", "after"),
    ),
)
