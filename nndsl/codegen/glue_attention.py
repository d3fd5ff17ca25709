"""Glue kernels of attention: weights over the keys that a query sees, rows of tables.

What a query does not see is neither compared nor exponentiated: of a causal row only the part up to
its own place is, rounded up to a whole register, so that no numbers are left over.
"""

from __future__ import annotations

import re

from nndsl.codegen.draft import glue_kernel
from nndsl.codegen.glue import INDENT, block, function
from nndsl.codegen.printing import assignments
from nndsl.codegen.program import Element, Kernel
from nndsl.ops.attention import UNSEEN, Sight
from nndsl.scalar import functions as f
from nndsl.scalar.expression import variable

REGISTER = 16
"""Numbers that are exponentiated together."""


def _bounds(sight: Sight) -> list[str]:
    """Lines for the keys `first` <= j < `last` that a row sees, and the whole registers of them,
    `base` <= place < `base` + `count`.
    """
    if sight.is_full:
        return ["first = 0", "last = n", "base = row * n", "count = n"]
    last = "place + 1" if sight.causal else f"place + {sight.window}"
    first = f"place - {sight.window - 1}" if sight.window else "0"
    return [
        f"place = row % queries + {sight.offset}",
        f"last = {last}",
        "last = where(last < n, last, n)",
        "last = where(last > 0, last, 0)",
        f"first = {first}",
        "first = where(first > 0, first, 0)",
        "first = where(first < last, first, last)",
        f"start = first // {REGISTER} * {REGISTER}",
        f"stop = (last + {REGISTER - 1}) // {REGISTER} * {REGISTER}",
        "count = where(stop < n, stop, n) - start",
        "base = row * n + start",
        "before = first - start",
        "behind = last - start",
    ]


def _outside(sight: Sight, element: Element) -> list[str]:
    """Zeros before and behind the registers that hold what a row sees."""
    if sight.is_full:
        return []
    zero = f"{element.value}(0.0)"
    before = ["for j in range(start):", INDENT + f"y[row * n + j] = {zero}"]
    return [
        *(before if sight.window else []),
        "rest = base + count",
        "for j in range(n - start - count):",
        INDENT + f"y[rest + j] = {zero}",
    ]


def weights_kernel(
    sight: Sight,
    element: Element,
    sizes: tuple[int, int],
    mask: str = "",
    *,
    in_place: bool = False,
) -> Kernel:
    """Softmax of what each row sees. Arguments: x, [valid,] y, unit; `in_place`, x is y.

    With a mask, `valid` has 0 where nothing may be seen: "keys", a number for each row of the batch
    and key, or "scores", one for each score.
    """
    kind = element.value
    powers = assignments([f.exp(variable("z"))], ["p"], {}, element)
    score, padded = "x[base + j]", bool(mask)
    keys = "row // unit * n + (base - row * n)" if mask == "keys" else "base"
    if padded:
        score = f"where(valid[keys + j] > {kind}(0.0), x[base + j], {kind}({UNSEEN!r}))"
    power = [f"z = {kind}({sight.scale!r}) * ({score} - top)", *powers]
    if padded:
        power.append(f"p = where(valid[keys + j] > {kind}(0.0), p, {kind}(0.0))")
    if not sight.is_full:
        power.append(f"p = where((j >= before) & (j < behind), p, {kind}(0.0))")
    lines = [
        *_bounds(sight),
        *([f"keys = {keys}"] if padded else []),
        f"top = {kind}({UNSEEN!r})",
        "seen = row * n + first",
        "for j in range(last - first):",
        INDENT + f"top = either_greater(top, {_seen_score(kind, padded=padded)})",
        f"total = {kind}(0.0)",
        "for j in range(count):",
        *block([*power, "y[base + j] = p", "total = plus(total, p)"]),
        f"share = where(total == {kind}(0.0), {kind}(0.0), {kind}(1.0) / total)",
        "for j in range(count):",
        INDENT + "y[base + j] = y[base + j] * share",
        *_outside(sight, element),
    ]
    real = f"pointer:{kind}"
    pointers = {"x": real, **({"valid": real} if padded else {}), "y": real}
    return _rows("attention_weights", pointers, lines, element, sizes, "x" if in_place else "")


def _seen_score(kind: str, *, padded: bool) -> str:
    """The score at place j of what is seen."""
    if not padded:
        return "x[seen + j]"
    valid = "valid[keys + (seen - base) + j]"
    return f"where({valid} > {kind}(0.0), x[seen + j], {kind}({UNSEEN!r}))"


def gradient_kernel(
    sight: Sight, element: Element, sizes: tuple[int, int], *, in_place: bool = False
) -> Kernel:
    """Scale * w * (dw - sum(w * dw)). Arguments: w, dw, y, unit; `in_place`, dw is y."""
    kind = element.value
    lines = [
        *_bounds(sight),
        f"total = {kind}(0.0)",
        "for j in range(last - first):",
        INDENT + "total = plus(total, w[row * n + first + j] * dw[row * n + first + j])",
        "for j in range(count):",
        INDENT + f"y[base + j] = {kind}({sight.scale!r}) * w[base + j] * (dw[base + j] - total)",
        *_outside(sight, element),
    ]
    real = f"pointer:{kind}"
    pointers = {"w": real, "dw": real, "y": real}
    return _rows("attention_gradient", pointers, lines, element, sizes, "dw" if in_place else "")


def _rows(
    word: str,
    pointers: dict[str, str],
    lines: list[str],
    element: Element,
    sizes: tuple[int, int],
    over: str,
) -> Kernel:
    """A kernel over rows; how many queries and keys there are is written into its text.

    The result is written over the operand called `over`, if any: two pointers to one memory would
    keep loops from becoming vectors.
    """
    pointers = {name: kind for name, kind in pointers.items() if name != over}
    lines = [re.sub(rf"\b{over}\[", "y[", line) for line in lines] if over else lines
    queries, keys = sizes
    rows = ["for row in range(low * unit, high * unit):", *block(lines)]
    lines = [f"queries = {queries}", f"n = {keys}", *rows]
    text = function(word, [*pointers, "unit"], lines)
    return glue_kernel(word, text, (*pointers.values(), "integer"), element)


def lookup_kernel(element: Element) -> Kernel:
    """Rows of a table by number. Arguments: table, numbers, y, unit, n (numbers a row)."""
    lines = [
        "for row in range(low * unit, high * unit):",
        INDENT + "start = int64(numbers[row]) * n",
        INDENT + "for j in range(n):",
        INDENT * 2 + "y[row * n + j] = table[start + j]",
    ]
    text = function("lookup", ["table", "numbers", "y", "unit", "n"], lines)
    real = f"pointer:{element.value}"
    signature = (real, "pointer:int32", real, "integer", "size")
    return glue_kernel("lookup", text, signature, element)


def lookup_gradient_kernel(element: Element) -> Kernel:
    """Rows added up in a table by number, in the order of the numbers, those from `low` to `high`.

    Arguments: numbers, x, y, count (of numbers), n (numbers a row).
    """
    lines = [
        "for i in range(low * n, high * n):",
        INDENT + f"y[i] = {element.value}(0.0)",
        "for row in range(count):",
        INDENT + "number = int64(numbers[row])",
        INDENT + "if (number >= low) & (number < high):",
        INDENT * 2 + "for j in range(n):",
        INDENT * 3 + "y[number * n + j] = y[number * n + j] + x[row * n + j]",
    ]
    text = function("lookup_gradient", ["numbers", "x", "y", "count", "n"], lines)
    real = f"pointer:{element.value}"
    signature = ("pointer:int32", real, real, "size", "size")
    return glue_kernel("lookup_gradient", text, signature, element)


def rotary_kernel(element: Element, *, interleaved: bool, inverse: bool) -> Kernel:
    """Pairs turned by their angles. Arguments: x, cosines, sines, y, unit, places, heads, n, pairs.

    Rows are those of n features of a head; `places` those of one example.
    """
    sign = "-" if inverse else ""
    first, second = ("2 * j", "2 * j + 1") if interleaved else ("j", "pairs + j")
    lines = [
        "for row in range(low * unit, high * unit):",
        INDENT + "angle = row // heads % places * pairs",
        INDENT + "start = row * n",
        INDENT + "for j in range(pairs):",
        INDENT * 2 + f"a = x[start + {first}]",
        INDENT * 2 + f"b = x[start + {second}]",
        INDENT * 2 + "c = cosines[angle + j]",
        INDENT * 2 + f"s = {sign}sines[angle + j]",
        INDENT * 2 + f"y[start + {first}] = a * c - b * s",
        INDENT * 2 + f"y[start + {second}] = b * c + a * s",
        INDENT + "rest = start + 2 * pairs",
        INDENT + "for j in range(n - 2 * pairs):",
        INDENT * 2 + "y[rest + j] = x[rest + j]",
    ]
    arguments = ["x", "cosines", "sines", "y", "unit", "places", "heads", "n", "pairs"]
    text = function("rotary", arguments, lines)
    signature = (*(f"pointer:{element.value}",) * 4, "integer", *("size",) * 4)
    return glue_kernel("rotary", text, signature, element)
