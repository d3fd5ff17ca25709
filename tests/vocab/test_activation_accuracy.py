"""Every activation and its slope over the bit patterns of float32, through the compiled kernels.

Results are within 2 units in the last place of the float64 meaning, or `REASONS` says why not and
by how much. NaN gives NaN, and what overflows in the one overflows in the other.

The fast tests take every 1,021st pattern. The slow ones take every 64th (a minute) and all (an
hour): `python -m pytest -m slow tests/vocab/test_activation_accuracy.py -k 64`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest

from nndsl.codegen.target import host_target
from nndsl.runtime.cache import Cache
from nndsl.scalar.derivative import differentiate
from nndsl.scalar.evaluation import evaluate_all
from nndsl.vocab.registry import words
from tests.vocab.accuracy import BLOCK, Kernels, Off, blocks, units_of, worst
from tests.vocab.test_activations import formula

NAMES = list(words("activation"))
UNITS = 2.0 if host_target().fma else 4.0
"""Without a fused multiply-add every product is rounded before it is added."""


@dataclass(frozen=True)
class Reason:
    """Why an activation may be off by more. Allowed are the units, or the absolute error."""

    text: str
    value: float = 0.0
    slope: float = 0.0
    value_units: float = UNITS
    slope_units: float = UNITS
    limit: float = math.inf  # greatest |x| that is looked at


OUTPUT = "the slope is computed from the output, so that the input need not be kept"
VANISHED = "exponentials below the smallest normal number are 0"
SATURATED = "where the function is flat its slope is 1 less almost 1"
TAIL = "1 + erf or tanh of a number far below 0 is 1 less almost 1"
TINY = 2.0**-126
ODD_SIGMOID = UNITS + 0.5
"""1 + 2^24 is no float32: one sigmoid in 300,000 is off by so much."""

REASONS = {
    "elu": Reason(OUTPUT, slope=2**-24),
    "celu": Reason(OUTPUT, slope=2**-24),
    "selu": Reason(OUTPUT, slope=2**-22),
    "sigmoid": Reason(OUTPUT, value=TINY, slope=2**-23, value_units=ODD_SIGMOID),
    "tanh": Reason(OUTPUT, slope=2**-22),
    "bipolar_sigmoid": Reason(OUTPUT, slope=2**-23),
    "scaled_tanh": Reason(
        f"two factors are rounded before and after tanh; {OUTPUT}",
        slope=2**-21,
        value_units=UNITS + 2,
    ),
    "log_sigmoid": Reason(VANISHED, value=TINY, slope=TINY, slope_units=ODD_SIGMOID),
    "softplus": Reason(VANISHED, value=TINY, slope=TINY, slope_units=ODD_SIGMOID),
    "exp": Reason(VANISHED, value=TINY, slope=TINY),
    "gaussian": Reason(
        f"{VANISHED}; 2x overflows", value=TINY, slope=20 * TINY, limit=1.7e38
    ),
    "erf": Reason(VANISHED, slope=2 * TINY, slope_units=UNITS + 0.5),
    "silu": Reason(
        f"{VANISHED}; {SATURATED}", value=128 * TINY, slope=2**-19, value_units=UNITS + 1
    ),
    "swish": Reason(
        f"{VANISHED}; {SATURATED}", value=128 * TINY, slope=2**-19, value_units=UNITS + 1
    ),
    "mish": Reason(
        f"tanh and softplus are rounded one after the other; {VANISHED}; {SATURATED}",
        value=128 * TINY,
        slope=2**-19,
        value_units=UNITS + 2.1,
    ),
    "gelu": Reason(TAIL, value=2**-23, slope=2**-23),
    "gelu_tanh": Reason(
        f"{TAIL}; {SATURATED}; x^2 overflows", value=2**-21, slope=2**-19, limit=1e19
    ),
    "softsign": Reason("its slope is the difference of two quotients", slope=2**-23),
    "hard_swish": Reason("the slope has a root at -1.5", slope=2**-25),
    "tanh_shrink": Reason(
        "near 0 the difference of almost equal numbers", value=2**-23, slope=2**-22
    ),
    "squareplus": Reason("x^2 overflows", value_units=4, slope_units=8, limit=1e19),
    "sin": Reason("angles are reduced up to so many radians", limit=5e4 if UNITS == 2 else 5e3),
    "cos": Reason("angles are reduced up to so many radians", limit=5e4 if UNITS == 2 else 5e3),
}  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    return Cache(tmp_path_factory.mktemp("code") / "cache")


def judged(name: str, step: int, store: Cache) -> list[Off]:
    """The worst results beyond what is allowed, of a word at every `step`-th pattern."""
    short, double = (Kernels(formula(name), p, store) for p in ("float32", "float64"))
    reason = REASONS.get(name, Reason(""))
    bounds = ((reason.value_units, reason.value), (reason.slope_units, reason.slope))
    found: list[Off] = []
    for x in blocks(step):
        with np.errstate(all="ignore"):
            if reason.limit < math.inf:
                x = np.where(np.abs(x) > reason.limit, np.float32(1), x)  # NaN stays
            right = double(x.astype(np.float64))
        for result, expected, (units, absolute) in zip(short(x), right, bounds, strict=True):
            off = worst(x, result, expected, units, absolute)
            found += [off] if off is not None else []
    return sorted(found, key=lambda off: -off.units)[:3]


@pytest.mark.parametrize("name", NAMES)
def test_every_1021st_pattern(name: str, store: Cache) -> None:
    assert not [str(off) for off in judged(name, 1021, store)]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("step", [64, 1])
def test_patterns(name: str, step: int, store: Cache) -> None:
    assert not [str(off) for off in judged(name, step, store)]


@pytest.mark.parametrize("name", NAMES)
def test_nan_gives_nan_in_the_kernels(name: str, store: Cache) -> None:
    bits = np.arange(BLOCK, dtype=np.uint32) % 2**22 + np.uint32(0x7FC00000)
    value, _ = Kernels(formula(name), "float32", store)(bits.view(np.float32))
    assert np.isnan(value).all()


@pytest.mark.parametrize("name", NAMES)
def test_the_float64_kernels_are_the_oracle(name: str, store: Cache, rng) -> None:
    """What the comparisons above trust, against NumPy."""
    x = rng.normal(size=BLOCK) * 10 ** rng.uniform(-6, 1.5, BLOCK)
    f = formula(name)
    with np.errstate(all="ignore"):
        expected = evaluate_all([f, differentiate(f, "x")], {"x": x})
    for found, right in zip(Kernels(f, "float64", store)(x), expected, strict=True):
        np.testing.assert_allclose(found, np.broadcast_to(right, x.shape), rtol=1e-12, atol=1e-14)


def test_there_is_no_reason_without_need() -> None:
    assert set(REASONS) <= set(NAMES)


def test_units_are_distances_of_float32_numbers() -> None:
    numbers = np.float32([1.0, 1.5, 2.0, 3e38, 1e-38, 1e-45, -0.7])
    np.testing.assert_array_equal(
        units_of(numbers.astype(np.float64)), np.abs(np.spacing(numbers)).astype(np.float64)
    )
