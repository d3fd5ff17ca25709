"""Glue kernels on rows of classes: softmax, its logarithm, cross-entropy, picking, one-hot rows.

Exponentials and logarithms are taken in loops of their own over all elements of the share, which
vectorise whatever the width of a row; what runs along a row is only comparing and adding. For rows
of at most `NARROW` numbers the width is written into the text: loops of three rounds unroll. Along
wider rows, comparing and adding are left to LLVM to vectorise (`plus`, `either_greater`).
"""

from __future__ import annotations

from nndsl.codegen.draft import glue_kernel
from nndsl.codegen.glue import INDENT, block, function
from nndsl.codegen.printing import assignments
from nndsl.codegen.program import Element, Kernel
from nndsl.scalar import functions as f
from nndsl.scalar.expression import variable

NARROW = 16


def _greatest(width: int | None) -> list[str]:
    """Lines that give `top`. A row with a NaN has a NaN for its sum, whatever `top` is."""
    chosen = "either_greater(top, value)" if width is None else "where(top >= value, top, value)"
    return [
        "top = x[row * n]",
        "for j in range(1, n):",
        INDENT + "value = x[row * n + j]",
        INDENT + f"top = {chosen}",
    ]


def _total(width: int | None, element: Element) -> list[str]:
    """Lines that give `total`, the sum of a row of y."""
    added = "plus(total, y[row * n + j])" if width is None else "total + y[row * n + j]"
    return [f"total = {element.value}(0.0)", "for j in range(n):", INDENT + f"total = {added}"]


def _over(text: str, lines: tuple[str, ...] | list[str]) -> list[str]:
    return [f"for {text}:", *block(list(lines))]


def _exponentials(element: Element) -> list[str]:
    """Y = exp(y) for all elements of the share."""
    lines = assignments([f.exp(variable("z"))], ["y[i]"], {}, element)
    return _over("i in range(low * unit * n, high * unit * n)", ["z = y[i]", *lines])


def _moved(width: int | None) -> list[str]:
    """Y = x - max(x) of each row."""
    lines = [
        *_greatest(width),
        "for j in range(n):",
        INDENT + "y[row * n + j] = x[row * n + j] - top",
    ]
    return _over("row in range(low * unit, high * unit)", lines)


def softmax_kernel(element: Element, width: int | None = None) -> Kernel:
    """Arguments: x, y, unit (rows for one row of the extent), n (numbers a row)."""
    share = [
        *_total(width, element),
        f"scale = {element.value}(1.0) / total",
        "for j in range(n):",
        INDENT + "y[row * n + j] = y[row * n + j] * scale",
    ]
    lines = _moved(width) + _exponentials(element) + _over(_ROWS, share)
    return _rows("softmax", _two(element), lines, element, width)


_ROWS = "row in range(low * unit, high * unit)"


def log_softmax_kernel(element: Element, width: int | None = None) -> Kernel:
    """Arguments as for softmax."""
    logarithm = assignments([f.log(variable("total"))], ["shift"], {}, element)
    share = [
        *_greatest(width),
        *_total(width, element),
        *logarithm,
        "shift = shift + top",
        "for j in range(n):",
        INDENT + "y[row * n + j] = x[row * n + j] - shift",
    ]
    lines = _moved(width) + _exponentials(element) + _over(_ROWS, share)
    return _rows("log_softmax", _two(element), lines, element, width)


def cross_entropy_kernel(smooth: float, element: Element, width: int | None = None) -> Kernel:
    """Loss and its derivative from logits and classes. Arguments: x, classes, loss, y, unit, n.

    With `smooth` s the target is 1 - s at the class plus s / n everywhere.
    """
    kind = element.value
    logarithm = assignments([f.log(variable("total"))], ["loss[row]"], {}, element)
    deltas = [
        *_total(width, element),
        "loss[row] = total",
        f"scale = {kind}(1.0) / total",
        "for j in range(n):",
        INDENT + "y[row * n + j] = y[row * n + j] * scale" + _even_share(smooth, kind),
        "place = row * n + classes[row]",
        f"y[place] = y[place] - {kind}({1.0 - smooth!r})",
    ]
    losses = [*_greatest(width), *_aim(smooth, kind), "loss[row] = loss[row] - aim"]
    lines = _moved(width) + _exponentials(element) + _over(_ROWS, deltas)
    lines += _over(_ROWS, ["total = loss[row]", *logarithm]) + _over(_ROWS, losses)
    real = f"pointer:{kind}"
    pointers = {"x": real, "classes": "pointer:int32", "loss": real, "y": real}
    return _rows("cross_entropy", pointers, lines, element, width)


def _even_share(smooth: float, kind: str) -> str:
    return f" - {kind}({smooth!r}) / {kind}(n)" if smooth else ""


def _aim(smooth: float, kind: str) -> list[str]:
    """What the target's part of the loss is, from logits less their greatest."""
    picked = "x[row * n + classes[row]] - top"
    if not smooth:
        return [f"aim = {picked}"]
    return [
        f"mean = {kind}(0.0)",
        "for j in range(n):",
        INDENT + "mean = mean + (x[row * n + j] - top)",
        f"aim = {kind}({1.0 - smooth!r}) * ({picked}) + {kind}({smooth!r}) * mean / {kind}(n)",
    ]


def pick_kernel(element: Element, width: int | None = None) -> Kernel:
    """The number at each row's class. Arguments: x, classes, y, unit, n."""
    lines = _over(_ROWS, ["y[row] = x[row * n + classes[row]]"])
    real = f"pointer:{element.value}"
    pointers = {"x": real, "classes": "pointer:int32", "y": real}
    return _rows("pick", pointers, lines, element, width)


def one_hot_kernel(element: Element, width: int | None = None) -> Kernel:
    """Rows of the unit matrix. Arguments: classes, y, unit, n."""
    kind = element.value
    lines = _over(
        _ROWS,
        [
            "for j in range(n):",
            INDENT + f"y[row * n + j] = {kind}(0.0)",
            f"y[row * n + classes[row]] = {kind}(1.0)",
        ],
    )
    pointers = {"classes": "pointer:int32", "y": f"pointer:{kind}"}
    return _rows("one_hot", pointers, lines, element, width)


def _two(element: Element) -> dict[str, str]:
    return {"x": f"pointer:{element.value}", "y": f"pointer:{element.value}"}


def _rows(
    word: str, pointers: dict[str, str], lines: list[str], element: Element, width: int | None
) -> Kernel:
    """A kernel over rows of n numbers: n is an argument, or `width` written into the text."""
    arguments, signature = [*pointers, "unit"], [*pointers.values(), "integer"]
    if width is None:
        arguments, signature = [*arguments, "n"], [*signature, "size"]
    else:
        lines = [f"n = {width}", *lines]
    return glue_kernel(word, function(word, arguments, lines), tuple(signature), element)
