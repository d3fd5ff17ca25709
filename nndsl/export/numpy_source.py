"""A graph as lines of NumPy: one for each operation, in the order in which they are computed.

Formulas are printed from the table of primitives; a primitive whose NumPy meaning is a function of
ours brings the source of that function along.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import field
from types import FunctionType
from typing import Any

import numpy as np

from nndsl.ir.graph import Builder, Graph, Node, Role, Value
from nndsl.ir.types import BATCH, Dimension, ElementType
from nndsl.ops.attention import AttentionWeights
from nndsl.ops.base import operation_of
from nndsl.ops.classes import OneHot, Pick
from nndsl.ops.convolution import Convolution, ConvolutionInputGradient
from nndsl.ops.einsum import Einsum
from nndsl.ops.embedding import Lookup
from nndsl.ops.map import Map
from nndsl.ops.matmul import MatMul
from nndsl.ops.movement import Concat, Slice, Transpose
from nndsl.ops.padding import Crop, Pad
from nndsl.ops.pooling import MaxPool, SumPool
from nndsl.ops.reduction import Broadcast, Reduce, Reshape
from nndsl.ops.rotary import Rotary
from nndsl.ops.rows import LogSoftmax, Softmax
from nndsl.ops.scan import Scan
from nndsl.ops.sequences import turn_pairs, waves_of, weigh_keys
from nndsl.ops.source import Constant, SizeOf, Waves
from nndsl.ops.windows import convolve, pool_maximum, pool_sum, spread_convolution
from nndsl.records import dataclass
from nndsl.scalar.expression import Expression
from nndsl.scalar.primitives import PRIMITIVES

INFIX = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/", "power": "**"}


@dataclass
class Sources:
    """Functions whose text goes into the file, by name, each before those that call it."""

    texts: dict[str, str] = field(default_factory=dict)

    def name_of(self, function: Callable[..., Any]) -> str:
        """What a function is called in the file; its text and that of what it calls is kept."""
        assert isinstance(function, FunctionType)
        name = function.__name__
        if name not in self.texts:
            for used in _names_used(function):
                found = function.__globals__.get(used)
                if isinstance(found, FunctionType) and found is not function:
                    self.name_of(found)
                elif isinstance(found, type) and found.__module__ == function.__module__:
                    self.texts.setdefault(used, inspect.getsource(found))
            self.texts[name] = inspect.getsource(function)
        return name


def _names_used(function: FunctionType) -> tuple[str, ...]:
    inner = [c for c in function.__code__.co_consts if inspect.iscode(c)]
    return (*function.__code__.co_names, *(n for code in inner for n in code.co_names))


def lines_of(graph: Graph, names: dict[Value, str], sources: Sources) -> list[str]:
    """The statements that compute a graph's outputs; `names` gives the inputs' and gets the rest.

    `rows` stands for the number of rows, `precision` for the type of numbers. An operation without
    a form of its own is written in the simpler ones it stands for; TypeError where there are none.
    """
    printer = _Printer(names, sources)
    return [line for node in graph.nodes for line in printer.statements(node)]


class _Printer:
    def __init__(self, names: dict[Value, str], sources: Sources) -> None:
        self.names, self.sources = names, sources

    def statements(self, node: Node) -> list[str]:
        """The lines of one operation."""
        if isinstance(node.operation, Scan):
            return self.repeated(node, node.operation)
        if isinstance(node.operation, Map):
            texts = [self.formula(e, node) for e in node.operation.expressions]
        else:
            call = _CALLS.get(type(node.operation))
            if call is not None:
                return [self.called(node, *call(node.operation))]
            make = _FORMS.get(type(node.operation))
            if make is None:
                return self.decomposed(node)
            texts = [make(node.operation, [self.names[v] for v in node.inputs])]
        return [
            f"{self.named(value)} = {text}" for value, text in zip(node.outputs, texts, strict=True)
        ]

    def repeated(self, node: Node, scan: Scan) -> list[str]:
        """A recurrence as a loop over its steps; what it keeps is put side by side behind it."""
        inner = [entry.value for entry in scan.body.graph.inputs.values()]
        given = [self.names[v] for v in node.inputs]
        first, last = scan.sequences, scan.sequences + scan.states
        self.names |= dict(zip(inner[last:], given[last:], strict=True))
        states = [self.named(v) for v in inner[first:last]]
        lines = [f"{a} = {b}" for a, b in zip(states, given[first:last], strict=True)]
        step = self.named(Value("step", node.outputs[0].type))
        body = [
            f"{self.named(v)} = {x}[:, {step}]" for v, x in zip(inner, given[:first], strict=False)
        ]
        body += [line for each in scan.body.graph.nodes for line in self.statements(each)]
        results = [self.names[v] for v in scan.body.graph.outputs.values()]
        outputs = [self.named(v) for v in node.outputs]
        kept = outputs[scan.states :]
        lines += [f"{name} = []" for name in kept]
        body += [f"{a}.append({b})" for a, b in zip(kept, results[scan.states :], strict=True)]
        body.append(f"{', '.join(states)}, = {', '.join(results[: scan.states])},")
        count = scan.times or f"{given[0]}.shape[1]"
        steps = f"reversed(range({count}))" if scan.reverse else f"range({count})"
        lines += [f"for {step} in {steps}:", *(f"    {line}" for line in body)]
        lines += [f"{a} = {b}" for a, b in zip(outputs, states, strict=False)]
        way = "[::-1]" if scan.reverse else ""
        return lines + [f"{name} = np.stack({name}{way}, axis=1)" for name in kept]

    def called(self, node: Node, function: Callable[..., Any], options: Sequence[object]) -> str:
        """The statement that calls a function of ours, whose source the file brings along."""
        operands = ", ".join([*(self.names[v] for v in node.inputs), *map(repr, options)])
        results = ", ".join(self.named(v) for v in node.outputs)
        return f"{results} = {self.sources.name_of(function)}({operands})"

    def decomposed(self, node: Node) -> list[str]:
        """The statements of the simpler operations that one stands for."""
        build = Builder()
        inputs = []
        for position, value in enumerate(node.inputs):
            inputs.append(build.input(f"x{position}", value.type, Role.DATA))
            self.names[inputs[-1]] = self.names[value]
        results = operation_of(node).decompose(build, inputs)
        if results is None:
            raise TypeError(f"{node.operation.name} has no form in NumPy")
        lines = [line for inner in build.graph.nodes for line in self.statements(inner)]
        for value, result in zip(node.outputs, results, strict=True):
            self.names[value] = self.names[result]
        return lines

    def named(self, value: Value) -> str:
        """A new variable."""
        name = f"v{len(self.names)}"
        self.names[value] = name
        return name

    def formula(self, expression: Expression, node: Node) -> str:
        """An expression over the operands x0, x1, ...; results keep the common shape."""
        if expression.operator == "constant":
            shape = _shape(node.outputs[0].type.shape)
            return f"np.full({shape}, {_number(expression)}, precision)"
        return self._text(expression, [self.names[v] for v in node.inputs])

    def _text(self, expression: Expression, operands: Sequence[str]) -> str:
        if expression.operator == "constant":
            return _number(expression)
        if expression.operator == "variable":
            return operands[int(str(expression.value)[1:])]
        primitive = PRIMITIVES[expression.operator]
        arguments = [self._text(a, operands) for a in expression.arguments]
        if primitive.name in INFIX:
            return f"({f' {INFIX[primitive.name]} '.join(arguments)})"
        listed = ", ".join(arguments)
        if isinstance(primitive.meaning, np.ufunc):
            return f"np.{primitive.meaning.__name__}({listed})"
        if primitive.is_condition:  # a comparison that answers 1 or 0
            return f"(np.{primitive.name}({listed}) * 1.0)"
        return f"{self.sources.name_of(primitive.meaning)}({listed})"


def _edges(op: Pad | Crop) -> list[tuple[int, int]]:
    return list(zip(op.before, op.behind, strict=True))


def _crop(op: Crop, operands: list[str]) -> str:
    places = ", ".join(f"{a or ''}:{-b or ''}" for a, b in _edges(op))
    return f"{operands[0]}[{places}]"


def _number(expression: Expression) -> str:
    """A constant; `float` reads what has no literal of its own."""
    number = float(str(expression.value))
    return repr(number) if math.isfinite(number) else f'float("{number}")'


def _size(size: Dimension) -> str:
    """A number, or the variable that holds it."""
    return "rows" if size == BATCH else str(size)


class _Variable(str):
    """The name of a size, which stands without quotation marks."""

    __slots__ = ()
    __repr__ = str.__str__


def _shape(shape: Sequence[Dimension]) -> str:
    sizes = [_size(d) for d in shape]
    return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"


def _matmul(op: MatMul, operands: list[str]) -> str:
    a, b = operands
    if op.transpose_a and not op.transpose_b:
        return f"{a}.reshape(-1, {a}.shape[-1]).T @ {b}.reshape(-1, {b}.shape[-1])"
    return f"{a}{'.T' if op.transpose_a else ''} @ {b}{'.T' if op.transpose_b else ''}"


def _reduce(op: Reduce, operands: list[str]) -> str:
    keep = ", keepdims=True" if op.keep else ""
    if op.kind == "max":
        return f"{operands[0]}.max(axis={op.axes}{keep})"
    return f"{operands[0]}.sum(axis={op.axes}{keep}, dtype=np.float64).astype(precision)"


def _slice(op: Slice, operands: list[str]) -> str:
    places = ", ".join([":"] * op.axis + [f"{op.start}:{op.stop}"])
    return f"{operands[0]}[{places}]"


def _softmax(op: Softmax, operands: list[str]) -> str:
    return f"softmax({operands[0]})"


def _constant(op: Constant, operands: list[str]) -> str:
    kind = "np.int32" if op.element is ElementType.INDEX else "precision"
    return f"np.array({list(op.numbers)!r}, {kind}).reshape({op.shape!r})"


def _pick(op: Pick, operands: list[str]) -> str:
    return f"np.take_along_axis({operands[0]}, {operands[1]}[..., None], axis=-1)[..., 0]"


_FORMS: dict[type, Callable[[Any, list[str]], str]] = {
    MatMul: _matmul,
    Reduce: _reduce,
    Broadcast: lambda op, x: f"np.broadcast_to({x[0]}, {_shape(op.shape)})",
    Reshape: lambda op, x: f"{x[0]}.reshape({_shape(op.shape)})",
    Transpose: lambda op, x: f"{x[0]}.transpose({op.axes!r})",
    Slice: _slice,
    Crop: _crop,
    Pad: lambda op, x: f'np.pad({x[0]}, {_edges(op)}, constant_values=float("{op.value}"))',
    Concat: lambda op, x: f"np.concatenate([{', '.join(x)}], axis={op.axis})",
    Softmax: _softmax,
    LogSoftmax: lambda op, x: f"log_softmax({x[0]})",
    Constant: _constant,
    SizeOf: lambda op, x: f"float({_size(op.dimension)})",
    OneHot: lambda op, x: f"np.eye({op.classes}, dtype=precision)[{x[0]}]",
    Pick: _pick,
    Lookup: lambda op, x: f"{x[0]}[{x[1]}.astype(np.int32)]",
    Einsum: lambda op, x: f"np.einsum({op.axes!r}, {x[0]}, {x[1]})",
}
"""The operations that are no formula; what only training uses (chance, fused kernels) has none."""


_CALLS: dict[type, Callable[[Any], tuple[Callable[..., Any], Sequence[object]]]] = {
    AttentionWeights: lambda op: (weigh_keys, (op.scale, op.causal, op.window, op.offset)),
    Rotary: lambda op: (turn_pairs, (op.interleaved, op.inverse)),
    Waves: lambda op: (waves_of, (_Variable(op.size), op.features, op.base, op.kind)),
    Convolution: lambda op: (convolve, (op.stride, op.dilation, op.groups)),
    ConvolutionInputGradient: lambda op: (
        spread_convolution,
        (op.size, op.stride, op.dilation, op.groups),
    ),
    MaxPool: lambda op: (pool_maximum, (op.size, op.stride, op.dilation)),
    SumPool: lambda op: (pool_sum, (op.size, op.stride, op.dilation)),
}
"""The operations that are functions of ours, with the options that follow the operands."""
