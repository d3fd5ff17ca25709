"""What nets make, in reports: an autoencoder's reconstructions, a generator's samples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nndsl.model.report.evidence import gather
from nndsl.model.report.writing import report_of
from tests.model.test_inner_nets import trained

CODER = """data digits = csv("digits.csv", target=digit) { numeric -> scale(0.0625) }
net Decoder { input z: [4]; dense(64) -> sigmoid }
net Coder on digits { code = dense(4)
 Decoder }
train Coder { minimize mse(Coder.output, digits.inputs); epochs = 2 }
"""
GAN = """data digits = csv("digits.csv", target=digit) { numeric -> scale(0.0625) }
net Maker { input z: [4]; dense(64) -> sigmoid }
net Critic { input x: [64]; dense(1) }
train (Maker, Critic) on digits {
  let fake = noise(4) -> Maker
  update Critic { minimize bce(digits.inputs -> Critic, 1) + bce(fake -> Critic, 0) }
  update Maker { minimize bce(fake -> Critic, 1) }
  epochs = 2; report = [samples(Maker, 10)]
}
"""


@pytest.fixture(scope="module")
def coder(tmp_path_factory) -> Path:
    return trained(CODER, tmp_path_factory.mktemp("runs") / "coder")


@pytest.fixture(scope="module")
def gan(tmp_path_factory) -> Path:
    return trained(GAN, tmp_path_factory.mktemp("runs") / "gan")


def test_an_autoencoder_shows_what_it_makes_of_rows(coder):
    evidence = gather(coder, None)
    inputs, answers = evidence.reconstructed(5)
    assert inputs.shape == answers.shape == (5, 8, 8)
    assert inputs.min() >= 0 and inputs.max() <= 1
    name, images = evidence.sampled(None, 7)
    assert (name, images.shape) == ("Decoder", (7, 8, 8))
    report = report_of(evidence)
    assert report.verdict.startswith("What it minimises is 0.")
    titles = [str(block) for s in report.sections for block in s.blocks]
    assert any("Inputs and their reconstructions" in title for title in titles)
    assert any("What Decoder makes" in title for title in titles)


def test_a_generator_shows_samples_and_all_losses_are_told(gan):
    evidence = gather(gan, None)
    assert evidence.reconstructed(5) is None
    _, images = evidence.sampled("Maker", 3)
    np.testing.assert_array_equal(images, evidence.sampled("Maker", 3)[1])
    report = report_of(evidence)
    assert "for `Critic`" in report.verdict and "for `Maker`" in report.verdict
    titles = [str(block) for s in report.sections for block in s.blocks]
    assert any("What Maker makes" in title for title in titles)
