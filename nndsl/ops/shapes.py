"""Sizes with names in them: broadcasting, products, and the words of their mistakes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import prod

from nndsl.ir.graph import ShapeError
from nndsl.ir.types import (
    BATCH,
    Dimension,
    ElementType,
    TensorType,
    format_shape,
    number_of,
    resolved,
)

Shape = tuple[Dimension, ...]


def broadcast(shapes: Sequence[Shape]) -> Shape:
    """The common shape by NumPy's rule: sizes equal, or 1. A name equals only itself and 1."""
    return _broadcast(tuple(shapes))


@lru_cache(1 << 12)
def _broadcast(shapes: tuple[Shape, ...]) -> Shape:
    rank = max((len(s) for s in shapes), default=0)
    padded = [(1,) * (rank - len(s)) + s for s in shapes]
    result: list[Dimension] = []
    for sizes in zip(*padded, strict=True):
        others = {d for d in sizes if d != 1}
        if len(others) > 1:
            raise ShapeError(_differ(shapes), "NN203")
        result.append(others.pop() if others else 1)
    return tuple(result)


def _differ(shapes: Sequence[Shape]) -> str:
    unlike = list(dict.fromkeys(format_shape(s) for s in shapes))
    if len(unlike) < 2:
        unlike = ["x".join(map(str, s)) or "a single number" for s in dict.fromkeys(shapes)]
    return f"cannot combine {' and '.join(unlike)}: the shapes differ"


def broadcast_axes(shape: Shape, result: Shape) -> tuple[int, ...]:
    """The axes of `result` along which an operand of `shape` is repeated."""
    missing = len(result) - len(shape)
    return tuple(
        axis
        for axis, size in enumerate(result)
        if axis < missing or (shape[axis - missing] == 1 and size != 1)
    )


def same_count(one: Shape, other: Shape) -> bool:
    """Whether both shapes surely hold as many elements: equal names, equal product of numbers."""
    return symbols(one) == symbols(other) and known(one) == known(other)


def symbols(shape: Shape) -> Counter[str]:
    """The names in a shape, with how often they occur."""
    return Counter(d for d in shape if isinstance(d, str) and number_of(d) is None)


def known(shape: Shape) -> int:
    """Product of the sizes that are numbers."""
    numbers = (number_of(d) for d in shape)
    return prod(n for n in numbers if n is not None)


def actual(shape: Shape, sizes: Mapping[str, int] | None) -> tuple[int, ...]:
    """The shape with every name replaced by its size in this run."""
    known = tuple(resolved(d, sizes or {}) for d in shape)
    missing = [d for d in known if isinstance(d, str)]
    if missing:
        raise KeyError(missing[0])
    return tuple(d for d in known if isinstance(d, int))


def require_rank(type: TensorType, least: int, what: str) -> None:
    """Refuse a tensor of fewer than `least` dimensions (the batch counts)."""
    if type.rank < least:
        raise ShapeError(f"{what} needs {least} dimensions, not {format_full(type.shape)}")


def require_element(type: TensorType, element: ElementType, what: str) -> None:
    """Refuse a tensor whose elements are of another sort."""
    if type.element is not element:
        words = {ElementType.INDEX: "class numbers"}
        wanted, found = (words.get(e, "numbers") for e in (element, type.element))
        raise ShapeError(f"{what} takes {wanted}, not {found}", "NN202")


def require_operands(inputs: Sequence[TensorType], count: int, what: str) -> None:
    """Refuse a wrong number of operands."""
    if len(inputs) != count:
        raise ShapeError(f"{what} takes {count} operands, not {len(inputs)}", "NN202")


def format_full(shape: Shape) -> str:
    """A shape for people, with the batch where it is one."""
    rows = "rows of " if shape[:1] == (BATCH,) else ""
    return rows + format_shape(shape)
