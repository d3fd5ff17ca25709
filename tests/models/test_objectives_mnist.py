"""Canon rows 29 and 30 on MNIST: a variational autoencoder, a generator with its critic."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from nndsl.cli.main import run as command
from nndsl.model import running
from nndsl.model.inner_nets import inner_net, samples
from tests.models.test_lenets import IMAGES, LABELS, few_images

DATA = f"""data mnist = idx("{IMAGES}", labels="{LABELS}") {{
  shuffle = false
  split = [20000, 2000, 2000]
}}
"""
VAE = """net Decoder { input z: [16]; dense(256) -> relu -> dense(784) -> sigmoid }
net VAE on mnist {
  x = flatten
  h = dense(256) -> relu
  mu = h -> dense(16)
  lv = h -> dense(16)
  z = mu + exp(lv / 2) * noise(16)
  z -> Decoder
}
train VAE {
  let kl = 8 * mean(exp(VAE.lv) + VAE.mu^2 - 1 - VAE.lv)
  minimize 784 * bce(VAE.output, VAE.x) + kl
  optimizer = adam(1e-3); batch = 128; epochs = 5
  report = [reconstructions(16), samples(Decoder, 64)]
}
"""
GAN = """net Generator {
  input z: [64]
  dense(256) -> leaky_relu(0.2)
  dense(512) -> leaky_relu(0.2)
  dense(784) -> sigmoid
}
net Critic {
  input image: [784]
  dense(384) -> leaky_relu(0.2) -> dropout(0.3)
  dense(128) -> leaky_relu(0.2) -> dropout(0.3)
  dense(1)
}
train (Generator, Critic) on mnist {
  let fake = noise(64) -> Generator
  update Critic {
    minimize bce(mnist.inputs -> Critic, 0.9) + bce(fake -> Critic, 0)
    optimizer = adam(2e-4, beta1=0.5)
  }
  update Generator { minimize bce(fake -> Critic, 1); optimizer = adam(4e-4, beta1=0.5) }
  batch = 100; epochs = 5; seed = 7
  report = [samples(Generator, 64)]
}
"""


def trained(text: str, folder: Path, shared: Path) -> Path:
    few_images(folder, shared, 24000)
    (folder / "m.nn").write_text(DATA + text)
    words = ["train", str(folder / "m.nn"), "--out", str(folder / "run"), "--quiet", "--report"]
    assert command(words) == 0
    assert (folder / "run" / "report.html").exists()
    return folder / "run"


def figures(run: Path) -> dict[str, float]:
    return json.loads((run / "run.json").read_text())["metrics"]


@pytest.mark.slow
def test_a_variational_autoencoder_reaches_a_bound(tmp_path, shared_data) -> None:
    run = trained(VAE, tmp_path, shared_data)
    assert figures(run)["test_loss"] < 125  # 784 ln 2 = 543 is chance, ten epochs of all give 109
    made = samples(inner_net(running.load_run(run), "Decoder"), 200)["output"]
    assert 0.05 < made.mean() < 0.25  # ink as in digits: 0.13


@pytest.mark.slow
def test_a_generator_draws_after_few_epochs(tmp_path, shared_data) -> None:
    run = trained(GAN, tmp_path, shared_data)
    found = figures(run)
    assert np.isfinite([found["test_Critic.loss"], found["test_Generator.loss"]]).all()
    made = samples(inner_net(running.load_run(run), "Generator"), 200)["output"]
    pictures = made.reshape(-1, 28, 28)
    assert pictures[:, 8:20, 8:20].mean() > 4 * pictures[:, :3].mean()  # ink in the middle
    assert np.std(pictures, axis=0).max() > 0.2  # not always the same
