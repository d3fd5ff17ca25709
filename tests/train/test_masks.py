"""Targets that are pictures: distorted with the picture, whatever else the chain does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nndsl import driver
from nndsl.data.images import preparing
from nndsl.data.images.lazy import lazy
from nndsl.diagnostics import NndslError, Source
from nndsl.model.training import Options, make_job, split_of
from nndsl.schema import TargetKind
from nndsl.train.ensembles import train_job
from nndsl.train.feeding import feed_of
from nndsl.train.job import Output, TrainingJob
from nndsl.train.scoring import judged

MASKS = """
data d = shapes(60, size=16x16, noise=0) { split = [40, 10, 10] }
net N on d { conv(4, 3, pad=same) -> relu -> conv(1, 1) -> sigmoid }
train N { batch = 8; epochs = 2; LINE }
"""
THEMSELVES = """
data d = shapes(60, size=16x16) { target = image; drop = mask; split = [40, 10, 10] }
net N on d { conv(4, 3, pad=same) -> relu -> conv(1, 1) -> sigmoid }
train N { batch = 8; epochs = 2; LINE }
"""


def job(line: str, text: str = MASKS) -> TrainingJob:
    opened = driver.open_source(Source("m.nn", text.replace("LINE", line)), Path())
    (recipe,) = opened.module.recipes
    return make_job(opened, recipe, split_of(opened, recipe), Options(threads=1))[0]


def one_epoch(made: TrainingJob) -> dict[str, np.ndarray]:
    feed = feed_of(made)
    assert feed is not None
    elements = np.arange(feed.count)
    return {"elements": elements, **feed.source.made(elements, 3)}


def test_masks_turn_with_their_pictures() -> None:
    made = job("augment = copies(3, random_flip -> colour(0.2) -> pixel_noise(0.01))")
    found = one_epoch(made)
    rows = found["elements"] % 40
    image, mask = made.train["input"][rows], made.train["mask"][rows]
    assert found["mask"].dtype == np.int32
    as_it_was = (found["mask"] == mask).all(axis=(1, 2, 3))
    flipped = (found["mask"] == mask[..., ::-1]).all(axis=(1, 2, 3))
    assert np.all(as_it_was | flipped) and as_it_was[:40].all() and not as_it_was.all()
    near = np.abs(
        found["input"] - np.where(as_it_was[:, None, None, None], image, image[..., ::-1])
    )
    assert np.median(near) < 0.2


def test_the_middle_of_masks_that_test() -> None:
    cropped = MASKS.replace("N on d {", "N { input x: 1x12x12;").replace("train N", "train N on d")
    made = job("augment = random_crop(12)", cropped)
    assert {a.shape[2:] for a in (*made.test.values(), *made.validation.values())} == {(12, 12)}
    assert one_epoch(made)["mask"].shape == (40, 1, 12, 12)
    assert train_job(made).metrics["test_dice"] >= 0


@pytest.mark.parametrize("chain", ["rotate(20) -> mixup(0.4) -> random_flip", "shift(3)"])
def test_pictures_that_give_themselves_stay_equal(chain: str) -> None:
    found = one_epoch(job(f"augment = {chain}", THEMSELVES))
    np.testing.assert_allclose(found["image"], found["input"], atol=1e-6)


def test_pictures_of_another_size_do_not_move_with_it(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((30, 8, 8), np.uint8))
    np.save(tmp_path / "y.npy", np.arange(30 * 16).reshape(30, 4, 4).astype(np.uint8) % 2)
    text = """data d = images("x.npy", target=images("y.npy"))
net N on d { conv(1, 5) -> sigmoid }
train N { augment = shift(1) }
"""
    with pytest.raises(NndslError) as caught:
        driver.open_source(Source("m.nn", text), tmp_path)
    assert [d.code for d in caught.value.diagnostics] == ["NN323"]
    plain = text.replace("augment = shift(1)", "epochs = 1")
    driver.open_source(Source("m.nn", plain), tmp_path)


@pytest.mark.parametrize("text", [MASKS, THEMSELVES])
@pytest.mark.parametrize("ensemble", ["committee(2)", "committee(2, answer=vote)"])
def test_committees(text: str, ensemble: str) -> None:
    if text is THEMSELVES and "vote" in ensemble:
        return
    result = train_job(job(f"ensemble = {ensemble}", text))
    assert all(np.isfinite(value) for value in result.metrics.values())


def test_pixels_are_what_is_judged() -> None:
    rng = np.random.default_rng(0)
    shares, target = rng.random((5, 3, 4, 6)), rng.integers(0, 3, (5, 1, 4, 6))
    output = Output("o", "t", TargetKind.CLASSES, ("0", "1", "2"), pictures=True)
    said, actual = judged(output, shares, {"t": target})
    assert said.shape == (120, 3) and actual.shape == (120,)
    np.testing.assert_array_equal(said[24 + 6 + 2], shares[1, :, 1, 2])
    assert actual[24 + 6 + 2] == target[1, 0, 1, 2]


def test_masks_that_come_late_train_to_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    there = train_job(job("keep = last"))
    monkeypatch.setattr(preparing, "KEPT_SHARE", 0.0)
    made = job("keep = last")
    assert lazy(made.train["mask"]) is not None
    late = train_job(made)
    for name, array in there.parameters.items():
        np.testing.assert_array_equal(array, late.parameters[name])
    assert late.metrics == there.metrics
    distorted = [job("augment = rotate(9) -> random_flip")]
    monkeypatch.undo()
    distorted.append(job("augment = rotate(9) -> random_flip"))
    one, other = (one_epoch(made) for made in distorted)
    np.testing.assert_array_equal(one["mask"], other["mask"])
