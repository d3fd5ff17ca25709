"""`predict --net`, `--count`: nets of a run for themselves."""

from __future__ import annotations

from PIL import Image

GAN = """data d = table(x=grid(0..1, 40)) { target = x^2 }
net Maker { input z: [3]; dense(25) -> sigmoid }
net Critic { input x: [25]; dense(1) }
train (Critic, Maker) on d {
  let fake = noise(3) -> Maker
  update Critic { minimize bce(fake -> Critic, 0) + mean(d.inputs^2) }
  update Maker { minimize bce(fake -> Critic, 1) }
  epochs = 6
}
"""


def test_samples_of_a_generator(nndsl, place):
    (place / "gan.nn").write_text(GAN)
    ended = nndsl("train", "gan.nn", "--out", "run")
    assert ended.code == 0
    (first,) = [line for line in ended.out.splitlines() if line.startswith("epoch 1/6")]
    assert "Critic.loss" in first and "Maker.loss" in first
    proposed = ended.out.splitlines()[-1].removeprefix("next    nndsl ").split()
    assert proposed == ["predict", "run", "--net", "Maker", "--count", "64"]
    assert nndsl(*proposed).code == 0
    assert nndsl("predict", "run", "--net", "Maker", "--count", "5", "-o", "made.csv").code == 0
    lines = (place / "made.csv").read_text().splitlines()
    assert lines[0] == ",".join(f"output_{i}" for i in range(1, 26))
    assert len(lines) == 6
    assert nndsl("predict", "run", "--net", "Maker", "--count", "5", "-o", "made.png").code == 0
    refused = nndsl("predict", "run", "--net", "Maker", "--count", "5", "-o", "made.jpg")
    assert refused.code == 2 and "NN015" in refused.err and not (place / "made.jpg").exists()
    with Image.open(place / "made.png") as picture:
        assert picture.size[0] > 100
    for arguments in (("d.csv",), ("--count", "0"), ()):
        assert nndsl("predict", "run", *arguments).code == 2
    (place / "d.csv").write_text("x\n0.5\n0.25\n")
    assert nndsl("evaluate", "run", "d.csv", "--json").result["metrics"].keys() == {
        "loss", "Critic.loss", "Maker.loss"
    }  # fmt: skip


def test_of_nets_without_noise_the_one_that_reads_rows_is_proposed(nndsl, place) -> None:
    (place / "two.nn").write_text("""data iris = csv("iris.csv", target=species)
net Eyes { input x: [4]; dense(3) -> tanh }
net Head { input h: [3]; dense(3) }
train (Head, Eyes) on iris {
  minimize cross_entropy(iris.inputs -> Eyes -> Head, iris.species)
  epochs = 1
}
""")
    ended = nndsl("train", "two.nn", "--out", "run")
    assert ended.out.splitlines()[-1].split()[1:] == [
        *("nndsl", "predict", "run", "--net", "Eyes", "new.csv")
    ]
    assert nndsl("predict", "run", "--net", "Eyes", "iris.csv", "-o", "out.csv").code == 0
