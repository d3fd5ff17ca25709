"""`predict --net`, `--count`: nets of a run for themselves."""

from __future__ import annotations

from PIL import Image

from tests.train.test_rounds import GAN


def test_samples_of_a_generator(nndsl, place):
    (place / "gan.nn").write_text(GAN % "")
    ended = nndsl("train", "gan.nn", "--out", "run")
    assert ended.code == 0
    (first,) = [line for line in ended.out.splitlines() if line.startswith("epoch 1/6")]
    assert "Critic.loss" in first and "Maker.loss" in first
    assert nndsl("predict", "run", "--net", "Maker", "--count", "5", "-o", "made.csv").code == 0
    lines = (place / "made.csv").read_text().splitlines()
    assert lines[0] == "output_1,output_2,output_3,output_4"
    assert len(lines) == 6
    assert nndsl("predict", "run", "--net", "Maker", "--count", "5", "-o", "made.png").code == 0
    with Image.open(place / "made.png") as picture:
        assert picture.size[0] > 100
    for arguments in (("iris.csv",), ("--count", "0"), ()):
        assert nndsl("predict", "run", *arguments).code == 2
    assert nndsl("evaluate", "run", "iris.csv", "--json").result["metrics"].keys() == {
        "loss", "Critic.loss", "Maker.loss"
    }  # fmt: skip
