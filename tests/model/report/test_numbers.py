import math

import pytest

from nndsl.model.report.numbers import duration, number, percent, share, size


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"), (0.12345, "0.123"), (-0.5, "−0.5"), (12.345, "12.3"), (12345.6, "12,346"),
        (2007.0, "2007"),
        (2.5e6, "2.5 million"), (3e9, "3 billion"), (-4e6, "−4 million"), (1.5e-7, "1.50 · 10⁻⁷"),
        (6e23, "6.00 · 10²³"), (math.nan, "–"), (math.inf, "–"),
    ],
)  # fmt: skip
def test_numbers(value, text):
    assert number(value) == text


def test_times_and_sizes():
    assert [duration(s) for s in (5e-9, 2e-6, 0.25, 90, 150, math.nan)] == [
        "5 ns", "2 µs", "250 ms", "90 s", "2 min 30 s", "–",
    ]  # fmt: skip
    assert [size(b) for b in (12, 2048, 5e6, 3e9)] == ["12 bytes", "2.05 kB", "5 MB", "3 GB"]


def test_shares():
    assert (percent(0.9666), share(0.5), share(math.nan)) == ("96.7 %", "0.500", "–")
    assert (share(-0.0001), share(-0.25)) == ("0.000", "−0.250")
