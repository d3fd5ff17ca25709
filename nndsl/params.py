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
    """One declared argument. `default` REQUIRED means that the argument must be given.

    `allowed` says what may be given, for messages and the manual, and `refused` lists values that
    may not, for the registry-driven tests; a type whose bounds are options computes both.
    """

    default: Any = REQUIRED
    doc: str = ""
    allowed: ClassVar[str]
    refused: ClassVar[tuple[Any, ...]] = ()

    @property
    def required(self) -> bool:
        """Whether the argument has no default."""
        return self.default is REQUIRED

    def convert(self, value: Any) -> Any:
        """The value in its final form, or `ParameterError`."""
        found = self.accepted(value)
        if found is None:
            raise ParameterError(self.describe(), self.near())
        return found

    @abstractmethod
    def accepted(self, value: Any) -> Any:
        """The value in its final form, None where it is refused."""

    def near(self) -> tuple[str, ...]:
        """The words among which a person may have meant one."""
        return ()

    def describe(self) -> str:
        """What is allowed, for messages and the manual: 'a whole number of at least 1'."""
        return self.allowed

    def bad_samples(self) -> list[Any]:
        """Values that must be refused."""
        return list(self.refused)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


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

    def accepted(self, value: Any) -> float | None:
        """A float within the bounds."""
        fits = _is_number(value) and math.isfinite(value) and self._inside(value)
        return float(value) if fits else None

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

    def accepted(self, value: Any) -> int | None:
        """An int within the bounds; 3.0 is accepted, 2.5 is not."""
        if not _is_number(value) or not math.isfinite(value) or value != int(value):
            return None
        low = self.ge is not None and value < self.ge
        return None if low or (self.le is not None and value > self.le) else int(value)

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

    allowed = "true or false"
    refused = (3, "maybe")

    def accepted(self, value: Any) -> bool | None:
        """A bool."""
        return value if isinstance(value, bool) else None


@dataclass(frozen=True)
class Choice(Parameter):
    """One of a few bare words."""

    choices: tuple[str, ...] = ()
    refused = ("no_such_choice", 7)

    def accepted(self, value: Any) -> str | None:
        """The chosen word."""
        return value if isinstance(value, str) and value in self.choices else None

    def near(self) -> tuple[str, ...]:
        """The choices."""
        return self.choices

    def describe(self) -> str:
        """'one of same, valid'."""
        return "one of " + ", ".join(self.choices)


@dataclass(frozen=True)
class Text(Parameter):
    """A text in quotation marks."""

    allowed = "a text in quotation marks"
    refused = (7, True, ["a"])

    def accepted(self, value: Any) -> str | None:
        """The text."""
        return value if isinstance(value, str) else None


@dataclass(frozen=True)
class Figure(Parameter):
    """The name of a figure that training computes, such as `val_loss`; `lower` knows which."""

    allowed = "a figure such as `val_loss`"
    refused = (3,)

    def accepted(self, value: Any) -> str | None:
        """The name."""
        return value if isinstance(value, str) and value.isidentifier() else None


@dataclass(frozen=True)
class Ref(Parameter):
    """A word of another registry (`activation`, `initializer`, ...), with its arguments.

    The value is whatever `lower` resolved the word to (a `vocab.registry.WordCall`); a default
    is the bare name of a word.
    """

    registry: str = ""
    refused = (3,)

    def accepted(self, value: Any) -> Any:
        """The resolved word call; anything else is refused."""
        return value if getattr(value, "registry", None) == self.registry else None

    def describe(self) -> str:
        """'an initializer'."""
        article = "an" if self.registry[:1] in "aeiou" else "a"
        return f"{article} {self.registry}"


@dataclass(frozen=True)
class Chain(Parameter):
    """Words of one registry, one after another: `shift(1) -> rotate(6)`."""

    registry: str = ""
    refused = (3, ())

    def accepted(self, value: Any) -> tuple[Any, ...] | None:
        """The word calls, as `lower` resolved them."""
        items = value if isinstance(value, tuple) else ()
        fits = all(getattr(item, "registry", None) == self.registry for item in items)
        return items if items and fits else None

    def describe(self) -> str:
        """'distortions joined by `->`'."""
        return f"{self.registry}s joined by `->`"


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

    allowed = "a number or a list of finite numbers, all rows of one length"
    refused = ("ten", [[1.0], [1.0, 2.0]])

    def accepted(self, value: Any) -> Any:
        """A float or a float64 NumPy array; a message of its own for rows of several lengths."""
        import numpy as np

        if isinstance(value, (bool, str)):
            return None
        uneven = uneven_rows(value)
        if uneven:
            raise ParameterError(f"a list with rows of one length: {uneven}")
        try:
            array = np.asarray(value, dtype=np.float64)
        except (TypeError, ValueError):
            return None
        if not np.all(np.isfinite(array)):
            return None
        return float(array) if array.ndim == 0 else array


@dataclass(frozen=True)
class Pair(Parameter):
    """Two sizes, height and width: `8x8`."""

    allowed = "two sizes such as `8x8`"
    refused = (8, [8], [8, 8, 8], [0, 8], "eight")

    def accepted(self, value: Any) -> tuple[int, int] | None:
        """Two ints of at least 1."""
        sizes = list(value) if isinstance(value, list | tuple) else []
        fits = len(sizes) == 2 and all(map(_is_whole, sizes)) and min(sizes) >= 1
        return (sizes[0], sizes[1]) if fits else None


@dataclass(frozen=True)
class Sizes(Parameter):
    """A whole number, or several, as many as `counts` says: `3`, `3x5`, `[3, 5]`."""

    ge: int = 1
    counts: tuple[int, ...] = (1, 2)

    def accepted(self, value: Any) -> int | tuple[int, ...] | None:
        """The number or numbers, each at least `ge`; no `counts`: any number of them."""
        sizes = list(value) if isinstance(value, list | tuple) else [value]
        fits = len(sizes) in self.counts if self.counts else bool(sizes)
        if not fits or not all(map(_is_whole, sizes)) or min(sizes) < self.ge:
            return None
        return tuple(sizes) if isinstance(value, list | tuple) else sizes[0]

    def describe(self) -> str:
        """'a whole number of at least 1, or several such as `3x5`'."""
        return f"a whole number of at least {self.ge}, or several such as `3x5`"

    def bad_samples(self) -> list[Any]:
        """Fractions, numbers too small, text, none at all."""
        many = [[1] * (max(self.counts) + 1)] if self.counts else []
        return [2.5, self.ge - 1, [3, "x"], [], "eight", True, *many]


def _are_texts(value: Any) -> bool:
    return isinstance(value, tuple) and all(isinstance(item, str) for item in value)


@dataclass(frozen=True)
class WeightsOf(Parameter):
    """A part of the net, `Net.hidden`: `lower` gives the paths of its learnt arrays."""

    allowed = "a part of the net such as `Net.dense[1]`"
    refused = (3, "hidden")

    def accepted(self, value: Any) -> tuple[str, ...] | None:
        """The paths."""
        return value if _are_texts(value) else None


@dataclass(frozen=True)
class PlaceIn(Parameter):
    """A stage or named line of the net, `Net.conv[1]`: `lower` gives its path."""

    allowed = "a stage or named line of the net such as `Net.conv[1]`"
    refused = (3, ["conv"])

    def accepted(self, value: Any) -> str | None:
        """The path."""
        return value if isinstance(value, str) and value else None


@dataclass(frozen=True)
class NetIn(Parameter):
    """A net of the training, `Generator`: `lower` gives its name."""

    allowed = "a net that is trained here, or a stage of it, such as `Generator`"
    refused = (3, ["Generator"])

    def accepted(self, value: Any) -> str | None:
        """The name."""
        return value if isinstance(value, str) and value else None


@dataclass(frozen=True)
class SharedStage(Parameter):
    """The name of a stage that `share` gives one set of weights: its path in the network."""

    allowed = "a stage named by `share`"
    refused = (3, ())

    def accepted(self, value: Any) -> tuple[str, ...] | None:
        """The path, of whatever stage has one."""
        path = getattr(value, "path", value)
        return path if path and _are_texts(path) else None


@dataclass(frozen=True)
class Places(Parameter):
    """A tensor that says by numbers other than 0 which places count; `lower` gives its value."""

    allowed = "a tensor that says which places count, such as `text != 0`"
    refused = (3, "text")

    def accepted(self, value: Any) -> Any:
        """The value in the graph."""
        found = getattr(value, "value", None)
        return found if hasattr(found, "type") else None


@dataclass(frozen=True)
class ByClass(Parameter):
    """A number of at least 0 for each class: by name, or a list in the order of the classes."""

    allowed = "numbers of at least 0 by class, such as `[no=1, yes=3]`, not all of them 0"
    refused = ([1.0, -1.0], [], [0.0, 0.0], {"no": -1.0}, 3, "ten")

    def accepted(self, value: Any) -> Any:
        """A dict or a list of floats; which classes there are is seen when the data is known."""
        numbers = list(value.values()) if isinstance(value, dict) else value
        if not isinstance(numbers, list) or not any(map(self._is_weight, numbers)):
            return None
        if not all(self._is_weight(number) or number == 0 for number in numbers):
            return None
        if isinstance(value, dict):
            return {str(name): float(number) for name, number in value.items()}
        return [float(number) for number in numbers]

    def _is_weight(self, number: Any) -> bool:
        return _is_number(number) and math.isfinite(number) and number > 0


@dataclass(frozen=True)
class OneOf(Parameter):
    """The first of several parameter types that accepts the value."""

    options: tuple[Parameter, ...] = ()

    def accepted(self, value: Any) -> Any:
        """The value as converted by the first option that takes it."""
        for option in self.options:
            try:
                return option.convert(value)
            except ParameterError:
                continue
        return None

    def near(self) -> tuple[str, ...]:
        """The choices of all options."""
        return tuple(choice for option in self.options for choice in option.near())

    def describe(self) -> str:
        """The options joined by 'or'."""
        return " or ".join(option.describe() for option in self.options)

    def bad_samples(self) -> list[Any]:
        """Values that every option refuses."""
        bad = [value for option in self.options for value in option.bad_samples()]
        return [value for value in bad if self.accepted(value) is None]


@dataclass(frozen=True)
class TimeLength:
    """A length of time as written: 5 epochs, 300 steps, 10 % of the run, 30 minutes."""

    value: float
    unit: str  # "epoch", "step", "fraction", "minute", "hour", or "" for the unit of the run


@dataclass(frozen=True)
class Length(Parameter):
    """A length of time; a bare number is in the unit that ends the run."""

    allowed = "a length such as `5 epochs`, `300 steps` or `10%`"
    refused = (-1, 0, "ten")

    def accepted(self, value: Any) -> TimeLength | None:
        """A `TimeLength` above 0."""
        length = TimeLength(float(value), "") if _is_number(value) else value
        fits = isinstance(length, TimeLength) and 0 < length.value < math.inf
        return length if fits else None
