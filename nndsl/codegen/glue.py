"""Glue kernels: element-wise formulas, reductions, copies, as text in the raw-pointer dialect.

The dialect: pointers, 64-bit sizes, loops that count from 0, numbers with their type written
(`float32(0.5)`), names from `nndsl.runtime.intrinsics`. The last two arguments are the share
`low <= i < high` of the call's extent. Sizes are arguments, so that one kernel serves all shapes.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import isfinite, prod

from nndsl.codegen.draft import glue_kernel
from nndsl.codegen.loops import Space
from nndsl.codegen.printing import assignments
from nndsl.codegen.program import Element, Kernel
from nndsl.records import dataclass
from nndsl.scalar.expression import Expression

INDENT = "    "
ANY_ORDER = {"sum": "plus", "max": "greater"}
"""Functions by kind of reduction whose chains LLVM may turn into vectors."""


def block(lines: Sequence[str], depth: int = 1) -> list[str]:
    """Lines indented by `depth` levels."""
    return [INDENT * depth + line for line in lines]


def function(word: str, arguments: Sequence[str], lines: Sequence[str]) -> str:
    """The text of a kernel: its arguments, then low and high."""
    head = f"def {word}({', '.join([*arguments, 'low', 'high'])}):"
    return "\n".join([head, *block(lines), ""])


@dataclass(frozen=True)
class MapOperand:
    """How a formula's operand is read: from which argument, of which machine type.

    Without a type the argument is no pointer but a run-time size.
    """

    argument: str
    element: Element | None


@cache
def map_kernel(
    expressions: tuple[Expression, ...],
    operands: tuple[MapOperand, ...],
    results: tuple[MapOperand, ...],
    space: Space,
    element: Element,
) -> Kernel:
    """Expressions over x0, x1, ... for every element of the space.

    Arguments: pointers in order of first use (a result written in place shares its operand's),
    then run-time sizes that are operands, the unit and the inner sizes.
    """
    used = (*operands, *results)
    pointers = {o.argument: o.element for o in used if o.element is not None}
    sizes = list(dict.fromkeys(o.argument for o in used if o.element is None))
    inner = [f"n{axis}" for axis in range(1, len(space.axes))]
    arguments = [*pointers, *sizes, "unit", *inner]
    signature = (
        *(f"pointer:{e.value}" for e in pointers.values()),
        *("size" for _ in sizes),
        "integer",
        *("size" for _ in inner),
    )
    depth = len(space.axes)
    lines: list[str] = []
    for level in range(depth + 1):
        lines += block(_loads(operands, space, level, element), level)
        if level < depth:
            bounds = "low * unit, high * unit" if level == 0 else f"n{level}"
            lines.append(INDENT * level + f"for i{level} in range({bounds}):")
    names = {f"x{i}": f"x{i}" for i in range(len(operands))}
    places = [f"{r.argument}[{_full_index(depth)}]" for r in results]
    lines += block(assignments(expressions, places, names, element), depth)
    return glue_kernel("map", function("map", arguments, lines), signature, element)


def _loads(operands: Sequence[MapOperand], space: Space, level: int, element: Element) -> list[str]:
    lines = []
    for number, operand in enumerate(operands):
        if space.depth(number) == level:
            read = f"{operand.argument}[{space.index(number)}]"
            if operand.element is None:
                read = operand.argument
            if operand.element is not element:
                read = f"{element.value}({read})"
            lines.append(f"x{number} = {read}")
    return lines


def _full_index(depth: int) -> str:
    text = "i0" if depth else "0"
    for axis in range(1, depth):
        text = f"({text}) * n{axis} + i{axis}" if axis > 1 else f"i0 * n1 + i{axis}"
    return text


def _pointers(count: int, element: Element) -> tuple[str, ...]:
    return (f"pointer:{element.value}",) * count


def total_kernel(kind: str, element: Element) -> Kernel:
    """The sum or maximum of n numbers, by thread 0 alone; sums in float64. Arguments: x, y, n."""
    wide = "float64" if kind == "sum" else element.value
    start = "float64(0.0)" if kind == "sum" else f"{wide}(-math.inf)"
    lines = [
        f"s = {start}",
        "for i in range(n):",
        INDENT + f"s = {ANY_ORDER[kind]}(s, {wide}(x[i]))",
        f"y[0] = {element.value}(s)",
    ]
    text = function("total", ["x", "y", "n"], lines)
    return glue_kernel("total", text, (*_pointers(2, element), "size"), element)


def column_sum_kernel(element: Element) -> Kernel:
    """Sums over the rows of a matrix, split by columns. Arguments: x, y, rows, columns.

    Four rows a round: a quarter of the traffic of adding one row at a time.
    """
    lines = [
        "for j in range(low, high):",
        INDENT + f"y[j] = {element.value}(0.0)",
        "for block in range(rows // 4):",
        INDENT + "first = block * 4 * columns",
        INDENT + "for j in range(low, high):",
        INDENT * 2 + "a = x[first + j] + x[first + columns + j]",
        INDENT * 2 + "b = x[first + 2 * columns + j] + x[first + 3 * columns + j]",
        INDENT * 2 + "y[j] = y[j] + (a + b)",
        "for row in range(rows // 4 * 4, rows):",
        INDENT + "for j in range(low, high):",
        INDENT * 2 + "y[j] = y[j] + x[row * columns + j]",
    ]
    text = function("column_sum", ["x", "y", "rows", "columns"], lines)
    return glue_kernel("column_sum", text, (*_pointers(2, element), "size", "size"), element)


def reduce_kernel(kind: str, pattern: Sequence[bool], element: Element) -> Kernel:
    """Any mixture of kept and reduced axes (`pattern`: true where reduced), outermost first.

    The first kept axis is the call's extent, in units of `unit`. Arguments: x, y, unit, sizes of
    all axes.
    """
    sizes = [f"n{axis}" for axis in range(len(pattern))]
    kept = [axis for axis, reduced in enumerate(pattern) if not reduced]
    reduced = [axis for axis, is_reduced in enumerate(pattern) if is_reduced]
    lines: list[str] = []
    for level, axis in enumerate(kept):
        bounds = "low * unit, high * unit" if level == 0 else f"n{axis}"
        lines.append(INDENT * level + f"for i{axis} in range({bounds}):")
    depth = len(kept)
    start = "float64(0.0)" if kind == "sum" else f"{element.value}(-math.inf)"
    lines.append(INDENT * depth + f"s = {start}")
    last = reduced.pop() if pattern[-1] else None
    for level, axis in enumerate(reduced):
        lines.append(INDENT * (depth + level) + f"for i{axis} in range(n{axis}):")
    read = f"x[{nested(range(len(pattern)))}]"
    lines += block(_reduced(kind, last, read, element), depth + len(reduced))
    lines.append(INDENT * depth + f"y[{nested(kept)}] = {element.value}(s)")
    text = function("reduce", ["x", "y", "unit", *sizes], lines)
    signature = (*_pointers(2, element), "integer", *("size" for _ in sizes))
    return glue_kernel(kind, text, signature, element)


def _reduced(kind: str, axis: int | None, read: str, element: Element) -> list[str]:
    """Lines that take what is read into `s`: all along a last axis as vectors, or one number."""
    joined = "s = s + float64({0})" if kind == "sum" else "s = greater(s, {0})"
    if axis is None:
        return [joined.format(read)]
    start = f"{element.value}({'0.0' if kind == 'sum' else '-math.inf'})"
    return [
        f"part = {start}",
        f"for i{axis} in range(n{axis}):",
        INDENT + f"part = {ANY_ORDER[kind]}(part, {read})",
        joined.format("part"),
    ]


def nested(axes: Sequence[int]) -> str:
    """Row-major index over some axes with sizes n<axis> and variables i<axis>."""
    text = ""
    for axis in axes:
        text = f"({text}) * n{axis} + i{axis}" if text else f"i{axis}"
    return text or "0"


def copy_kernel(rank: int, element: Element) -> Kernel:
    """A copy between strided places: slices, joins, repeats, exchanges of axes.

    The first axis is the call's extent, in units of `unit`. Arguments: x, y, unit, the other
    sizes, strides of x, strides of y; strides are sizes in elements.
    """
    sizes = [f"n{axis}" for axis in range(1, rank)]
    x_strides = [f"a{axis}" for axis in range(rank)]
    y_strides = [f"b{axis}" for axis in range(rank)]
    lines = []
    for axis in range(rank):
        bounds = "low * unit, high * unit" if axis == 0 else f"n{axis}"
        lines.append(INDENT * axis + f"for i{axis} in range({bounds}):")
    source = " + ".join(f"i{axis} * a{axis}" for axis in range(rank)) or "0"
    target = " + ".join(f"i{axis} * b{axis}" for axis in range(rank)) or "0"
    lines.append(INDENT * rank + f"y[{target}] = x[{source}]")
    arguments = ["x", "y", "unit", *sizes, *x_strides, *y_strides]
    signature = (*_pointers(2, element), "integer", *("size" for _ in arguments[3:]))
    return glue_kernel("copy", function("copy", arguments, lines), signature, element)


def pad_kernel(
    shape: Sequence[int],
    before: Sequence[int],
    behind: Sequence[int],
    value: float,
    element: Element,
) -> Kernel:
    """A copy with numbers around it. Axes are those after the first, which is the call's extent.

    Arguments: x, y. Sizes are written into the text: lines of images are short.
    """
    wide = [sum(sizes) for sizes in zip(shape, before, behind, strict=True)]
    number = f"{element.value}({value!r})" if isfinite(value) else _infinite(value, element)

    def filled(place: str, count: int) -> list[str]:
        loop = [f"for k in range({count}):", INDENT + f"y[{place} + k] = {number}"]
        return loop if count else []

    def copied(axis: int, source: str, place: str) -> list[str]:
        inner, outer = prod(shape[axis + 1 :]), prod(wide[axis + 1 :])
        first, last = before[axis] * outer, (before[axis] + shape[axis]) * outer
        if any((*before[axis + 1 :], *behind[axis + 1 :])):
            there = f"{place} + {first} + i{axis} * {outer}"
            lines = [
                f"for i{axis} in range({shape[axis]}):",
                *block(copied(axis + 1, f"{source} + i{axis} * {inner}", there)),
            ]
        else:
            lines = _copy_of_a_run(shape[axis] * inner, source, f"{place} + {first}")
        after = filled(f"{place} + {last}", behind[axis] * outer)
        return [*filled(place, first), *lines, *after]

    rows = copied(0, f"row * {prod(shape)}", f"row * {prod(wide)}")
    text = function("pad", ["x", "y"], ["for row in range(low, high):", *block(rows)])
    return glue_kernel("pad", text, _pointers(2, element), element)


def crop_kernel(
    shape: Sequence[int], before: Sequence[int], behind: Sequence[int], element: Element
) -> Kernel:
    """A copy of the inner part of a tensor. Axes, arguments and sizes are as for padding."""
    narrow = [n - a - b for n, a, b in zip(shape, before, behind, strict=True)]

    def copied(axis: int, source: str, place: str) -> list[str]:
        inner, outer = prod(narrow[axis + 1 :]), prod(shape[axis + 1 :])
        start = f"{source} + {before[axis] * outer}"
        if not any((*before[axis + 1 :], *behind[axis + 1 :])):
            return _copy_of_a_run(narrow[axis] * inner, start, place)
        here, there = f"{start} + i{axis} * {outer}", f"{place} + i{axis} * {inner}"
        return [
            f"for i{axis} in range({narrow[axis]}):",
            *block(copied(axis + 1, here, there)),
        ]

    rows = copied(0, f"row * {prod(shape)}", f"row * {prod(narrow)}")
    text = function("crop", ["x", "y"], ["for row in range(low, high):", *block(rows)])
    return glue_kernel("crop", text, _pointers(2, element), element)


def _copy_of_a_run(count: int, source: str, place: str) -> list[str]:
    return [f"for k in range({count}):", INDENT + f"y[{place} + k] = x[{source} + k]"]


def _infinite(value: float, element: Element) -> str:
    if value != value:
        return f"{element.value}(math.nan)"
    return f"{element.value}({'-' if value < 0 else ''}math.inf)"


def size_kernel() -> Kernel:
    """A run-time size as a float64 number. Arguments: y, n."""
    text = function("size", ["y", "n"], ["y[0] = float64(n)"])
    return glue_kernel("size", text, ("pointer:float64", "size"), Element.FLOAT64)
