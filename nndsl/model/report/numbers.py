"""Numbers and lists as the report writes them."""

from __future__ import annotations

import math

GROUPED = 10_000
"""Numbers from which thousands are set apart: years are not."""
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float, digits: int = 3) -> str:
    """A number in a few digits; a dash where there is none."""
    if not math.isfinite(value):
        return "–"
    if abs(value) >= 1e6 and abs(value) < 1e12:
        factor, unit = (1e9, "billion") if abs(value) >= 1e9 else (1e6, "million")
        return f"{value / factor:.{digits}g} {unit}".replace("-", "−")
    if value != 0 and not 1e-3 <= abs(value) < 1e6:
        mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
        return f"{mantissa} · 10".replace("-", "−") + str(int(exponent)).translate(_RAISED)
    if abs(value) >= 10 ** (digits - 1):
        grouped = f"{value:,.0f}" if abs(value) >= GROUPED else f"{value:.0f}"
        return grouped.replace("-", "−")
    return f"{value:.{digits}g}".replace("-", "−")


def percent(share: float) -> str:
    """`96.7 %`."""
    return f"{100 * share:.1f} %" if math.isfinite(share) else "–"


def duration(seconds: float) -> str:
    """A time in the unit that fits it."""
    if not math.isfinite(seconds):
        return "–"
    for factor, unit in ((1e-6, "ns"), (1e-3, "µs"), (1.0, "ms")):
        if seconds < factor:
            return f"{seconds / factor * 1000:.3g} {unit}"
    if seconds < 120:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def size(count: float) -> str:
    """Bytes in the unit that fits them."""
    for factor, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= factor:
            return f"{count / factor:.3g} {unit}"
    return f"{count:.0f} bytes"


def share(value: float) -> str:
    """A figure that is at most 1, with three decimals, so that several stand in a column."""
    if not math.isfinite(value):
        return "–"
    return f"{round(value, 3) + 0.0:.3f}".replace("-", "−")
