"""Canon row 17: a deep network of dense layers on images that are deformed while it learns."""

from __future__ import annotations

from pathlib import Path

from tests.models.running import model_text, opened_text
from tests.models.test_examples import beside_mnist

SMALLER = {
    "[2500, 2000, 1500, 1000, 500]": "[100, 60]",
    "[50000, 10000]": "[6000, 1000]",
    "batch = 1; epochs = 800": "batch = 10; epochs = 3",
    "sgd(1e-3)": "sgd(0.03)",
    "exponential(1e-3, over=800 epochs)": "hold(1)",
}


def smaller(**changes: str) -> str:
    text = model_text("17_ciresan")
    for old, new in {**SMALLER, **changes}.items():
        assert old in text
        text = text.replace(old, new)
    return text


def test_twelve_million_weights(tmp_path: Path, shared_data: Path) -> None:
    beside_mnist(tmp_path, shared_data)
    found = opened_text(model_text("17_ciresan"), tmp_path)
    assert found.module.networks["Ciresan"].parameter_count == 11_972_510
    (recipe,) = found.module.recipes
    assert [call.name for call in recipe.augment.chain] == ["affine", "elastic"]
    assert recipe.penalties == ()


def test_a_smaller_one_learns_from_deformed_images(
    tmp_path: Path, shared_data: Path, nndsl
) -> None:
    beside_mnist(tmp_path, shared_data)
    (tmp_path / "small.nn").write_text(
        smaller(**{"keep = ": "expect val_accuracy > 0.88\n  keep = "})
    )
    ended = nndsl("train", "small.nn", "--quiet")
    assert (ended.code, ended.err) == (0, "")


def test_gradients_of_the_smaller_one(tmp_path: Path, shared_data: Path, nndsl) -> None:
    beside_mnist(tmp_path, shared_data)
    (tmp_path / "small.nn").write_text(smaller())
    ended = nndsl("check", "--grad", "small.nn")
    assert ended.code == 0, ended.out
    assert ended.out.count("ok      Ciresan.") == 6
