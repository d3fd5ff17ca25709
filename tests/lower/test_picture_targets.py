"""Pictures as targets in `.nn` files: what fits them, which loss is taken, and right gradients."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nndsl import compilation, driver
from nndsl.diagnostics import NndslError, Source
from nndsl.model.gradient_check import check_gradients

DISCS = "data d = shapes(20, size=6x6)"
BOXES = "data d = shapes(40, size=6x6, kinds=2)"
THEMSELVES = "data d = shapes(20, size=6x6) { target = image; drop = mask }"
DICE = "block (y, t) -> dice_loss { 1 - 2 * sum(y * t) / (sum(y) + sum(t)) }\n"


def opened(data: str, net: str, train: str = "", before: str = "") -> driver.Opened:
    text = f"{before}{data}\nnet N on d {{ {net} }}\ntrain N {{ epochs = 1; {train} }}\n"
    return driver.open_source(Source("m.nn", text), Path())


def refused(data: str, net: str, train: str = "") -> tuple[str, str, str]:
    with pytest.raises(NndslError) as caught:
        opened(data, net, train)
    (found,) = caught.value.diagnostics
    return found.code, found.title, " ".join(found.help)


@pytest.mark.parametrize(
    ("data", "net", "loss"),
    [
        (DISCS, "conv(1, 1) -> sigmoid", "bce"),
        (DISCS, "conv(d.classes, 1) -> softmax", "cross_entropy"),
        (DISCS, "conv(2, 1)", "cross_entropy"),
        (BOXES, "conv(d.classes, 1)", "cross_entropy"),
        (THEMSELVES, "conv(1, 1) -> sigmoid", "mse"),
    ],
)
def test_the_loss_that_goes_with_a_picture(data: str, net: str, loss: str) -> None:
    (recipe,) = opened(data, net).module.recipes
    assert recipe.loss == (loss,)


@pytest.mark.parametrize(
    ("data", "net", "train"),
    [
        (DISCS, "conv(1, 3) -> pad(1) -> sigmoid", ""),
        (DISCS, "conv(1, 3, pad=same) -> sigmoid", "loss = bce + 0.5 * dice_loss"),
        (DISCS, "conv(1, 3, pad=same)", "loss = bce(weights=[1, 3], smooth=0.1)"),
        (DISCS, "conv(1, 3, pad=same)", "loss = binary_focal"),
        (BOXES, "conv(3, 3, pad=same) -> softmax", ""),
        (BOXES, "conv(3, 3, pad=same)", "loss = cross_entropy(weights=[1, 2, 3], smooth=0.1)"),
        (BOXES, "conv(3, 3, pad=same)", "loss = focal + 0.1 * multi_hinge"),
        (BOXES, "conv(3, 3, pad=same) -> softmax", "loss = mse + dice_loss"),
        (BOXES, "conv(3, 3, pad=same)", "loss = kl"),
        (THEMSELVES, "conv(2, 3, pad=same) -> tanh -> conv(1, 1)", "loss = half_squared_error"),
    ],
)
def test_gradients_are_those_of_finite_differences(data: str, net: str, train: str) -> None:
    found = opened(data, net, train, DICE).module
    (recipe,) = found.recipes
    checked = list(check_gradients(recipe, found.networks["N"]))
    assert checked and all(one.agrees for one in checked), checked


def test_a_mean_over_pixels_is_what_it_says() -> None:
    """The class of each pixel counts alike: cross-entropy of even shares is log 3."""
    found = opened(BOXES, "conv(3, 1, weights=0, bias=0)", "precision = float64")
    (recipe,) = found.module.recipes
    compiled = compilation.compile_evaluation(recipe)
    rows = {n: np.zeros((7, 1, 6, 6), np.int32 if n == "mask" else np.float64)
            for n in compiled.executable.program.shapes if n in ("input", "mask")}  # fmt: skip
    weights = {
        name: np.zeros(info.shape) for name, info in found.module.networks["N"].parameters.items()
    }
    compiled.executable.set_parameters(weights)
    np.testing.assert_allclose(compiled.executable.evaluate(rows)["data_loss"], np.log(3))


@pytest.mark.parametrize(
    ("data", "net", "train", "code", "title", "help_"),
    [
        (DISCS, "conv(1, 3)", "", "NN306", "the output is 1x4x4, but `mask` is a picture", "same"),
        (DISCS, "flatten -> dense(2)", "", "NN306", "the output is 2, but `mask`", "upsample"),
        (BOXES, "conv(2, 1)", "", "NN305", "has 2 outputs but `mask` has 3", "conv(d.classes, 1)"),
        (BOXES, "conv(3, 1) -> sigmoid", "", "NN306", "`sigmoid` gives 3", "softmax"),
        (DISCS, "conv(1, 1) -> softmax", "", "NN306", "always 1", "sigmoid"),
        (THEMSELVES, "conv(3, 1)", "", "NN306", "3 channels, but the pictures of `image` have 1",
         "conv(1, 1)"),
        (THEMSELVES, "conv(1, 1)", "loss = cross_entropy", "NN306", "needs classes", "mse"),
        (THEMSELVES, "conv(1, 1)", "metrics = dice", "NN306", "is for classes", "`r2`"),
        (DISCS, "conv(1, 1)", "answer = refuse(0.2); metrics = mse", "NN306", "is for numbers", ""),
    ],
)  # fmt: skip
def test_what_does_not_fit(
    data: str, net: str, train: str, code: str, title: str, help_: str
) -> None:
    found = refused(data, net, train)
    assert found[0] == code and title in found[1] and help_ in found[2], found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("cells", "masks"):
        (tmp_path / name).mkdir()
        for number in range(8):
            pixels = np.full((6, 6), 255, np.uint8)
            pixels[number % 5 :] = 0
            Image.fromarray(pixels).save(tmp_path / name / f"{number}.png")
    (tmp_path / "t.csv").write_text("a,b\n1,2\n3,4\n")
    return tmp_path


@pytest.mark.parametrize(
    ("source", "name", "kind"),
    [
        ('images("cells", target=images("masks"))', "masks", "classes"),
        ('images("cells", target=images("masks/"))', "masks", "classes"),
        ('images("cells") { target = images("masks") }', "masks", "classes"),
        ('images("cells") { target = images("masks") -> keep }', "masks", "numbers"),
        ('images("cells", size=3) { target = images("masks", channels=3) }', "masks", "numbers"),
        ('images("cells", target=image)', "image", "classes"),
        ('images("cells") { target = image -> scale(0.01) }', "image", "numbers"),
    ],
)
def test_ways_to_write_it(source: str, name: str, kind: str, folder: Path) -> None:
    found = driver.open_source(Source("m.nn", f"data d = {source}\n"), folder)
    (target,) = found.module.schemas["d"].targets
    assert (target.name, target.kind.value) == (name, kind)
    assert target.shape[1:] == found.module.schemas["d"].inputs[0].shape[1:]


@pytest.mark.parametrize(
    ("source", "code", "title"),
    [
        ('csv("t.csv", target=images("masks"))', "NN304", "from pictures, not from `csv`"),
        ('images("cells", target=images())', "NN312", "needs the path"),
        ('images("cells", target=images("masks", labels="x"))', "NN307", "no `labels`"),
        ('images("cells", target=images("masks", sise=3))', "NN307", "no option `sise`"),
        ('images("cells", target=images("mask"))', "NN401", "`mask` does not exist"),
        ('images("cells", target=images("masks") -> onehot)', "NN", ""),
    ],
)
def test_mistakes_in_writing_it(source: str, code: str, title: str, folder: Path) -> None:
    if code == "NN":  # a chain may stand beside the source too
        driver.open_source(Source("m.nn", f"data d = {source}\n"), folder)
        return
    with pytest.raises(NndslError) as caught:
        driver.open_source(Source("m.nn", f"data d = {source}\n"), folder)
    first = caught.value.diagnostics[0]
    assert first.code == code and title in first.title
