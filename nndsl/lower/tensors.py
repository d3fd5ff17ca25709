"""Arithmetic and functions on tensors, as nodes of the graph."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from nndsl.diagnostics import NndslError, Span, error
from nndsl.ir.graph import ShapeError, Value
from nndsl.ir.types import BATCH, ElementType, format_shape
from nndsl.lower.constants import as_array, describe, is_number
from nndsl.lower.elaboration import Elaboration
from nndsl.lower.problems import NeedsDataError
from nndsl.lower.values import Tensor, Unknown
from nndsl.ops.compose import add_mean
from nndsl.ops.map import Map
from nndsl.ops.reduction import Reduce, Reshape
from nndsl.ops.source import constant_of
from nndsl.scalar import functions
from nndsl.scalar.expression import Expression, constant, variable

CHANNELS = re.compile(r"(?<=conv\()\d+")
"""The number in a convolution that says how many channels come out."""

_VERBS = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "^": "raise"}

_BINARY: Mapping[str, Callable[[Any, Any], Expression]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "^": lambda a, b: a**b,
    "==": functions.equal,
    "!=": functions.not_equal,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}

ELEMENTWISE: Mapping[str, Callable[[Any], Expression]] = {
    "exp": functions.exp,
    "log": functions.log,
    "sqrt": functions.sqrt,
    "abs": functions.absolute,
    "sin": functions.sin,
    "cos": functions.cos,
}

REDUCTIONS = ("sum", "mean")


def arithmetic(elaboration: Elaboration, symbol: str, left: Any, right: Any, span: Span) -> Tensor:
    """`left symbol right`, where one side at least is a tensor and the other may be constant."""
    operands: list[Value] = []
    expressions: list[Expression] = []
    left, right = _by_example(elaboration, left, right), _by_example(elaboration, right, left)
    for side in (left, right):
        if is_number(side):
            expressions.append(constant(float(side)))
            continue
        expressions.append(variable(f"x{len(operands)}"))
        operands.append(side.value if isinstance(side, Tensor) else _array(elaboration, side, span))
    _check_equal_shapes(symbol, left, right, span)
    with elaboration.at_span(span):
        try:
            value = elaboration.build.add(
                Map((_BINARY[symbol](*expressions),)), *operands, name=_VERBS.get(symbol, "compare")
            )
        except ShapeError:
            raise shapes_differ(symbol, left, right, span) from None
    elaboration.keep_mask(operands, value)
    return Tensor(value, span, f"{format_shape(value.type.shape)} here")


def _by_example(elaboration: Elaboration, side: Any, other: Any) -> Any:
    """One number for each example, such as its class, beside the numbers of a tensor."""
    if not (isinstance(side, Tensor) and isinstance(other, Tensor)):
        return side
    rank = other.value.type.rank
    if side.value.type.shape != (BATCH,) or rank < 2 or other.value.type.shape[0] != BATCH:
        return side
    return replace(side, value=reshaped(elaboration, side.value, (BATCH, *[1] * (rank - 1))))


def _array(elaboration: Elaboration, value: Any, span: Span) -> Value:
    """A constant array as a value of the graph."""
    if isinstance(value, Unknown):
        raise NeedsDataError(value.name, span)
    array = as_array(value)
    if array is None:
        raise error("NN202", f"a tensor cannot be combined with {describe(value)}", span)
    return elaboration.build.add(constant_of(array))


def _check_equal_shapes(symbol: str, left: Any, right: Any, span: Span) -> None:
    """Tensors combine when their shapes are equal, or where a size is 1; ranks must be equal."""
    if not (isinstance(left, Tensor) and isinstance(right, Tensor)):
        return
    a, b = left.value.type.shape, right.value.type.shape
    plain = len(left.shape) == 0 or len(right.shape) == 0
    if len(left.shape) != len(right.shape) and not plain and BATCH in (a[:1] + b[:1]):
        raise shapes_differ(symbol, left, right, span)


def shapes_differ(symbol: str, left: Any, right: Any, span: Span) -> NndslError:
    """The error of LANGUAGE section 5: both shapes, and where each arose."""
    verb = _VERBS.get(symbol, "compare")
    a, b = _shape_text(left), _shape_text(right)
    sides = [side.sized or side for side in (left, right) if isinstance(side, Tensor)]
    return error(
        "NN203",
        f"cannot {verb} {a} and {b}{_difference(left, right)}",
        span,
        f"both sides of `{symbol}` must have the same shape",
        secondary=[
            (side.span, side.arose or f"{_shape_text(side)} here")
            for side in sides
            if side.span is not None and side.span != span
        ],
        help=_repair(left, right) or (),
    )


def _shape_text(value: Any) -> str:
    if isinstance(value, Tensor):
        return format_shape(value.value.type.shape)
    array = as_array(value)
    return "x".join(map(str, array.shape)) if array is not None else describe(value)


def _difference(left: Any, right: Any) -> str:
    if not (isinstance(left, Tensor) and isinstance(right, Tensor)):
        return ""
    a, b = left.shape, right.shape
    if len(a) != len(b):
        return f": {_dimensions(len(a))} and {_dimensions(len(b))}"
    names = ("channels", "height", "width")
    if len(a) == 3:
        unlike = [n for n, x, y in zip(names, a, b, strict=True) if x != y]
        return f": {' and '.join(unlike)} differ"
    return ""


def _dimensions(count: int) -> str:
    return f"{count} dimension{'' if count == 1 else 's'}"


def _repair(left: Any, right: Any) -> str:
    """A remedy where the last stage of one side could give the shape of the other."""
    if not (isinstance(left, Tensor) and isinstance(right, Tensor)):
        return ""
    left, right = left.sized or left, right.sized or right
    return _made_like(right, left) or _made_like(left, right)


def _made_like(here: Tensor, other: Tensor) -> str:
    """How the stage that made `here` would give the shape of `other`; empty when it cannot."""
    if here.span is None:
        return ""
    written, wanted = here.span.text, other.shape
    if here.keeping and written.endswith(")") and here.shape[:1] == wanted[:1]:
        return f"write `{written[:-1]}, {here.keeping})` to keep {format_shape(wanted[1:])}"
    is_list = len(here.shape) == len(wanted) == 1
    if CHANNELS.search(written) and here.shape[1:] == wanted[1:] and not is_list:
        return f"{CHANNELS.sub(str(wanted[0]), written)} at line {here.span.line}"
    if written.startswith("dense(") and is_list:
        return f"dense({wanted[0]}) at line {here.span.line}"
    return ""


def negate(elaboration: Elaboration, tensor: Tensor, span: Span) -> Tensor:
    """`-tensor`."""
    return apply_function(elaboration, lambda x: -x, "negate", tensor, span)


def apply_function(
    elaboration: Elaboration,
    function: Callable[[Any], Expression],
    name: str,
    tensor: Tensor,
    span: Span,
) -> Tensor:
    """A function of one number on every element."""
    with elaboration.at_span(span):
        value = elaboration.build.add(Map((function(variable("x0")),)), tensor.value, name=name)
    return Tensor(value, span, f"{format_shape(value.type.shape)} here")


def reduce_all(elaboration: Elaboration, name: str, tensor: Tensor, span: Span) -> Tensor:
    """`sum(x)` or `mean(x)` of a tensor: over everything, the rows of the batch included."""
    build, axes = elaboration.build, tuple(range(tensor.value.type.rank))
    with elaboration.at_span(span):
        if name == "mean":
            value = add_mean(build, tensor.value, axes)
        else:
            value = build.add(Reduce("sum", axes), tensor.value, name=name)
    return Tensor(value, span, "one number here")


def as_real(elaboration: Elaboration, value: Value) -> Value:
    """Class numbers as numbers; anything else as it is."""
    if value.type.element is not ElementType.INDEX:
        return value
    return elaboration.build.add(Map((variable("x0"),)), value, name="numbers")


def reshaped(elaboration: Elaboration, value: Value, shape: tuple[int | str, ...]) -> Value:
    """The value in another shape, unless it has it."""
    if value.type.shape == shape:
        return value
    return elaboration.build.add(Reshape(shape), value, name=value.name)
