"""Arithmetic on constants: numbers, shapes, lists, arrays; and the functions over them."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from nndsl.diagnostics import Span, error
from nndsl.lower.problems import NeedsDataError
from nndsl.lower.values import Group, Shape, Tensor, Unknown
from nndsl.records import dataclass

LARGEST_ARRAY = 10_000_000
LARGEST_EXPONENT = 4096


class Percent(float):
    """A number written as `10%`: 0.1, and a share of the run where a length is meant."""


@dataclass(frozen=True)
class Interval:
    """`low..high`, both ends included; a sequence of whole numbers when both are whole."""

    low: float
    high: float

    def whole(self) -> bool:
        """Whether both ends are whole numbers."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def __len__(self) -> int:
        return max(0, int(self.high) - int(self.low) + 1)


_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "^": operator.pow,
}
_COMPARISON: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def is_number(value: Any) -> bool:
    """A plain number; true and false are none."""
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def as_array(value: Any) -> np.ndarray | None:
    """A number, list of numbers or shape as float64, None when it is something else."""
    if isinstance(value, np.ndarray):
        return value
    if isinstance(value, Shape):
        value = list(value.sizes)
    if not is_number(value) and not (isinstance(value, list) and _all_numbers(value)):
        return None
    try:
        return np.asarray(value, dtype=np.float64)
    except (ValueError, OverflowError):
        return None


def _all_numbers(value: list[Any]) -> bool:
    return all(
        is_number(item)
        or isinstance(item, np.ndarray)
        or (isinstance(item, list) and _all_numbers(item))
        for item in value
    )


def describe(value: Any) -> str:
    """A constant in a few words, for messages."""
    if isinstance(value, Unknown):
        return f"`{value.name}`"
    if isinstance(value, bool):
        return "true" if value else "false"
    if is_number(value):
        return _number_text(value)
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, Shape):
        return "x".join(str(size) for size in value.sizes)
    if isinstance(value, Interval):
        return f"{value.low}..{value.high}"
    return _collection_text(value)


def _number_text(value: Any) -> str:
    if isinstance(value, Percent):
        return f"{value * 100:g}%"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _collection_text(value: Any) -> str:
    if isinstance(value, np.ndarray) and value.ndim:
        return f"an array of {'x'.join(map(str, value.shape))} numbers"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    if isinstance(value, Tensor | Group):
        return "a tensor"
    name = getattr(value, "name", None)
    return f"`{name}`" if isinstance(name, str) else "no number"


def combine(symbol: str, left: Any, right: Any, span: Span) -> Any:
    """`left symbol right` for constants: + - * / ^ and comparisons."""
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        return _unknown(symbol, left, right)
    if symbol in _COMPARISON:
        return compare(symbol, left, right, span)
    if is_number(left) and is_number(right):
        return _numbers(symbol, left, right, span)
    a, b = as_array(left), as_array(right)
    if a is None or b is None:
        raise error(
            "NN316",
            f"cannot compute {describe(left)} {symbol} {describe(right)}",
            span,
            "arithmetic needs numbers or lists of numbers",
        )
    return _arrays(symbol, a, b, span)


def _unknown(symbol: str, left: Any, right: Any) -> Unknown:
    def text(value: Any) -> str:
        return value.name if isinstance(value, Unknown) else describe(value)

    return Unknown(f"({text(left)} {symbol} {text(right)})")


def _numbers(symbol: str, left: Any, right: Any, span: Span) -> Any:
    if symbol == "/" and right == 0:
        raise error("NN316", "division by zero", span, f"{describe(left)} / 0")
    if symbol == "^" and (abs(right) > LARGEST_EXPONENT or (left == 0 and right < 0)):
        raise error("NN316", f"{describe(left)} ^ {describe(right)} is no number here", span)
    try:
        value = _ARITHMETIC[symbol](left, right)
    except OverflowError:
        value = math.inf
    if isinstance(value, complex) or not math.isfinite(value):
        raise error(
            "NN316", f"{describe(left)} {symbol} {describe(right)} is no finite number", span
        )
    whole = isinstance(left, int) and isinstance(right, int) and value == int(value)
    return int(value) if whole else float(value)


def _arrays(symbol: str, a: np.ndarray, b: np.ndarray, span: Span) -> np.ndarray:
    try:
        with np.errstate(all="ignore"):
            result = np.asarray(_ARITHMETIC[symbol](a, b), dtype=np.float64)
    except ValueError:
        raise error(
            "NN203",
            f"cannot compute `{symbol}` of {_sizes(a)} and {_sizes(b)} numbers",
            span,
            "the sizes must be equal, or 1",
        ) from None
    if not np.all(np.isfinite(result)):
        raise error("NN316", f"`{symbol}` gives something that is no finite number", span)
    return result


def _sizes(array: np.ndarray) -> str:
    return "x".join(map(str, array.shape)) or "1"


def compare(symbol: str, left: Any, right: Any, span: Span) -> Any:
    """A comparison; true or false for plain values, an array of them for arrays."""
    a, b = as_array(left), as_array(right)
    if a is not None and b is not None:
        if a.ndim and b.ndim and a.shape != b.shape and symbol in ("==", "!="):
            a, b = _aligned(a, b, span)
        try:
            result = _COMPARISON[symbol](a, b)
        except ValueError:
            raise error(
                "NN203", f"cannot compare {_sizes(a)} and {_sizes(b)} numbers", span
            ) from None
        return bool(result) if np.ndim(result) == 0 else result
    equality = symbol in ("==", "!=")
    if equality and not isinstance(left, np.ndarray) and not isinstance(right, np.ndarray):
        return _COMPARISON[symbol](_identity(left), _identity(right))
    raise error(
        "NN316",
        f"cannot compare {describe(left)} {symbol} {describe(right)}",
        span,
        "numbers are compared with numbers" if equality else "`<`, `<=`, `>`, `>=` need numbers",
        help="an arrow is written `->`" if symbol == ">" else (),
    )


def _identity(value: Any) -> Any:
    """What `==` compares of a word: its name."""
    return getattr(value, "name", value)


def _aligned(a: np.ndarray, b: np.ndarray, span: Span) -> tuple[np.ndarray, np.ndarray]:
    """Two arrays whose sizes differ only by ones, as equal shapes."""
    if tuple(s for s in a.shape if s != 1) == tuple(s for s in b.shape if s != 1):
        return a.reshape(-1), b.reshape(-1)
    raise error("NN203", f"cannot compare {_sizes(a)} and {_sizes(b)} numbers", span)


def truth(value: Any, span: Span) -> bool:
    """The condition of an `if`: true or false, known at compile time."""
    if isinstance(value, Unknown):
        raise NeedsDataError(value.name, span)
    if isinstance(value, np.ndarray) and value.dtype == bool:
        return bool(value.all())
    if not isinstance(value, bool | np.bool_):
        raise error("NN316", f"a condition is true or false, this is {describe(value)}", span)
    return bool(value)


def negated(value: Any, span: Span) -> Any:
    """`-value`."""
    if isinstance(value, Unknown):
        return Unknown(f"-{value.name}")
    if is_number(value):
        return -value
    array = as_array(value)
    if array is None:
        raise error("NN316", f"cannot negate {describe(value)}", span)
    return -array


def element(value: Any, indices: Sequence[Any], span: Span) -> Any:
    """`value[i, j]`, counted from 1."""
    for axis, index in enumerate(indices, 1):
        if isinstance(value, Shape):
            value = list(value.sizes)
        if isinstance(value, Unknown) or isinstance(index, Unknown):
            return Unknown("an element")
        if not isinstance(value, list | np.ndarray):
            raise error("NN316", f"{describe(value)} has no elements to pick from", span)
        if not isinstance(index, int) or isinstance(index, bool) or not 1 <= index <= len(value):
            raise error(
                "NN316",
                f"there is no element {describe(index)} among {len(value)}",
                span,
                f"index {axis} counts from 1 to {len(value)}",
            )
        value = value[index - 1]
    return value.item() if isinstance(value, np.generic) else value


def items_of(value: Any, span: Span) -> Sequence[Any]:
    """What a `for` goes through."""
    if isinstance(value, Unknown):
        raise NeedsDataError(value.name, span)
    if isinstance(value, Interval) and value.whole():
        return range(int(value.low), int(value.high) + 1)
    if isinstance(value, Shape):
        return list(value.sizes)
    if isinstance(value, np.ndarray) and value.ndim:
        return [v.item() if v.ndim == 0 else v for v in value]
    if isinstance(value, list | tuple):
        return value
    raise error(
        "NN316",
        f"`for` goes through a list or a range, this is {describe(value)}",
        span,
        help="write for instance `1..3` or `[64, 32]`",
    )


# --- functions over constants ---------------------------------------------------------------


def _reduction(name: str, reduce: Callable[..., Any]) -> Callable[[Sequence[Any], Span], Any]:
    def function(arguments: Sequence[Any], span: Span) -> Any:
        array = _array_argument(name, arguments, span, 2)
        if len(arguments) == 1:
            return _plain(reduce(array))
        axis = arguments[1]
        if not isinstance(axis, int) or not 1 <= axis <= array.ndim:
            raise error(
                "NN304",
                f"the direction of `{name}` is a whole number from 1 to {array.ndim}",
                span,
                "1 goes down the rows, 2 along each row",
            )
        return reduce(array, axis=axis - 1)

    return function


def _elementwise(name: str, apply: Callable[[Any], Any]) -> Callable[[Sequence[Any], Span], Any]:
    def function(arguments: Sequence[Any], span: Span) -> Any:
        array = _array_argument(name, arguments, span, 1)
        with np.errstate(all="ignore"):
            result = apply(array)
        if not np.all(np.isfinite(result)):
            raise error("NN316", f"`{name}` of this gives no finite number", span)
        return _plain(result)

    return function


def _plain(value: Any) -> Any:
    return float(value) if np.ndim(value) == 0 else value


def _array_argument(name: str, arguments: Sequence[Any], span: Span, most: int) -> np.ndarray:
    if not 1 <= len(arguments) <= most:
        raise error(
            "NN308", f"`{name}` takes {'one value' if most == 1 else 'one or two values'}", span
        )
    array = as_array(arguments[0])
    if array is None:
        raise error("NN304", f"`{name}` needs numbers, this is {describe(arguments[0])}", span)
    return array


def _count(arguments: Sequence[Any], span: Span) -> Any:
    if len(arguments) != 1:
        raise error("NN308", "`count` takes one list", span)
    return [(i, item) for i, item in enumerate(items_of(arguments[0], span), 1)]


def _grid(arguments: Sequence[Any], span: Span) -> Any:
    if len(arguments) != 2 or not isinstance(arguments[0], Interval):
        raise error(
            "NN308", "`grid` takes a range and a number of points", span, help="grid(0..1, 400)"
        )
    interval, points = arguments
    if not isinstance(points, int) or isinstance(points, bool) or not 1 <= points <= LARGEST_ARRAY:
        raise error(
            "NN304", f"`grid` makes from 1 to {LARGEST_ARRAY} points, not {describe(points)}", span
        )
    return np.linspace(float(interval.low), float(interval.high), points)


def _near(arguments: Sequence[Any], span: Span) -> Any:
    if len(arguments) != 3:
        raise error("NN308", "`near` takes two values and how far they may be apart", span,
                    help="near(Net([1, 2]), 0.5, 1e-4)")  # fmt: skip
    a, b, tolerance = (as_array(argument) for argument in arguments)
    if a is None or b is None or tolerance is None:
        raise error("NN304", "`near` needs numbers", span)
    if a.ndim and b.ndim and a.shape != b.shape:
        a, b = _aligned(a, b, span)
    return bool(np.all(np.abs(a - b) <= tolerance))


FUNCTIONS: Mapping[str, Callable[[Sequence[Any], Span], Any]] = {
    "sum": _reduction("sum", np.sum),
    "mean": _reduction("mean", np.mean),
    "max": _reduction("max", np.max),
    "min": _reduction("min", np.min),
    "sin": _elementwise("sin", np.sin),
    "cos": _elementwise("cos", np.cos),
    "exp": _elementwise("exp", np.exp),
    "log": _elementwise("log", np.log),
    "sqrt": _elementwise("sqrt", np.sqrt),
    "abs": _elementwise("abs", np.abs),
    "round": _elementwise("round", np.round),
    "count": _count,
    "grid": _grid,
    "near": _near,
}


def call(name: str, arguments: Sequence[Any], span: Span) -> Any:
    """A function over constants, such as `sum(x, 2)`; Unknown when an argument is."""
    if name != "count" and any(isinstance(a, Unknown) for a in arguments):
        return Unknown(f"{name}(...)")
    return FUNCTIONS[name](arguments, span)
