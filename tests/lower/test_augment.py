"""The setting `augment`: chains of distortions, copies, and what cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from nndsl import driver
from nndsl.diagnostics import NndslError, Source
from nndsl.lower.result import Recipe
from tests.data.images.helpers import make_folder

TEXT = """
data d = images("pictures") { split = [20, 4] }
net N on d { flatten -> dense(d.classes) -> softmax }
train N { augment = LINE }
"""
LARGER = """
data d = images("pictures")
net N { input x: 1x6x6; flatten -> dense(2) -> softmax }
train N on d { augment = LINE }
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("augment")
    make_folder(place / "pictures")
    return place


def opened(folder: Path, line: str, text: str = TEXT) -> driver.Opened:
    return driver.open_source(Source("m.nn", text.replace("LINE", line)), folder)


def recipe(folder: Path, line: str, text: str = TEXT) -> Recipe:
    (found,) = opened(folder, line, text).module.recipes
    return found


def test_a_chain(folder: Path) -> None:
    augment = recipe(folder, "shift(2) -> affine(rotate=15, scale=15%) -> elastic").augment
    assert [c.name for c in augment.chain] == ["shift", "affine", "elastic"]
    assert augment.chain[0].arguments == {"pixels": 2, "straight": False}
    assert augment.chain[1].arguments["scale"] == 0.15
    assert (augment.copies, augment.size) == (1, None)
    assert recipe(folder, "random_flip").augment.chain[0].name == "random_flip"
    named = "let turn = 5\n  augment = rotate(turn)"
    text = TEXT.replace("augment = LINE", named)
    assert recipe(folder, "", text).augment.chain[0].arguments["degrees"] == 5.0


@pytest.mark.parametrize("line", ["copies(15, shift(1) -> rotate(6))",
                                  "copies(count=15, chain=shift(1) -> rotate(6))"])  # fmt: skip
def test_copies(folder: Path, line: str) -> None:
    augment = recipe(folder, line).augment
    assert augment.copies == 15
    assert [c.name for c in augment.chain] == ["shift", "rotate"]


def test_a_crop_changes_what_the_network_takes(folder: Path) -> None:
    found = recipe(folder, "random_crop(6)", LARGER)
    assert found.augment.size == (6, 6)
    assert recipe(folder, "random_crop(8, pad=2)").augment.size is None
    told = {note.what: note.taken for note in found.inferred}
    assert told["pictures that test"] == "the middle 6x6"
    assert told["input input"] == "pixels / 255"


MISTAKES = {
    "shfit(1)": "NN301",
    "relu": "NN301",
    "shift(1.5)": "NN314",
    "shift(by=1)": "NN311",
    "random_crop": "NN312",
    "random_crop(20)": "NN314",
    "random_crop(9x4)": "NN314",
    "random_crop(6)": "NN306",
    "pca_colour": "NN323",
    "3": "NN309",
    "[shift(1)]": "NN309",
    "shift(1) -> copies(3, rotate(5))": "NN309",
    "copies(3)": "NN312",
    "copies(1, shift(1))": "NN314",
    "mixup -> mixup": "NN309",
    "dense(3)": "NN301",
}


@pytest.mark.parametrize("line", MISTAKES)
def test_mistakes(folder: Path, line: str) -> None:
    with pytest.raises(NndslError) as caught:
        opened(folder, line)
    assert [d.code for d in caught.value.diagnostics] == [MISTAKES[line]]


@pytest.mark.parametrize(
    ("data", "line", "code"),
    [
        ('images("pictures")', "shift_view(0.6)", "NN323"),
        ("roads(20)", "shift_view(0.6) -> mixup", "NN309"),
        ("roads(20)", "copies(3, rotate_view(-6))", "NN314"),
    ],
)
def test_targets_that_follow(folder: Path, data: str, line: str, code: str) -> None:
    text = f"data d = {data}\nnet N on d {{ flatten -> dense(2) }}\ntrain N {{ augment = {line} }}"
    with pytest.raises(NndslError) as caught:
        opened(folder, "", text)
    assert code in [d.code for d in caught.value.diagnostics]


def test_the_size_of_pictures_is_told(folder: Path) -> None:
    with pytest.raises(NndslError) as caught:
        opened(folder, "shift(1) -> random_crop(20, pad=3)")
    first = caught.value.diagnostics[0]
    assert "at most 14x14: the pictures are 8x8 with 3 around them" in first.title
    assert first.primary.span.text == "20"


def test_a_net_of_whole_pictures_is_told_what_makes_them_smaller(folder: Path) -> None:
    with pytest.raises(NndslError) as caught:
        opened(folder, "random_crop(6) -> random_flip")
    (problem,) = caught.value.diagnostics
    assert problem.title == "the network takes 1x8x8, but `augment` gives 1x6x6"
    assert problem.secondary[0].span.text == "random_crop(6)"
    assert problem.help == ("in the net: `input image: 1x6x6`",)


def test_tables_have_no_pictures() -> None:
    text = "data d = table(x=[1, 2, 3, 4], y=[0, 1, 0, 1]) { target = y }\n"
    text += "net N on d { dense(2) -> softmax }\ntrain N { augment = shift(1) }"
    with pytest.raises(NndslError) as caught:
        driver.open_source(Source("m.nn", text), Path())
    assert [d.code for d in caught.value.diagnostics] == ["NN323"]


def test_without_the_data_the_chain_is_checked(tmp_path: Path) -> None:
    assert driver.check_text(TEXT.replace("LINE", "shift(1)"), folder=tmp_path) == []
    found = driver.check_text(TEXT.replace("LINE", "shfit(1)"), folder=tmp_path)
    assert [d.code for d in found] == ["NN301"]
