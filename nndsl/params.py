"""Declared argument types: what a word of the language accepts, how it is converted or refused.

A word declares `Real(1.0, gt=0)`; the same object checks the argument, writes the row of the
manual and makes the out-of-range cases of the tests. Values arrive already evaluated to plain
Python (int, float, bool, str, tuple, list, numpy arrays) or to a `Named` for bare words.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar

from nndsl.records import dataclass


class _Required:
    def __repr__(self) -> str:
        return "required"


REQUIRED = _Required()


class ParameterError(Exception):
    """A value that a parameter refuses; `expected` completes the sentence 'must be ...'."""

    def __init__(self, expected: str, near: Iterable[str] = ()) -> None:
        super().__init__(expected)
        self.expected = expected
        self.near = tuple(near)


@dataclass(frozen=True)
class Parameter(ABC):
    """One declared argument. `default` REQUIRED means that the argument must be given."""

    default: Any = REQUIRED
    doc: str = ""
    kind: ClassVar[str] = "value"

    @property
    def required(self) -> bool:
        """Whether the argument has no default."""
        return self.default is REQUIRED

    @abstractmethod
    def convert(self, value: Any) -> Any:
        """The value in its final form, or `ParameterError`."""

    @abstractmethod
    def describe(self) -> str:
        """What is allowed, for messages and the manual: 'a whole number of at least 1'."""

    def bad_samples(self) -> list[Any]:
        """Values that must be refused, for the registry-driven tests."""
        return []


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _bounds(ge: float | None, gt: float | None, le: float | None, lt: float | None) -> str:
    low = f"at least {ge:g}" if ge is not None else f"above {gt:g}" if gt is not None else ""
    high = f"at most {le:g}" if le is not None else f"below {lt:g}" if lt is not None else ""
    return " and ".join(part for part in (low, high) if part)


@dataclass(frozen=True)
class Real(Parameter):
    """A finite number, optionally within bounds. With `schedule` it may change with time.

    `above` names another argument of the word that has to be less.
    """

    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None
    schedule: bool = False
    above: str = ""
    kind: ClassVar[str] = "number"

    def convert(self, value: Any) -> float:
        """A float within the bounds."""
        if not _is_number(value) or not math.isfinite(value) or not self._inside(value):
            raise ParameterError(self.describe())
        return float(value)

    def _inside(self, value: float) -> bool:
        return not (
            (self.ge is not None and value < self.ge)
            or (self.gt is not None and value <= self.gt)
            or (self.le is not None and value > self.le)
            or (self.lt is not None and value >= self.lt)
        )

    def describe(self) -> str:
        """'a number above 0'."""
        return f"a number {_bounds(self.ge, self.gt, self.le, self.lt)}".rstrip()

    def bad_samples(self) -> list[Any]:
        """One value outside of each bound, and things that are no finite number."""
        bad: list[Any] = [math.nan, math.inf, "ten", True]
        bad += [self.ge - 1] if self.ge is not None else []
        bad += [self.gt] if self.gt is not None else []
        bad += [self.le + 1] if self.le is not None else []
        bad += [self.lt] if self.lt is not None else []
        return bad


@dataclass(frozen=True)
class Int(Parameter):
    """A whole number within bounds; with `is_size` one that only the data may tell."""

    ge: int | None = None
    le: int | None = None
    is_size: bool = False
    kind: ClassVar[str] = "whole number"

    def convert(self, value: Any) -> int:
        """An int within the bounds; 3.0 is accepted, 2.5 is not."""
        if not _is_number(value) or not math.isfinite(value) or value != int(value):
            raise ParameterError(self.describe())
        number = int(value)
        if (self.ge is not None and number < self.ge) or (self.le is not None and number > self.le):
            raise ParameterError(self.describe())
        return number

    def describe(self) -> str:
        """'a whole number of at least 1'."""
        bounds = _bounds(self.ge, None, self.le, None)
        return f"a whole number {'of ' if bounds else ''}{bounds}".rstrip()

    def bad_samples(self) -> list[Any]:
        """Fractions, text, and one value outside of each bound."""
        bad: list[Any] = [2.5, "ten", math.nan, True]
        bad += [self.ge - 1] if self.ge is not None else []
        bad += [self.le + 1] if self.le is not None else []
        return bad


@dataclass(frozen=True)
class Flag(Parameter):
    """`true` or `false`."""

    kind: ClassVar[str] = "flag"

    def convert(self, value: Any) -> bool:
        """A bool."""
        if not isinstance(value, bool):
            raise ParameterError(self.describe())
        return value

    def describe(self) -> str:
        """'true or false'."""
        return "true or false"

    def bad_samples(self) -> list[Any]:
        """Numbers and words."""
        return [3, "maybe"]


@dataclass(frozen=True)
class Choice(Parameter):
    """One of a few bare words."""

    choices: tuple[str, ...] = ()
    kind: ClassVar[str] = "choice"

    def convert(self, value: Any) -> str:
        """The chosen word."""
        if not isinstance(value, str) or value not in self.choices:
            raise ParameterError(self.describe(), self.choices)
        return value

    def describe(self) -> str:
        """'one of same, valid'."""
        return "one of " + ", ".join(self.choices)

    def bad_samples(self) -> list[Any]:
        """A word that is not among the choices."""
        return ["no_such_choice", 7]


@dataclass(frozen=True)
class Text(Parameter):
    """A text in quotation marks."""

    kind: ClassVar[str] = "text"

    def convert(self, value: Any) -> str:
        """The text."""
        if not isinstance(value, str):
            raise ParameterError(self.describe())
        return value

    def describe(self) -> str:
        """'a text in quotation marks'."""
        return "a text in quotation marks"

    def bad_samples(self) -> list[Any]:
        """What is no text."""
        return [7, True, ["a"]]


@dataclass(frozen=True)
class Figure(Parameter):
    """The name of a figure that training computes, such as `val_loss`; `lower` knows which."""

    kind: ClassVar[str] = "figure"

    def convert(self, value: Any) -> str:
        """The name."""
        if not isinstance(value, str) or not value.isidentifier():
            raise ParameterError(self.describe())
        return value

    def describe(self) -> str:
        """'a figure such as `val_loss`'."""
        return "a figure such as `val_loss`"

    def bad_samples(self) -> list[Any]:
        """A number is no name."""
        return [3]


@dataclass(frozen=True)
class Ref(Parameter):
    """A word of another registry (`activation`, `initializer`, ...), with its arguments.

    The value is whatever `lower` resolved the word to (a `vocab.registry.WordCall`); a default
    is the bare name of a word.
    """

    registry: str = ""
    kind: ClassVar[str] = "word"

    def convert(self, value: Any) -> Any:
        """The resolved word call; anything else is refused."""
        if getattr(value, "registry", None) != self.registry:
            raise ParameterError(self.describe())
        return value

    def describe(self) -> str:
        """'an initializer'."""
        article = "an" if self.registry[:1] in "aeiou" else "a"
        return f"{article} {self.registry}"

    def bad_samples(self) -> list[Any]:
        """A number is no word."""
        return [3]


def odd_row(value: Any) -> tuple[int, int] | None:
    """The first row (from 0) of a list of rows that is not as long as most, and the first that is.

    None when all have one length.
    """
    if not isinstance(value, list | tuple) or not any(isinstance(row, list) for row in value):
        return None
    sizes = [len(row) if isinstance(row, list) else 1 for row in value]
    usual = max(sizes, key=sizes.count)
    odd = next((i for i, size in enumerate(sizes) if size != usual), None)
    return None if odd is None else (odd, sizes.index(usual))


@dataclass(frozen=True)
class Chain(Parameter):
    """Words of one registry, one after another: `shift(1) -> rotate(6)`."""

    registry: str = ""
    kind: ClassVar[str] = "chain"

    def convert(self, value: Any) -> tuple[Any, ...]:
        """The word calls, as `lower` resolved them."""
        items = value if isinstance(value, tuple) else ()
        if not items or any(getattr(i, "registry", None) != self.registry for i in items):
            raise ParameterError(self.describe())
        return items

    def describe(self) -> str:
        """'distortions joined by `->`'."""
        return f"{self.registry}s joined by `->`"

    def bad_samples(self) -> list[Any]:
        """A number, and nothing."""
        return [3, ()]


def uneven_rows(value: Any) -> str:
    """Which row of a list of rows differs from the others: 'row 3 has 1 number, row 1 has 2'.

    Empty when all have one length.
    """
    found = odd_row(value)
    if found is None:
        return ""
    odd, usual = (len(value[i]) if isinstance(value[i], list) else 1 for i in found)
    numbers = "number" if odd == 1 else "numbers"
    return f"row {found[0] + 1} has {odd} {numbers}, row {found[1] + 1} has {usual}"


@dataclass(frozen=True)
class Array(Parameter):
    """A number or a (nested) list of numbers, kept as given until shapes are known."""

    kind: ClassVar[str] = "array"

    def convert(self, value: Any) -> Any:
        """A float or a float64 NumPy array."""
        import numpy as np

        if isinstance(value, (bool, str)):
            raise ParameterError(self.describe())
        uneven = uneven_rows(value)
        if uneven:
            raise ParameterError(f"a list with rows of one length: {uneven}")
        try:
            array = np.asarray(value, dtype=np.float64)
        except (TypeError, ValueError):
            raise ParameterError(self.describe()) from None
        if not np.all(np.isfinite(array)):
            raise ParameterError(self.describe())
        return float(array) if array.ndim == 0 else array

    def describe(self) -> str:
        """'a number or a list of numbers'."""
        return "a number or a list of finite numbers, all rows of one length"

    def bad_samples(self) -> list[Any]:
        """Text and ragged lists."""
        return ["ten", [[1.0], [1.0, 2.0]]]


@dataclass(frozen=True)
class Pair(Parameter):
    """Two sizes, height and width: `8x8`."""

    kind: ClassVar[str] = "pair"

    def convert(self, value: Any) -> tuple[int, int]:
        """Two ints of at least 1."""
        sizes = list(value) if isinstance(value, list | tuple) else []
        whole = all(isinstance(size, int) and not isinstance(size, bool) for size in sizes)
        if len(sizes) != 2 or not whole or min(sizes) < 1:
            raise ParameterError(self.describe())
        return sizes[0], sizes[1]

    def describe(self) -> str:
        """'two sizes such as `8x8`'."""
        return "two sizes such as `8x8`"

    def bad_samples(self) -> list[Any]:
        """One size, three, none, text."""
        return [8, [8], [8, 8, 8], [0, 8], "eight"]


@dataclass(frozen=True)
class Sizes(Parameter):
    """A whole number, or several, as many as `counts` says: `3`, `3x5`, `[3, 5]`."""

    ge: int = 1
    counts: tuple[int, ...] = (1, 2)
    kind: ClassVar[str] = "sizes"

    def convert(self, value: Any) -> int | tuple[int, ...]:
        """The number or numbers, each at least `ge`; no `counts`: any number of them."""
        sizes = list(value) if isinstance(value, list | tuple) else [value]
        whole = all(isinstance(size, int) and not isinstance(size, bool) for size in sizes)
        fits = len(sizes) in self.counts if self.counts else bool(sizes)
        if not fits or not whole or min(sizes) < self.ge:
            raise ParameterError(self.describe())
        return tuple(sizes) if isinstance(value, list | tuple) else sizes[0]

    def describe(self) -> str:
        """'a whole number of at least 1, or sizes such as `3x5`'."""
        return f"a whole number of at least {self.ge}, or several such as `3x5`"

    def bad_samples(self) -> list[Any]:
        """Fractions, numbers too small, text, none at all."""
        many = [[1] * (max(self.counts) + 1)] if self.counts else []
        return [2.5, self.ge - 1, [3, "x"], [], "eight", True, *many]


@dataclass(frozen=True)
class WeightsOf(Parameter):
    """A part of the net, `Net.hidden`: `lower` gives the paths of its learnt arrays."""

    kind: ClassVar[str] = "part"

    def convert(self, value: Any) -> tuple[str, ...]:
        """The paths."""
        if not isinstance(value, tuple) or not all(isinstance(path, str) for path in value):
            raise ParameterError(self.describe())
        return value

    def describe(self) -> str:
        """'a part of the net'."""
        return "a part of the net such as `Net.dense[1]`"

    def bad_samples(self) -> list[Any]:
        """Numbers and text."""
        return [3, "hidden"]


@dataclass(frozen=True)
class PlaceIn(Parameter):
    """A stage or named line of the net, `Net.conv[1]`: `lower` gives its path."""

    kind: ClassVar[str] = "place"

    def convert(self, value: Any) -> str:
        """The path."""
        if not isinstance(value, str) or not value:
            raise ParameterError(self.describe())
        return value

    def describe(self) -> str:
        """'a stage or named line of the net'."""
        return "a stage or named line of the net such as `Net.conv[1]`"

    def bad_samples(self) -> list[Any]:
        """Numbers and lists."""
        return [3, ["conv"]]


@dataclass(frozen=True)
class NetIn(Parameter):
    """A net of the training, `Generator`: `lower` gives its name."""

    kind: ClassVar[str] = "net"

    def convert(self, value: Any) -> str:
        """The name."""
        if not isinstance(value, str) or not value:
            raise ParameterError(self.describe())
        return value

    def describe(self) -> str:
        """'a net that is trained here'."""
        return "a net that is trained here, or a stage of it, such as `Generator`"

    def bad_samples(self) -> list[Any]:
        """Numbers and lists."""
        return [3, ["Generator"]]


@dataclass(frozen=True)
class SharedStage(Parameter):
    """The name of a stage that `share` gives one set of weights: its path in the network."""

    kind: ClassVar[str] = "shared stage"

    def convert(self, value: Any) -> tuple[str, ...]:
        """The path, of whatever stage has one."""
        path = getattr(value, "path", value)
        if not isinstance(path, tuple) or not path or not all(isinstance(p, str) for p in path):
            raise ParameterError(self.describe())
        return path

    def describe(self) -> str:
        """'a stage named by `share`'."""
        return "a stage named by `share`"

    def bad_samples(self) -> list[Any]:
        """A number, and nothing."""
        return [3, ()]


@dataclass(frozen=True)
class Places(Parameter):
    """A tensor that says by numbers other than 0 which places count; `lower` gives its value."""

    kind: ClassVar[str] = "tensor"

    def convert(self, value: Any) -> Any:
        """The value in the graph."""
        found = getattr(value, "value", None)
        if found is None or not hasattr(found, "type"):
            raise ParameterError(self.describe())
        return found

    def describe(self) -> str:
        """'a tensor that says which places count'."""
        return "a tensor that says which places count, such as `text != 0`"

    def bad_samples(self) -> list[Any]:
        """Numbers and names."""
        return [3, "text"]


@dataclass(frozen=True)
class ByClass(Parameter):
    """A number of at least 0 for each class: by name, or a list in the order of the classes."""

    kind: ClassVar[str] = "numbers by class"

    def convert(self, value: Any) -> Any:
        """A dict or a list of floats; which classes there are is seen when the data is known."""
        numbers = list(value.values()) if isinstance(value, dict) else value
        if not isinstance(numbers, list) or not any(map(self._is_weight, numbers)):
            raise ParameterError(self.describe())
        if not all(self._is_weight(number) or number == 0 for number in numbers):
            raise ParameterError(self.describe())
        if isinstance(value, dict):
            return {str(name): float(number) for name, number in value.items()}
        return [float(number) for number in numbers]

    def _is_weight(self, number: Any) -> bool:
        return _is_number(number) and math.isfinite(number) and number > 0

    def describe(self) -> str:
        """'numbers of at least 0 by class, such as `[no=1, yes=3]`'."""
        return "numbers of at least 0 by class, such as `[no=1, yes=3]`, not all of them 0"

    def bad_samples(self) -> list[Any]:
        """Negative weights, none at all, and things that are no list."""
        return [[1.0, -1.0], [], [0.0, 0.0], {"no": -1.0}, 3, "ten"]


@dataclass(frozen=True)
class OneOf(Parameter):
    """The first of several parameter types that accepts the value."""

    options: tuple[Parameter, ...] = ()
    kind: ClassVar[str] = "value"

    def convert(self, value: Any) -> Any:
        """The value as converted by the first option that takes it."""
        for option in self.options:
            try:
                return option.convert(value)
            except ParameterError:
                continue
        near = [c for o in self.options if isinstance(o, Choice) for c in o.choices]
        raise ParameterError(self.describe(), near)

    def describe(self) -> str:
        """The options joined by 'or'."""
        return " or ".join(option.describe() for option in self.options)

    def bad_samples(self) -> list[Any]:
        """Values that every option refuses."""
        bad = [value for option in self.options for value in option.bad_samples()]
        return [value for value in bad if self._refused(value)]

    def _refused(self, value: Any) -> bool:
        try:
            self.convert(value)
        except ParameterError:
            return True
        return False


@dataclass(frozen=True)
class TimeLength:
    """A length of time as written: 5 epochs, 300 steps, 10 % of the run, 30 minutes."""

    value: float
    unit: str  # "epoch", "step", "fraction", "minute", "hour", or "" for the unit of the run


@dataclass(frozen=True)
class Length(Parameter):
    """A length of time; a bare number is in the unit that ends the run."""

    kind: ClassVar[str] = "length"

    def convert(self, value: Any) -> TimeLength:
        """A `TimeLength` above 0."""
        length = TimeLength(float(value), "") if _is_number(value) else value
        if not isinstance(length, TimeLength) or not 0 < length.value < math.inf:
            raise ParameterError(self.describe())
        return length

    def describe(self) -> str:
        """'a length such as `5 epochs`'."""
        return "a length such as `5 epochs`, `300 steps` or `10%`"

    def bad_samples(self) -> list[Any]:
        """Nothing negative, no text."""
        return [-1, 0, "ten"]
