"""Glue kernels that standardise: along rows, down columns, or over any mixture of axes.

A sum of floating-point numbers is a chain of additions that LLVM must not reorder, unless it is
written with `plus`: so it is along rows. Down columns every column is a chain of its own, and
`ROWS` rows are added in a round, to read and write the sums less often.
"""

from __future__ import annotations

from collections.abc import Sequence

from nndsl.codegen.draft import glue_kernel
from nndsl.codegen.glue import INDENT, block, function, nested
from nndsl.codegen.program import Element, Kernel

ROWS = 4


def _signature(element: Element, center: bool, sizes: Sequence[str]) -> tuple[list[str], list[str]]:
    """Names and kinds of arguments: x, y, mean (with `center`), variance, then sizes."""
    pointers = ["x", "y", "mean", "variance"] if center else ["x", "y", "variance"]
    kinds = [f"pointer:{element.value}"] * len(pointers)
    return [*pointers, *sizes], kinds + ["integer" if s == "unit" else "size" for s in sizes]


def rows_kernel(epsilon: float, center: bool, element: Element) -> Kernel:
    """Each row of n numbers by itself. Arguments: x, y, mean, variance, unit, n."""
    arguments, kinds = _signature(element, center, ["unit", "n"])
    kind = element.value
    moved = "(x[first + {0}] - middle)" if center else "x[first + {0}]"
    share = ["first = row * n"]
    if center:
        share += _row_sum("x[first + {0}]", kind)
        share += [f"middle = total / {kind}(n)", "mean[row] = middle"]
    share += _row_sum(f"{moved} * {moved}", kind)
    share += [
        f"spread = total / {kind}(n)",
        "variance[row] = spread",
        f"scale = {kind}(1.0) / sqrt(spread + {kind}({epsilon!r}))",
        "for j in range(n):",
        INDENT + f"y[first + j] = {moved.format('j')} * scale",
    ]
    lines = ["for row in range(low * unit, high * unit):", *block(share)]
    text = function("standardize_rows", arguments, lines)
    return glue_kernel("standardize", text, tuple(kinds), element)


def _row_sum(term: str, kind: str) -> list[str]:
    """Lines that give `total`, the sum of a term over j < n."""
    return [
        f"total = {kind}(0.0)",
        "for j in range(n):",
        INDENT + f"total = plus(total, {term.format('j')})",
    ]


def columns_kernel(epsilon: float, center: bool, element: Element) -> Kernel:
    """Each column of a matrix by itself. Arguments: x, y, mean, variance, rows, n.

    The factors of the columns wait in the last row of y, which is overwritten last.
    """
    arguments, kinds = _signature(element, center, ["rows", "n"])
    kind = element.value
    moved = "(x[{0}] - mean[j])" if center else "x[{0}]"
    lines: list[str] = []
    if center:
        lines += _column_mean("mean", "x[{0}]", kind)
    lines += _column_mean("variance", f"{moved} * {moved}", kind)
    lines += [
        "last = (rows - 1) * n",
        "for j in range(low, high):",
        INDENT + f"y[last + j] = {kind}(1.0) / sqrt(variance[j] + {kind}({epsilon!r}))",
        "for row in range(rows):",
        INDENT + "for j in range(low, high):",
        INDENT * 2 + f"y[row * n + j] = {moved.format('row * n + j')} * y[last + j]",
    ]
    text = function("standardize_columns", arguments, lines)
    return glue_kernel("standardize", text, tuple(kinds), element)


def _column_mean(name: str, term: str, kind: str) -> list[str]:
    """Lines that give `name[j]`, the mean of a term over all rows."""
    terms = [term.format(f"first + {i} * n + j") for i in range(ROWS)]
    pairs = [f"({a} + {b})" for a, b in zip(terms[::2], terms[1::2], strict=True)]
    return [
        "for j in range(low, high):",
        INDENT + f"{name}[j] = {kind}(0.0)",
        f"for block in range(rows // {ROWS}):",
        INDENT + f"first = block * {ROWS} * n",
        INDENT + "for j in range(low, high):",
        INDENT * 2 + f"{name}[j] = {name}[j] + ({' + '.join(pairs)})",
        f"for row in range(rows // {ROWS} * {ROWS}, rows):",
        INDENT + "for j in range(low, high):",
        INDENT * 2 + f"{name}[j] = {name}[j] + {term.format('row * n + j')}",
        "for j in range(low, high):",
        INDENT + f"{name}[j] = {name}[j] / {kind}(rows)",
    ]


def axes_kernel(epsilon: float, center: bool, pattern: Sequence[bool], element: Element) -> Kernel:
    """Any mixture of kept and standardised axes (`pattern`: true where taken together).

    The first kept axis is the call's extent, in units of `unit`. Arguments: x, y, mean, variance,
    unit, sizes of all axes. Sums are taken in float64, one number after the other.
    """
    sizes = [f"n{axis}" for axis in range(len(pattern))]
    arguments, kinds = _signature(element, center, ["unit", *sizes])
    kept = [axis for axis, taken in enumerate(pattern) if not taken]
    taken = [axis for axis, is_taken in enumerate(pattern) if is_taken]
    kind, place = element.value, f"[{nested(range(len(pattern)))}]"
    moved = f"x{place} - {kind}(middle)" if center else f"x{place}"
    body = ["count = float64(1.0)", *(f"count = count * float64(n{axis})" for axis in taken)]
    if center:
        body += _nested_sum(taken, f"float64(x{place})")
        body += ["middle = total / count", f"mean[{nested(kept)}] = {kind}(middle)"]
    square = f"float64({moved}) * float64({moved})"
    body += _nested_sum(taken, square)
    body += [
        "spread = total / count",
        f"variance[{nested(kept)}] = {kind}(spread)",
        f"scale = {kind}(1.0) / sqrt({kind}(spread) + {kind}({epsilon!r}))",
        *_loops(taken, [f"y{place} = ({moved}) * scale"]),
    ]
    lines = _loops(kept, body, first="low * unit, high * unit")
    return glue_kernel("standardize", function("standardize", arguments, lines), tuple(kinds),
                       element)  # fmt: skip


def _nested_sum(axes: Sequence[int], term: str) -> list[str]:
    return ["total = float64(0.0)", *_loops(axes, [f"total = total + {term}"])]


def _loops(axes: Sequence[int], body: Sequence[str], first: str = "") -> list[str]:
    """Lines inside loops over some axes; `first`: the bounds of the outermost."""
    lines = list(body)
    for axis in reversed(axes):
        bounds = first if first and axis == axes[0] else f"n{axis}"
        lines = [f"for i{axis} in range({bounds}):", *block(lines)]
    return lines
