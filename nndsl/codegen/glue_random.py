"""Glue kernels that transcribe `nndsl.random`: noise, the order of rows, and fetching them."""

from __future__ import annotations

import math

from nndsl import random
from nndsl.codegen.draft import glue_kernel
from nndsl.codegen.glue import INDENT, block, function
from nndsl.codegen.printing import assignments
from nndsl.codegen.program import Element, Kernel
from nndsl.scalar import functions as f
from nndsl.scalar.expression import variable

MASK = f"{random.MASK:#x}"
"""Integers of kernel text have 64 bits; this cuts them to the 32 that the definitions speak of."""


def philox(
    step: str, counter: str, seed: str, stream: str, element: str = "0", part: str = "0"
) -> list[str]:
    """Lines that leave the four lanes of one block in c0, c1, c2, c3, each below 2**32."""
    first, second = (f"{m:#x}" for m in random.PHILOX_MULTIPLIERS)
    lines = [
        f"c0 = {step} & {MASK}",
        f"c1 = {counter} & {MASK}",
        f"c2 = {element} & {MASK}",
        f"c3 = {part}",
        f"k0 = {seed} & {MASK}",
        f"k1 = {stream} & {MASK}",
        f"for turn in range({random.PHILOX_ROUNDS}):",
    ]
    turn = [
        f"p = c0 * {first}",
        f"q = c2 * {second}",
        f"c0 = ((q >> 32) & {MASK}) ^ c1 ^ k0",
        f"c1 = q & {MASK}",
        f"c2 = ((p >> 32) & {MASK}) ^ c3 ^ k1",
        f"c3 = p & {MASK}",
        f"k0 = (k0 + {random.PHILOX_INCREMENTS[0]:#x}) & {MASK}",
        f"k1 = (k1 + {random.PHILOX_INCREMENTS[1]:#x}) & {MASK}",
    ]
    return lines + block(turn)


def random_kernel(kind: str, element: Element, *, by_row: bool = False) -> Kernel:
    """Numbers of one stream. Arguments: y, seed, step, stream, unit (numbers for each row).

    `by_row`: counted from the first row of the data; a last argument says which the batch has.
    """
    before, place = (["before = first_row * unit"], "e - before") if by_row else ([], "e")
    plus = "before + " if by_row else ""
    lines = [
        *before,
        f"first = {plus}low * unit",
        f"last = {plus}high * unit",
        "for number in range(first // 4, (last + 3) // 4):",
        *block(philox("step", "number", "seed", "stream")),
        *block(_uniform(element) if kind == "uniform" else normal_lines(element)),
        INDENT + "e = number * 4",
    ]
    for lane in range(4):
        lines.append(INDENT + f"if (e + {lane} >= first) & (e + {lane} < last):")
        lines.append(INDENT * 2 + f"y[{place} + {lane}] = u{lane}")
    name = f"{kind}_by_row" if by_row else kind
    rows = ["first_row"] if by_row else []
    text = function(name, ["y", "seed", "step", "stream", "unit", *rows], lines)
    step = "integer" if by_row else "size"
    sizes = ["size"] * len(rows)
    signature = (f"pointer:{element.value}", "size", step, "integer", "integer", *sizes)
    return glue_kernel(name, text, signature, element)


def _fraction(lane: str, kind: str, add: int = 0) -> str:
    plus = f" + {add}" if add else ""
    return f"{kind}(({lane} >> 8){plus}) * {kind}({random.UNIT!r})"


def _uniform(element: Element) -> list[str]:
    return [f"u{lane} = {_fraction(f'c{lane}', element.value)}" for lane in range(4)]


def normal_lines(element: Element) -> list[str]:
    """Lines that make u0 to u3, standard normal, of the four lanes: Box and Muller, in pairs."""
    kind = element.value
    a, b = variable("a"), variable("b")
    radius, angle = f.sqrt(-2.0 * f.log(a)), 2.0 * math.pi * b
    lines = []
    for pair in (0, 2):
        lines += [f"a = {_fraction(f'c{pair}', kind, 1)}", f"b = {_fraction(f'c{pair + 1}', kind)}"]
        places = [f"u{pair}", f"u{pair + 1}"]
        formulas = [radius * f.cos(angle), radius * f.sin(angle)]
        lines += assignments(formulas, places, {}, element, prefix=f"t{pair}_")
    return lines


def order_kernel() -> Kernel:
    """Numbers of the batch's rows in the data. Arguments: index, first_row, rows, seed, epoch,
    shuffle.

    The permutation of `nndsl.random`, walked for all rows at a time: a row that left the data
    goes round again, until none has.
    """
    walk = [
        "before = int64(index[i])",
        "outside = (before >= rows) | (walking == start)",
        "x = before",
        *_encrypt(),
        "x = where(outside, x, before)",
        "index[i] = int32(x)",
        "left_over = left_over + where(x >= rows, 1, 0)",
    ]
    shuffled = [
        *philox("epoch", "0", "seed", f"{random.SHUFFLE_STREAM:#x}"),
        *_network_size(),
        "start = high - low + 1",
        "walking = start",
        "while walking > 0:",
        INDENT + "left_over = 0",
        INDENT + "for i in range(low, high):",
        *block(walk, 2),
        INDENT + "walking = left_over",
    ]
    lines = [
        "for i in range(low, high):",
        INDENT + "index[i] = int32(first_row + i)",
        "if shuffle != 0:",
        *block(shuffled),
    ]
    arguments = ["index", "first_row", "rows", "seed", "epoch", "shuffle"]
    text = function("order", arguments, lines)
    return glue_kernel("order", text, ("pointer:int32", *["size"] * 5), Element.INT32)


def _network_size() -> list[str]:
    """Widths and masks of the two halves."""
    return [
        "bits = 2",
        "while (1 << bits) < rows:",
        INDENT + "bits = bits + 1",
        "low_bits = bits // 2",
        "low_mask = (1 << low_bits) - 1",
        "high_mask = (1 << (bits - low_bits)) - 1",
    ]


def _encrypt() -> list[str]:
    """Lines for x = network(x): twice two rounds."""
    return [
        "left = x >> low_bits",
        "right = x & low_mask",
        "for turn in range(2):",
        *block(_mixed("right", "where(turn == 0, c0, c2)")),
        INDENT + "left = left ^ (v & high_mask)",
        *block(_mixed("left", "where(turn == 0, c1, c3)")),
        INDENT + "right = right ^ (v & low_mask)",
        "x = (left << low_bits) | right",
    ]


def _mixed(half: str, key: str) -> list[str]:
    """Lines for v = mix(half ^ key)."""
    first, second = (f"{m:#x}" for m in random.MIX_MULTIPLIERS)
    return [
        f"v = (({half} ^ {key}) * {first}) & {MASK}",
        f"v = ((v ^ (v >> 15)) * {second}) & {MASK}",
        "v = v ^ (v >> 16)",
    ]


def fetch_kernel(element: Element, *, single: bool) -> Kernel:
    """Rows of the data by number. Arguments: x, index, y, and n (numbers a row) unless `single`."""
    if single:
        lines = ["for row in range(low, high):", INDENT + "y[row] = x[index[row]]"]
        arguments = ["x", "index", "y"]
    else:
        lines = [
            "for row in range(low, high):",
            INDENT + "start = int64(index[row]) * n",
            INDENT + "for j in range(n):",
            INDENT * 2 + "y[row * n + j] = x[start + j]",
        ]
        arguments = ["x", "index", "y", "n"]
    kind = f"pointer:{element.value}"
    signature = (kind, "pointer:int32", kind, *["size"] * (len(arguments) - 3))
    return glue_kernel("fetch", function("fetch", arguments, lines), signature, element)
