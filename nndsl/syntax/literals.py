"""Numbers and shapes as written, to values; their limits."""

from __future__ import annotations

import math

from nndsl.diagnostics import NndslError, Span, error
from nndsl.syntax.wording import shortened

LARGEST_WHOLE = 2**63 - 1
MAXIMUM_DIGITS = 40
"""Longer literals hold no more than float64 or int64 can keep."""


def shown(span: Span) -> str:
    """The text of a span for a message: on one line and not long."""
    return shortened(span.text)


def number(text: str, span: Span) -> int | float:
    """The value of a number as written, without `%` or a unit: an int if it is whole.

    Errors: NN105 when it has more than 40 digits, or does not fit int64 or float64.
    """
    if len(text) > MAXIMUM_DIGITS:
        raise _refused(span, f"a number of {len(text)} characters; {MAXIMUM_DIGITS} is the limit")
    if text.isdecimal():
        whole = int(text)
        if whole > LARGEST_WHOLE:
            raise _refused(span, f"`{text}` is larger than the largest whole number, 2^63 - 1")
        return whole
    value = float(text)
    if math.isinf(value):
        raise _refused(span, f"`{text}` is larger than the largest number, 1.8e308")
    if value == 0.0 and text.lower().split("e")[0].strip("0."):
        raise _refused(span, f"`{text}` is smaller than the smallest number, 5e-324")
    return value


def sizes(text: str, span: Span) -> tuple[int | str, ...]:
    """The sizes of `3x32x32` or `3xHxW`, in order.

    Errors: NN105 when one is 0 or too large.
    """
    result: list[int | str] = []
    for part in text.split("x"):
        if not part.isdecimal():
            result.append(part)
            continue
        size = number(part, span)
        if size == 0:
            raise _refused(span, f"the shape `{shown(span)}` has a size of 0", "sizes start at 1")
        result.append(int(size))
    return tuple(result)


def _refused(span: Span, title: str, label: str = "") -> NndslError:
    return error("NN105", title, span, label)
