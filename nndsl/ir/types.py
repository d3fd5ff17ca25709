"""Tensor types: element type and shape; a size known only at run time is a name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import Enum

from nndsl.records import dataclass

Dimension = int | str
"""A size, or the name of one known only at run time; "N" is the number of rows of the batch.

The length of a sequence is a name also where it is a number, "64", until the graph is complete
(`nndsl.ops.binding`): so a sequence is told from a signal.
"""

BATCH = "N"


class ElementType(Enum):
    """REAL is float32 or float64, chosen when kernels are generated; DOUBLE is always float64
    (clocks, schedules, sums of losses); INDEX is int32 (classes, ids).
    """

    REAL = "real"
    DOUBLE = "double"
    INDEX = "index"

    __hash__ = object.__hash__  # each is one object: there is no need to ask for its name


@dataclass(frozen=True)
class TensorType:
    """Shape and element type of a value. `TensorType(("N", 4))` is a batch of 4 numbers each.

    Of INDEX numbers that a file declares, all are `below` this one: the size of a vocabulary. Where
    a sequence has ended before its last place, `padding` stands.
    """

    shape: tuple[Dimension, ...] = ()
    element: ElementType = ElementType.REAL
    below: int | None = field(default=None, compare=False, repr=False)
    padding: int | None = field(default=None, compare=False, repr=False)

    @property
    def rank(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    def __str__(self) -> str:
        sizes = "x".join(str(d) for d in self.shape)
        return f"{self.element.value}[{sizes}]"


def number_of(dimension: Dimension) -> int | None:
    """The number that a size is, also where a length was written as one: "64" is 64."""
    if isinstance(dimension, str):
        name = dimension.partition("-")[0]
        dimension = resolved(dimension, {name: int(name)}) if name.isdigit() else dimension
    return dimension if isinstance(dimension, int) else None


def resolved(dimension: Dimension, sizes: Mapping[str, int]) -> Dimension:
    """The size with the number of its name, where that is known; `T-1` is one less than T."""
    if isinstance(dimension, int):
        return dimension
    name, _, less = dimension.partition("-")
    if dimension in sizes or name not in sizes:
        return sizes.get(dimension, dimension)
    return sizes[name] - int(less or 0)


def shortened(length: Dimension, less: int) -> Dimension:
    """A length less some places."""
    return length - less if isinstance(length, int) else f"{length}-{less}"


def format_type(type: TensorType) -> str:
    """A type as people write it, without the batch: its shape, and that ids are ids."""
    if type.element is not ElementType.INDEX:
        return format_shape(type.shape)
    sizes = type.shape[1:] if type.shape[:1] == (BATCH,) else type.shape
    return f"{format_shape(sizes)} ids" if sizes else "one id"


def format_shape(shape: tuple[Dimension, ...]) -> str:
    """A shape as people write it, without the batch: `1x28x28`, `4`, `a single number`."""
    sizes = shape[1:] if shape[:1] == (BATCH,) else shape
    return "x".join(str(d) for d in sizes) if sizes else "a single number"
