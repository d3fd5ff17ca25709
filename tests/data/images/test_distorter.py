"""Every distortion: kernels against their meaning, what it does, and that it repeats."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nndsl.data.images.distorter import Distorter, Levels
from nndsl.runtime.pictures import picture_kernels
from nndsl.vocab import distorting
from nndsl.vocab.arguments import call
from nndsl.vocab.augmentation import Distortion, beta_quantile
from nndsl.vocab.registry import WordCall, words

ELEMENTS = np.array([0, 5, 9, 70_000, 3, 4, 8, 1, 2])
STRONG: dict[str, dict[str, Any]] = {
    "shift": {"pixels": 3},
    "random_crop": {"size": [7, 5], "pad": 2},
    "random_flip": {"rate": 0.6},
    "rotate": {"degrees": 90},
    "affine": {"rotate": 30, "scale": 0.4, "shear": 25, "shift": 2.5},
    "elastic": {"sigma": 2, "strength": 9},
    "random_resized_crop": {"size": 8, "smallest": 0.2},
    "colour": {"brightness": 0.5, "contrast": 0.5, "saturation": 0.5},
    "pca_colour": {"std": 0.5},
    "erase": {"area": 0.5, "rate": 0.8},
    "pixel_noise": {"std": 0.3},
    "mixup": {"alpha": 1.0},
    "shift_view": {"metres": 1.0},
    "rotate_view": {"degrees": 20.0},
}
"""Arguments with which a distortion is plain to see."""
NAMES = [name for name in words("distortion") if name != "copies"]


def word(name: str, **arguments: Any) -> WordCall:
    return call(words("distortion")[name], **(arguments or STRONG[name]))


def levels(channels: int) -> Levels:
    black = np.linspace(-1, 0.5, channels)
    return Levels(black, black + np.linspace(2, 3, channels))


def pictures(channels: int = 3, height: int = 9, width: int = 11) -> np.ndarray:
    rng = np.random.default_rng(7)
    known = levels(channels)
    share = rng.random((len(ELEMENTS), channels, height, width))
    black, white = (end[:, None, None] for end in (known.black, known.white))
    return np.asarray(black + share * (white - black))


def distorted(
    *chain: WordCall,
    x: np.ndarray | None = None,
    mechanisms: Any = distorting,
    epoch: int = 2,
    seed: int = 1,
    elements: np.ndarray = ELEMENTS,
) -> np.ndarray:
    x = pictures() if x is None else x
    made = Distorter(chain, x.shape[1:], levels(x.shape[1]), seed, mechanisms)
    if made.mixes:
        others, share = made.partners(elements, epoch, 5, True)
        x = made.before_mixing(x, elements, epoch)
        return made.after_mixing(distorting.blend(x, x[others], share), elements, epoch)
    return made.after_mixing(made.before_mixing(x, elements, epoch), elements, epoch)


def test_every_distortion_is_tried() -> None:
    assert set(STRONG) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("precision", "tolerance"), [("float64", 1e-12), ("float32", 3e-5)])
def test_kernels_do_what_is_meant(
    name: str, channels: int, precision: str, tolerance: float
) -> None:
    problem = words("distortion")[name].problem
    if problem is not None and problem(STRONG[name], channels, (9, 11)):
        pytest.skip("not for pictures of one channel")
    x = pictures(channels).astype(precision)
    found = distorted(word(name), x=x, mechanisms=picture_kernels(precision))
    meant = distorted(word(name), x=x.astype(np.float64))
    assert found.dtype == precision
    assert found.shape == meant.shape
    assert np.allclose(found, meant, rtol=0, atol=tolerance)
    assert meant.shape != x.shape or not np.allclose(meant, x)


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_depends_on_seed_epoch_and_element_alone(name: str) -> None:
    kernels = picture_kernels("float64")
    one = word(name)
    whole = distorted(one, mechanisms=kernels)
    assert np.array_equal(whole, distorted(one, mechanisms=kernels))
    if words("distortion")[name].blend is None:
        for place in range(len(ELEMENTS)):
            alone = distorted(one, x=pictures()[place : place + 1], mechanisms=kernels,
                              elements=ELEMENTS[place : place + 1])  # fmt: skip
            assert np.array_equal(alone[0], whole[place])
    for other in ({"epoch": 3}, {"seed": 2}):
        assert not np.array_equal(whole, distorted(one, mechanisms=kernels, **other))


def test_moving_by_whole_pixels_copies_them() -> None:
    x = pictures()
    black = levels(3).black
    for found, place in zip(distorted(word("shift"), x=x), range(len(ELEMENTS)), strict=True):
        padded = np.empty((3, 15, 17))
        padded[:] = black[:, None, None]
        padded[:, 3:-3, 3:-3] = x[place]
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 9, 11))[0]
        assert (windows == found).all(axis=(2, 3, 4)).sum() == 1
    moved = distorted(word("shift", pixels=2, straight=True), x=x)
    ways = [(0, 2), (0, -2), (2, 0), (-2, 0)]
    for found, place in zip(moved, range(len(ELEMENTS)), strict=True):
        rolled = [np.roll(x[place], way, (1, 2))[:, 2:-2, 2:-2] for way in ways]
        assert sum(np.array_equal(found[:, 2:-2, 2:-2], one) for one in rolled) == 1
    flipped = distorted(word("random_flip", rate=1.0), x=x)
    assert np.array_equal(flipped, x[:, :, :, ::-1])
    flipped = distorted(word("random_flip", rate=1.0, vertical=True), x=x)
    assert np.array_equal(flipped, x[:, :, ::-1])
    cropped = distorted(word("random_crop", size=[9, 11]), x=x)
    assert np.array_equal(cropped, x)


def test_a_turn_is_against_the_clock_and_about_the_middle() -> None:
    turned = words("distortion")["rotate"]
    assert isinstance(turned, Distortion)
    matrices = turned.warp(np.array([[1.0]]), {"degrees": 90.0}, (5, 5))
    x = np.zeros((1, 1, 5, 5))
    x[0, 0, 2, 4] = 1  # to the right of the middle
    found = distorting.warp(x, matrices, None, (5, 5), np.zeros(1))
    assert np.allclose(found[0, 0, 0, 2], 1)  # above it
    assert np.allclose(found.sum(), 1)


def test_what_comes_in_from_outside_may_be_the_nearest_pixel() -> None:
    x = pictures()
    aside = np.tile(np.array([[[1.0, 0, 0], [0, 1, 4]]]), (len(x), 1, 1))
    black = levels(3).black
    for mechanisms in (distorting, picture_kernels("float64")):
        found = mechanisms.warp(x, aside, None, (9, 11), black, True)
        assert np.allclose(found[..., :7], x[..., 4:])
        assert np.allclose(found[..., 7:], x[..., -1:])
        found = mechanisms.warp(x, aside, None, (9, 11), black)
        assert np.allclose(found[..., 7:], black[:, None, None])


def test_movements_that_follow_one_another_read_the_picture_once() -> None:
    x = np.zeros((len(ELEMENTS), 3, 9, 11))
    x += np.arange(9)[:, None] + 0.1 * np.arange(11)
    chain = word("shift", pixels=4), word("random_crop", size=[9, 11], pad=4)
    away_and_back = distorted(*chain, x=x, mechanisms=picture_kernels("float64"))
    meant = distorted(*chain, x=x)
    assert np.allclose(away_and_back, meant)
    flips = [word("random_flip", rate=1.0)] * 2
    assert np.array_equal(distorted(word("rotate", degrees=0.0), *flips, x=x), x)


def test_a_smooth_field_has_the_strength_and_smoothness_asked_for() -> None:
    sigma, strength, size = 3.0, 20.0, 40
    bases = distorting.basis(size, sigma), distorting.basis(size, sigma)
    assert bases[0].shape[1] < 20
    factor = strength / np.sqrt(3)
    fields = distorting.field((0, 1, 2), np.arange(300), bases, factor)
    middle = fields[:, :, 15:25, 15:25]
    expected = factor / (2 * np.sqrt(np.pi) * sigma)
    assert abs(middle.std() / expected - 1) < 0.05
    apart = (fields[:, :, 15:25, 15] * fields[:, :, 15:25, 18]).mean() / middle.var()
    assert abs(apart - np.exp(-(3**2) / (4 * sigma**2))) < 0.06
    assert np.abs(np.diff(fields, axis=-1)).max() < expected * 2


def test_colours_keep_what_they_should() -> None:
    x = pictures()
    grey = np.repeat(x.mean(axis=1, keepdims=True) * 0 + 0.25, 3, axis=1)
    black, white = (end[:, None, None] for end in (levels(3).black, levels(3).white))
    grey = black + grey * (white - black)
    saturated = distorted(word("colour", saturation=1.0), x=grey)
    assert np.allclose(saturated, grey)
    contrast = distorted(word("colour", contrast=1.0), x=grey)
    assert np.allclose(contrast, grey)
    brighter = distorted(word("colour", brightness=0.5), x=grey)
    share = (brighter - black) / (grey - black)
    assert np.allclose(share, share[:, :1, :1, :1])
    assert 0.5 < share.min() < share.max() < 1.5


def test_erasing_leaves_the_rest() -> None:
    x = pictures()
    found = distorted(word("erase", area=0.4, rate=1.0), x=x)
    changed = (found != x).any(axis=1)
    middle = (levels(3).black + levels(3).white) / 2
    for picture, where in zip(found, changed, strict=True):
        rows, columns = np.flatnonzero(where.any(axis=1)), np.flatnonzero(where.any(axis=0))
        assert where.sum() == len(rows) * len(columns) > 0
        assert np.allclose(picture[:, where], middle[:, None])
    assert np.array_equal(distorted(word("erase", area=0.4, rate=0.0), x=x), x)


@pytest.mark.parametrize(("a", "b"), [(1.0, 1.0), (2.0, 1.0), (1.2, 0.2), (0.2, 0.2), (5.0, 4.0)])
def test_quantiles_of_the_beta_distribution(a: float, b: float) -> None:
    u = (np.arange(20_000) + 0.5) / 20_000
    found = beta_quantile(u, a, b)
    mean, variance = a / (a + b), a * b / ((a + b) ** 2 * (a + b + 1))
    assert abs(found.mean() - mean) < 2e-3
    assert abs(found.var() - variance) < 2e-3
    if b == 1.0:
        assert np.allclose(found, u ** (1 / a), atol=1e-3)
