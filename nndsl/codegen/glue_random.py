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


def philox(step: str, counter: str, seed: str, stream: str) -> list[str]:
    """Lines that leave the four lanes of one block in c0, c1, c2, c3 (uint32)."""
    first, second = (f"uint32({m:#x})" for m in random.PHILOX_MULTIPLIERS)
    lines = [
        f"c0 = uint32({step})",
        f"c1 = uint32({counter})",
        "c2 = uint32(0)",
        "c3 = uint32(0)",
        f"k0 = uint32({seed})",
        f"k1 = uint32({stream})",
        f"for turn in range({random.PHILOX_ROUNDS}):",
    ]
    turn = [
        f"p = uint64(c0) * uint64({first})",
        f"q = uint64(c2) * uint64({second})",
        "c0 = uint32(uint32(q >> uint64(32)) ^ c1 ^ k0)",
        "c1 = uint32(q)",
        "c2 = uint32(uint32(p >> uint64(32)) ^ c3 ^ k1)",
        "c3 = uint32(p)",
        f"k0 = uint32(k0 + uint32({random.PHILOX_INCREMENTS[0]:#x}))",
        f"k1 = uint32(k1 + uint32({random.PHILOX_INCREMENTS[1]:#x}))",
    ]
    return lines + block(turn)


def random_kernel(kind: str, element: Element) -> Kernel:
    """Numbers of one stream. Arguments: y, seed, step, stream, unit (numbers for each row)."""
    lines = [
        "first = low * unit",
        "last = high * unit",
        "for number in range(first // 4, (last + 3) // 4):",
        *block(philox("step", "number", "seed", "stream")),
        *block(_uniform(element) if kind == "uniform" else _normal(element)),
        INDENT + "e = number * 4",
    ]
    for lane in range(4):
        lines.append(INDENT + f"if (e + {lane} >= first) & (e + {lane} < last):")
        lines.append(INDENT * 2 + f"y[e + {lane}] = u{lane}")
    text = function(kind, ["y", "seed", "step", "stream", "unit"], lines)
    signature = (f"pointer:{element.value}", "size", "size", "integer", "integer")
    return glue_kernel(kind, text, signature, element)


def _fraction(lane: str, kind: str, add: int = 0) -> str:
    plus = f" + int32({add})" if add else ""
    return f"{kind}(int32({lane} >> uint32(8)){plus}) * {kind}({random.UNIT!r})"


def _uniform(element: Element) -> list[str]:
    return [f"u{lane} = {_fraction(f'c{lane}', element.value)}" for lane in range(4)]


def _normal(element: Element) -> list[str]:
    """Box and Muller, in pairs."""
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
    start = ["r0 = c0", "r1 = c1", "r2 = c2", "r3 = c3", *_network_size()]
    enter = ["x = uint32(first_row + i)", *_encrypt(), "index[i] = int32(x)"]
    again = [
        "before = index[i]",
        "x = uint32(before)",
        *_encrypt(),
        "outside = before >= rows",
        "index[i] = where(outside, int32(x), before)",
        "walking = walking + where(outside, 1, 0)",
    ]
    shuffled = [
        *philox("epoch", "0", "seed", f"{random.SHUFFLE_STREAM:#x}"),
        *start,
        "for i in range(low, high):",
        *block(enter),
        "walking = 1",
        "while walking > 0:",
        INDENT + "walking = 0",
        INDENT + "for i in range(low, high):",
        *block(again, 2),
    ]
    lines = [
        "if shuffle == 0:",
        INDENT + "for i in range(low, high):",
        INDENT * 2 + "index[i] = int32(first_row + i)",
        "else:",
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
        "low_bits = uint32(bits // 2)",
        "low_mask = uint32((1 << (bits // 2)) - 1)",
        "high_mask = uint32((1 << (bits - bits // 2)) - 1)",
    ]


def _encrypt() -> list[str]:
    """x = network(x), four rounds."""
    lines = ["left = uint32(x >> low_bits)", "right = uint32(x & low_mask)"]
    for turn in range(4):
        source, target = ("right", "left") if turn % 2 == 0 else ("left", "right")
        mask = "high_mask" if turn % 2 == 0 else "low_mask"
        lines += [
            f"v = uint32(({source} ^ r{turn}) * uint32({random.MIX_MULTIPLIERS[0]:#x}))",
            "v = uint32(v ^ (v >> uint32(15)))",
            f"v = uint32(v * uint32({random.MIX_MULTIPLIERS[1]:#x}))",
            "v = uint32(v ^ (v >> uint32(16)))",
            f"{target} = uint32({target} ^ (v & {mask}))",
        ]
    return [*lines, "x = uint32((left << low_bits) | right)"]


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
